import time
from pathlib import Path

import pytest
import yaml

from repro.verify.choice import chosen_letter

CHOICES = yaml.safe_load(Path(__file__).with_name("choices.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("letter", "answer"), [(letter, text) for letter in CHOICES for text in CHOICES[letter]]
)
def test_chosen_letter(letter, answer):
    chosen = chosen_letter("a thought, ANSWER: D</think>" + answer)
    assert chosen == (None if letter == "none" else letter)


def test_every_choice_is_told_from_every_other():
    for said in "ABCDEFGHIJ":
        assert chosen_letter(f"a thought</think>ANSWER: {said}") == said


def test_an_unclosed_thought_has_no_answer():
    assert chosen_letter("ANSWER: C") is None
    assert chosen_letter("</think>ANSWER: C") == "C"


@pytest.mark.parametrize(
    "part", ["\\boxed{", "ANSWER: ", "\\text ", "<a ", "<answer>", "A or ", "ANSWER: A,", " ", "$"]
)
def test_hostile_responses_take_no_long_time(part):
    start = time.process_time()
    chosen_letter("</think>ANSWER: " + part * 30_000)
    assert time.process_time() - start < 10  # quadratic time would be minutes
