"""MLflow: a resumed training continues its run, and nothing is logged twice."""

import json
import os
import shutil
import time
from pathlib import Path

import mlflow
import pytest

from repro import tracked, tracking
from tests import run_folder
from tests.run_folder import BENCHMARKS, EVALUATION, NOTE

RUN = {
    "backbone": "tiny",
    "method": "grpo+repro",
    "algorithm": "grpo",
    "seed": 0,
    "training": {"steps": 5},
    "backbone_settings": {"source": "tinyworld", "layers": 3},
    "process_reward": {"alpha": 0.1, "w": 0.1, "k": 8, "ema": None},
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """Return the file of a store that has the experiment and no runs."""
    file = tmp_path_factory.mktemp("store") / "empty.db"
    tracking.migrate(f"sqlite:///{file}", "test", "Another note.")
    return file


@pytest.fixture(scope="module")
def uri(empty):
    uri = f"sqlite:///{shutil.copy(empty, empty.with_name('mlflow.db'))}"
    tracking.migrate(uri, "test", NOTE)  # again does no harm
    return uri


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(tracking, "FLUSH_SECONDS", 0.1)


@pytest.fixture
def client(uri):
    return mlflow.MlflowClient(uri)


@pytest.fixture
def log(uri, tmp_path):
    """Return a function that logs a run's folder as the step `track` does."""

    def call(folder, benchmarks=BENCHMARKS, evaluation=EVALUATION):
        data = tmp_path / "data"
        return tracking.log_run(uri, "test", folder, benchmarks, evaluation, data, NOTE)

    return call


def found(client, run):
    """Return the ids of the runs with these settings."""
    return tracking._find(client, client.get_experiment_by_name("test").experiment_id, run)


def artifacts(client, run_id, path=None):
    """Return the paths of all files of a run."""
    there = client.list_artifacts(run_id, path)
    below = [file for one in there if one.is_dir for file in artifacts(client, run_id, one.path)]
    return sorted([one.path for one in there if not one.is_dir] + below)


def row(step: int) -> dict:
    return {"step": step, "reward": step / 10, "entropy": None}


def rewards(client, run_id):
    """Return steps and values of a run's reward, in the order of the steps."""
    history = client.get_metric_history(run_id, "train/reward")
    return sorted((metric.step, metric.value) for metric in history)


def wait_for(reached, seconds=60):
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_killed_training_continues_its_run(uri, tmp_path):
    killed = tracking.Writer(uri, "test", RUN, tmp_path)
    for step in (1, 2, 3):
        killed.add(row(step))
    client = mlflow.MlflowClient(uri)
    wait_for(lambda: killed.run_id and len(rewards(client, killed.run_id)) == 3)
    # And then the process is gone: the run stays RUNNING.
    with tracking.Writer(uri, "test", RUN, tmp_path) as resumed:
        for step in (2, 3, 4, 5):  # the checkpoint was at step 1
            resumed.add(row(step))
    assert resumed.run_id == killed.run_id
    assert rewards(client, resumed.run_id) == [(step, step / 10) for step in (1, 2, 3, 4, 5)]
    run = client.get_run(resumed.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["alpha"] == "0.1"
    assert run.data.params["training/steps"] == "5"
    assert run.data.params["backbone_settings/layers"] == "3"


def test_a_failed_training_says_so(uri, tmp_path):
    run = {**RUN, "seed": 1}

    def fail():
        with tracking.Writer(uri, "test", run, tmp_path):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        fail()
    client = mlflow.MlflowClient(uri)
    (failed,) = found(client, run)
    assert client.get_run(failed).info.status == "FAILED"


def test_training_anew_replaces_the_run(uri, tmp_path):
    run = {**RUN, "seed": 2}
    for attempt in ("first", "second"):
        with tracking.Writer(uri, "test", run, tmp_path / attempt) as writer:
            writer.add(row(1))
    assert found(mlflow.MlflowClient(uri), run) == [writer.run_id]


def test_a_store_that_was_deleted_gets_the_whole_run(uri, empty, tmp_path):
    run = {**RUN, "seed": 3}
    with tracking.Writer(uri, "test", run, tmp_path) as writer:
        writer.add(row(1))
    fresh = f"sqlite:///{shutil.copy(empty, tmp_path / 'fresh.db')}"
    with tracking.Writer(fresh, "test", run, tmp_path) as writer:
        for step in (2, 1, 2):  # a resumed job first sends the steps it makes, then the file
            writer.add(row(step))
    history = mlflow.MlflowClient(fresh).get_metric_history(writer.run_id, "train/reward")
    assert sorted(metric.step for metric in history) == [1, 2]


def test_a_run_is_found_by_its_tags(client, log, tmp_path):
    log(run_folder.write(tmp_path, {**run_folder.RUN, "seed": 10}))
    original = {**run_folder.RUN, "method": "original", "algorithm": None, "seed": 10}
    original |= {"training": None, "process_reward": None}
    log(run_folder.write(tmp_path, original))
    within = [client.get_experiment_by_name("test").experiment_id]
    ablated = "tags.ablation = 'alpha=0.3' AND tags.repro = 'yes' AND tags.algorithm = 'grpo'"
    plain = "tags.ablation = 'none' AND tags.repro = 'no' AND tags.algorithm = 'none'"
    for wanted, method in ((ablated, "grpo+repro~alpha=0.3"), (plain, "original")):
        wanted += " AND tags.kind = 'model' AND tags.seed = '10' AND tags.backbone = 'tiny'"
        (run,) = client.search_runs(within, wanted)
        assert run.data.tags["method"] == method
        assert run.info.run_name == f"tiny/{method}/10"


def test_tags_say_how_a_run_was_made_and_whose_numbers_it_has(client, log, tmp_path):
    run = client.get_run(log(run_folder.write(tmp_path))["run_id"])
    tags = run.data.tags
    assert tags["mlflow.source.git.commit"] == "0123456789abcdef"
    assert tags["git_changes"] == "1 file"
    assert tags["evaluation/engine"] == "transformers"
    assert tags["evaluation/samples"] == "aime24 2, mbpp 2"
    assert "**GRPO + RePro (α = 0.3)** on tiny, seed 0" in tags["mlflow.note.content"]
    assert NOTE in tags["mlflow.note.content"]
    assert client.get_experiment_by_name("test").tags["mlflow.note.content"] == NOTE


def test_params_are_the_settings_that_are_set(client, log, tmp_path):
    params = client.get_run(log(run_folder.write(tmp_path))["run_id"]).data.params
    assert params == {
        **{"backbone": "tiny", "method": "grpo+repro~alpha=0.3", "algorithm": "grpo", "seed": "0"},
        **{"alpha": "0.3", "w": "0.1", "k": "8"},
        **{"training/steps": "2", "training/critic/warmup_steps": "0"},
        **{"backbone_settings/source": "tinyworld", "backbone_settings/layers": "3"},
    }


def test_artifacts_are_what_is_to_read(client, log, tmp_path):
    run_id = log(run_folder.write(tmp_path))["run_id"]
    assert artifacts(client, run_id) == [
        *("provenance.json", "samples.html", "samples.json"),
        *("scores/aime24.json", "scores/mbpp.json", "settings.json", "training.jsonl"),
    ]
    page = Path(client.download_artifacts(run_id, "samples.html", str(tmp_path)))
    assert "thought 0.1" in page.read_text()
    tables = json.loads(client.get_run(run_id).data.tags["mlflow.loggedArtifacts"])
    assert tables == [{"path": "samples.json", "type": "table"}]


def test_tracking_again_replaces(client, log, tmp_path):
    folder = run_folder.write(tmp_path, {**run_folder.RUN, "seed": 11})
    first = log(folder)
    assert log(folder) == first
    run_id = first["run_id"]
    assert len(client.get_metric_history(run_id, "eval/aime24/accuracy")) == 1
    assert len(client.get_metric_history(run_id, "train/reward")) == 2
    run_folder.write_scores(folder, "aime24", 0.25)
    os.utime(folder / "scores/aime24.json", (time.time() + 10,) * 2)
    log(folder, ["aime24"], {**EVALUATION, "engine": "vllm"})
    run = client.get_run(run_id)
    assert run.data.metrics["eval/aime24/accuracy"] == 0.25  # though smaller than before
    assert run.data.metrics["eval/mean/accuracy"] == 0.25
    assert run.data.tags["evaluation/engine"] == "vllm"
    assert "scores/mbpp.json" not in artifacts(client, run_id)


def test_mean_is_over_the_benchmarks_that_were_scored(client, log, tmp_path):
    folder = run_folder.write(tmp_path, {**run_folder.RUN, "seed": 12})
    metrics = client.get_run(log(folder)["run_id"]).data.metrics
    assert metrics["eval/mean/tokens_mean"] == 50
    assert "eval/mean/backtracking_per_1k" not in metrics
    assert "eval/aime24/backtracking_per_1k_wrong" not in metrics


def test_a_training_keeps_its_duration(uri, client, log, tmp_path):
    run = {**run_folder.RUN, "seed": 13}
    with tracking.Writer(uri, "test", run, tmp_path) as writer:
        writer.add(row(1))
    ended = client.get_run(writer.run_id).info.end_time
    assert log(run_folder.write(tmp_path, run))["run_id"] == writer.run_id
    assert client.get_run(writer.run_id).info.end_time == ended
    assert rewards(client, writer.run_id) == [(1, 0.1), (2, 0.2)]  # the second from the file


def test_a_run_that_the_store_does_not_know_gets_its_curves(client, log, tmp_path):
    run_id = log(run_folder.write(tmp_path, {**run_folder.RUN, "seed": 14}))["run_id"]
    history = client.get_metric_history(run_id, "train/reward")
    assert [(metric.step, metric.value) for metric in history] == [(1, 0.1), (2, 0.2)]
    assert client.get_run(run_id).info.status == "FINISHED"


def test_many_metrics_are_sent_in_parts(uri, client, tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "AT_ONCE", 3)
    with tracking.Writer(uri, "test", {**RUN, "seed": 15}, tmp_path) as writer:
        for step in range(8):
            writer.add(row(step))
    history = client.get_metric_history(writer.run_id, "train/reward")
    assert [metric.step for metric in history] == list(range(8))


def test_tables_and_figures_stand_in_one_run_of_their_own(uri, client, log, tmp_path):
    log(run_folder.write(tmp_path))
    for name in ("tables/main.md", "figures/a.png", "figures/b.png", "report/overview.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    files = [tmp_path / name for name in ("tables/main.md", "figures/a.png", "figures/b.png")]
    first = tracking.log_summary(uri, "test", [*files, tmp_path / "report/overview.html"], NOTE)
    assert artifacts(client, first["run_id"]) == [
        *("figures/a.png", "figures/b.png", "overview.html", "tables/main.md")
    ]
    again = tracking.log_summary(uri, "test", files[:2], "A new note.")
    assert again == first
    assert artifacts(client, first["run_id"]) == ["figures/a.png", "tables/main.md"]
    assert client.get_experiment_by_name("test").tags["mlflow.note.content"] == "A new note."
    tracking.log_summary(uri, "test", files, NOTE)
    run = client.get_run(first["run_id"])
    assert (run.info.status, run.data.tags["kind"]) == ("FINISHED", "summary")
    assert not run.data.metrics and not run.data.params


def test_the_saved_view_leaves_tables_and_figures_out(client, log, tmp_path):
    log(run_folder.write(tmp_path))
    experiment = client.get_experiment_by_name("test")
    view = json.loads(experiment.tags[f"mlflow.sharedViewState.{tracked.VIEW}"])
    state = json.loads(view["state"])
    order = f"{state['orderByKey']} {'ASC' if state['orderByAsc'] else 'DESC'}"
    runs = client.search_runs([experiment.experiment_id], state["searchFilter"], order_by=[order])
    assert runs and all("tables" not in run.info.run_name for run in runs)


@pytest.mark.parametrize(
    ("uri", "server", "local"),
    [
        ("sqlite:///results/mlflow.db", "http://127.0.0.1:5000", True),
        ("http://tracking:5000/", "http://tracking:5000", False),
        ("https://tracking/mlflow", "https://tracking/mlflow", False),
    ],
)
def test_links_lead_to_the_server_that_shows_the_store(uri, server, local):
    found = tracked.links(uri, "1", "abc")
    assert found["url"].startswith(f"{server}/#/experiments/1/runs/abc?")
    assert found["experiment_url"].startswith(f"{server}/#/experiments/1/runs?")
    assert found["local"] is local


def test_an_experiment_that_the_store_does_not_have_is_made(uri, client, tmp_path):
    tracking.log_summary(uri, "late", [], NOTE)
    made = client.get_experiment_by_name("late")
    assert made.tags["mlflow.note.content"] == NOTE
    assert made.artifact_location == client.get_experiment_by_name("test").artifact_location
