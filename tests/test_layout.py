"""How jobs are spread over GPUs and processes: what is refused, and what it does not touch."""

import subprocess
import sys

import pytest
import yaml

from repro.config import settings
from repro.config.models import Experiment
from tests.paths import ROOT

PLAIN = ["original", "grpo", "grpo+repro"]


def read(name: str, changes: dict) -> dict:
    """A configuration with some keys set; `a.b` is b in a."""
    config = yaml.safe_load((ROOT / "config" / name).read_text())
    for key, value in changes.items():
        *path, last = key.split(".")
        at = config
        for name in path:
            at = at[name]
        at[last] = value
    return config


def resolve(name: str, **changes) -> Experiment:
    changes = {key.replace("__", "."): value for key, value in changes.items()}
    return settings.resolve(read(name, changes), name)


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        (
            "paper.yaml",
            {"training__parallel__processes": 4},
            r"training\.parallel\.processes = 4 does not go with gpus = 8; allowed: null or 8",
        ),
        (
            "paper.yaml",
            {"gpus": 6},
            r"micro_batch_size = 1 on each of 6 processes does not divide the 2048 rollouts",
        ),
        ("config.yaml", {"training__parallel__processes": 2}, "64 on each of 2 processes"),
        (
            "config.yaml",
            {"training__parallel__strategy": "fsdp"},
            "'fsdp'.* gpus = 0; allowed",
        ),
        ("paper.yaml", {"gpus": 1}, "'fsdp' does not go with gpus = 1; allowed: ddp, or at least"),
        (
            "paper.yaml",
            {"training__parallel__strategy": "zero3"},
            "'zero3' does not go with ppo.*allowed: ddp, fsdp",
        ),
        (
            "paper.yaml",
            {"training__rollouts__tensor_parallel": 3},
            r"rollouts\.tensor_parallel = 3 does not divide the 8 processes.*divisors of 8",
        ),
        (
            "paper.yaml",
            {"evaluation__engine": "transformers", "evaluation__tensor_parallel": 2},
            r"evaluation\.tensor_parallel = 2 does not go with evaluation\.engine = 'transformers'",
        ),
        (
            "config.yaml",
            {"evaluation__engine": "vllm", "evaluation__tensor_parallel": 2},
            "gpus = 0; allowed: 1, or vllm on GPUs",
        ),
        (
            "config.yaml",
            {"gpus": 1, "evaluation__engine": "vllm", "evaluation__tensor_parallel": 3},
            r"tensor_parallel = 3 does not divide the 4 attention heads of backbones\.tiny-qwen2",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_any_job(name, changes, said):
    with pytest.raises(ValueError, match=said):
        resolve(name, **changes)


def test_deepspeed_goes_without_a_critic():
    resolve("paper.yaml", methods=PLAIN, training__parallel__strategy="zero3")


def test_a_job_takes_what_it_can_use():
    config = resolve("paper.yaml", evaluation__tensor_parallel=2)
    assert config.processes == config.gpus == 8
    assert config.generation_gpus == 2
    assert config.model_gpus == 1
    tiny = resolve("config.yaml", training__parallel__processes=4, training__micro_batch_size=16)
    assert tiny.processes == 4
    assert tiny.generation_gpus == tiny.model_gpus == 0


def test_another_layout_runs_nothing_again():
    eight, two = resolve("paper.yaml"), resolve("paper.yaml", gpus=2, evaluation__tensor_parallel=2)
    for method in ("grpo", "ppo+repro"):
        run = ("Qwen3-1.7B", method, 0)
        assert settings.run_settings(eight, *run) == settings.run_settings(two, *run)
    assert settings.generation_settings(eight, 0) == settings.generation_settings(two, 0)


def test_beside_a_critic_vllm_takes_a_share_of_its_own():
    shares = {
        method: settings.run_settings(resolve("paper.yaml"), "Qwen3-1.7B", method, 0).training
        for method in ("grpo", "ppo")
    }
    assert shares["grpo"].rollouts.gpu_memory == 0.6
    assert shares["ppo"].rollouts.gpu_memory == 0.5
    assert "gpu_memory" not in shares["ppo"].critic.model_fields_set
    same = resolve("paper.yaml", training__critic__gpu_memory=None)
    ppo = settings.run_settings(same, "Qwen3-1.7B", "ppo", 0).training
    assert ppo.rollouts.gpu_memory == 0.6


@pytest.mark.long
@pytest.mark.parametrize("processes", [1, 2])
def test_the_workflow_launches_a_training_on_its_processes(tmp_path, processes):
    (tmp_path / "two.yaml").write_text(
        yaml.safe_dump({"training": {"parallel": {"processes": processes}, "micro_batch_size": 4}})
    )
    files = [str(ROOT / "config/smoke.yaml"), str(tmp_path / "two.yaml")]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(tmp_path), "--cores", "1", "-n", "-p", "--configfile", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    launch = f"{ROOT}/config/accelerate/ddp.yaml --num_processes 2 --main_process_port 0 --module"
    assert (launch in said) == (processes == 2)
    assert ("python -m repro train " in said) == (processes == 1)
