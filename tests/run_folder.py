"""A finished run's folder written by hand: two benchmarks, two responses each."""

import json
from pathlib import Path

from repro.config.resolved import Generation, RunSettings
from repro.config.words import validate
from repro.files import jsonl

RUN = {
    "backbone": "tiny",
    "method": "grpo+repro~alpha=0.3",
    "algorithm": "grpo",
    "seed": 0,
    "training": {"steps": 2, "critic": {"warmup_steps": 0}},
    "backbone_settings": {"source": "directory", "path": "tiny", "chat_template": None},
    "process_reward": {"alpha": 0.3, "w": 0.1, "k": 8, "ema": None},
}
BENCHMARKS = ("aime24", "mbpp")
EVALUATION = {
    "engine": "transformers",
    "top_k": None,
    "seed": 0,
    "benchmarks": {"mbpp": {"samples": 2}, "aime24": {"samples": 2}},
}
SETTINGS, GENERATION = validate(RUN, RunSettings), validate(EVALUATION, Generation)
NOTE = "A tiny world: <not> the paper's."
CORRECT = {"aime24": [[0, 1], [1, 1], [0, 0], [1, 1], [1, 1]], "mbpp": [[1, 0]]}


def write(folder: Path, run: dict | None = None, accuracy: float = 0.5) -> Path:
    """Write a run's folder, of a training where the run has one, and return it."""
    run = run or RUN
    path = folder / "runs" / run["backbone"] / run["method"] / str(run["seed"])
    for benchmark in BENCHMARKS:
        jsonl.write(path / f"generations/{benchmark}.jsonl", responses(benchmark))
        write_scores(path, benchmark, accuracy)
    jsonl.write_json(path / "settings.json", run)
    if run["training"]:
        rows = [{"step": step, "reward": step / 10, "entropy": None} for step in (1, 2)]
        jsonl.write(path / "training.jsonl", rows)
        found = {"git_commit": "0123456789abcdef", "git_changes": " M a.py"}
        (path / "provenance.json").write_text(json.dumps(found))
    return path


def write_scores(path: Path, benchmark: str, accuracy: float) -> None:
    """Write a score file whose statistics say what is given."""
    estimates = {
        "accuracy": {"value": accuracy},
        "tokens_mean": {"value": 40 if benchmark == "aime24" else 60},
        "backtracking_per_1k_wrong": None,
    }
    problems = [
        {"doc_id": number, "correct": correct, "truncated": [0, 1]}
        for number, correct in reversed(list(enumerate(CORRECT[benchmark])))
    ]
    scores = {"aggregates": estimates, "problems": problems, "not_scored": None}
    jsonl.write_json(path / f"scores/{benchmark}.json", scores)


def responses(benchmark: str) -> list[dict]:
    """Return the rows of a file of generations, in no order."""
    return [
        {
            "doc_id": number,
            "sample": sample,
            "prompt": f"<user>{benchmark} {number}",
            "text": f"<think>thought {number}.{sample}</think>",
            "n_tokens": 9,
            "n_reasoning_tokens": 7,
            "finish_reason": "length" if sample else "stop",
        }
        for sample in (1, 0)
        for number in range(len(CORRECT[benchmark]))
    ]
