import pytest

from repro.verify.answers import last_box, split_thought


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
        ("no box", None),
        (r"\boxed{5}", "5"),
        (r"first \boxed{4}, then \boxed{5}", "5"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\boxed{5}}", "5"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{\left\{1, 2\right.}", r"\left\{1, 2\right."),
        (r"\boxed {5}", "5"),
        (r"\boxed{4} and \boxed{5", "4"),  # cut off: the last balanced one counts
        (r"\boxed{}", ""),
        (r"\boxed 5", None),
        (r"\boxed", None),
    ],
)
def test_last_box(text, content):
    assert last_box(text) == content
