"""Prompts and gold answers in the words of OpenCompass, in which the authors of RePro evaluate.

`protocols/opencompass.yaml` names these functions; docs/evaluation.md says where each was read.
"""

from repro.benchmarks.prompts import LETTERS, fill

MATH = "{problem}\n\nPlease reason step by step, and put your final answer within \\boxed{}."
# Row i of GPQA, counted from 1, shows option c[j] at its j-th letter, with c = _ORDERS[i % 4]; A is
# the correct answer, B to D are the incorrect ones.
_ORDERS = ("ABCD", "BCDA", "CDAB", "DABC")
_OPTIONS = ("Correct Answer", *(f"Incorrect Answer {number}" for number in (1, 2, 3)))
_GPQA = (
    "Answer the following multiple choice question. The last line of your response should be of "
    "the following format: 'ANSWER: $LETTER' (without quotes) where LETTER is one of ABCD. Think "
    "step by step before answering."
)
_LCB = "### Question:\n{}\n\n### Format: {}\n```python\n{}\n```\n\n{}\n\n"
_LCB_ANSWER = "### Answer: (use the provided format with backticks)"
_LCB_STARTER = (
    "You will use the following starter code to write the solution to the problem and enclose "
    "your code within delimiters."
)
_LCB_STDIN = (
    "Read the inputs from stdin solve the problem and write the answer to stdout (do not directly "
    "test on the sample inputs). Enclose your code within delimiters as follows."
)


def math(doc: dict, template: str | None = None) -> str:
    """Return the problem with the instruction; `template` is another one, as in `prompts.math`."""
    return fill(template or MATH, doc)


def gpqa(doc: dict) -> str:
    """Return the question with its four choices, in simple-evals' words."""
    lines = zip(LETTERS, gpqa_choices(doc), strict=True)
    choices = "\n".join(f"{letter}) {choice}" for letter, choice in lines)
    return f"{_GPQA}\n\n{doc['Question']}\n\n{choices}"


def gpqa_choices(doc: dict) -> list[str]:
    """Return the four choices in the order that the row's place in the data file decides."""
    return [doc[_OPTIONS[LETTERS.index(option)]] for option in _order(doc)]


def gpqa_letter(doc: dict) -> str:
    """Return the letter under which the prompt shows the correct choice."""
    return LETTERS[_order(doc).index("A")]


def _order(doc: dict) -> str:
    return _ORDERS[(doc["row"] + 1) % 4]


def mbpp(doc: dict) -> str:
    """Return the task and its tests."""
    tests = "\n".join(doc["test_list"])
    return (
        f"You are an expert Python programmer, and here is your task:\n{doc['text']}\n"
        f"Your code should pass these tests:\n\n{tests}\n"
    )


def lcb(doc: dict) -> str:
    """Return the problem with its starter code, or with the stdin convention where it has none."""
    starter = doc["starter_code"]
    how, code = (_LCB_STARTER, starter) if starter else (_LCB_STDIN, "# YOUR CODE HERE")
    return _LCB.format(doc["question_content"], how, code, _LCB_ANSWER)
