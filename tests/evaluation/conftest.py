from pathlib import Path

import pytest
import torch
from tiny_model import build

from repro.config.resolved import Generation
from repro.files import jsonl

# Two threads that wait for each other on a busy machine are a hundred times slower than one.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def r1_model(tmp_path_factory) -> Path:
    """A random Qwen2 whose chat template opens the thought."""
    return build(tmp_path_factory.mktemp("r1"))


@pytest.fixture(scope="session")
def qwen3_model(tmp_path_factory) -> Path:
    """A random Qwen3 that would open the thought itself, without think tokens in its vocabulary."""
    return build(tmp_path_factory.mktemp("qwen3"), r1=False)


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """Three benchmarks of a few problems each."""
    folder = tmp_path / "data"
    sums = [("What is 1" + " + 1" * n + "?", str(n + 1)) for n in range(6)]
    problems = [{"problem": question, "answer": answer} for question, answer in sums]
    jsonl.write(folder / "aime24.jsonl", problems)
    jsonl.write(folder / "lmb.jsonl", [{"question": "What is 2 + 2?", "answer": "4"}])
    wrong = {f"Incorrect Answer {n}": text for n, text in ((1, "4"), (2, "-4 m"), (3, "1"))}
    choices = {"Question": "Which is the largest?", "Correct Answer": "40", **wrong}
    jsonl.write(folder / "gpqa.jsonl", [{"Record ID": "rec1", **choices}])
    return folder


def generation(**changes) -> Generation:
    """Settings of a small evaluation."""
    few = {"engine": "transformers", "max_new_tokens": 24, "batch_size": 6, "seed": 0}
    return Generation(**{**few, "benchmarks": {"aime24": {"samples": 3}}, **changes})
