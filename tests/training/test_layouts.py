"""The same batch in another layout gives the same update, up to rounding."""

import functools
import json

import pytest
import torch
from safetensors.torch import load_file
from tests.training import children, fixed_rollouts
from tests.training.conftest import make_settings

from repro.algorithms import ADVANTAGES

# Weights move by up to 3e-3 (three steps of 1e-3); float64 leaves rounding far below.
TOLERANCE = 1e-7
HEAD = "policy.lm_head.weight"


def case(algorithm: str, **training) -> dict:
    training = {"steps": 3, "micro_batch_size": 8, "save_every": 2, **training}
    settings = make_settings(algorithm, **training)
    settings["process_reward"] = {"alpha": 0.5, "w": 0.1, "k": 3}
    return settings


CASES = {
    **{algorithm: case(algorithm) for algorithm in ("ppo", "grpo")},
    # One group of eight: half of it on each of two processes.
    "split_group": case("ppo", prompts_per_step=1, num_generations=8),
    "several_updates": case("ppo", updates_per_generation=2),
    **{algorithm: case(algorithm) for algorithm in ADVANTAGES},
}
SHORT = list(CASES)[:4]
# Adam would turn the sign of a rounding error into a whole step; SGD keeps gradients small.
FLOAT32 = {"dtype": torch.float32, "optim": "sgd"}


def assert_same_update(weights: dict, expected: dict, tolerance: float = TOLERANCE):
    assert weights.keys() == expected.keys()
    for name, value in expected.items():
        difference = (weights[name].double() - value.double()).abs().max().item()
        assert difference <= tolerance, f"{name}: {difference:.1e}"


@pytest.fixture(scope="module")
def train_case(backbones, train_file, tmp_path_factory):
    """Return a function that trains a case on one process, once, and returns the weights."""
    paths = (str(backbones["qwen3"]), str(train_file), str(tmp_path_factory.mktemp("one")))
    known = {}

    def train_case(settings, **changes):
        key = str((settings, changes))
        if key not in known:
            known[key] = fixed_rollouts.weights_after(settings, *paths, **changes)[0]
        return known[key]

    return train_case


@pytest.fixture(scope="module")
def head_before(backbones):
    return load_file(backbones["qwen3"] / "model.safetensors")["lm_head.weight"]


@pytest.mark.parametrize("algorithm", ADVANTAGES)
def test_gradient_accumulation_and_checkpointing(train_case, head_before, algorithm):
    whole = train_case(case(algorithm))
    split = case(algorithm, micro_batch_size=2, gradient_checkpointing=True)
    assert_same_update(train_case(split), whole)
    assert not torch.equal(whole[HEAD], head_before.double())


def test_gradient_accumulation_with_several_updates(train_case):
    whole = train_case(case("ppo", updates_per_generation=2))
    split = case("ppo", updates_per_generation=2, micro_batch_size=4)
    assert_same_update(train_case(split), whole)
    assert not torch.equal(whole[HEAD], train_case(case("ppo"))[HEAD])


# Two micro-batches for each of two processes.
BFLOAT16 = {"prompts_per_step": 4, "micro_batch_size": 4}


FSDP = pytest.param("fsdp", marks=pytest.mark.long)
each_strategy = pytest.mark.parametrize("strategy", ["ddp", FSDP])


@pytest.fixture(scope="module")
def on_two_processes(backbones, train_file, tmp_path_factory):
    """Return a function from a strategy to the folder of what its two processes left.

    They train over gloo, in the environment that `accelerate launch` makes.
    """

    @functools.cache
    def on_two_processes(strategy):
        folder = tmp_path_factory.mktemp(strategy)
        chosen = SHORT if strategy == "ddp" else CASES
        cases = {name: (json.loads(json.dumps(CASES[name])), {}) for name in chosen}
        cases["ppo"][1]["save_strategy"] = "steps"
        # A checkpoint is written by one training and continued by another.
        cases["resumed"] = (case("ppo"), {"resume": str(folder / "checkpoint-2")})
        for settings, _ in cases.values():
            settings["training"]["micro_batch_size"] = 4
        cases["bfloat16"] = (case("ppo", dtype="bfloat16", **BFLOAT16), FLOAT32)
        paths = [str(backbones["qwen3"]), str(train_file), str(folder)]
        _, environment = children.launch_environment(strategy)
        work = (fixed_rollouts.train_cases, cases, paths, str(folder))
        ranks = [children.start(children.as_rank, rank, environment, *work) for rank in (0, 1)]
        for rank in ranks:
            rank.join(300)
            assert rank.exitcode == 0
        return folder

    return on_two_processes


@each_strategy
def test_two_processes_resume_to_the_same_bits(on_two_processes, strategy):
    """With PPO's critic; sharded, both gather what they save and shard what they load."""
    files = [on_two_processes(strategy) / f"{name}.pt" for name in ("ppo", "resumed")]
    saved, resumed = (torch.load(file, weights_only=True) for file in files)
    assert_same_update(resumed, saved, tolerance=0)


@each_strategy
def test_two_processes_sum_bfloat16s_gradients_in_float32(
    on_two_processes, strategy, train_case, head_before
):
    """Sharded, they give them away after each micro-batch; nothing TRL computes is rounded."""
    folder = on_two_processes(strategy)
    facts = json.loads((folder / "bfloat16.json").read_text())[-1]
    rounded = {"gradients are bfloat16": False, "entropies are bfloat16": False}
    assert facts == {"processes": 2, "whole gradients": 0} | rounded
    found = torch.load(folder / "bfloat16.pt", weights_only=True)[HEAD]
    exact = train_case(case("ppo", prompts_per_step=4), **FLOAT32)[HEAD]
    assert (found - exact).norm() < 0.1 * (exact - head_before).norm()


@pytest.mark.parametrize(
    ("strategy", "name"),
    [("ddp", name) for name in SHORT]
    + [pytest.param("fsdp", name, marks=pytest.mark.long) for name in CASES],
)
def test_two_processes_give_the_update_of_one(on_two_processes, train_case, strategy, name):
    weights = torch.load(on_two_processes(strategy) / f"{name}.pt", weights_only=True)
    assert_same_update(weights, train_case(CASES[name]))
