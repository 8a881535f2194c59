"""The example as a user has it: the package installed somewhere, the script run by itself."""

import json
import os
import subprocess
import sys

from tests.paths import ROOT

from repro.files import jsonl

# Someone's own TRL script must not drag in the workflow, the tracking or the evaluation.
WITHOUT_THE_PIPELINE = """
import runpy, sys
for name in ("mlflow", "snakemake", "lm_eval", "matplotlib", "math_verify", "vllm"):
    sys.modules[name] = None
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


def test_the_example_trains_with_repro_alone(installed, backbones, tmp_path):
    rows = [{"prompt": f"{number} + 1", "answer": str(number + 1)} for number in range(8)]
    jsonl.write(tmp_path / "data.jsonl", rows)
    script = tmp_path / "script.py"
    script.write_text(WITHOUT_THE_PIPELINE)
    example, data, output = ROOT / "examples/grpo_with_repro.py", "data.jsonl", "out"
    done = subprocess.run(
        [sys.executable, script, example, backbones["qwen3"], data, output],
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
