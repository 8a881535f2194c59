"""The example as a user has it: the package installed somewhere, the script run by itself."""

import difflib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from repro.files import jsonl

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "grpo_with_repro.py"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package from `pip install`, without the repository on the path."""
    target, source = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "src", source / "src")  # a build leaves its traces beside the source
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    done = subprocess.run([*command, str(target), str(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


def run(script: str | Path, *arguments: str, site: Path, cwd: Path):
    environment = {**os.environ, "PYTHONPATH": str(site), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("conversational", [True, pytest.param(False, marks=pytest.mark.long)])
def test_the_example_trains_with_repro(installed, backbones, tmp_path, conversational):
    rows = []
    for number in range(8):
        text = f"{number} + 1"
        prompt = [{"role": "user", "content": text}] if conversational else text
        rows.append({"prompt": prompt, "answer": str(number + 1)})
    jsonl.write(tmp_path / "data.jsonl", rows)
    paths = [str(backbones["qwen3"]), str(tmp_path / "data.jsonl"), str(tmp_path / "out")]
    printed = run(SCRIPT, *paths, site=installed, cwd=tmp_path)
    assert "rollout/process_reward_std" in printed
    assert "rollout/objective_baseline" in printed
    state = json.loads(next((tmp_path / "out").glob("checkpoint-2/trainer_state.json")).read_text())
    assert [row["rollout/cut_points"] > 1 for row in state["log_history"][:2]] == [True, True]


@pytest.mark.long
def test_without_its_lines_it_is_an_ordinary_trl_script(backbones, tmp_path):
    stock = []
    for line in SCRIPT.read_text().splitlines():
        if "process_reward=" in line or "from repro" in line:
            continue
        line = line.replace("trl import GRPOConfig", "trl import GRPOConfig, GRPOTrainer")
        stock.append(line.replace("ReProTrainer", "GRPOTrainer"))
    changed = [
        line
        for line in difflib.ndiff(stock, SCRIPT.read_text().splitlines())
        if line.startswith("+ ")
    ]
    assert len(changed) == 4, "import twice, the class, its setting"
    (tmp_path / "stock.py").write_text("\n".join(stock))
    rows = [{"prompt": f"{number} + 1", "answer": str(number + 1)} for number in range(8)]
    jsonl.write(tmp_path / "data.jsonl", rows)
    paths = [str(backbones["qwen3"]), str(tmp_path / "data.jsonl"), str(tmp_path / "out")]
    printed = run(tmp_path / "stock.py", *paths, site=tmp_path, cwd=tmp_path)
    assert "rollout/" not in printed
    assert "reward_std" in printed


def test_the_trainer_needs_none_of_the_pipelines_packages(tmp_path):
    """Someone's own TRL script must not drag in the workflow, the tracking or the evaluation."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "for name in ('mlflow', 'snakemake', 'lm_eval', 'matplotlib', 'math_verify', 'vllm'):\n"
        "    sys.modules[name] = None\n"
        "import repro.training.trainer\n"
    )
    run(script, site=ROOT / "src", cwd=tmp_path)
