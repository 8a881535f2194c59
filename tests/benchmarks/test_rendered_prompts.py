"""Every prompt of both protocols, in Qwen3's real chat template: rendered_prompts.md.

Where a prompt changes on purpose: RENDER=1 pytest tests/benchmarks/test_rendered_prompts.py
"""

import json
import os
from pathlib import Path

import pytest

from repro.benchmarks import declared
from repro.evaluation import generate, tasks
from repro.files import jsonl

PAGE = Path(__file__).with_name("rendered_prompts.md")
MATH = {"answer": "11"}
PROBLEMS = {  # invented ones, with the fields of the real ones
    "aime24": MATH | {"problem": "Find the remainder of $2^{10}$ by 13, plus 1."},
    "aime25": MATH | {"problem": "How many primes are below 32?"},
    "math500": MATH | {"problem": "Compute $\\frac{22}{2}$."},
    "lmb": MATH | {"question": "Let $x-4=7$. Find $x$."},
    "gpqa": {
        "Record ID": "rec0",
        "Question": "Which of these particles is a lepton?",
        "Correct Answer": "the muon",
        "Incorrect Answer 1": "the proton",
        "Incorrect Answer 2": "the pion",
        "Incorrect Answer 3": "the gluon",
    },
    "mbpp": {
        "text": "Write a function to add two numbers.",
        "test_list": ["assert add(1, 2) == 3", "assert add(-1, 1) == 0"],
        "test_setup_code": "",
    },
    "lcb": {
        "question_content": "Print the sum of the numbers of the first line.",
        "starter_code": "",
        "public_test_cases": json.dumps([{"input": "1 2", "output": "3", "testtype": "stdin"}]),
        "private_test_cases": "[]",
        "metadata": "{}",
    },
}
STARTER = "class Solution:\n    def add(self, a: int, b: int) -> int:\n        "
STARTED = "lcb, with starter code"


@pytest.fixture(scope="module")
def page(qwen3, tmp_path_factory):
    """Render one problem of each benchmark in both protocols."""
    folder = tmp_path_factory.mktemp("problems")
    shown = PROBLEMS | {STARTED: PROBLEMS["lcb"] | {"starter_code": STARTER}}
    parts = ["# One problem of each benchmark, in both protocols and Qwen3's chat template\n"]
    for title, problem in shown.items():
        name = title.partition(",")[0]
        jsonl.write(folder / f"{title}.jsonl", [problem])
        for protocol in declared.protocols():
            task = tasks.load(name, folder / f"{title}.jsonl", 1, protocol)
            [prompt] = generate.render_prompts(task, qwen3, system=None)
            parts.append(f"## {title}, {protocol}\n~~~~\n{prompt}\n~~~~\n")
    return "\n".join(parts)


def test_the_page_shows_what_is_asked(page):
    if os.environ.get("RENDER"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def test_opencompass_turns_the_choices_row_by_row(tmp_path):
    orders = {"D": (1, 2, 3, 0), "C": (2, 3, 0, 1), "B": (3, 0, 1, 2), "A": (0, 1, 2, 3)}
    question = PROBLEMS["gpqa"]
    options = [question["Correct Answer"], *(question[f"Incorrect Answer {n}"] for n in (1, 2, 3))]
    rows = [question | {"Record ID": f"rec{n}"} for n in range(4)]
    jsonl.write(tmp_path / "gpqa.jsonl", rows)
    task = tasks.load("gpqa", tmp_path / "gpqa.jsonl", 1, "opencompass")
    docs = [doc for _, doc in task.doc_iterator()]
    for doc, (letter, order) in zip(docs, orders.items(), strict=True):
        lines = task.doc_to_text(doc).splitlines()[-4:]
        assert lines == [f"{name}) {options[n]}" for name, n in zip("ABCD", order, strict=True)]
        assert task.doc_to_target(doc) == letter
