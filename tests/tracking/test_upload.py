"""`make upload`: MLflow gets what it does not have of an experiment."""

import shutil
from pathlib import Path

import mlflow
import pytest
import yaml

from repro.commands.cli import main
from repro.config import settings, tracking_uri
from repro.config.resolved import stated
from repro.files import jsonl
from repro.tracking import sync
from tests import run_folder
from tests.paths import ROOT
from tests.run_folder import BENCHMARKS
from tests.test_tracking import artifacts, rewards, write_rows

STORE, DOWN = "sqlite:///results/mlflow.db", "http://127.0.0.1:9"


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Write mine.yaml, an experiment of three runs; return the folders of two that are finished."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", STORE)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    config |= {"name": "mine", "tracking_uri": STORE, "results_dir": "results"}
    config["benchmarks"] = {name: config["benchmarks"][name] for name in BENCHMARKS}
    config["methods"] = ["original", "grpo", "grpo+repro"]
    config["ablations"] = {"backbones": None, "method": "grpo+repro", "alpha": [], "w": [], "k": []}
    config["objective"]["benchmarks"] = ["aime24"]
    Path("mine.yaml").write_text(yaml.safe_dump(config))
    Path("down.yaml").write_text(yaml.safe_dump(config | {"tracking_uri": DOWN}))
    config = settings.resolve(config, "mine.yaml")
    for name in ("tables/main.md", "tables/main.tex", "figures/a.png", "report/overview.html"):
        file = Path("results", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    return [
        run_folder.write(Path("results"), stated(settings.run_settings(config, *run)))
        for run in [("tiny-qwen3", method, 0) for method in ("grpo", "grpo+repro")]
    ]


def test_upload_sends_what_is_missing(runs, capsys):
    evaluated, trained = runs
    shutil.rmtree(trained / "scores")
    # A training that was cut off: its last steps are missing and its run is RUNNING.
    sync.create_store()
    write_rows(trained, (1, 2))
    cut = sync.sync_run(trained, training="RUNNING")["run_id"]
    write_rows(trained, range(1, 6))
    client = mlflow.MlflowClient(tracking_uri.absolute(STORE))
    for _ in range(2):
        assert main(["upload", "--config", "mine.yaml"]) == 0
        report = f"{STORE} has 2 of 3 runs of mine\n"
        assert capsys.readouterr().out == report
        run_id = jsonl.read_json(evaluated / "mlflow.json")["run_id"]
        assert client.get_run(run_id).data.metrics["eval/mean/accuracy"] == 0.5
        assert "samples.json" in artifacts(client, run_id)
        assert rewards(client, cut) == [(step, step / 10) for step in range(1, 6)]
        assert client.get_run(cut).info.status == "FINISHED"
        summary = jsonl.read_json("results/mlflow.json")["run_id"]
        assert artifacts(client, summary) == ["figures/a.png", "overview.html", "tables/main.md"]
        within = client.get_experiment_by_name("mine").experiment_id
        assert len(client.search_runs([within])) == 3
    assert main(["upload", "--config", "down.yaml"]) == 1  # whoever asks for it is told
    assert capsys.readouterr().err.startswith(f"error: MLflow at {DOWN}")
