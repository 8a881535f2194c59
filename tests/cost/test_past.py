"""Records of finished jobs: what they correct, and which do not count."""

import copy
import json
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from plans import estimate, line

from repro import cost, settings
from repro.cost import past


def finish(config: dict, method: str, seconds: list[float], tokens: float, gpus=()) -> None:
    """Write what a finished run leaves, by the workflow's own names."""
    [name] = config["backbones"]
    run = settings.run_settings(config, name, method, 0)
    folder = Path(config["results_dir"]) / "runs" / name / method / "0"
    folder.mkdir(parents=True)
    rows = [{"step_seconds": s, "response_tokens": tokens} for s in seconds]
    (folder / "training.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    provenance = {"machine": {"gpus": list(gpus)}, "settings": run}
    (folder / "provenance.json").write_text(json.dumps(provenance))


def test_measured_steps_replace_the_model(smoke):
    model_says = estimate(smoke)
    finish(smoke, "grpo", [9, 11, 10], tokens=24)
    found = estimate(smoke)
    path = ("train", "tiny-qwen3", "without critic")
    expected = 12 + 3 * 10  # model_job_seconds, the steps; a checkpoint takes next to nothing
    assert line(found, *path).core_hours * 3600 == pytest.approx(expected, rel=0.01)
    assert line(found, *path).source == "measured"
    assert line(found, *path).tokens == 3 * 8 * 24
    # another kind of method on the same backbone keeps the model
    other = ("train", "tiny-qwen3", "with critic + RePro")
    assert line(found, *other).source == "model"
    assert line(found, *other).core_hours == line(model_says, *other).core_hours
    assert line(found, "train").source == "both"
    [stated] = [one for one in found.assumptions if one.name == "train_share"]
    assert stated.value == 24 / 48
    assert "measured in 1 runs" in stated.reason


def test_measured_steps_of_another_size_are_scaled_by_the_model(smoke):
    finish(smoke, "grpo", [10.0], tokens=24)
    larger = copy.deepcopy(smoke)
    larger["training"]["prompts_per_step"] *= 1000
    larger["training"]["steps"] = 6
    found = line(estimate(larger), "train", "tiny-qwen3", "without critic")
    step = (found.core_hours * 3600 - 25) / 6
    # what waits for nothing to compute does not grow with the rollouts, all else does
    assert 10 < step < 10 * 1000
    assert found.source == "measured"


def test_a_run_on_other_hardware_or_another_backbone_is_not_used(paper, smoke):
    model_says = line(estimate(smoke), "train")
    finish(smoke, "grpo", [10.0], tokens=24, gpus=["NVIDIA H200"])
    found = estimate(smoke)
    assert line(found, "train") == model_says
    assert "1 finished runs are on other hardware" in found.notes[0]
    smoke["backbones"]["tiny-qwen3"]["layers"] = 3
    finish(smoke, "grpo+repro", [10.0], tokens=24)
    smoke["backbones"]["tiny-qwen3"]["layers"] = 2
    assert line(estimate(smoke), "train") == model_says


def test_a_gpu_is_known_by_its_name(paper):
    paper["backbones"] = {"Qwen3-1.7B": paper["backbones"]["Qwen3-1.7B"]}
    paper["ablations"]["backbones"] = None
    finish(paper, "grpo", [3600.0], tokens=8000, gpus=["NVIDIA H100 80GB HBM3"])
    of = "train", "Qwen3-1.7B", "without critic"
    assert line(estimate(paper), *of).source == "measured"  # grpo stands for its whole family
    assert line(cost.estimate(paper, "A100-80G", 2), *of).source == "model"


def test_measured_steps_of_one_gpu_are_scaled_to_eight(paper):
    paper["backbones"] = {"Qwen3-1.7B": paper["backbones"]["Qwen3-1.7B"]}
    paper["ablations"]["backbones"] = None
    finish(paper, "grpo", [36000.0], tokens=8000, gpus=["NVIDIA H100 80GB HBM3"])
    of = "train", "Qwen3-1.7B", "without critic"
    one = line(estimate(paper), *of).wall_seconds
    paper["gpus"] = 8
    eight = estimate(paper)
    assert line(eight, *of).source == "measured"
    assert one / 8 < 3 * line(eight, *of).wall_seconds < one


def test_a_broken_record_is_named(smoke):
    finish(smoke, "grpo", [], tokens=24)
    with pytest.raises(ValueError, match="runs/tiny-qwen3/grpo/0: not the record of a run"):
        estimate(smoke)


def test_times_are_read_from_what_snakemake_notes(tmp_path):
    (tmp_path / "Snakefile").write_text(
        "rule made:\n"
        "    output: 'results/runs/a/b+c/0/one.txt', 'results/runs/a/b+c/0/two.txt'\n"
        '    params: settings=\'{"a": [1], "b": "c"}\'\n'
        "    shell: 'touch {output}'\n"
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    outputs = [f"results/runs/a/b+c/0/{name}.txt" for name in ("one", "two")]
    assert past.job_seconds(outputs, None) > 0
    assert past.job_seconds(outputs, '{"a": [1], "b": "c"}') == past.job_seconds(outputs, None)
    assert past.job_seconds(outputs, '{"a": [2]}') is None
    assert past.job_seconds([*outputs, "results/three.txt"], None) is None
    assert past.job_seconds([], None) is None


def note(outputs: list[str], seconds: float, chosen: str | None = None) -> None:
    """Write Snakemake's record of a job."""
    for output in outputs:
        name = urlsafe_b64encode(output.encode()).decode()
        record = {"starttime": 100.0, "endtime": 100.0 + seconds, "incomplete": False}
        file = past.SNAKEMAKE / "metadata" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**record, "params": [repr(chosen)] if chosen else []}))


def test_noted_times_replace_the_model_for_the_same_settings(smoke):
    names = sorted(smoke["benchmarks"])
    of = f"{smoke['results_dir']}/runs/tiny-qwen3"
    model_says = estimate(smoke)
    asked = settings.dump(settings.generation_settings(smoke, 0))
    for method, seconds in (("original", 100), ("grpo", 300)):
        note([f"{of}/{method}/0/generations/{name}.jsonl" for name in names], seconds, asked)
        note([f"{of}/{method}/0/scores/{name}.json" for name in names], seconds / 10)
    found = estimate(smoke)
    # five runs: two as noted, the others as their mean
    assert line(found, "generate").core_hours * 3600 == pytest.approx(5 * 200)
    assert line(found, "score").core_hours * 3600 == pytest.approx(5 * 20)
    assert line(found, "generate").source == line(found, "score").source == "measured"
    assert line(found, "track") == line(model_says, "track")
    longer = copy.deepcopy(smoke)
    longer["evaluation"]["max_new_tokens"] *= 2
    changed = estimate(longer)
    assert line(changed, "generate").source == line(changed, "score").source == "model"
    (past.SNAKEMAKE / "slurm_logs").mkdir()
    queued = estimate(smoke)
    assert line(queued, "generate") == line(model_says, "generate")
    assert "time in the queue" in queued.notes[0]
