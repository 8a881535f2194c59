"""The jobs of an experiment, against Snakemake's own plan, and what they are made of."""

import subprocess
import sys

import pytest
import yaml
from plans import estimate, line, read, resolve
from tests.paths import ROOT

from repro import settings
from repro.cost import assumptions, jobs


def dry_run(file, directory) -> dict[str, int]:
    """How many jobs of each rule Snakemake plans."""
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(directory), "--configfile", str(file), "--cores", "1"),
        *("-n", "--quiet", "rules"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = (row.split() for row in (done.stdout + done.stderr).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def two_seeds_and_ablations(config: dict) -> None:
    config["seeds"] = [0, 3]
    config["backbones"]["other"] = config["backbones"]["tiny-qwen3"]
    config["ablations"] = {"alpha": [0.1, 0.3], "k": [3, 5], "w": [0.5], "method": "ppo+repro"}


def only_the_original_from_the_hub(config: dict) -> None:
    config["data_source"] = "hub"
    config["methods"], config["ablations"], config["objective"] = ["original"], {}, {}
    config["benchmarks"] = {"aime24": {}, "lcb": {"release": "v6"}}
    config["decontaminate"] = ["math500"]


def decontaminated_of_another_benchmark(config: dict) -> None:
    config["data_source"] = "hub"
    config["benchmarks"] = {"aime24": {}}
    config["decontaminate"] = ["math500", "aime24"]


def without_mathematics(config: dict) -> None:
    config["benchmarks"] = {"gpqa": {}, "mbpp": {}}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("config", None),
        ("smoke", None),
        ("paper", None),
        ("smoke", two_seeds_and_ablations),
        ("smoke", only_the_original_from_the_hub),
        ("smoke", decontaminated_of_another_benchmark),
        ("smoke", without_mathematics),
    ],
)
def test_jobs_are_those_that_snakemake_plans(name, change, tmp_path):
    config = read(name)
    if change:
        change(config)
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config))
    found = estimate(resolve(config))
    counts = {one.path[0]: one.jobs for one in found.lines if len(one.path) == 1}
    assert {**counts, "total": line(found).jobs} == dry_run(file, tmp_path)


def test_problems_of_files_are_counted(smoke, tmp_path):
    smoke["data_source"], smoke["data_dir"] = "directory", str(tmp_path)
    for name in settings.data_names(smoke):
        (tmp_path / f"{name}.jsonl").write_text('{"a": 1}\n' * 3 + "\n")
    smoke["benchmarks"]["aime24"]["problems"] = 2
    assume = assumptions.read(smoke, "cpu-core", {})
    assert jobs.rows(smoke, "aime24", assume) == 2
    assert jobs.rows(smoke, "math500", assume) == 3
    assert line(estimate(smoke), "training_data").bytes == 3 * 9 + 1


def test_livecodebench_is_counted_by_release(paper):
    assume = assumptions.read(paper, "H100-80G", {})
    assert jobs.downloaded(paper, "lcb") == 880
    assert jobs.rows(paper, "lcb", assume) == 279
    paper["benchmarks"]["lcb"]["release"] = "v1"
    assert jobs.downloaded(paper, "lcb") == 400
    assert (
        jobs.rows(paper, "lcb", assumptions.read(paper, "H100-80G", {"lcb_problems": 900})) == 400
    )


def test_batches_hold_whole_problems(smoke):
    smoke["evaluation"]["batch_size"] = 7
    smoke["benchmarks"] = {"aime24": {"samples": 3}, "lcb": {"samples": 16}}
    # aime24: 2 problems a batch, 5 are 2 + 2 + 1; lcb: one problem is more than a batch
    assert jobs.batches(smoke, {"aime24": 5, "lcb": 2}) == {6: 2, 3: 1, 16: 2}
