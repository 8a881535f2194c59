"""Responses to read: which are shown, with what, and that text is no markup."""

import json

import pytest
from tests import run_folder
from tests.run_folder import BENCHMARKS, NOTE, SETTINGS

from repro.benchmarks import declared
from repro.evaluation import tasks
from repro.files import jsonl
from repro.tinyworld import problems
from repro.tracking import samples


@pytest.fixture
def folder(tmp_path):
    return run_folder.write(tmp_path)


@pytest.fixture
def found(folder, tmp_path):
    return samples.read(folder, tmp_path / "data", BENCHMARKS)


def test_first_problems_with_all_their_responses(found):
    assert [problem.number for problem in found["aime24"]] == [0, 1, 2]
    first = found["aime24"][0]
    assert (first.prompt, first.answer) == ("<user>aime24 0", "1")
    assert [(one.sample, one.right, one.cut) for one in first.responses] == [
        (0, False, False),
        (1, True, True),
    ]
    assert first.responses[1].text == "<think>thought 0.1</think>"


def test_page_shows_a_right_and_a_wrong_response_of_each_problem(found):
    page = samples.page(found, SETTINGS, NOTE)
    texts = [f"&lt;think&gt;thought {text}&lt;" for text in ("0.1", "0.0", "1.0", "2.0")]
    assert [page.count(text) for text in texts] == [2, 2, 1, 1]  # 0.x: one of each benchmark
    assert page.index(texts[0]) < page.index(texts[1])  # the right one first
    for text in ("thought 1.1", "thought 2.1", "thought 3.0"):
        assert text not in page
    for text in ("AIME24", "MBPP", "1 of 2 right", "Right answer: <code>1</code>"):
        assert text in page
    assert "tiny, GRPO + RePro (α = 0.3), seed 0: responses" in page
    assert "sample 1, 9 tokens, 7 of them reasoning, cut off" in page
    assert "sample 0, 9 tokens, 7 of them reasoning<" in page


def test_text_is_no_markup(found):
    page = samples.page(found, SETTINGS, NOTE)
    assert not any(tag in page for tag in ("<think>", "<user>", "<not>"))


def test_long_responses_are_folded(folder, tmp_path):
    rows = run_folder.responses("mbpp")
    for row in rows:
        row["text"] *= 1 if row["sample"] else samples.LONG
    jsonl.write(folder / "generations/mbpp.jsonl", rows)
    found = samples.read(folder, tmp_path / "data", ["mbpp"])
    page = samples.page(found, SETTINGS, NOTE)
    assert page.count("<details") == 2 and page.count("<details open>") == 1
    assert len(samples.table(found)["data"][0][1]) < samples.LONG + 100


def test_table_has_one_response_a_problem(found):
    table = samples.table(found)
    assert [row[0] for row in table["data"]] == [
        *(f"AIME24, problem {number}" for number in range(3)),
        "MBPP, problem 0",
    ]
    first = dict(zip(table["columns"], table["data"][0], strict=True))
    assert first["response"].startswith(
        "wrong, 9 tokens, 7 of them reasoning\n\n<think>thought 0.0"
    )
    assert (first["prompt"], first["answer"]) == ("<user>aime24 0", "1")


def test_what_was_not_scored_is_said(folder, tmp_path):
    scores = {"aggregates": {}, "problems": [], "not_scored": "no sandbox"}
    (folder / "scores/mbpp.json").write_text(json.dumps(scores))
    found = samples.read(folder, tmp_path / "data", BENCHMARKS)
    assert found["mbpp"] == []
    assert "Not scored." in samples.page(found, SETTINGS, NOTE)


@pytest.mark.parametrize("benchmark", declared.PAPER)
def test_answers_are_those_that_responses_are_judged_by(benchmark, tmp_path):
    file = tmp_path / "problems.jsonl"
    jsonl.write(file, problems.generate(benchmark, 3, 0))
    task = tasks.load(benchmark, file, 1)
    for doc in task.eval_docs:
        assert samples.gold(benchmark, doc) == task.doc_to_target(doc)


@pytest.mark.parametrize("target", ["answer", "'{{answer}}'"])
def test_a_field_or_a_template_is_an_answer_too(target, tmp_path, monkeypatch):
    text = (declared.FOLDER / "aime24.yaml").read_text()
    text = text.replace("task: aime24", "task: own").replace(
        "!function prompts.math_answer", target
    )
    (tmp_path / "own.yaml").write_text(text)
    monkeypatch.setattr(declared, "FOLDER", tmp_path)
    declared.benchmarks.cache_clear()
    try:
        assert samples.gold("own", {"answer": 12}) == "12"
    finally:
        declared.benchmarks.cache_clear()
