"""A real MLflow server as the store: every step through it, and what happens where it is killed."""

import json
import shutil
import time

import mlflow
import pytest
import yaml

from repro import jsonl, settings, tracking
from repro.cli import main
from tests import run_folder
from tests.paths import ROOT
from tests.run_folder import BENCHMARKS, EVALUATION, NOTE
from tests.test_tracking import artifacts, rewards, wait_for
from tests.tracking import jobs
from tests.tracking.servers import Server

pytestmark = pytest.mark.long
STEPS = 100


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("server")).start()
    yield made
    made.kill()


@pytest.fixture
def up(server):
    """Return the server, running."""
    if not server.running:
        server.start()
    return server


@pytest.fixture
def client(server):
    return mlflow.MlflowClient(server.uri)


def store(server, experiment):
    arguments = ["store", "--experiment", experiment, "--tracking-uri", server.uri]
    return main([*arguments, "--note", NOTE])


def track(server, folder, experiment="test"):
    arguments = ["track", "--run", str(folder), "--settings", json.dumps(EVALUATION)]
    arguments += ["--benchmarks", *BENCHMARKS, "--data", str(folder.parents[3] / "data")]
    arguments += ["--experiment", experiment, "--tracking-uri", server.uri, "--note", NOTE]
    assert main(arguments) == 0
    return jsonl.read_json(folder / "mlflow.json")


def test_every_step_goes_through_the_server(up, client, tmp_path, capsys):
    assert store(up, "test") == 0
    assert client.get_experiment_by_name("test").tags["mlflow.note.content"] == NOTE
    run = {**run_folder.RUN, "seed": 1}
    with tracking.Writer(up.uri, "test", run, tmp_path / "work") as writer:
        for step in (1, 2):
            writer.add({"step": step, "reward": step / 10, "entropy": None})
    folder = run_folder.write(tmp_path, run)
    where = track(up, folder)
    assert where["run_id"] == writer.run_id
    assert where["url"].startswith(f"{up.uri}/#/experiments/") and not where["local"]
    found = client.get_run(writer.run_id)
    assert found.info.status == "FINISHED"
    assert found.info.artifact_uri.startswith("mlflow-artifacts:")
    assert found.data.metrics["eval/mean/accuracy"] == 0.5
    assert rewards(client, writer.run_id) == [(1, 0.1), (2, 0.2)]
    local = client.download_artifacts(writer.run_id, "scores/mbpp.json", str(tmp_path))
    assert jsonl.read_json(local) == jsonl.read_json(folder / "scores/mbpp.json")
    capsys.readouterr()  # the download's progress
    (folder / "provenance.json").unlink()
    assert track(up, folder) == where
    assert "provenance.json" not in artifacts(client, writer.run_id)
    assert "samples.html" in artifacts(client, writer.run_id)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/main.md").write_text("a table")
    summary = ["track_summary", "--files", str(tmp_path / "tables/main.md"), "--experiment", "test"]
    output = tmp_path / "mlflow.json"
    assert main([*summary, "--tracking-uri", up.uri, "--output", str(output)]) == 0
    assert artifacts(client, jsonl.read_json(output)["run_id"]) == ["tables/main.md"]
    assert capsys.readouterr().err == ""


def test_several_trainings_at_once(up, tmp_path):
    assert store(up, "many") == 0
    seeds = range(100, 104)
    processes = jobs.start(tmp_path, up.uri, seeds, STEPS, seconds=0.05)
    jobs.go(processes)
    assert all(said == "" and longest < 1 for longest, said in jobs.end(processes))
    jobs.check(up.uri, seeds, STEPS)


def test_killed_in_the_middle_and_started_again(up, tmp_path):
    assert store(up, "many") == 0
    seeds = range(110, 112)
    processes = jobs.start(tmp_path, up.uri, seeds, 4 * STEPS, seconds=0.1)
    jobs.go(processes)
    time.sleep(8)
    up.kill()
    time.sleep(3)
    up.start()
    for longest, said in jobs.end(processes):
        assert longest < 1
        assert said.count("\n") == 1 and "make upload" in said
    jobs.check(up.uri, seeds, 4 * STEPS)


def test_a_training_ends_well_where_the_server_was_killed(up, client, tmp_path):
    assert store(up, "many") == 0
    seeds = [120]
    (process,) = jobs.start(tmp_path, up.uri, seeds, STEPS, seconds=0.1)
    jobs.go([process])
    run_id = tmp_path / "work120/mlflow_run_id"
    wait_for(run_id.exists)
    time.sleep(2)
    up.kill()
    ((longest, said),) = jobs.end([process])
    assert longest < 1 and said.count("\n") == 1
    up.start()
    cut = client.get_run(run_id.read_text())
    there = rewards(client, cut.info.run_id)
    assert cut.info.status == "RUNNING" and 0 < len(there) < STEPS
    folder = run_folder.write(tmp_path, jobs.settings(120))
    shutil.copy(tmp_path / "work120/rows.jsonl", folder / "training.jsonl")
    assert track(up, folder, "many")["run_id"] == cut.info.run_id
    jobs.check(up.uri, seeds, STEPS)
    ended = client.get_run(cut.info.run_id).info.end_time
    assert ended == (folder / "training.jsonl").stat().st_mtime_ns // 1_000_000


