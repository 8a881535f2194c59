"""The whole estimate: sanity, changed assumptions, wrong input, finished jobs, the table."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cost.conftest import changed
from tests.paths import ROOT

from repro.commands.cli import main
from repro.config import settings
from repro.config.models import Benchmark
from repro.cost import estimate, jobs


def line(found: estimate.Estimate, *path: str) -> estimate.Line:
    [one] = [one for one in found.lines if one.path == path]
    return one


def test_the_embedded_default_costs_what_it_was_measured_to_cost():
    # On two cores a GRPO step took 3.2 s, the responses of a run 46 s.
    found = estimate.estimate(settings.read(ROOT / "config/config.yaml"))
    assert 46 / 1.5 < line(found, "generate").job_seconds < 46 * 1.5
    step = (line(found, "train", "tiny-qwen3", "grpo").job_seconds - 12) / 16
    assert 3.2 / 1.5 < step < 3.2 * 1.5


def test_lines_add_up(paper):
    found = estimate.estimate(paper)
    trained = line(found, "train")
    parts = [one for one in found.lines if len(one.path) == 3]
    assert sum(one.device_hours for one in parts) == pytest.approx(line(found).device_hours)
    assert sum(one.disk_bytes for one in parts) == pytest.approx(line(found).disk_bytes)
    assert trained.jobs == 4 * 8 + 9  # backbones x methods, and nine ablations
    # One job of a run generates for all seven benchmarks.
    assert line(found, "generate").jobs == line(found, "generate", "Qwen3-8B").jobs + 36 == 45
    assert len({one.jobs for one in parts if one.path[:2] == ("generate", "Qwen3-8B")}) == 1
    longest = max(one.job_seconds for one in parts)
    assert trained.job_seconds == line(found).job_seconds == longest


def test_more_gpus_of_a_training_shorten_it_and_not_the_rest(paper):
    one = estimate.estimate(paper, changes=["parallel_efficiency=1"])
    eight = estimate.estimate(changed(paper, gpus=8), changes=["parallel_efficiency=1"])
    # The longest response is as long as before.
    assert line(one, "train").device_hours < line(eight, "train").device_hours
    assert line(eight, "train").job_seconds < line(one, "train").job_seconds / 6
    assert line(eight, "generate") == line(one, "generate")
    slower = estimate.estimate(changed(paper, gpus=8), changes=["parallel_efficiency=0.5"])
    doubled = pytest.approx(2 * line(eight, "train").device_hours, rel=1e-2)
    assert line(slower, "train").device_hours == doubled


def test_what_a_kill_of_the_longest_training_loses_is_said(paper_on_eight):
    [said] = estimate.estimate(paper_on_eight).notes
    assert said == (
        "The longest training, Qwen3-8B ppo+repro, has 500 steps of 110 min, with a checkpoint of "
        "7 min every step. Killed without a warning it loses at most 117 min."
    )
    checkpoint = 2 * 2 * 12 * 8_190_735_360 / 1e9  # s: written and read, 1 GB/s
    assert round(checkpoint / 60) == 7
    whole = line(estimate.estimate(paper_on_eight), "train", "Qwen3-8B", "ppo+repro").job_seconds
    assert ((whole - 12) / 500 - checkpoint) / 60 == pytest.approx(110, abs=0.5)


def test_a_change_reaches_one_kind_of_backbone(paper):
    plain = estimate.estimate(paper)
    for change in ("generate_share.hub=0.25", "generate_share=0.25"):
        found = estimate.estimate(paper, changes=[change])
        ratio = line(found, "generate").disk_bytes / line(plain, "generate").disk_bytes
        # A response has 0.5 or 0.25 of 32,768 tokens, 200 of its prompt, 3.5 bytes each, and 270.
        limit = paper.evaluation.max_new_tokens
        sizes = [3.5 * (share * limit + 200) + 270 for share in (0.25, 0.5)]
        assert ratio == pytest.approx(sizes[0] / sizes[1])
        said = " ".join(estimate.write_text(found).split())
        assert "generate_share.hub = 0.25: set by you, 0.5 is stated; mean response" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("eficiency=1", "no such assumption; did you mean 'efficiency'"),
        ("train_share.hubb=1", "no such assumption; did you mean 'train_share"),
        ("efficiency=much", "--set efficiency=much: expected NAME=VALUE"),
        ("efficiency", "expected NAME=VALUE"),
        ("efficiency=0", "above 0"),
        ("efficiency=nan", "above 0"),
        ("flops=-1", "above 0"),
    ],
)
def test_wrong_changes_are_refused(paper, change, words):
    with pytest.raises(ValueError, match=words):
        estimate.estimate(paper, changes=[change])


def test_wrong_hardware_is_refused(paper, smoke):
    with pytest.raises(ValueError, match="--hardware h100: unknown; .*A100-80G"):
        estimate.estimate(paper, "h100")
    with pytest.raises(ValueError, match="gpus = 1; allowed: a GPU"):
        estimate.estimate(paper, "cpu-core")
    with pytest.raises(ValueError, match="gpus = 0; allowed: cpu-core"):
        estimate.estimate(smoke, "H200")


def test_times_of_finished_jobs_are_shown(smoke):
    runs = Path("work/benchmark", smoke.results_dir, "runs/tiny-qwen3")
    times = {"grpo/0/train": 30.5, "grpo/0/generate": 100, "original/0/generate": 300}
    for name, seconds in times.items():
        file = runs / f"{name}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"s\th:m:s\tmax_rss\n{seconds:.2f}\t0:00:00\tNA\n")
    found = estimate.estimate(smoke)
    assert line(found, "train", "tiny-qwen3", "grpo").measured_seconds == 30.5
    assert line(found, "train", "tiny-qwen3", "grpo+repro").measured_seconds is None
    assert line(found, "generate", "tiny-qwen3").measured_seconds == 200
    assert line(found, "generate", "tiny-qwen3", "aime24").measured_seconds is None
    file.write_text("s\n")
    with pytest.raises(ValueError, match=r"original/0/generate\.tsv: expected a benchmark file"):
        estimate.estimate(smoke)


def test_problems_are_counted(paper, smoke, tmp_path):
    few, every = Benchmark(problems=2), Benchmark()
    own = {"data_source": "directory", "data_dir": str(tmp_path)}
    smoke = changed(smoke, **own, benchmarks={"aime24": few, "math500": every})
    for name in ("aime24", "math500"):
        (tmp_path / f"{name}.jsonl").write_text('{"a": 1}\n' * 3 + "\n")
    assert jobs.count_problems(smoke, "aime24", {}) == 2
    assert jobs.count_problems(smoke, "math500", {}) == 3
    assert jobs.count_problems(paper, "lcb", {"lcb_problems": 279}) == 279
    assert jobs.count_problems(paper, "lcb", {"lcb_problems": 9999}) == 880  # v5, its default
    paper = changed(paper, benchmarks={"lcb": changed(paper.benchmarks["lcb"], release="v1")})
    assert jobs.count_problems(paper, "lcb", {"lcb_problems": 9999}) == 400


def test_batches_hold_whole_problems(smoke):
    few, many = Benchmark(samples=3, problems=5), Benchmark(samples=16, problems=2)
    smoke = changed(smoke, evaluation={"batch_size": 7}, benchmarks={"aime24": few, "lcb": many})
    assert jobs.split_batches(smoke, "aime24", {}) == [6, 6, 3]
    # A problem of the other exceeds a batch.
    assert jobs.split_batches(smoke, "lcb", {}) == [16, 16]


@pytest.mark.parametrize("name", ["config", "smoke", "paper"])
def test_the_table_and_json_say_the_same(name, capsys):
    command = ["cost", "--config", str(ROOT / f"config/{name}.yaml")]
    assert main(command) == 0
    table = capsys.readouterr().out
    assert main([*command, "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["lines"][-1]
    row = next(row for row in table.splitlines() if row.startswith("total"))
    assert row.split()[1:3] == [str(total["jobs"]), f"{total['device_hours']:,.2f}"]
    assert max(map(len, table.partition("It rests on")[0].splitlines())) <= 80
    assert "nobody has checked" in table


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from repro.commands.cli import main;"
        " main(['cost', '--config', sys.argv[1], '--json']);"
        "print({'torch', 'transformers', 'pandas', 'mlflow'} & {*sys.modules}, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, str(ROOT / "config/paper.yaml")]
    path = {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **path})
    assert done.stderr == "set()\n"
