import pytest

from repro.verify.answers import Answer, decide, last_box, read, split_thought


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("a thought</think>the answer", "a thought", "the answer"),  # R1: the prompt opened it
        ("<think>a thought</think>the answer", "a thought", "the answer"),  # Qwen3
        ("\n<think>\na thought</think>", "\na thought", ""),
        ("never closed \\boxed{5}", "never closed \\boxed{5}", None),
        ("<think>never closed", "never closed", None),
        ("one</think>two</think>three", "one", "two</think>three"),
        ("", "", None),
    ],
)
def test_split_thought(text, thought, answer):
    assert split_thought(text) == (thought, answer)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("no box", None), (r"\boxed{5}", "5"), (r"first \boxed{4}, then \boxed{5}", "5"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"), (r"\boxed{\boxed{5}}", "5"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"), (r"\boxed{\left\{1, 2\right.}", r"\left\{1, 2\right."),
        (r"\boxed {5}", "5"), (r"\boxed{4} and \boxed{5", "4"), (r"\boxed{}", ""),
        (r"\boxed{a \boxed{b} c}", "b"),
        (r"\boxed{\begin{pmatrix}1\\2\end{pmatrix}}", r"\begin{pmatrix}1\\2\end{pmatrix}"),
        (r"\boxed{\text{A or B}}", r"\text{A or B}"), ("\\boxed{1\n+ 2}", "1\n+ 2"),
        (r"\boxed{4} \boxed{", "4"), (r"\boxed 5", None), (r"\boxed", None),
    ],
)  # fmt: skip
def test_last_box(text, content):
    assert last_box(text) == content


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [
        ("  70. ", "70", ""), ("$70$", "70", ""), (r"\$18.90", "18.90", r"\$"),
        (r"32,\!348", "32348", ""), ("1,234,567.5", "1234567.5", ""), ("1,23", "1,23", ""),
        ("1, 234", "1, 234", ""), ("(1,234)", "(1,234)", ""), (r"\{1,234\}", r"\{1,234\}", ""),
        ("１２", "12", ""), ("2½", r"2\frac{1}{2}", ""), ("x²", "x^{2}", ""),
        ("x⁻¹⁰", "x^{-10}", ""),
        ("121₃", "121_{3}", ""), ("3√13", r"3\sqrt{13}", ""), ("−5", "-5", ""),
        (r"\left(\dfrac12\right)", r"(\frac12)", ""), (r"15\mbox{ cm}^2", "15", r"\text{ cm}^2"),
        ("15 square inches", "15", "square inches"), (r"106^{\circ}", "106", r"^\circ"),
        (r"\text{even}", r"\text{even}", ""), (r"7\text{ or so}", r"7\text{ or so}", ""),
        (r"2\mathrm{i}", "2i", ""), ("15m", "15m", ""), ("-7 \\\\ 16", "-7 \\\\ 16", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_read_gives_one_spelling(written, value, unit):
    assert read(written) == Answer(value, unit)


@pytest.mark.parametrize(
    ("gold", "prediction", "verdict"),
    [
        ("7", "7.", True), ("007", "7", True), ("7", "-7", False), ("7", "", False),
        ("", "", False), ("", "7", False), ("7", "7.0", None), ("x+1", "1+x", None),
        ("121_3", r"121_{3}", True), ("121_3", "121_4", False), ("121_3", "121", False),
        ("16", "121_3", False), (r"\text{east}", "East", True), (r"\text{east}", "a", False),
        (r"7\text{ cm}", r"7\text{ centimeters}", True), (r"7\text{ cm}", r"7\text{ km}", False),
        (r"7\text{ ways}", r"7\text{ cm}", True), ("12:30", "12:31", False),
    ],
)  # fmt: skip
def test_decide_settles_what_needs_no_mathematics(gold, prediction, verdict):
    assert decide(read(gold), read(prediction)) is verdict
