"""What a trained model's card says about the method."""

from trl import GRPOTrainer

from repro.methods import REPRO, label

PAPER = {
    "title": "Rectifying LLM Thought from Lens of Optimization",
    "id": "2512.01925",
    "citation": """\
@inproceedings{liu2026rectifying,
    title     = {{Rectifying LLM Thought from Lens of Optimization}},
    author    = {Junnan Liu and Hongwei Liu and Songyang Zhang and Kai Chen},
    booktitle = {International Conference on Learning Representations},
    year      = 2026,
    eprint    = {arXiv:2512.01925},
}""",
}


def name_and_paper(algorithm: str, has_process_reward: bool) -> tuple[str, dict[str, str]]:
    """Return the method's name, and the paper that introduced it: none for PPO and REINFORCE++."""
    if has_process_reward:
        return label(algorithm + REPRO), PAPER
    return label(algorithm), GRPOTrainer._paper if algorithm == "grpo" else {}
