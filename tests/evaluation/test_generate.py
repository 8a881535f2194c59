import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repro.evaluation import engines, generate
from repro.evaluation.transformers_engine import TransformersEngine
from repro.files import jsonl


def run(evaluation, model, data_dir, folder):
    generate.generate_responses(evaluation, model, data_dir, folder / "work", folder / "out")
    return {path.stem: path.read_bytes() for path in (folder / "out").iterdir()}


def test_rows(evaluation, r1_model, data_dir, tmp_path):
    evaluation["benchmarks"] = {"aime24": {"samples": 3}, "lmb": {"samples": 2}}
    assert run(evaluation, r1_model, data_dir, tmp_path).keys() == {"aime24", "lmb"}
    rows = jsonl.read(tmp_path / "out" / "aime24.jsonl")
    assert sorted((row["doc_id"], row["sample"]) for row in rows) == [
        (doc_id, sample) for doc_id in range(6) for sample in range(3)
    ]
    (prompt,) = {row["prompt"] for row in rows if row["doc_id"] == 1}
    assert prompt == (
        "<|user|>What is 1 + 1?\nPlease reason step by step, and put your final answer within "
        "\\boxed{}.<|end|><|assistant|><think>\n"
    )
    assert len({row["text"] for row in rows}) > 12  # samples differ
    for row in rows:
        assert row["benchmark"] == "aime24"
        assert 0 < row["n_reasoning_tokens"] <= row["n_tokens"] <= 24
        assert row["finish_reason"] in ("stop", "length")
        assert row["finish_reason"] == "stop" or row["n_tokens"] == 24
        assert row["seed"] == 0


def test_a_backbone_is_asked_in_its_own_words(evaluation, r1_model, data_dir, tmp_path):
    evaluation["benchmarks"] = {"aime24": {"samples": 1}, "gpqa": {"samples": 1}}
    prompt = {"system": "Think hard.", "math": "Solve: {problem}"}
    places = r1_model, data_dir, tmp_path / "work", tmp_path / "out"
    generate.generate_responses(evaluation, *places, prompt=prompt)
    asked = {row["prompt"] for row in jsonl.read(tmp_path / "out" / "aime24.jsonl")}
    opening = "<|user|>Think hard.<|end|>"  # the template of this tokenizer knows one role only
    assert f"{opening}<|user|>Solve: What is 1 + 1?<|end|><|assistant|><think>\n" in asked
    (asked,) = {row["prompt"] for row in jsonl.read(tmp_path / "out" / "gpqa.jsonl")}
    assert asked.startswith(f"{opening}<|user|>Which is the largest?")


CHILD = """
import json, sys, time
from repro.files import jsonl
from repro.evaluation import generate
append = jsonl.append
def slow(path, rows):
    append(path, rows)
    time.sleep(0.4)  # so that the kill falls between two batches, or into one
jsonl.append = slow
generate.generate_responses(json.loads(sys.argv[1]), *sys.argv[2:])
"""


@pytest.mark.parametrize("whole_batches", [1, 2])
def test_killed_and_resumed_equals_uninterrupted(
    evaluation, qwen3_model, data_dir, tmp_path, whole_batches
):
    (tmp_path / "a").mkdir()
    undisturbed = run(evaluation, qwen3_model, data_dir, tmp_path / "a")["aime24"]
    places = [qwen3_model, data_dir, tmp_path / "b" / "work", tmp_path / "b" / "out"]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OMP_NUM_THREADS": "1",
    }
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, json.dumps(evaluation), *map(str, places)], env=environment
    )
    deadline = time.monotonic() + 120
    while not _lines(tmp_path / "b" / "work") >= whole_batches * evaluation["batch_size"]:
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    (part,) = (tmp_path / "b" / "work").glob("*.part")
    before = part.read_bytes()
    assert len(before) < len(undisturbed) and not (tmp_path / "b" / "out" / "aime24.jsonl").exists()
    assert run(evaluation, qwen3_model, data_dir, tmp_path / "b")["aime24"] == undisturbed


def _lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*.part"))


