from repro.benchmarks import prompts

GPQA = {
    "Record ID": "rec06pnAkLOr2t2mp",
    "Question": " Which? \n",
    "Correct Answer": "right\n",
    **{f"Incorrect Answer {number}": f"wrong {number}" for number in (1, 2, 3)},
}


def test_math_in_a_backbones_own_words():
    doc = {"problem": "What is {x} for $\\frac{1}{2}$?", "answer": 2, "question": "id-17"}
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
