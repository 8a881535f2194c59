"""MLflow: a resumed training continues its run, and no metric is logged twice."""

import mlflow
import pytest

from repro import tracking

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
def uri(tmp_path_factory):
    uri = f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"
    tracking.migrate(uri, "test")
    tracking.migrate(uri, "test")  # again does no harm
    return uri


def row(step: int) -> dict:
    return {"step": step, "reward": step / 10, "entropy": None}


def test_a_killed_training_continues_its_run(uri, tmp_path):
    killed = tracking.Writer(uri, "test", RUN, tmp_path)
    for step in (1, 2, 3):
        killed.add(row(step))
    killed.flush()  # and then the process is gone: the run stays RUNNING
    with tracking.Writer(uri, "test", RUN, tmp_path) as resumed:
        for step in (2, 3, 4, 5):  # the checkpoint was at step 1
            resumed.add(row(step))
    assert resumed.run_id == killed.run_id
    client = mlflow.MlflowClient(uri)
    history = client.get_metric_history(resumed.run_id, "train/reward")
    assert [(metric.step, metric.value) for metric in history] == [
        (step, step / 10) for step in (1, 2, 3, 4, 5)
    ]
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
    (found,) = tracking._find(client, "test", run)
    assert client.get_run(found).info.status == "FAILED"


def test_training_anew_replaces_the_run(uri, tmp_path):
    run = {**RUN, "seed": 2}
    for attempt in ("first", "second"):
        with tracking.Writer(uri, "test", run, tmp_path / attempt) as writer:
            writer.add(row(1))
    assert tracking._find(mlflow.MlflowClient(uri), "test", run) == [writer.run_id]


def test_a_store_that_was_deleted_gets_the_whole_run(uri, tmp_path):
    run = {**RUN, "seed": 3}
    with tracking.Writer(uri, "test", run, tmp_path) as writer:
        writer.add(row(1))
    fresh = f"sqlite:///{tmp_path}/fresh.db"
    tracking.migrate(fresh, "test")
    with tracking.Writer(fresh, "test", run, tmp_path) as writer:
        for step in (2, 1, 2):  # a resumed job first sends the steps it makes, then the file
            writer.add(row(step))
    history = mlflow.MlflowClient(fresh).get_metric_history(writer.run_id, "train/reward")
    assert sorted(metric.step for metric in history) == [1, 2]
