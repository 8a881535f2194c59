"""Training on two CPU processes, as the workflow starts it: `accelerate launch`, real steps."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import mlflow
import psutil
import pytest
from accelerate.utils import FullyShardedDataParallelPlugin, patch_environment
from tests.paths import ROOT
from tests.training import children
from tests.training.conftest import make_settings
from tests.training.test_train import assert_same_result

from repro.config.models import Parallel
from repro.files import jsonl
from repro.training import launched


def start(folder: Path, backbone: Path, train_file: Path, settings: dict) -> subprocess.Popen:
    """Start `python -m repro train` on two processes, in a working directory of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
    environment["MLFLOW_EXPERIMENT_NAME"] = "e"
    if not folder.exists():
        folder.mkdir()
        command = [sys.executable, "-m", "repro", "store"]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    command = ["accelerate", "launch", *children.launch_arguments("ddp"), "repro", "train"]
    command += ["--settings", json.dumps(settings), "--backbone", str(backbone)]
    command += ["--data", str(train_file), "--output", "out"]
    with open(folder / "log", "ab") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def finish(folder: Path, *training) -> None:
    process = start(folder, *training)
    assert process.wait(timeout=400) == 0, (folder / "log").read_text()[-4000:]


def wait_for_rows(process: subprocess.Popen, folder: Path, rows: int) -> dict[int, psutil.Process]:
    """Wait for some steps; returns the processes that train, by rank."""
    deadline = time.monotonic() + 300
    while True:
        files = [*folder.glob("work/training/*/training.jsonl")]
        if files and files[0].read_text().count("\n") >= rows:
            break
        assert process.poll() is None, (folder / "log").read_text()[-4000:]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    found = psutil.Process(process.pid).children(recursive=True)
    return {int(c.environ()["RANK"]): c for c in found if "RANK" in c.environ()}


@pytest.mark.long
def test_killed_ranks_and_launchers_resume_to_the_same_bits(backbones, train_file, tmp_path):
    """One rank is killed, then, after the next start, the launcher; nothing is left running."""
    training = (backbones["qwen3"], train_file, make_settings("ppo", steps=20))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(whole, *training)
    for at_row, target in ((3, "rank"), (9, "launcher")):
        process = start(killed, *training)
        ranks = wait_for_rows(process, killed, at_row)
        assert ranks.keys() == {0, 1}
        if target == "rank":
            ranks[1].send_signal(signal.SIGKILL)
        else:
            process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=120) != 0
        _, alive = psutil.wait_procs(list(ranks.values()), timeout=60)
        assert not alive
        assert not (killed / "out").exists()
    finish(killed, *training)
    assert_same_result(whole / "out", killed / "out")
    assert len(jsonl.read(killed / "out/training.jsonl")) == 20

    client = mlflow.MlflowClient(f"sqlite:///{killed}/mlflow.db")
    [experiment] = [e for e in client.search_experiments() if e.name == "e"]
    [run] = client.search_runs([experiment.experiment_id])
    steps = [metric.step for metric in client.get_metric_history(run.info.run_id, "train/reward")]
    assert sorted(steps) == [*range(1, 21)]
    record = jsonl.read_json(killed / "out/provenance.json")
    assert (record["processes"], record["strategy"]) == (2, "ddp")


@pytest.mark.parametrize("strategy", get_args(Parallel.model_fields["strategy"].annotation))
def test_accelerate_reads_the_file_of_a_strategy(strategy):
    options, environment = children.launch_environment(strategy)
    assert (options.num_processes, options.module, options.training_script) == (2, True, "repro")
    assert options.mixed_precision in (None, "no")  # training.dtype says it
    assert options.use_fsdp == (strategy == "fsdp")
    assert options.use_deepspeed == strategy.startswith("zero")
    assert options.multi_gpu == (strategy == "ddp")
    if options.use_deepspeed:  # what accelerate says to its processes
        environment["ACCELERATE_USE_DEEPSPEED"] = "true"
        environment["ACCELERATE_DEEPSPEED_ZERO_STAGE"] = str(options.zero_stage)
    assert launched.layout() == {}
    with patch_environment(**environment):
        assert launched.layout() == {"processes": 2, "strategy": strategy}
        plugin = FullyShardedDataParallelPlugin()
    if strategy == "fsdp":
        assert (plugin.fsdp_version, plugin.reshard_after_forward) == (2, True)
        assert plugin.state_dict_type.name == "FULL_STATE_DICT"
        assert not plugin.cpu_ram_efficient_loading
    if strategy.startswith("zero"):
        assert options.zero_stage == int(strategy[-1])
        assert options.zero3_init_flag is False
        assert options.offload_optimizer_device == options.offload_param_device == "none"
