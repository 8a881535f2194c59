"""Trainings in processes of their own, forked from one that has imported what they need."""

import multiprocessing
import os
from contextlib import redirect_stderr
from pathlib import Path

import torch
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_multi_gpu_env
from tests.paths import ROOT
from tests.training.conftest import even_length, run_of

from repro.training import train

ACCELERATE = ROOT / "config/accelerate"
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["repro.training.train"])


def start(function, *arguments) -> multiprocessing.Process:
    """Call a function of a module in a process of its own."""
    process = FORKS.Process(target=function, args=arguments)
    process.start()
    return process


def train_run(settings: dict, paths: list[Path], said: Path, threads: int) -> None:
    """Train as `train.train_run` does, on as many threads as its caller; a file gets its output."""
    torch.set_num_threads(threads)
    train.correctness = even_length
    with open(said, "a", buffering=1) as file, redirect_stderr(file):
        train.train_run(run_of(settings), *paths)


def launch_arguments(strategy: str) -> list[str]:
    """Return the options that workflow/rules/common.smk gives `accelerate launch`."""
    options = ["--config_file", str(ACCELERATE / f"{strategy}.yaml")]
    return [*options, "--num_processes", "2", "--main_process_port", "0", "--module"]


def launch_environment(strategy: str):
    """Return the options as `accelerate launch` reads them, and the environment that it makes."""
    given = launch_command_parser().parse_args([*launch_arguments(strategy), "repro"])
    options, _, _ = _validate_launch_command(given)
    environment = prepare_multi_gpu_env(options)
    environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(options.main_process_port)}
    return options, environment | {"WORLD_SIZE": "2"}


def as_rank(rank: int, environment: dict, function, *arguments) -> None:
    """Call a function as one of several processes that were launched together."""
    os.environ.update(environment | {"RANK": str(rank), "LOCAL_RANK": str(rank)})
    function(*arguments)
