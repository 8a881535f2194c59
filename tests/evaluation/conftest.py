from pathlib import Path

import pytest
import torch
from tiny_model import build

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
    return build(tmp_path_factory.mktemp("qwen3"), r1=False, think_tokens=False)


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """Three benchmarks of a few problems each."""
    folder = tmp_path / "data"
    folder.mkdir()
    jsonl.write(
        folder / "aime24.jsonl",
        [{"id": n, "problem": "What is 1" + " + 1" * n + "?", "solution": "", "answer": str(n + 1)}
         for n in range(6)],
    )  # fmt: skip
    jsonl.write(folder / "lmb.jsonl", [{"question": "What is 2 + 2?", "answer": "4"}])
    jsonl.write(
        folder / "gpqa.jsonl",
        [
            {
                "Record ID": "rec1",
                "Question": "Which is the largest?",
                "Correct Answer": "4",
                "Incorrect Answer 1": "1",
                "Incorrect Answer 2": "2",
                "Incorrect Answer 3": "3",
            }
        ],
    )
    return folder


@pytest.fixture
def evaluation() -> dict:
    """Settings of a small evaluation."""
    return {
        "engine": "transformers",
        "temperature": 0.6,
        "top_p": 0.95,
        "top_k": None,
        "max_new_tokens": 24,
        "batch_size": 6,
        "seed": 0,
        "benchmarks": {"aime24": {"samples": 3}},
    }
