"""What MLflow is sent of a run: all of it, once, on one run a model."""

import shutil
import time
from pathlib import Path

import mlflow
import pytest
import yaml

from repro.config.resolved import Generation
from repro.files import jsonl
from repro.measure import behaviours
from repro.measure.intervals import summary
from repro.tracking import live, sync
from repro.training.callbacks import ROLLOUT_COLUMNS, UPDATE_COLUMNS
from tests import run_folder
from tests.paths import ROOT
from tests.run_folder import GENERATION, NOTE, RUN, SETTINGS

SENT = ROOT / "tests/tracking/sent.yaml"


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """Return the file of a store that has the experiment and no runs."""
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
        patch.setenv("MLFLOW_EXPERIMENT_NAME", "test")
        sync.create_store()
        sync.create_store()  # again does no harm
    return file


@pytest.fixture
def client(empty, tmp_path, monkeypatch):
    """Name a fresh store in the environment, and return a client of it."""
    uri = f"sqlite:///{shutil.copy(empty, tmp_path / 'mlflow.db')}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "test")
    monkeypatch.setattr(live, "SYNC_SECONDS", 0.1)
    return mlflow.MlflowClient(uri)


def send(folder: Path, generation: Generation = GENERATION) -> str:
    """Send an evaluated run as the step `track` does; return the id of its MLflow run."""
    return sync.sync_run(folder, generation, NOTE)["run_id"]


def all_runs(client):
    return client.search_runs([client.get_experiment_by_name("test").experiment_id])


def artifacts(client, run_id, path=None):
    """Return the paths of all files of a run."""
    there = client.list_artifacts(run_id, path)
    below = [file for one in there if one.is_dir for file in artifacts(client, run_id, one.path)]
    return sorted([one.path for one in there if not one.is_dir] + below)


def samples(client, run_id):
    """Return the rows of the table of responses."""
    return jsonl.read_json(client.download_artifacts(run_id, "samples.json"))["data"]


def write_rows(folder: Path, steps) -> None:
    rows = [{"step": step, "reward": step / 10, "kl": None} for step in steps]
    jsonl.write(folder / "training.jsonl", rows)


def rewards(client, run_id):
    """Return steps and values of a run's reward, in the order of the steps."""
    history = client.get_metric_history(run_id, "train/reward")
    return sorted((metric.step, metric.value) for metric in history)


def wait_for(reached, seconds=60):
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_finished_run_is_sent_whole_and_no_secret_with_it(client, tmp_path, monkeypatch):
    for name in ("HF_TOKEN", "OPENAI_API_KEY", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "hunter2")
    folder, sent = run_folder.write(tmp_path), yaml.safe_load(SENT.read_text("utf-8"))
    run_id = send(folder)
    [run] = all_runs(client)
    assert (run.info.run_id, run.info.status) == (run_id, "FINISHED")
    assert run.info.run_name == "tiny/grpo+repro~alpha=0.3/0"
    assert (run.data.params, run.data.metrics) == (sent["params"], sent["metrics"])
    assert sent["tags"].items() <= run.data.tags.items()
    assert rewards(client, run_id) == [(1, 0.1), (2, 0.2)]
    assert artifacts(client, run_id) == sent["artifacts"]
    assert samples(client, run_id) == sent["samples"]
    assert str(tmp_path) not in f"{run.data.params}{run.data.tags}"
    where = jsonl.read_json(folder / "mlflow.json")
    assert where["url"].startswith(f"http://127.0.0.1:5000/#/experiments/1/runs/{run_id}?")
    assert where["experiment_url"].startswith("http://127.0.0.1:5000/#/experiments/1/runs?")
    assert where["local"]
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"thought 0.0" in kept and b"hunter2" not in kept


def test_validation_along_the_way_is_a_curve_for_each_benchmark(client, tmp_path):
    folder = run_folder.write(tmp_path)
    rows = [
        {"step": step, "benchmark": name, "accuracy": step / 8, "truncation_rate": None}
        for step in (0, 4)
        for name in ("aime24", "math500")
    ]
    jsonl.write(folder / "validation.jsonl", rows[:3])
    run_id = send(folder)
    jsonl.write(folder / "validation.jsonl", rows)
    assert send(folder) == run_id
    for name in ("aime24", "math500"):
        history = client.get_metric_history(run_id, f"validation/{name}/accuracy")
        assert sorted((one.step, one.value) for one in history) == [(0, 0.0), (4, 0.5)]
    assert "validation.jsonl" in artifacts(client, run_id)


def test_a_run_without_training_or_verdicts(client, tmp_path):
    run = {**RUN, "method": "original", "algorithm": None, "training": None, "process_reward": None}
    folder = run_folder.write(tmp_path, run)
    jsonl.write_json(folder / "scores/mbpp.json", {"problems": [], "aggregates": {}})
    rows = run_folder.responses("aime24")
    jsonl.write(folder / "generations/aime24.jsonl", [row | {"text": "y" * 9999} for row in rows])
    run = client.get_run(send(folder))
    assert {"repro": "no", "ablation": "none", "algorithm": "none"}.items() <= run.data.tags.items()
    names = {name.rpartition("/")[0] for name in run.data.metrics}
    assert names == {"eval/aime24", "eval/mean"}
    table = samples(client, run.info.run_id)
    assert len(table) == 3 and all(len(row[1]) < 4000 for row in table)


