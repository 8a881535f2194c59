"""Prompts and gold answers in the words of OpenCompass, in which the authors of RePro evaluate.

`protocols/opencompass.yaml` names these functions; docs/evaluation.md says where each was read.
"""

from repro.benchmarks import prompts
from repro.benchmarks.prompts import LETTERS, OPTIONS, with_letters

_TEXTS = prompts.TEXTS["opencompass"]
# Row i of GPQA, counted from 1, shows option c[j] at its j-th letter, with c = _ORDERS[i % 4]; A is
# the correct answer, B to D are the incorrect ones.
_ORDERS = ("ABCD", "BCDA", "CDAB", "DABC")


def math(doc: dict) -> str:
    """Return the problem with the instruction."""
    return prompts.math(doc, _TEXTS["math"])


def gpqa(doc: dict) -> str:
    """Return the question with its four choices, in simple-evals' words."""
    return _TEXTS["gpqa"].format(doc["Question"], with_letters(gpqa_choices(doc)))


def gpqa_choices(doc: dict) -> list[str]:
    """Return the four choices in the order that the row's place in the data file decides."""
    return [doc[OPTIONS[LETTERS.index(option)]] for option in _order(doc)]


def gpqa_letter(doc: dict) -> str:
    """Return the letter under which the prompt shows the correct choice."""
    return LETTERS[_order(doc).index("A")]


def _order(doc: dict) -> str:
    return _ORDERS[(doc["row"] + 1) % 4]


def mbpp(doc: dict) -> str:
    """Return the task and its tests."""
    return _TEXTS["mbpp"].format(doc["text"], "\n".join(doc["test_list"]))


def lcb(doc: dict) -> str:
    """Return the problem with its starter code, or with the stdin convention where it has none."""
    starter = doc["starter_code"]
    how = _TEXTS["lcb_starter" if starter else "lcb_stdin"]
    return _TEXTS["lcb"].format(doc["question_content"], how, starter or "# YOUR CODE HERE")
