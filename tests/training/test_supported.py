"""What the trainer refuses, and that every option of TRL has been looked at."""

import dataclasses
import json
from itertools import chain, product
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from PIL import Image
from tests.training.test_trainer import loss_and_gradients, rollout
from trl import GRPOConfig

from repro.algorithms import ADVANTAGES
from repro.process_reward.settings import ProcessRewardSettings
from repro.training import padding, supported

# Every option of TRL that is not refused, under the reason why it may be set.
AS_IN_TRL = Path(__file__).with_name("trl_options.txt")
# A value of each option that is refused.
REFUSED = {
    "scale_rewards": "none",
    "multi_objective_aggregation": "normalize_then_sum",
    "mask_truncated_completions": True,
    "neftune_noise_alpha": 5.0,
    "label_smoothing_factor": 0.1,
    "train_sampling_strategy": "sequential",
    "use_liger_kernel": True,
    "torch_compile": True,
    "use_transformers_continuous_batching": True,
}
PER_TOKEN = [
    ("importance_sampling_level", "sequence"),
    ("off_policy_mask_threshold", 0.5),
    ("loss_type", "luspo"),
    ("loss_type", "vespo"),
]


def test_every_option_of_trl_is_classified():
    """A new version of TRL fails here until its new options are refused or found right."""
    lines = AS_IN_TRL.read_text().splitlines()
    right = " ".join(line for line in lines if line.startswith("    ")).split()
    refused = chain.from_iterable(supported.REFUSED.values())
    options = [option.name for option in dataclasses.fields(GRPOConfig)]
    assert sorted([*right, *refused]) == sorted(options)


def dataset_of(answer=str) -> Dataset:
    prompts = [[{"role": "user", "content": f"{i} + {i}"}] for i in range(8)]
    return Dataset.from_dict({"prompt": prompts, "answer": [answer(2 * i) for i in range(8)]})


def check(algorithm: str, has_process_reward: bool, **options) -> None:
    args = GRPOConfig("unused", use_cpu=True, bf16=False)
    for name, value in options.items():  # on a GPU there are some that no CPU has
        setattr(args, name, value)
    supported.check_options(args, algorithm, has_process_reward)


@pytest.mark.parametrize(("name", "value"), [*REFUSED.items(), *PER_TOKEN])
def test_options_that_would_train_something_else_are_refused(name, value):
    """Those for one advantage a response only where tokens differ."""
    for algorithm, process in product(ADVANTAGES, (False, True)):
        if name in REFUSED or (algorithm, process) != ("grpo", False):
            with pytest.raises(ValueError, match=rf"^{name}: {value!r}; .+; allowed: "):
                check(algorithm, process, **{name: value})


def test_options_that_only_parts_of_it_exclude(build):
    with pytest.raises(ValueError, match=r"^remove_unused_columns: True; it would drop"):
        build(options={"remove_unused_columns": True}, process_reward={"k": 3})
    check("grpo", False, remove_unused_columns=True)
    with pytest.raises(ValueError, match=r"^fp16: True; the critic's loss is not scaled"):
        check("ppo", False, fp16=True)
    check("grpo", True, fp16=True)


@pytest.mark.parametrize(
    "options",
    [
        {"importance_sampling_level": "sequence", "loss_type": "grpo"},
        {"importance_sampling_level": "sequence", "loss_type": "luspo"},
        {"loss_type": "vespo"},
        {"off_policy_mask_threshold": 0.1},
    ],
    ids=str,
)
def test_in_plain_grpo_such_options_are_stock_trls(build, options):
    found = []
    for stock in (True, False):
        trainer = build(stock=stock, options={"num_iterations": 2, **options})
        out = rollout(trainer)
        mask = out["completion_mask"]
        if stock:
            advantages = out["advantages"]
            assert advantages.abs().max() > 0.1, "the test needs rewards that differ"
        else:  # TRL's epsilon in the place of the paper's
            out["advantages"] = advantages[:, None] * mask
        noise = torch.randn(mask.shape, generator=torch.Generator().manual_seed(0))
        out["old_per_token_logps"] = out["old_per_token_logps"] + noise  # a policy that moved
        found.append(loss_and_gradients(trainer, out))
    (loss, gradients), (ours, our_gradients) = found
    assert torch.allclose(ours, loss, rtol=1e-6)
    for gradient, our_gradient in zip(gradients, our_gradients, strict=True):
        assert torch.allclose(our_gradient, gradient, rtol=1e-4, atol=1e-7)


LOSSES = ("dapo", "grpo", "bnpo", "dr_grpo", "cispo", "sapo")


