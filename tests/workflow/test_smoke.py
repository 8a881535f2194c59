"""The whole pipeline at its smallest, end to end."""

import json
import re

import pandas as pd

from repro.files import jsonl
from tests.workflow.conftest import SMOKE


def test_main_table_has_every_method_and_benchmark(results, config):
    table = pd.read_csv(results / "tables/main.csv")
    assert list(table["method"]) == ["original", "ppo+repro", "grpo", "grpo+repro"]
    for benchmark in config["benchmarks"]:
        assert table[benchmark].between(0, 100).all()
    assert (table["tokens"] > 0).all()


def test_every_table_says_whose_numbers_they_are_not(results):
    for name in ("main.csv", "main.md", "gain.csv", "gain.md", "claims.md"):
        text = (results / "tables" / name).read_text()
        assert "not the paper's" in text.replace("’", "'"), name


def test_partial_tables_name_what_is_missing(done, results, snakemake, tmp_path):
    scores = results / "runs/tiny-qwen3/ppo+repro/0/scores/lmb.json"
    aside = tmp_path / "lmb.json"
    scores.rename(aside)
    try:
        process = snakemake(done, "tables_partial", "--configfile", str(SMOKE))
    finally:
        aside.rename(scores)
    assert process.returncode == 0, process.stdout + process.stderr
    table = (results / "tables_partial/main.md").read_text()
    assert "no scores of tiny-qwen3/ppo+repro/0 on LMB" in table


def test_figures_are_there_in_both_formats(results):
    names = [f"figure2_objective_over_{what}" for what in ("tokens", "position")]
    names += ["figure3_tokens_over_training", "figure5_backtracking_over_training"]
    names += ["figure6_tokens_per_benchmark", "accuracy_over_training", "ablation_alpha"]
    names += ["accuracy_within_budget"]
    for name in [*names, "case_study"]:
        assert (results / f"figures/{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (results / f"figures/{name}.pdf").read_bytes().startswith(b"%PDF")


def test_a_run_is_complete(results):
    run = results / "runs/tiny-qwen3/grpo+repro/0"
    assert (run / "model/model.safetensors").exists()
    rows = jsonl.read(run / "training.jsonl")
    assert [row["step"] for row in rows] == [1, 2, 3]
    for key in ("reward", "accuracy", "reasoning_tokens", "process_reward_mean", "entropy", "kl"):
        assert all(isinstance(row[key], float) for row in rows), key
    validated = jsonl.read(run / "validation.jsonl")
    assert [(row["step"], row["benchmark"]) for row in validated] == [(0, "aime24"), (3, "aime24")]
    assert len(jsonl.read(run / "validation/aime24/3.jsonl")) == 4 * 2
    assert (run / "checkpoints/2/model.safetensors").exists()
    assert "those of the last of 3 steps." in (results / "tables/main.md").read_text()
    generations = jsonl.read(run / "generations/aime24.jsonl")
    assert len(generations) == 4 * 2
    score = json.loads((run / "scores/aime24.json").read_text())
    assert score["n_problems"] == 4
    provenance = json.loads((run / "provenance.json").read_text())
    assert provenance["packages"]["trl"]


def test_mlflow_holds_training_and_evaluation_on_one_run_a_model(done):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{done}/results/mlflow.db")
    experiment = client.get_experiment_by_name("smoke")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert sorted(runs) == [
        "tables and figures",
        "tiny-qwen3/grpo+repro/0",
        "tiny-qwen3/grpo+repro~alpha=0.3/0",
        "tiny-qwen3/grpo/0",
        "tiny-qwen3/original/0",
        "tiny-qwen3/ppo+repro/0",
    ]
    trained = runs["tiny-qwen3/grpo+repro~alpha=0.3/0"]
    assert trained.data.params["alpha"] == "0.3"
    assert trained.data.params["algorithm"] == "grpo"
    kept = {"train/reward", "eval/aime24/accuracy", "eval/mean/tokens_mean", "eval/lmb/maj_at_2"}
    assert kept <= trained.data.metrics.keys()
    critic = runs["tiny-qwen3/ppo+repro/0"].data.metrics
    assert {"train/value_loss", "train/explained_variance"} <= critic.keys()
    assert not {"train/value_loss"} & trained.data.metrics.keys()
    history = client.get_metric_history(trained.info.run_id, "train/reasoning_tokens")
    assert [metric.step for metric in history] == [1, 2, 3]
    assert all(run.info.status == "FINISHED" for run in runs.values())
    assert trained.data.tags["evaluation/temperature"] == "0.6"


def test_every_result_is_an_output_of_some_rule(done, snakemake):
    """What is none stays behind where a job's outputs are uploaded, or made again."""
    said = snakemake(done, "--list-untracked", "--configfile", str(SMOKE))
    assert said.returncode == 0, said.stderr
    files = [line for line in said.stdout.split() if line.startswith("results/smoke/")]
    # Within an output that is a folder, by a rule that declares none, or by `--report`.
    folders = "model|checkpoints|validation|backbones/[^/]+|tables_partial"
    known = re.compile(f"/({folders})/|/report.html$")
    assert [file for file in files if not known.search(file)] == []


def test_every_result_says_what_it_was_made_of(results, config):
    """One thread each, two for a backbone, whatever --cores is: the order of sums decides bits."""
    runs = sorted(results.glob("runs/*/*/*"))
    assert len(runs) == 5
    for run in runs:
        record = jsonl.read_json(run / "generations.provenance.json")
        assert record["finished_before"] == []
        assert record["machine"]["threads"] == 1
        model = record["inputs"]["model"]["made"]
        if "original" in run.parts:
            assert model["step"] == "backbone"
        else:
            assert model == jsonl.read_json(run / "provenance.json")
            assert model["machine"]["threads"] == 1
            assert model["inputs"]["data"]["made"]["settings"]["name"] == "train"
            model = model["inputs"]["backbone"]["made"]
        assert model["settings"]["seed"] == 0
        assert model["machine"]["threads"] == 2
        problems = record["inputs"]["aime24"]["made"]["settings"]
        assert problems == {"name": "aime24", "source": "tinyworld", "problems": 4, "seed": 0}
        scored = jsonl.read_json(run / "scores.provenance.json")
        for name in config["benchmarks"]:
            of_input = scored["inputs"][f"generations of {name}"]
            assert of_input["digest"] == record["outputs"][name]
