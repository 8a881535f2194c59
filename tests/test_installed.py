"""The package where it was installed without its repository, as by `pip install`."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from repro.files import jsonl
from tests.paths import ROOT
from tests.training.conftest import make_model, make_tokenizer

# The script, as it runs where nothing of the pipeline can be imported.
WITHOUT_THE_PIPELINE = """
import runpy, sys
for name in ("mlflow", "snakemake", "lm_eval", "matplotlib", "math_verify", "vllm"):
    sys.modules[name] = None
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the folder that pip installed the package into."""
    pytest.importorskip("setuptools", "77")  # pip would download it
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"  # setuptools writes into it
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    options = ["--no-build-isolation", "--disable-pip-version-check", "--target", folder / "site"]
    done = subprocess.run([*pip, *options, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "site"


def test_every_file_of_the_package_is_installed(installed):
    ours, theirs = (
        {str(file.relative_to(package)) for file in package.rglob("*[!c]") if file.is_file()}
        for package in (ROOT / "src/repro", installed / "repro")
    )
    assert ours == theirs


@pytest.mark.parametrize("command", ["check", "cost"])
def test_a_configuration_is_read_without_the_repository(installed, tmp_path, command):
    call = [sys.executable, "-m", "repro", command, "--config", str(ROOT / "config/smoke.yaml")]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "smoke" in done.stdout


@pytest.mark.parametrize("example", ["grpo_with_repro", "own_process_reward"])
def test_an_example_trains_without_the_pipelines_packages(example, installed, tmp_path):
    tokenizer = make_tokenizer()
    tokenizer.save_pretrained(tmp_path / "model")
    make_model("qwen3", len(tokenizer) + 2).save_pretrained(tmp_path / "model")
    rows = [{"prompt": f"{number} + 1", "answer": str(number + 1)} for number in range(8)]
    jsonl.write(tmp_path / "data.jsonl", rows)
    call = [sys.executable, "-c", WITHOUT_THE_PIPELINE, ROOT / f"examples/{example}.py"]
    done = subprocess.run(
        [*call, "model", "data.jsonl", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "rollout/process_reward_std" in done.stdout
    assert "rollout/objective_baseline" in done.stdout
    state = json.loads((tmp_path / "out/checkpoint-2/trainer_state.json").read_text())
    assert [row["rollout/cut_points"] > 1 for row in state["log_history"][:2]] == [True, True]