@pytest.mark.parametrize(
    ("options", "reaches_its_token"),
    [*(({"loss_type": loss}, True) for loss in LOSSES)]
    + [({"loss_type": "grpo", "importance_sampling_level": "sequence"}, False)],
    ids=str,
)
def test_a_tokens_advantage_moves_that_token_alone(build, monkeypatch, options, reaches_its_token):
    """The gradient has the direction of that token's log-probability, and of no other."""
    monkeypatch.setattr(supported, "check_options", lambda *_: None)
    trainer = build(process_reward={"k": 3}, options=options)
    out = rollout(trainer)
    row, token = 1, 2
    out["advantages"] = torch.zeros_like(out["advantages"])
    out["advantages"][row, token] = 1.5
    _, gradients = loss_and_gradients(trainer, out)
    trainer.model.zero_grad()
    log_probs, _, _ = trainer._get_per_token_logps_and_entropies(trainer.model, *padding.join(out))
    (-log_probs[row, token]).backward()
    expected = torch.cat([p.grad.flatten() for p in trainer.model.parameters()])
    found = torch.cat([gradient.flatten() for gradient in gradients])
    cosine = torch.nn.functional.cosine_similarity(found, expected, dim=0).item()
    assert (cosine > 1 - 1e-4) == reaches_its_token, cosine


@pytest.mark.parametrize(
    ("answer", "row", "said"),
    [
        (int, 0, r"0 \(int\)"),
        (lambda n: "" if n == 10 else str(n), 5, r"'' \(str\)"),
        (lambda n: None if n == 10 else str(n), 5, r"None \(NoneType\)"),
    ],
)
def test_an_answer_that_is_no_text_is_named_before_anything_is_generated(build, answer, row, said):
    with pytest.raises(ValueError, match=rf"^train_dataset\[{row}\]: answer: {said} to the prompt"):
        build(dataset=dataset_of(answer), process_reward={"k": 3})


def test_images_are_refused_and_parts_of_text_are_not(build):
    rows = [{**row, "image": Image.new("RGB", (2, 2))} for row in dataset_of()]
    with pytest.raises(ValueError, match=r"^train_dataset\[0\]: an image; .*text alone"):
        build(dataset=Dataset.from_list(rows))
    text = {"type": "text", "text": "1 + 1"}
    supported.check_rows([{"prompt": [{"role": "user", "content": [text]}]}], False, "row {}")
    prompt = [{"role": "user", "content": [text, {"type": "image"}]}]
    with pytest.raises(ValueError, match="^row 1: an image"):
        supported.check_rows([{"prompt": "1 + 1"}, {"prompt": prompt}], False, "row {}")


def test_the_table_of_completions_shows_the_advantages_that_train(build):
    process_reward = {"k": 3, "alpha": 0.5}
    trainer = build(algorithm="ppo", process_reward=process_reward)
    out = rollout(trainer)
    expected = [
        row[mask.bool()].mean().item()
        for row, mask in zip(out["advantages"], out["completion_mask"], strict=True)
    ]
    assert len(set(expected)) > 4, "the test needs advantages that differ"
    assert list(trainer._logs["advantages"]) == pytest.approx(expected, abs=1e-6)
    assert len(trainer._logs["completion"]) == len(expected)


def test_a_checkpoint_holds_the_settings_and_a_resume_with_others_is_refused(build, tmp_path):
    given = {"process_reward": {"k": 3, "separator": ["."]}, "options": {"max_steps": 2}}
    build(process_reward=given["process_reward"], options={"max_steps": 1, "save_steps": 1}).train()
    checkpoint = tmp_path / "checkpoint-1"
    kept = json.loads((checkpoint / "repro_trainer.json").read_text())
    settings = {f"process_reward.{key}" for key in ProcessRewardSettings.model_fields}
    assert kept.keys() == {"algorithm", "gamma", "lam", *settings}
    assert (kept["algorithm"], kept["process_reward.separator"]) == ("grpo", ["."])
    kept.pop("process_reward.rule")  # as in those from before there were others
    (checkpoint / "repro_trainer.json").write_text(json.dumps(kept))
    same = build(**given)
    same.train(resume_from_checkpoint=str(checkpoint))
    assert same.state.global_step == 2
    given["process_reward"] = {"k": "all", "separator": ["."], "alpha": 0.2}
    message = (
        r"^process_reward\.alpha: 0\.2; \S+checkpoint-1 was trained with 0\.1; "
        r"process_reward\.k: 'all'; \S+checkpoint-1 was trained with 3; allowed: "
    )
    with pytest.raises(ValueError, match=message):
        build(**given).train(resume_from_checkpoint=str(checkpoint))
    with pytest.raises(ValueError, match=r"algorithm: 'reinforce_pp'.*process_reward\.k: None"):
        build(algorithm="reinforce_pp").train(resume_from_checkpoint=str(checkpoint))
    (checkpoint / "repro_trainer.json").unlink()
    with pytest.raises(ValueError, match=r"repro_trainer\.json: no such file"):
        build(**given).train(resume_from_checkpoint=str(checkpoint))


def test_the_model_card_names_algorithm_and_paper(build, tmp_path):
    def card(**given):
        build(**given).create_model_card("model")
        return (tmp_path / "README.md").read_text()

    said = card(algorithm="reinforce_pp", process_reward={"k": 3})
    assert "trained with RF++ + RePro, a method introduced in [Rectifying LLM Thought" in said
    assert "papers/2512.01925" in said and "shao2024deepseekmath" not in said
    assert "trained with GRPO, a method introduced in [DeepSeekMath" in card()
    assert "trained with PPO.\n" in card(algorithm="ppo")
