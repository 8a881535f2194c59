"""The same batch in another layout gives the same update, up to rounding."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch
from fixed_rollouts import weights_after
from tests.paths import ROOT
from tests.training.conftest import make_settings

from repro.algorithms import ADVANTAGES

# Weights move by up to 3e-3 (three steps of 1e-3); float64 leaves rounding far below.
TOLERANCE = 1e-7
ACCELERATE = ROOT / "config/accelerate"


def case(algorithm: str, **training) -> dict:
    settings = make_settings(algorithm, steps=3, micro_batch_size=8, save_every=2, **training)
    settings["process_reward"] = {"alpha": 0.5, "w": 0.1, "k": 3}
    return settings


def assert_same_update(weights: dict, expected: dict, tolerance: float = TOLERANCE):
    assert weights.keys() == expected.keys()
    for name, value in expected.items():
        difference = (weights[name].double() - value.double()).abs().max().item()
        assert difference <= tolerance, f"{name}: {difference:.1e}"


@pytest.fixture
def train_case(backbones, train_file, tmp_path):
    def train_case(settings, **changes):
        paths = (str(backbones["qwen3"]), str(train_file), str(tmp_path))
        return weights_after(settings, *paths, **changes)[0]

    return train_case


@pytest.mark.parametrize("algorithm", ADVANTAGES)
def test_gradient_accumulation_and_checkpointing(train_case, algorithm):
    whole = train_case(case(algorithm))
    split = case(algorithm)
    split["training"]["micro_batch_size"] = 2
    assert_same_update(train_case(split), whole)
    assert_same_update(train_case(case(algorithm, gradient_checkpointing=True)), whole)
    moved = [name for name, value in whole.items() if value.dtype.is_floating_point]
    other = train_case(case(algorithm, learning_rate=1e-4))
    assert any(not torch.equal(whole[name], other[name]) for name in moved)


@pytest.mark.parametrize("algorithm", ["grpo", "ppo"])
def test_gradient_accumulation_with_several_updates(train_case, algorithm):
    whole = train_case(case(algorithm, updates_per_generation=2))
    split = case(algorithm, updates_per_generation=2)
    split["training"]["micro_batch_size"] = 4
    assert_same_update(train_case(split), whole)
    assert not torch.equal(
        whole["policy.lm_head.weight"], train_case(case(algorithm))["policy.lm_head.weight"]
    )


def test_bfloat16_stays_close_to_float32(train_case):
    """Autocast: weights and optimizer in float32, forwards in bfloat16; SGD keeps gradients small.

    Adam would turn the sign of a rounding error into a whole step.
    """
    exact = train_case(case("ppo"), dtype=torch.float32, optim="sgd")
    rounded = train_case(case("ppo", dtype="bfloat16"), dtype=torch.float32, optim="sgd")
    start = train_case(case("ppo", learning_rate=1e-12), dtype=torch.float32, optim="sgd")
    name = "policy.lm_head.weight"
    step = exact[name] - start[name]
    assert step.norm() > 0
    assert (rounded[name] - exact[name]).norm() / step.norm() < 0.1


CASES = {
    "ppo": case("ppo"),
    "reinforce_pp": case("reinforce_pp"),
    "reinforce_pp_baseline": case("reinforce_pp_baseline"),
    "grpo": case("grpo"),
    # One group of eight: half of it on each of two processes.
    "split_group": case("grpo", prompts_per_step=1, num_generations=8),
    "split_group_ppo": case("ppo", prompts_per_step=1, num_generations=8),
    "several_updates": case("ppo", updates_per_generation=2),
}


# Two micro-batches for each of two processes.
BFLOAT16 = case("ppo", dtype="bfloat16", prompts_per_step=4) | {
    "changes": {"dtype": "float32", "optim": "sgd"}
}


# A checkpoint is written by one training and continued by another.
CASES["saved"] = case("ppo") | {"changes": {"save_strategy": "steps"}}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.long) for name in ("ddp", "fsdp")],
)
def on_two_processes(request, backbones, train_file, tmp_path_factory):
    """Every case on two processes over gloo, launched as a user would."""
    folder = tmp_path_factory.mktemp(request.param)
    halves = json.loads(json.dumps(CASES | {"bfloat16": BFLOAT16}))
    halves["resumed"] = case("ppo") | {"changes": {"resume": str(folder / "checkpoint-2")}}
    for settings in halves.values():
        settings["training"]["micro_batch_size"] = 4
    paths = [str(backbones["qwen3"]), str(train_file), str(folder), str(folder)]
    here = Path(__file__).parent
    command = ["accelerate", "launch", "--config_file", str(ACCELERATE / f"{request.param}.yaml")]
    command += ["--num_processes", "2", "--main_process_port", "0"]
    command += [str(here / "fixed_rollouts.py"), json.dumps([halves, *paths])]
    environment = {**os.environ, "PYTHONPATH": str(here.parents[1] / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_two_processes_resume_to_the_same_bits(on_two_processes):
    """With PPO's critic; sharded, both gather what they save and shard what they load."""
    saved, resumed = (
        torch.load(on_two_processes / f"{name}.pt", weights_only=True)
        for name in ("saved", "resumed")
    )
    assert_same_update(resumed, saved, tolerance=0)


def test_two_processes_sum_bfloat16s_gradients_in_float32(on_two_processes, train_case):
    """Sharded, they give them away after each micro-batch; nothing TRL computes is rounded."""
    facts = json.loads((on_two_processes / "bfloat16.json").read_text())[-1]
    assert facts == {
        "whole gradients": 0,
        "gradients are bfloat16": False,
        "entropies are bfloat16": False,
    }
    weights = torch.load(on_two_processes / "bfloat16.pt", weights_only=True)
    exact = json.loads(json.dumps(BFLOAT16)) | {"changes": None}
    exact["training"]["dtype"] = "float32"
    expected = train_case(exact, dtype=torch.float32, optim="sgd")
    exact["training"]["learning_rate"] = 1e-12
    start = train_case(exact, dtype=torch.float32, optim="sgd")
    name = "policy.lm_head.weight"
    assert (weights[name] - expected[name]).norm() < 0.1 * (expected[name] - start[name]).norm()


@pytest.mark.parametrize("name", CASES)
def test_two_processes_give_the_update_of_one(on_two_processes, train_case, name):
    weights = torch.load(on_two_processes / f"{name}.pt", weights_only=True)
    settings = {key: value for key, value in CASES[name].items() if key != "changes"}
    assert_same_update(weights, train_case(settings))
