"""`make upload`: MLflow gets what it does not have of an experiment."""

import shutil
from pathlib import Path

import mlflow
import yaml

from repro.commands.cli import main
from repro.config import settings, tracking_uri
from repro.config.resolved import stated
from repro.files import jsonl
from repro.tracking import sync
from tests import run_folder
from tests.bad_configs import SMOKE, changed
from tests.test_tracking import artifacts, rewards, write_rows

STORE, DOWN = "sqlite:///results/mlflow.db", "http://127.0.0.1:9"
MINE = {
    **{"name": "mine", "tracking_uri": STORE, "results_dir": "results", "note": run_folder.NOTE},
    **{"grid": [{"methods": ["original", "grpo", "grpo+repro"]}], "ablations": {}},
    **{"benchmarks": {"aime24": {"samples": 2}, "mbpp": {"samples": 2}}, "objective": {}},
}


def test_upload_sends_what_is_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", STORE)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    config = changed(yaml.safe_load(SMOKE), MINE)
    Path("mine.yaml").write_text(yaml.safe_dump(config))
    Path("down.yaml").write_text(yaml.safe_dump(config | {"tracking_uri": DOWN}))
    config, methods = settings.resolve(config, "mine.yaml"), ("grpo", "grpo+repro")
    runs = [settings.run_settings(config, "tiny-qwen3", method, 0) for method in methods]
    evaluated, trained = (run_folder.write(Path("results"), stated(run)) for run in runs)
    for name in ("tables/main.md", "figures/a.png", "report/overview.html"):
        Path("results", name).parent.mkdir(exist_ok=True)
        Path("results", name).write_text("x")
    shutil.rmtree(trained / "scores")
    # A training that was cut off: its last steps are missing and its run is RUNNING.
    sync.create_store()
    write_rows(trained, (1, 2))
    cut = sync.sync_run(trained, training="RUNNING")["run_id"]
    write_rows(trained, range(1, 6))
    client = mlflow.MlflowClient(tracking_uri.absolute(STORE))
    for _ in range(2):
        assert main(["upload", "--config", "mine.yaml"]) == 0
        assert capsys.readouterr().out == f"{STORE} has 2 of 3 runs of mine\n"
        run_id = jsonl.read_json(evaluated / "mlflow.json")["run_id"]
        assert client.get_run(run_id).data.metrics["eval/mean/accuracy"] == 0.5
        assert "samples.json" in artifacts(client, run_id)
        assert rewards(client, cut) == [(step, step / 10) for step in range(1, 6)]
        assert client.get_run(cut).info.status == "FINISHED"
        summary = client.get_run(jsonl.read_json("results/mlflow.json")["run_id"])
        names = ["figures/a.png", "overview.html", "tables/main.md"]
        assert artifacts(client, summary.info.run_id) == names
        assert (summary.info.status, summary.data.tags["kind"]) == ("FINISHED", "summary")
        within = client.get_experiment_by_name("mine")
        assert within.tags["mlflow.note.content"] == run_folder.NOTE
        assert len(client.search_runs([within.experiment_id])) == 3
    assert main(["upload", "--config", "down.yaml"]) == 1  # whoever asks for it is told
    assert capsys.readouterr().err.startswith(f"error: MLflow at {DOWN}")
