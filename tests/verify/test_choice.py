import time

import pytest

from repro.verify.choice import chosen_letter, verify

LETTER_C = [
    "ANSWER: C", "Answer: C", "answer : C.", "ANSWER:C", "ANSWER：C", "ANSWER:\nC",
    "Final Answer: C", "ANSWER: (C)", "ANSWER: [C]", "ANSWER: C) 12 metres", "ANSWER: C: a proton",
    "ANSWER: C because B is heavier", "ANSWER: Option C", "ANSWER: **C**", "ANSWER: __C__",
    "**ANSWER: C**", "**ANSWER:** C", "**Answer**: C", "ANSWER: $C$", "ANSWER: \\(C\\)",
    "ANSWER: $\\text{C}$", "ANSWER: $\\mathbf{(C)}$", "ANSWER: \\boxed{C}", "\\boxed{C}",
    "\\boxed{ C }", "\\boxed{C.}", "\\boxed{\\text{(C)}}", "\\boxed{\\textbf{C}}",
    "\\boxed{\\text{Option C}}", "\\boxed{C) 12}", "\\boxed{\\text{ANSWER: C}}",
    "ANSWER: A\nNo, ANSWER: C", "\\boxed{A} ... ANSWER: C", "ANSWER: A ... \\boxed{C}",
    "ANSWER: C\nBecause A and B are wrong.", "ANSWER: C\nA or B would need more energy.",
    "ANSWER: C, a proton", "ANSWER: C and \\boxed{42}", "State it as ANSWER: $LETTER.\nANSWER: C",
    "ANSWER: A or B\nOn reflection ANSWER: C", "ANSWER: C</answer>", "<answer>ANSWER: C</answer>",
    "<answer>C</answer>", "<answer>\n(C) 12 eV\n</answer>", "<answer>\\boxed{C}</answer>",
    "ANSWER: C<br>", "ANSWER: C<br>A or B would need more energy.",
    "<p><strong>ANSWER:</strong> C</p>", "ANSWER: <b>C</b>",
    'ANSWER: <span class="a">C</span> (12 eV)', "ANSWER: <C>", "ANSWER: C <!-- the third -->",
    'ANSWER: "C"', "ANSWER: 'C'", "ANSWER: “C”", "ANSWER: `C`",
    '{"reason": "A is heavier", "answer": "C"}', "_ANSWER: C_", "ANSWER: C(12 eV)",
    "ANSWER: C => 12 eV", "ANSWER: C <-- final", "ANSWER: C // the third", "ANSWER: C, I am sure",
    "ANSWER: C, A proton is lighter", "ANSWER: Letter C", "ANSWER: $\\large C$",
    "ANSWER: $\\left(C\\right)$", "ANSWER: \\underline{C}", "ANSWER: {\\bf C}",
    "ANSWER: \\textcolor{red}{\\textbf{C}}", "\\[\\boxed{\\text{ANSWER: } C}\\]",
    "\\boxed{\\text{ANSWER}: C}", "\\boxed{\\displaystyle C}",
    "\\boxed{\\,\\underline{\\mathrm{C}}\\,}",
    "'ANSWER: [LETTER]' where LETTER is one of A, B, C, D.\nANSWER: C", "ANSWER: C</think>done",
    "ANSWER: C\n</think>\n", "ANSWER: A</think>No. ANSWER: C",
]  # fmt: skip
LETTER_A = [
    "ANSWER: A because it is lighter", "ANSWER: A is correct", "ANSWER: A and this is final",
    "ANSWER: A due to symmetry", "ANSWER: A (proton)", "ANSWER: **A** proton",
    "ANSWER: <b>A</b> proton", "ANSWER: A<br>proton", "\\boxed{\\text{A is correct}}",
]  # fmt: skip
NO_LETTER = [
    "ANSWER: $LETTER", "ANSWER: Cats", "ANSWER: C60", "ANSWER: C's", "ANSWER: I think C",
    "ANSWER: not C", "ANSWER: None of these", "ANSWER: A proton is lighter", "ANSWER: A or B",
    "ANSWER: A (or C)", "ANSWER: A and C", "ANSWER: A, B", "ANSWER: A; B", "ANSWER: A/B",
    "ANSWER: A & C", "ANSWER: AC", "ANSWER: c", "ANSWER: C\nANSWER: A or B", "The answer is C",
    "C", "\\boxed{A or B}", "\\boxed{A \\text{ or } B}", "\\boxed{A, C}",
    "\\boxed{\\text{A and C}}", "\\boxed{C_2}", "\\boxed{C = 3}", "\\boxed{A + B}",
    "\\boxed{C(x)}", "\\boxed{C^2}", "\\boxed{3}", "\\boxed{}", "", "<answer>A or C</answer>",
    "<answer>A proton</answer>", "<answer></answer>", "ANSWER: <b>A</b> or <b>B</b>",
    "ANSWER: `A`, `B`", "ANSWER: C or possibly D", "ANSWER: C or A is right", "ANSWER: C vs. D",
    "ANSWER: C D", "ANSWER: A or something else", "ANSWER: A by-product", "ANSWER: I would say C",
    "ANSWER: A(x)", "ANSWER: C-14", "ANSWER: C > 3", "ANSWER: \\textbf{none}",
    "ANSWER: C</think>ANSWER: A or B", "\\boxed{\\vec B}", "\\boxed{\\Delta E}",
    "\\boxed{A \\times B}", "\\boxed{A - B}",
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "letter"),
    [(text, "C") for text in LETTER_C]
    + [(text, "A") for text in LETTER_A]
    + [(text, None) for text in NO_LETTER],
)
def test_chosen_letter(answer, letter):
    assert chosen_letter("a thought, ANSWER: D</think>" + answer) == letter


def test_every_choice_is_told_from_every_other():
    for said in "ABCDEFGHIJ":
        for gold in "ABCDEFGHIJ":
            assert verify(f"a thought</think>ANSWER: {said}", gold) is (said == gold)


def test_an_unclosed_thought_has_no_answer():
    assert chosen_letter("ANSWER: C") is None
    assert not verify("ANSWER: C", "C")
    assert verify("</think>ANSWER: C", "C")
    assert not verify("</think>ANSWER: C", "B")


@pytest.mark.parametrize(
    "part", ["\\boxed{", "ANSWER: ", "\\text ", "<a ", "<answer>", "A or ", "ANSWER: A,", " ", "$"]
)
def test_hostile_responses_take_no_long_time(part):
    start = time.process_time()
    chosen_letter("</think>ANSWER: " + part * 30_000)
    assert time.process_time() - start < 10  # quadratic time would be minutes
