"""How jobs are spread over GPUs and processes: what is refused, and what it does not touch."""

import pytest
import yaml

from repro.config import layout, settings
from tests.bad_configs import changed
from tests.paths import ROOT

PLAIN = ["original", "grpo", "grpo+repro"]
VLLM = {"evaluation.engine": "vllm"}
TRANSFORMERS = {"evaluation.engine": "transformers"}


def resolve(name: str, changes: dict | None = None) -> dict:
    config = yaml.safe_load((ROOT / "config" / name).read_text())
    return settings.resolve(changed(config, changes or {}), name)


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        (
            *("paper.yaml", {"training.parallel.processes": 4}),
            r"training\.parallel\.processes = 4 does not go with gpus = 8; allowed: null or 8",
        ),
        (
            *("paper.yaml", {"gpus": 6}),
            r"micro_batch_size = 1 on each of 6 processes does not divide the 2048 rollouts",
        ),
        ("config.yaml", {"training.parallel.processes": 2}, "64 on each of 2 processes"),
        ("config.yaml", {"training.parallel.strategy": "fsdp"}, "'fsdp'.* gpus = 0; allowed"),
        ("paper.yaml", {"gpus": 1}, "'fsdp' does not go with gpus = 1; allowed: ddp, or at least"),
        (
            *("paper.yaml", {"training.parallel.strategy": "zero3"}),
            "'zero3' does not go with ppo.*allowed: ddp, fsdp",
        ),
        (
            *("paper.yaml", {"training.rollouts.tensor_parallel": 3}),
            r"rollouts\.tensor_parallel = 3 does not divide the 8 processes.*divisors of 8",
        ),
        (
            *("paper.yaml", TRANSFORMERS | {"evaluation.tensor_parallel": 2}),
            r"evaluation\.tensor_parallel = 2 does not go with evaluation\.engine = 'transformers'",
        ),
        (
            *("config.yaml", VLLM | {"evaluation.tensor_parallel": 2}),
            "gpus = 0; allowed: 1, or vllm on GPUs",
        ),
        (
            *("config.yaml", VLLM | {"gpus": 1, "evaluation.tensor_parallel": 3}),
            r"tensor_parallel = 3 does not divide the 4 attention heads of backbones\.tiny-qwen2",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_any_job(name, changes, said):
    with pytest.raises(ValueError, match=said):
        resolve(name, changes)


def test_deepspeed_goes_without_a_critic():
    resolve("paper.yaml", {"methods": PLAIN, "training.parallel.strategy": "zero3"})


def test_a_job_takes_what_it_can_use():
    config = resolve("paper.yaml", {"evaluation.tensor_parallel": 2})
    assert layout.processes(config) == config["gpus"] == 8
    assert layout.generation_gpus(config) == 2
    assert layout.model_gpus(config) == 1
    four = {"training.parallel.processes": 4, "training.micro_batch_size": 16}
    tiny = resolve("config.yaml", four)
    assert layout.processes(tiny) == 4
    assert layout.generation_gpus(tiny) == layout.model_gpus(tiny) == 0


def test_another_layout_runs_nothing_again():
    eight = resolve("paper.yaml")
    two = resolve("paper.yaml", {"gpus": 2, "evaluation.tensor_parallel": 2})
    for method in ("grpo", "ppo+repro"):
        run = ("Qwen3-1.7B", method, 0)
        assert settings.run_settings(eight, *run) == settings.run_settings(two, *run)
    assert settings.generation_settings(eight, 0) == settings.generation_settings(two, 0)


@pytest.mark.parametrize(
    ("method", "changes", "share"),
    [
        ("grpo", {}, 0.6),
        ("ppo", {}, 0.5),
        ("ppo", {"training.critic.gpu_memory": None}, 0.6),
    ],
)
def test_beside_a_critic_vllm_takes_a_share_of_its_own(method, changes, share):
    config = resolve("paper.yaml", changes)
    training = settings.run_settings(config, "Qwen3-1.7B", method, 0)["training"]
    assert training["rollouts"]["gpu_memory"] == share
    assert "gpu_memory" not in training.get("critic", {})