def test_a_resumed_training_continues_its_run(up, client, tmp_path):
    """The first one is killed, and the server before it."""
    assert store(up, "many") == 0
    seeds = [130]
    (process,) = jobs.start(tmp_path, up.uri, seeds, STEPS, seconds=0.1)
    jobs.go([process])
    run_id = tmp_path / "work130/mlflow_run_id"
    wait_for(run_id.exists)
    time.sleep(2)
    up.kill()
    process.kill()
    process.communicate()
    up.start()
    known = run_id.read_text()
    (process,) = jobs.start(tmp_path, up.uri, seeds, STEPS, seconds=0)
    jobs.go([process])
    assert jobs.end([process])[0][1] == ""
    assert run_id.read_text() == known
    jobs.check(up.uri, seeds, STEPS)


@pytest.fixture
def experiment(server, tmp_path, monkeypatch):
    """Write mine.yaml; return its name, the folders of an evaluated and a trained run, results."""
    monkeypatch.chdir(tmp_path)
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    config["name"] = tmp_path.name.replace("_", "-")
    config["tracking_uri"] = server.uri
    config["benchmarks"] = {name: config["benchmarks"][name] for name in BENCHMARKS}
    config["methods"] = ["original", "grpo", "grpo+repro"]
    config["ablations"] = {"backbones": None, "method": "grpo+repro", "alpha": [], "w": [], "k": []}
    config["objective"]["benchmarks"] = ["aime24"]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    results = tmp_path / config["results_dir"]
    resolved = settings.resolve(config, "mine.yaml")
    evaluated, trained = (
        run_folder.write(results, settings.run_settings(resolved, "tiny-qwen3", method, 0))
        for method in ("grpo", "grpo+repro")
    )
    shutil.rmtree(trained / "scores")
    for name in ("tables/main.md", "tables/main.tex", "figures/a.png", "report/overview.html"):
        (results / name).parent.mkdir(exist_ok=True)
        (results / name).write_text("x")
    return config["name"], evaluated, trained, results


def test_upload_sends_what_is_missing(server, client, experiment, tmp_path, capsys):
    name, evaluated, trained, results = experiment
    upload = ["upload", "--config", "mine.yaml"]
    if server.running:
        server.kill()
    assert store(server, name) == 0
    assert track(server, evaluated, name).keys() == {"not_logged"}
    capsys.readouterr()
    assert main(upload) == 1  # still down, and whoever asks for it is told
    assert capsys.readouterr().err.startswith(f"error: MLflow at {server.uri}")
    server.start()
    # Of a training that was cut: one step whole, of another one metric, and it is RUNNING.
    run = jsonl.read_json(trained / "settings.json")
    rows = [{"step": step, "reward": step / 10, "kl": step / 100} for step in range(1, 6)]
    jsonl.write(trained / "training.jsonl", rows)
    with tracking.Writer(server.uri, name, run, tmp_path / "work") as writer:
        writer.add(rows[1])
        writer.add({"step": 4, "kl": rows[3]["kl"]})
    client.update_run(writer.run_id, status="RUNNING")
    for _ in range(2):
        assert main(upload) == 0
        assert (
            f"{server.uri} has 2 of 3 runs of {name}, tables and figures" in capsys.readouterr().out
        )
        found = client.get_run(writer.run_id)
        assert found.info.status == "FINISHED"
        for key in ("reward", "kl"):
            history = client.get_metric_history(writer.run_id, f"train/{key}")
            there = sorted((metric.step, metric.value) for metric in history)
            assert there == [(one["step"], one[key]) for one in rows]
        assert not (trained / "mlflow.json").exists()  # it is to be tracked when it is evaluated
        where = jsonl.read_json(evaluated / "mlflow.json")
        assert client.get_run(where["run_id"]).data.metrics["eval/mean/accuracy"] == 0.5
        assert rewards(client, where["run_id"]) == [(1, 0.1), (2, 0.2)]
        summary = jsonl.read_json(results / "mlflow.json")["run_id"]
        assert artifacts(client, summary) == ["figures/a.png", "overview.html", "tables/main.md"]
        before = (evaluated / "mlflow.json").stat().st_mtime_ns
    assert main(upload) == 0
    assert (evaluated / "mlflow.json").stat().st_mtime_ns == before  # nothing to make anew
    within = client.get_experiment_by_name(name).experiment_id
    assert len(client.search_runs([within])) == 3
