"""Synthetic runs: directories with score files, training logs and settings."""

import json
from pathlib import Path

import pytest

from repro.files import jsonl
from repro.records.experiment import RunFolder


def score_file(benchmark: str, problems: list[dict]) -> dict:
    """A score file; each problem gives correct and tokens, the rest defaults to zeros."""
    rows = []
    for number, problem in enumerate(problems):
        zeros = [0] * len(problem["correct"])
        row = {"doc_id": number, "truncated": zeros}
        row |= dict.fromkeys(("backtracking", "verification", "hesitation"), zeros)
        rows.append(row | problem)
    return {
        "benchmark": benchmark,
        "samples": len(rows[0]["correct"]),
        "n_problems": len(rows),
        "aggregates": {},
        "problems": rows,
    }


@pytest.fixture
def make_run(tmp_path: Path):
    """Return make_run(method, scores={benchmark: problems}, training=rows, ...) -> run."""

    def make(method, scores=None, training=None, process_reward=None, backbone="tiny", seed=0):
        path = tmp_path / "runs" / backbone / method / str(seed)
        (path / "scores").mkdir(parents=True)
        for benchmark, problems in (scores or {}).items():
            content = json.dumps(score_file(benchmark, problems))
            (path / "scores" / f"{benchmark}.json").write_text(content, encoding="utf-8")
        if training is not None:
            jsonl.write(path / "training.jsonl", training)
        settings = {"method": method, "process_reward": process_reward}
        (path / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        return RunFolder(path)

    return make
