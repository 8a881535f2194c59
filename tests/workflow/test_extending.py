"""The pages on extending, done: their blocks go into a copy of the repository, which then runs."""

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from repro.files import jsonl
from tests.evaluation.tiny_model import build
from tests.paths import ROOT
from tests.workflow.conftest import copy_repository

NAMES = ("backbone", "benchmark", "algorithm", "process_reward")
PAGES = {name: ROOT / f"docs/your_{name}.md" for name in NAMES}
BLOCK = re.compile(
    r"^(?:New file `(?P<new>.+?)`, \d+ lines?"
    r"|In `(?P<old>.+?)`, \d+ lines? after `(?P<after>.+?)`):\n\n"
    r"```\w+\n(?P<text>.+?)^```$",
    re.MULTILINE | re.DOTALL,
)
SMOKE = "config/smoke.yaml"


class Block(NamedTuple):
    """Some lines of a page and where they go."""

    path: str
    after: str | None  # the line that they follow; None for a file of their own
    text: str


def blocks(page: str) -> list[Block]:
    return [
        Block(match["new"] or match["old"], match["after"], match["text"])
        for match in BLOCK.finditer(PAGES[page].read_text())
    ]


def copy_with(folder: Path, *pages: str) -> Path:
    """Return a copy of the repository with the blocks of some pages put in."""
    copy_repository(folder)
    for block in (block for page in pages for block in blocks(page)):
        path = folder / block.path
        if block.after is None:
            assert not path.exists(), path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        else:
            before = path.read_text()
            assert before.count(f"{block.after}\n") == 1, block.after
            path.write_text(before.replace(f"{block.after}\n", f"{block.after}\n{block.text}"))
    return folder


