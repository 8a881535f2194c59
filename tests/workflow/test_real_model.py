"""`make real`, whole: it needs the package index, real problems and a quarter of an hour."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.paths import DATA, ROOT, needs_data
from tests.workflow.conftest import copy_repository

pytestmark = [pytest.mark.long, needs_data]


@pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed")
def test_a_real_model_goes_through_everything(tmp_path):
    copy_repository(tmp_path)
    command = [sys.executable, str(ROOT / "bench/real_model.py"), "--data", str(DATA)]
    paths = [str(tmp_path / "src"), os.environ.get("PYTHONPATH", "")]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PATH": path}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "aime24: transformers and vLLM agree on 10 of 10 responses" in done.stdout
    assert "math500: transformers and vLLM agree on 30 of 30 responses" in done.stdout
    assert "of −J stands in the tokens of the box itself" in done.stdout + done.stderr
    results = tmp_path / "results/real_model"
    training = (results / "runs/SmolLM2-135M-Instruct/grpo+repro/0/training.jsonl").read_text()
    first, second = map(json.loads, training.splitlines())
    assert first["box_share"] > 0.5 and first["cut_points"] > 2
    assert first["grad_norm"] > 0 and second["kl"] > 0  # something was learnt
    assert (results / "figures/case_study.html").is_file()
    assert (results / "solutions/transcripts/60.html").is_file()
