"""Synthetic runs: directories with score files, training logs and settings."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.files import jsonl
from repro.records.experiment import RunFolder

ZEROS = ("truncated", "backtracking", "verification", "hesitation")


def maker(root: Path) -> Callable[..., RunFolder]:
    """Return make(method, scores={benchmark: problems}, training=rows, ...) -> run below root.

    Each problem gives correct and tokens, the rest of a score file defaults to zeros.
    """

    def make(method, scores=None, training=None, process_reward=None, backbone="tiny", seed=0):
        path = root / "runs" / backbone / method / str(seed)
        (path / "scores").mkdir(parents=True)
        for benchmark, problems in (scores or {}).items():
            rows = [
                {"doc_id": number} | dict.fromkeys(ZEROS, [0] * len(problem["correct"])) | problem
                for number, problem in enumerate(problems)
            ]
            content = {"samples": len(rows[0]["correct"]), "n_problems": len(rows)}
            content |= {"benchmark": benchmark, "aggregates": {}, "problems": rows}
            (path / "scores" / f"{benchmark}.json").write_text(json.dumps(content))
        if training is not None:
            jsonl.write(path / "training.jsonl", training)
        settings = {"method": method, "process_reward": process_reward}
        (path / "settings.json").write_text(json.dumps(settings))
        return RunFolder(path)

    return make


@pytest.fixture
def make_run(tmp_path):
    """What `maker` returns."""
    return maker(tmp_path)
