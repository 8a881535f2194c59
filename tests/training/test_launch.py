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
import torch
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin, patch_environment
from accelerate.utils.launch import prepare_multi_gpu_env
from safetensors.torch import load_file
from tests.paths import ROOT
from tests.training.conftest import make_settings

from repro.config.models import Parallel
from repro.files import jsonl
from repro.training import launched

ACCELERATE = ROOT / "config/accelerate"
STRATEGIES = {
    "ddp": DistributedType.MULTI_GPU,
    "fsdp": DistributedType.FSDP,
    "zero2": DistributedType.DEEPSPEED,
    "zero3": DistributedType.DEEPSPEED,
}
PROCESSES = 2


def launcher(strategy: str, *command: str) -> list[str]:
    """The command of workflow/rules/common.smk."""
    options = ["--config_file", str(ACCELERATE / f"{strategy}.yaml")]
    options += ["--num_processes", str(PROCESSES), "--main_process_port", "0"]
    return ["accelerate", "launch", *options, *command]


def start(folder: Path, backbone: Path, train_file: Path, settings: dict, processes: int = 2):
    """Start `python -m repro train` in a working directory of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
    environment["MLFLOW_EXPERIMENT_NAME"] = "e"
    if not folder.exists():
        folder.mkdir()
        command = [sys.executable, "-m", "repro", "store"]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    step = ["repro", "train", "--settings", json.dumps(settings), "--backbone", str(backbone)]
    step += ["--data", str(train_file), "--output", "out"]
    alone = [sys.executable, "-m"]
    command = [*(launcher("ddp", "--module") if processes > 1 else alone), *step]
    with open(folder / "log", "ab") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def finish(folder: Path, *training, **options) -> list[dict]:
    process = start(folder, *training, **options)
    assert process.wait(timeout=400) == 0, (folder / "log").read_text()[-4000:]
    return jsonl.read(folder / "out/training.jsonl")


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
    children = psutil.Process(process.pid).children(recursive=True)
    return {int(c.environ()["RANK"]): c for c in children if "RANK" in c.environ()}


def without_time(rows: list[dict]) -> list[dict]:
    return [{key: value for key, value in row.items() if key != "step_seconds"} for row in rows]


@pytest.mark.long
@pytest.mark.parametrize("algorithm", ["grpo", "ppo"])
def test_killed_ranks_and_launchers_resume_to_the_same_bits(
    algorithm, backbones, train_file, tmp_path
):
    """One rank is killed, then, after the next start, the launcher; nothing is left running."""
    training = (backbones["qwen3"], train_file, make_settings(algorithm, steps=20))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    rows = finish(whole, *training)
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
    assert without_time(finish(killed, *training)) == without_time(rows)
    assert [row["step"] for row in rows] == [*range(1, 21)]
    models = [load_file(folder / "out/model/model.safetensors") for folder in (whole, killed)]
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])

    client = mlflow.MlflowClient(f"sqlite:///{killed}/mlflow.db")
    [experiment] = [e for e in client.search_experiments() if e.name == "e"]
    [run] = client.search_runs([experiment.experiment_id])
    steps = [metric.step for metric in client.get_metric_history(run.info.run_id, "train/reward")]
    assert sorted(steps) == [*range(1, 21)]
    record = jsonl.read_json(killed / "out/provenance.json")
    assert (record["processes"], record["strategy"]) == (PROCESSES, "ddp")


@pytest.mark.long
def test_two_processes_train_as_one(backbones, train_file, tmp_path):
    """So small a nucleus that there is nothing to draw: both see the same rollouts."""
    settings = make_settings("ppo", top_p=1e-6)
    training = (backbones["qwen3"], train_file, settings)
    one = finish(tmp_path / "one", *training, processes=1)
    two = finish(tmp_path / "two", *training)
    assert any(row["grad_norm"] > 0 for row in one)
    for first, second in zip(without_time(one), without_time(two), strict=True):
        assert first == pytest.approx(second, rel=1e-3, abs=1e-5)
    weights = [load_file(tmp_path / n / "out/model/model.safetensors") for n in ("one", "two")]
    before = load_file(backbones["qwen3"] / "model.safetensors")
    moved = sum((weights[0][name] - before[name]).square().sum() for name in before)
    apart = sum((weights[0][name] - weights[1][name]).square().sum() for name in before)
    assert moved > 0
    assert apart < 1e-4 * moved
    # Neither continues the other's checkpoints.
    names = {path.name for n in ("one", "two") for path in (tmp_path / n).glob("work/training/*")}
    assert len(names) == 2


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_accelerate_reads_the_file_of_a_strategy(strategy):
    file = ACCELERATE / f"{strategy}.yaml"
    found = load_config_from_file(str(file))
    assert found.distributed_type == STRATEGIES[strategy]
    assert found.mixed_precision is None  # training.dtype says it
    parser = launch_command_parser()
    args, _, _ = _validate_launch_command(
        parser.parse_args(launcher(strategy, "--module", "repro")[2:])
    )
    assert (args.num_processes, args.module, args.training_script) == (2, True, "repro")
    environment = prepare_multi_gpu_env(args)
    if strategy == "fsdp":
        with patch_environment(**environment):
            plugin = FullyShardedDataParallelPlugin()
        assert (plugin.fsdp_version, plugin.reshard_after_forward) == (2, True)
        assert plugin.state_dict_type.name == "FULL_STATE_DICT"
        assert not plugin.cpu_ram_efficient_loading
    if strategy.startswith("zero"):
        assert args.use_deepspeed
        assert args.zero_stage == int(strategy[-1])
        assert args.zero3_init_flag is False
        assert args.offload_optimizer_device == args.offload_param_device == "none"


def test_each_strategy_has_its_file():
    allowed = get_args(Parallel.model_fields["strategy"].annotation)
    assert sorted(allowed) == sorted(path.stem for path in ACCELERATE.glob("*.yaml"))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {}),
        ({"WORLD_SIZE": "1", "ACCELERATE_USE_FSDP": "true"}, {}),
        ({"WORLD_SIZE": "2"}, {"processes": 2, "strategy": "ddp"}),
        (
            {"WORLD_SIZE": "8", "ACCELERATE_USE_FSDP": "true"},
            {"processes": 8, "strategy": "fsdp"},
        ),
        (
            {
                "WORLD_SIZE": "4",
                "ACCELERATE_USE_DEEPSPEED": "true",
                "ACCELERATE_DEEPSPEED_ZERO_STAGE": "3",
            },
            {"processes": 4, "strategy": "zero3"},
        ),
    ],
)
def test_a_process_knows_how_it_was_launched(monkeypatch, environment, expected):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert launched.layout() == expected