@pytest.mark.parametrize("cut", [1, 30, 700, 2500])
def test_a_torn_file_is_cut_back_to_whole_batches(
    evaluation, r1_model, data_dir, tmp_path, cut, monkeypatch
):
    """However many bytes the kill took, the result is the same and whole batches are kept."""
    whole = run(evaluation, r1_model, data_dir, tmp_path)["aime24"]
    (complete,) = (tmp_path / "work").glob("*.jsonl")
    (tmp_path / "out" / "aime24.jsonl").unlink()
    complete.unlink()
    part = complete.with_name(complete.name + ".part")
    part.write_bytes(whole[:-cut])
    sizes = []
    original = TransformersEngine.generate

    def counted(self, requests, sampling):
        sizes.append(sum(request.n for request in requests))
        return original(self, requests, sampling)

    monkeypatch.setattr(TransformersEngine, "generate", counted)
    assert run(evaluation, r1_model, data_dir, tmp_path)["aime24"] == whole
    lost = whole[-cut:].count(b"\n")
    kept_batches = (18 - lost) // 6  # two problems a batch, three samples each
    assert sum(sizes) == 18 - kept_batches * 6


def test_one_load_for_all_missing_and_nothing_twice(
    evaluation, r1_model, data_dir, tmp_path, monkeypatch
):
    loads = []
    load = engines.load
    monkeypatch.setattr(engines, "load", lambda *a: loads.append(a) or load(*a))
    evaluation["benchmarks"] = {"aime24": {"samples": 1}, "lmb": {"samples": 1}}
    first = run(evaluation, r1_model, data_dir, tmp_path)
    assert len(loads) == 1
    assert run(evaluation, r1_model, data_dir, tmp_path) == first
    assert len(loads) == 1
    # A workflow that deletes a killed job's outputs loses nothing.
    (tmp_path / "out" / "lmb.jsonl").unlink()
    assert run(evaluation, r1_model, data_dir, tmp_path) == first
    assert len(loads) == 1
    # One more benchmark: only that one.
    evaluation["benchmarks"]["gpqa"] = {"samples": 1}
    inode = (tmp_path / "out" / "lmb.jsonl").stat().st_ino
    assert run(evaluation, r1_model, data_dir, tmp_path).keys() == {"aime24", "lmb", "gpqa"}
    assert len(loads) == 2
    assert (tmp_path / "out" / "lmb.jsonl").stat().st_ino == inode


def test_what_cannot_be_told_to_fit_is_neither_taken_nor_overwritten(
    evaluation, r1_model, qwen3_model, data_dir, tmp_path
):
    first = run(evaluation, r1_model, data_dir, tmp_path)
    output = tmp_path / "out" / "aime24.jsonl"
    for model, change in ((qwen3_model, {}), (r1_model, {"temperature": 0.9})):
        with pytest.raises(ValueError, match="by another model or with other settings.*move it"):
            run(evaluation | change, model, data_dir, tmp_path)
    assert output.read_bytes() == first["aime24"]
    for path in (tmp_path / "work").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="move it away"):
        run(evaluation, r1_model, data_dir, tmp_path)


def test_another_model_never_continues_a_file(
    evaluation, r1_model, qwen3_model, data_dir, tmp_path
):
    run(evaluation, r1_model, data_dir, tmp_path)
    (tmp_path / "out" / "aime24.jsonl").unlink()
    run(evaluation, qwen3_model, data_dir, tmp_path)
    assert len(list((tmp_path / "work").glob("aime24.*.jsonl"))) == 2


def test_a_prompt_longer_than_the_context_is_refused(evaluation, r1_model, data_dir, tmp_path):
    rows = [{"problem": "short", "answer": "1"}, {"problem": "x" * 500, "answer": "1"}]
    jsonl.write(data_dir / "aime24.jsonl", rows)
    with pytest.raises(ValueError, match=r"aime24, doc 1: the prompt has 576 tokens.*room for 488"):
        run(evaluation, r1_model, data_dir, tmp_path)
    assert not list((tmp_path).glob("work/*"))


def test_bad_names_are_refused_before_anything_is_loaded(evaluation, data_dir, tmp_path):
    nowhere = tmp_path / "nowhere"
    with pytest.raises(ValueError, match="engine: 'tgi' is unknown"):
        generate.generate_responses(
            evaluation | {"engine": "tgi"}, nowhere, data_dir, nowhere, nowhere
        )
