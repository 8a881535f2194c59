import pytest

from repro.verify.choice import chosen_letter, verify


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("ANSWER: C", "C"),
        ("Answer: C", "C"),
        ("answer : C.", "C"),
        ("ANSWER: (C)", "C"),
        ("ANSWER: C) 12 metres", "C"),
        ("ANSWER: **C**", "C"),
        ("**ANSWER: C**", "C"),
        ("**ANSWER:** C", "C"),
        ("ANSWER: $C$", "C"),
        ("ANSWER: $\\text{C}$", "C"),
        ("ANSWER: \\boxed{C}", "C"),
        ("\\boxed{C}", "C"),
        ("\\boxed{\\text{(C)}}", "C"),
        ("\\boxed{C) 12}", "C"),
        ("ANSWER: A\nNo, ANSWER: C", "C"),
        ("\\boxed{A} ... ANSWER: C", "C"),
        ("ANSWER: A ... \\boxed{C}", "C"),
        ("ANSWER: C\nBecause A and B are wrong.", "C"),
        ("ANSWER: $LETTER", None),
        ("ANSWER: Cats", None),
        ("ANSWER: A or B", None),
        ("ANSWER: A, B", None),
        ("ANSWER: A/B", None),
        ("ANSWER: c", None),
        ("The answer is C", None),
        ("", None),
    ],
)
def test_chosen_letter(answer, letter):
    assert chosen_letter("a thought, ANSWER: D</think>" + answer) == letter


def test_an_unclosed_thought_has_no_answer():
    assert chosen_letter("ANSWER: C") is None
    assert not verify("ANSWER: C", "C")
    assert verify("</think>ANSWER: C", "C")
    assert not verify("</think>ANSWER: C", "B")
