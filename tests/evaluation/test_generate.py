import multiprocessing
import time

import pytest
from tests.evaluation.conftest import generation

from repro.config.backbones import DirectoryBackbone
from repro.evaluation import engines, generate, tasks
from repro.evaluation.engines import TransformersEngine
from repro.files import jsonl

BACKBONE = DirectoryBackbone(source="directory", path="mine")
SETTINGS = generation()


def run(model, data_dir, folder, settings=SETTINGS, backbone=BACKBONE) -> dict[str, bytes]:
    places = model, data_dir, folder / "work", folder / "out"
    generate.generate_responses(settings, backbone, *places)
    return {path.stem: path.read_bytes() for path in (folder / "out").iterdir()}


def samples(**of: int) -> dict:
    return {name: {"samples": count} for name, count in of.items()}


def test_rows(r1_model, data_dir, tmp_path):
    wanted = generation(benchmarks=samples(aime24=3, lmb=2))
    assert run(r1_model, data_dir, tmp_path, wanted).keys() == {"aime24", "lmb"}
    rows = jsonl.read(tmp_path / "out/aime24.jsonl")
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
        assert (row["benchmark"], row["seed"]) == ("aime24", 0)
        assert 0 < row["n_reasoning_tokens"] <= row["n_tokens"] <= 24
        assert row["finish_reason"] in ("stop", "length")
        assert row["finish_reason"] == "stop" or row["n_tokens"] == 24


def test_a_backbone_is_asked_in_its_own_words(r1_model, data_dir, tmp_path):
    asked = {"prompt": {"system": "Think hard.", "math": "Solve: {problem}"}}
    backbone = DirectoryBackbone(source="directory", path="mine", **asked)
    run(r1_model, data_dir, tmp_path, generation(benchmarks=samples(aime24=1, gpqa=1)), backbone)
    asked = {row["prompt"] for row in jsonl.read(tmp_path / "out/aime24.jsonl")}
    opening = "<|user|>Think hard.<|end|>"  # the template of this tokenizer knows one role only
    assert f"{opening}<|user|>Solve: What is 1 + 1?<|end|><|assistant|><think>\n" in asked
    (asked,) = {row["prompt"] for row in jsonl.read(tmp_path / "out/gpqa.jsonl")}
    assert asked.startswith(f"{opening}<|user|>Which is the largest?")


@pytest.mark.parametrize("whole_batches", [1, 2])
def test_killed_and_resumed_equals_uninterrupted(
    qwen3_model, data_dir, tmp_path, monkeypatch, whole_batches
):
    def lines() -> int:
        return sum(path.read_bytes().count(b"\n") for path in tmp_path.glob("b/work/*.begun"))

    undisturbed, append = run(qwen3_model, data_dir, tmp_path / "a")["aime24"], jsonl.append
    # So that the kill falls between two batches, or into one.
    monkeypatch.setattr(jsonl, "append", lambda *given: append(*given) or time.sleep(0.4))
    places = (qwen3_model, data_dir, tmp_path / "b")
    child = multiprocessing.get_context("fork").Process(target=run, args=places)
    child.start()
    deadline = time.monotonic() + 120
    while lines() < whole_batches * SETTINGS.batch_size:
        assert child.is_alive() and time.monotonic() < deadline
        time.sleep(0.02)
    child.kill()
    child.join()
    assert lines() < 18 and not (tmp_path / "b/out/aime24.jsonl").exists()
    assert run(*places)["aime24"] == undisturbed


@pytest.mark.parametrize("cut", [1, 30, 700, 2500])
def test_a_torn_file_is_cut_back_to_whole_batches(r1_model, data_dir, tmp_path, cut, monkeypatch):
    """However many bytes the kill took, the result is the same and whole batches are kept."""
    whole = run(r1_model, data_dir, tmp_path)["aime24"]
    (complete,) = (tmp_path / "work").glob("*.jsonl")
    (tmp_path / "out/aime24.jsonl").unlink()
    complete.unlink()
    complete.with_name(complete.name + ".begun").write_bytes(whole[:-cut])
    sizes = []
    original = TransformersEngine.generate

    def counted(self, requests, sampling):
        sizes.append(sum(request.n for request in requests))
        return original(self, requests, sampling)

    monkeypatch.setattr(TransformersEngine, "generate", counted)
    assert run(r1_model, data_dir, tmp_path)["aime24"] == whole
    kept_batches = (18 - whole[-cut:].count(b"\n")) // 6  # two problems a batch, three samples each
    assert sum(sizes) == 18 - kept_batches * 6


def test_one_load_for_all_missing_and_nothing_twice(r1_model, data_dir, tmp_path, monkeypatch):
    loads, load = [], engines.load
    monkeypatch.setattr(engines, "load", lambda *a: loads.append(a) or load(*a))
    two = generation(benchmarks=samples(aime24=1, lmb=1))
    first = run(r1_model, data_dir, tmp_path, two)
    assert run(r1_model, data_dir, tmp_path, two) == first
    # A workflow that deletes a killed job's outputs loses nothing.
    output = tmp_path / "out/lmb.jsonl"
    output.unlink()
    assert run(r1_model, data_dir, tmp_path, two) == first
    assert len(loads) == 1
    # One more benchmark: only that one.
    inode = output.stat().st_ino
    three = generation(benchmarks=samples(aime24=1, lmb=1, gpqa=1))
    assert run(r1_model, data_dir, tmp_path, three).keys() == {"aime24", "lmb", "gpqa"}
    assert len(loads) == 2
    assert output.stat().st_ino == inode


def test_what_cannot_be_told_to_fit_is_neither_taken_nor_overwritten(
    r1_model, qwen3_model, data_dir, tmp_path
):
    first = run(r1_model, data_dir, tmp_path)
    output = tmp_path / "out/aime24.jsonl"
    for model, other in ((qwen3_model, SETTINGS), (r1_model, generation(temperature=0.9))):
        with pytest.raises(ValueError, match="by another model or with other settings.*move it"):
            run(model, data_dir, tmp_path, other)
    assert output.read_bytes() == first["aime24"]
    output.unlink()
    run(qwen3_model, data_dir, tmp_path)  # another model never continues a file
    assert len(list((tmp_path / "work").glob("aime24.*.jsonl"))) == 2
    for path in (tmp_path / "work").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="move it away"):
        run(qwen3_model, data_dir, tmp_path)


def test_answers_that_look_like_dates_stay_text(tmp_path):
    """The json loader of datasets would make a time stamp of this column."""
    jsonl.write(tmp_path / "x.jsonl", [{"problem": "Which day?", "answer": "2024-01-01"}])
    task = tasks.load("aime25", tmp_path / "x.jsonl", 1)
    assert task.doc_to_target(task.eval_docs[0]) == "2024-01-01"


def test_a_prompt_longer_than_the_context_is_refused(r1_model, data_dir, tmp_path):
    rows = [{"problem": "short", "answer": "1"}, {"problem": "x" * 500, "answer": "1"}]
    jsonl.write(data_dir / "aime24.jsonl", rows)
    with pytest.raises(ValueError, match=r"aime24, doc 1: the prompt has 576 tokens.*room for 488"):
        run(r1_model, data_dir, tmp_path)
    assert not list(tmp_path.glob("work/*"))
