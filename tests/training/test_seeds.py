"""The same seed twice gives the same bits; another seed other rollouts, of the same inputs."""

import json

import pytest
from tests.training.conftest import make_settings

from repro.commands.cli import main
from repro.files import jsonl


@pytest.mark.long
def test_a_seed_decides_the_rollouts_and_nothing_else(backbones, train_file, tmp_path, monkeypatch):
    records, rows = [], []
    for number, seed in enumerate((0, 0, 1)):
        (tmp_path / str(number)).mkdir()
        monkeypatch.chdir(tmp_path / str(number))  # each has work/ of its own
        settings = {**make_settings(steps=2), "seed": seed}
        call = ["train", "--settings", json.dumps(settings), "--data", str(train_file)]
        call += ["--backbone", str(backbones["qwen3"]), "--output", "run"]
        assert main(call) == 0
        records.append(jsonl.read_json("run/provenance.json"))
        rows.append(jsonl.read("run/training.jsonl"))
    first, same, other = records
    assert same["outputs"] == first["outputs"]
    assert other["outputs"]["model"]["weights"] != first["outputs"]["model"]["weights"]
    assert other["outputs"]["model"]["files"] == first["outputs"]["model"]["files"]
    assert other["inputs"] == first["inputs"]
    assert {**other["settings"], "seed": 0} == first["settings"]
    assert rows[2][0]["response_tokens"] != rows[0][0]["response_tokens"]