def test_a_second_call_sends_only_what_changed(client, tmp_path):
    folder = run_folder.write(tmp_path)
    run_id, place = send(folder), folder / "mlflow.json"
    [before], written = all_runs(client), place.stat().st_mtime_ns
    assert send(folder) == run_id
    assert place.stat().st_mtime_ns == written  # nothing of the report is to be made again
    [again] = all_runs(client)
    assert (again.data.tags, again.info) == (before.data.tags, before.info)
    assert len(client.get_metric_history(run_id, "eval/aime24/accuracy")) == 1
    assert len(client.get_metric_history(run_id, "train/reward")) == 2
    place.unlink()  # as Snakemake does before it calls `track` again
    run_folder.write_scores(folder, "aime24", 0.25)
    write_rows(folder, (1, 2, 3))
    assert send(folder, GENERATION.model_copy(update={"engine": "vllm"})) == run_id
    [run] = all_runs(client)
    assert run.data.metrics["eval/aime24/accuracy"] == 0.25  # though smaller than before
    assert run.data.metrics["eval/mean/accuracy"] == 0.375
    assert run.data.tags["evaluation/engine"] == "vllm"
    assert rewards(client, run_id) == [(1, 0.1), (2, 0.2), (3, 0.3)]


def test_a_killed_training_continues_its_run_and_is_logged_while_it_goes_on(client, tmp_path):
    work = tmp_path / "work"
    jsonl.write_json(work / "settings.json", RUN)
    write_rows(work, (1, 2, 3))
    killed = sync.sync_run(work, training="RUNNING")["run_id"]
    write_rows(work, (1,))  # the checkpoint was at step 1
    with live.sync_while_training(SETTINGS, work):
        write_rows(work, (1, 2, 3, 4))
        wait_for(lambda: len(rewards(client, killed)) == 4)
        assert all_runs(client)[0].info.status == "RUNNING"
        write_rows(work, range(1, 101))
        (work / "training.jsonl").open("a").write('{"step": 101, "rew')  # is being written
    [run] = all_runs(client)
    assert (run.info.run_id, run.info.status) == (killed, "FINISHED")
    assert rewards(client, killed) == [(step, step / 10) for step in range(1, 101)]
    folder = run_folder.write(tmp_path)
    write_rows(folder, range(1, 101))
    assert send(folder) == killed
    assert all_runs(client)[0].info.end_time == run.info.end_time  # that of the training


def test_a_new_training_replaces_the_run_of_an_earlier_one(client, empty, tmp_path):
    for attempt, steps in (("first", (1, 2)), ("second", (1,))):
        with live.sync_while_training(SETTINGS, tmp_path / attempt):
            write_rows(tmp_path / attempt, steps)
    [run] = all_runs(client)
    assert rewards(client, run.info.run_id) == [(1, 0.1)]
    assert jsonl.read_json(tmp_path / "second/mlflow.json")["run_id"] == run.info.run_id
    shutil.copy(empty, tmp_path / "mlflow.db")  # a store that was deleted gets the whole run
    run_id = sync.sync_run(tmp_path / "first", training="FINISHED")["run_id"]
    assert rewards(client, run_id) == [(1, 0.1), (2, 0.2)]


def test_a_short_training_is_left_to_the_end_where_the_workflow_says_so(client, tmp_path):
    with live.sync_while_training(SETTINGS, tmp_path / "work", after=60):
        write_rows(tmp_path / "work", (1, 2))
    assert all_runs(client) == []
    folder = run_folder.write(tmp_path)
    write_rows(folder, (1, 2))
    first = send(folder)
    (folder / "mlflow.json").unlink()  # trained again, with other code and other numbers
    rows = jsonl.read(folder / "training.jsonl")
    jsonl.write(folder / "training.jsonl", [row | {"reward": 0.7} for row in rows])
    assert send(folder) != first
    [run] = all_runs(client)
    assert rewards(client, run.info.run_id) == [(1, 0.7), (2, 0.7)]


def test_a_training_that_fails_is_shown_as_failed(client, tmp_path, monkeypatch):
    with pytest.raises(MemoryError), live.sync_while_training(SETTINGS, tmp_path):
        raise MemoryError
    assert all_runs(client)[0].info.status == "FAILED"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")  # without an address nothing is logged
    with live.sync_while_training(SETTINGS, tmp_path / "other"):
        pass
    assert not (tmp_path / "other").exists()


def test_docs_metrics_explains_every_metric_statistic_tag_and_mean():
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    lists = ("correct", "tokens", "truncated", *behaviours.BEHAVIOURS)
    statistics = summary([dict.fromkeys(lists, [1, 0])] * 2)
    suffixes = {f"backtracking_per_1k{end}": f"...{end}" for end in ("_correct", "_wrong")}
    names = [*ROLLOUT_COLUMNS, *UPDATE_COLUMNS, "step_seconds"]
    names += [suffixes.get(name, name) for name in statistics]
    names += [*sync.list_tags(SETTINGS), *(f"eval/mean/{key}" for key in sync.MEANS)]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_budgets_votes_and_stability_are_metrics_of_each_benchmark(client, tmp_path):
    folder = run_folder.write(tmp_path)
    file = folder / "scores/aime24.json"
    score = jsonl.read_json(file)
    for problem in score["problems"]:
        problem |= {"length": [9, 20], "answer": problem["correct"]}
    jsonl.write_json(file, score)
    run_id = sync.sync_run(folder, GENERATION, NOTE, ([9, 20], [2]))["run_id"]
    metrics = client.get_run(run_id).data.metrics
    sent = yaml.safe_load(SENT.read_text("utf-8"))["metrics"]
    new = {"accuracy_within_9": 0.3, "accuracy_within_20": 0.7, "unanswered": 0, "maj_at_2": 0.7}
    assert metrics == sent | {f"eval/aime24/{name}": value for name, value in new.items()}
