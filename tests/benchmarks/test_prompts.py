import pytest

from repro.benchmarks import prompts

GPQA = {
    "Record ID": "rec06pnAkLOr2t2mp",
    "Question": " Which? \n",
    "Correct Answer": "right\n",
    **{f"Incorrect Answer {number}": f"wrong {number}" for number in (1, 2, 3)},
}


@pytest.mark.parametrize("field", ["problem", "question"])
def test_math_also_in_a_backbones_own_words(field):
    doc = {field: "What is {x} for $\\frac{1}{2}$?", "answer": 2}
    assert prompts.math(doc) == (
        "What is {x} for $\\frac{1}{2}$?\n"
        "Please reason step by step, and put your final answer within \\boxed{}."
    )
    template = "{problem}\nRemember to put your final answer within \\boxed{}."
    assert prompts.math(doc, template) == (
        "What is {x} for $\\frac{1}{2}$?\nRemember to put your final answer within \\boxed{}."
    )
    assert prompts.math_answer(doc) == "2"


def test_gpqa_shows_each_choice_once_in_a_frozen_order():
    text = prompts.gpqa(GPQA)
    # Frozen: were this line to change, published scores could not be compared any more.
    choices = ["A) right", "B) wrong 3", "C) wrong 1", "D) wrong 2"]
    assert text.splitlines()[:5] == ["Which?", *choices]
    assert text.endswith('"ANSWER: $LETTER".')
    assert prompts.gpqa_letter(GPQA) == "A"
    letters = [prompts.gpqa_letter(GPQA | {"Record ID": f"rec{n}"}) for n in range(4000)]
    assert all(900 < letters.count(letter) < 1100 for letter in "ABCD")


def test_programs():
    doc = {"text": "Write a function f.", "test_list": ["assert f(1) == 1", "assert f(2) == 4"]}
    assert prompts.mbpp(doc) == (
        "Write a function f.\nYour code should pass these tests:\n"
        "assert f(1) == 1\nassert f(2) == 4\nPut the final code in a ```python block."
    )
    call = {"question_content": "Add.", "starter_code": "def add(a, b):\n    "}
    assert "```python\ndef add(a, b):\n```" in prompts.lcb(call)
    assert "stdin" not in prompts.lcb(call)
    assert "Read the input from stdin" in prompts.lcb(call | {"starter_code": ""})
