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


def write(folder, benchmarks=BENCHMARKS):
    """Return the page, and the table's rows as dictionaries."""
    found = samples.write(folder, folder.parents[3] / "data", [*benchmarks], SETTINGS, NOTE)
    table = json.loads(found["samples.json"])
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    return found["samples.html"], rows


def test_page_shows_a_right_and_a_wrong_response_of_each_problem(folder):
    page, _ = write(folder)
    texts = [f"&lt;think&gt;thought {text}&lt;" for text in ("0.1", "0.0", "1.0", "2.0")]
    assert [page.count(text) for text in texts] == [2, 2, 1, 1]  # 0.x: one of each benchmark
    assert page.index(texts[0]) < page.index(texts[1])  # the right one first
    for text in ("thought 1.1", "thought 2.1", "thought 3.0", "<think>", "<user>", "<not>"):
        assert text not in page
    for text in ("AIME24", "MBPP", "1 of 2 right", "Right answer: <code>1</code>"):
        assert text in page
    assert "tiny, GRPO + RePro (α = 0.3), seed 0: responses" in page
    assert "sample 1, 9 tokens, 7 of them reasoning, cut off" in page
    assert "sample 0, 9 tokens, 7 of them reasoning<" in page


def test_table_has_one_response_a_problem(folder):
    _, rows = write(folder)
    titles = [*(f"AIME24, problem {number}" for number in range(3)), "MBPP, problem 0"]
    assert [row["problem"] for row in rows] == titles
    text = "wrong, 9 tokens, 7 of them reasoning\n\n<think>thought 0.0</think>"
    asked = {"prompt": "<user>aime24 0", "answer": "1"}
    assert rows[0] == {"problem": titles[0], "response": text, **asked}


def test_long_responses_are_folded_and_what_was_not_scored_is_told(folder):
    rows = run_folder.responses("mbpp")
    for row in rows:
        row["text"] *= 1 if row["sample"] else samples.LONG
    jsonl.write(folder / "generations/mbpp.jsonl", rows)
    page, rows = write(folder, ["mbpp"])
    assert page.count("<details") == 2 and page.count("<details open>") == 1
    assert len(rows[0]["response"]) < samples.LONG + 100
    jsonl.write_json(folder / "scores/mbpp.json", {"problems": [], "not_scored": "no sandbox"})
    page, rows = write(folder, ["mbpp"])
    assert "Not scored." in page and rows == []


@pytest.mark.parametrize("benchmark", declared.PAPER)
def test_answers_are_those_that_responses_are_judged_by(benchmark, tmp_path):
    file = tmp_path / "problems.jsonl"
    jsonl.write(file, problems.generate(benchmark, 3, 0))
    task = tasks.load(benchmark, file, 1)
    for doc in task.eval_docs:
        assert samples.gold(benchmark, doc) == task.doc_to_target(doc)


@pytest.mark.parametrize("target", ["answer", "'{{answer}}'"])
def test_a_field_or_a_template_is_an_answer_too(target, tmp_path, monkeypatch):
    text = (declared.FOLDER / "aime24.yaml").read_text().replace("task: aime24", "task: own")
    text = text.replace("!function prompts.math_answer", target)
    (tmp_path / "own.yaml").write_text(text)
    monkeypatch.setattr(declared, "FOLDER", tmp_path)
    declared.benchmarks.cache_clear()
    try:
        assert samples.gold("own", {"answer": 12}) == "12"
    finally:
        declared.benchmarks.cache_clear()
