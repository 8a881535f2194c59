"""Real problems through the real prompts and verifiers; the backbone knows none of them."""

import json

import pandas as pd
import pytest

from repro.files import jsonl
from tests.paths import DATA, ROOT, needs_data

ROWS = {"aime24": 30, "aime25": 30, "math500": 250, "mbpp": 250}


@needs_data
@pytest.mark.long
def test_real_problems_are_prompted_verified_and_tabulated(snakemake, tmp_path):
    config = ROOT / "config/real_data.yaml"
    process = snakemake(
        *(tmp_path, "tables", "--configfile", str(config)),
        *("--config", f"data_dir={DATA}"),
    )
    assert process.returncode == 0, process.stdout + process.stderr
    results = tmp_path / "results/real_data"
    run = results / "runs/tiny-qwen3/original/0"
    for benchmark, rows in ROWS.items():
        generations = jsonl.read(run / f"generations/{benchmark}.jsonl")
        assert len(generations) == rows
        score = json.loads((run / f"scores/{benchmark}.json").read_text())
        assert score["n_problems"] == rows
        assert score["aggregates"]["accuracy"]["value"] <= 0.05  # it has seen sums only
    problems = jsonl.read(DATA / "aime24.jsonl")
    for row in jsonl.read(run / "generations/aime24.jsonl"):
        assert problems[row["doc_id"]]["problem"] in row["prompt"]
    assert len(pd.read_csv(results / "tables/main.csv")) == 1