def run(copy: Path, *arguments: str, directory: Path | None = None) -> str:
    """Run a Python module of the copy, which must succeed; return what it said."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=directory or copy,
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "PATH": path},
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def snakemake(copy: Path, directory: Path, *arguments: str) -> str:
    options = ["--directory", str(directory), "--cores", "2"]
    profile = ["--workflow-profile", str(copy / "workflow/profiles/default")]
    call = ["snakemake", "--snakefile", str(copy / "Snakefile"), *options, *profile]
    return run(copy, *call, *arguments, directory=directory)


def problems() -> list[dict]:
    pairs = [(123, 456), (210, 305), (111, 222), (640, 129)]
    return [{"question": f"Find the sum of {a} and {b}.", "answer": str(a + b)} for a, b in pairs]


def responses() -> list[dict]:
    """Two for each of the problems, the second of the last wrong."""
    rows = []
    for doc_id, sample in itertools.product(range(4), range(2)):
        row = {"benchmark": "amc23", "doc_id": doc_id, "sample": sample, "finish_reason": "stop"}
        answer = problems()[doc_id]["answer"] if (doc_id, sample) != (3, 1) else "7"
        row["prompt"] = f"<|user|>{problems()[doc_id]['question']} Box it.<|end|><|assistant|>"
        row["text"] = f"I add them.\n</think>\n\nIt is \\boxed{{{answer}}}."
        rows.append(row | {"n_tokens": 20, "n_reasoning_tokens": 5})
    return rows


def test_a_backbone_adds_its_own_jobs_and_no_other(tmp_path):
    copy = copy_with(tmp_path / "copy", "backbone")
    build(tmp_path / "models/mine")
    files = (f"{copy}/{name}" for name in (SMOKE, "mine.yaml"))
    said = snakemake(copy, tmp_path, "-n", "--configfile", *files)
    jobs = re.findall(r"^ ?(\w+(?: \w+)*) +(\d+) *$", said, re.MULTILINE)
    # original, ppo+repro, grpo and grpo+repro of each; ablations are of tiny-qwen3 alone.
    twice = {"backbone": 2, "original": 2, "train": 7, "generate": 9, "score": 9, "track": 9}
    once = {"data": 8, "figure": 8, "write tables": 1}
    assert (twice | {"objective": 6} | once).items() <= {(rule, int(n)) for rule, n in jobs}


def test_a_benchmark_is_scored_and_shown(tmp_path):
    copy = copy_with(tmp_path / "copy", "benchmark")
    data, generations = tmp_path / "data/amc23.jsonl", tmp_path / "generations.jsonl"
    jsonl.write(data, problems())
    jsonl.write(generations, responses())
    path = tmp_path / "tiny/original/0"
    scores = path / "scores/amc23.json"
    scores.parent.mkdir(parents=True)
    files = ("--generations", str(generations), "--data", str(data), "--output", str(scores))
    run(copy, "repro", "score", "--benchmark", "amc23", *files)
    found = json.loads(scores.read_text())
    assert found["aggregates"]["accuracy"]["value"] == pytest.approx(7 / 8)
    assert [problem["correct"] for problem in found["problems"]] == [[1, 1]] * 3 + [[1, 0]]
    tables = tmp_path / "tables"
    record = {"name": "x", "note": "", "benchmarks": ["amc23"], "runs": {"main": [str(path)]}}
    jsonl.write_json(tmp_path / "experiment.json", record)
    files = ("--experiment", str(tmp_path / "experiment.json"), "--output", str(tables))
    run(copy, "repro", "tables", *files)
    row = pd.read_csv(tables / "main.csv").iloc[0]
    assert row["amc23"] == pytest.approx(87.5)
    text = " ".join((tables / "main.md").read_text().split())
    assert "| LCB | AMC23 | Tokens |" in text


def test_an_algorithm_passes_its_own_test_and_those_of_every_estimator(tmp_path):
    copy = copy_with(tmp_path / "copy", "algorithm")
    said = run(copy, "pytest", "-q", "tests/algorithms", "-k", "rloo", "-p", "no:cacheprovider")
    assert int(re.search(r"(\d+) passed", said)[1]) > 20


def test_a_process_reward_passes_the_tests_of_every_rule_and_is_a_method(tmp_path):
    copy = copy_with(tmp_path / "copy", "process_reward")
    said = run(copy, "pytest", "-q", "tests/process_reward/test_rules.py", "-p", "no:cacheprovider")
    assert int(re.search(r"(\d+) passed", said)[1]) > 10
    chosen = "[original, grpo, grpo+repro, grpo+if_right~alpha=0.3]"
    (copy / "mine.yaml").write_text(f"grid: [{{methods: {chosen}, seeds: [0]}}]")
    files = (f"{copy}/{name}" for name in (SMOKE, "mine.yaml"))
    said = snakemake(copy, tmp_path, "-n", "--configfile", *files)
    assert re.search(r"^ train +4 *$", said, re.MULTILINE), "with grpo, and two with RePro"


def test_the_page_shows_the_example_which_another_test_runs():
    script = (ROOT / "examples/own_process_reward.py").read_text()
    assert f"```python\n{script}```" in PAGES["process_reward"].read_text()


@pytest.mark.long
def test_all_three_go_through_the_whole_pipeline(tmp_path):
    copy = copy_with(tmp_path / "copy", *NAMES[:3])
    folder = build(tmp_path / "models/mine")
    jsonl.write(tmp_path / "data/amc23.jsonl", problems())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    own = [block.path for page in NAMES[:3] for block in blocks(page) if "/" not in block.path]
    assert len(own) == 3
    alone = re.findall(r"`((?:subset|ablations): \{.+?\})`", PAGES["backbone"].read_text())
    assert len(alone) == 2
    (copy / "alone.yaml").write_text("\n".join(alone))
    files = (f"{copy}/{name}" for name in (SMOKE, *own, "alone.yaml"))
    snakemake(copy, tmp_path, "--configfile", *files)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    results = tmp_path / "results/smoke"
    main = pd.read_csv(results / "tables/main.csv")
    methods = ["original", "grpo", "grpo+repro", "rloo", "rloo+repro"]
    assert list(main["method"]) == methods
    assert set(main["backbone"]) == {"mine"}
    assert main["amc23"].between(0, 100).all()
    gain = pd.read_csv(results / "tables/gain.csv")
    compared = gain[(gain["method"] == "rloo+repro") & (gain["benchmark"] == "amc23")]
    assert set(compared["baseline"]) == {"rloo"}
    run_folder = results / "runs/mine/rloo+repro/0"
    steps = jsonl.read(run_folder / "training.jsonl")
    assert all(isinstance(step["process_reward_mean"], float) for step in steps)
    assert len(jsonl.read(run_folder / "generations/amc23.jsonl")) == 4 * 4
    assert (results / "runs/mine/rloo+repro~alpha=0.3/0/model").is_dir()
    overview = (results / "report/overview.html").read_text()
    for name in ("AMC23", "RLOO + RePro", "mine"):
        assert name in overview, name
