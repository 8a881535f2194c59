r"""Cut points and probes with the real tokenizers of Qwen3 and DeepSeek."""

import pytest

from repro.process_reward.probes import CLOSE_THOUGHT, make_probe
from repro.process_reward.segments import find_thought, opened_at
from repro.training.prompts import check_tokenizer

PARAGRAPHS = [
    "Okay, let $x = \\log_2 8$, so we want $x^2 + 1$.",
    "First, $2^3 = 8$, hence $x = 3$:",
    "$$x^2 + 1 = 10$$",
    "Wait, is that right? Let me double-check (again)...",
    "1. Squares: 3 · 3 = 9 ✓\n2. Sum: 9 + 1 = 10 – good!",
    "Hmm, what about −3? No: the logarithm is unique. “Done”",
]
THOUGHT = "\n\n".join(PARAGRAPHS)


@pytest.fixture(params=["qwen3", "deepseek"])
def tokenizer(request):
    return request.getfixturevalue(request.param)


def test_the_marks_of_the_thought_are_tokens(tokenizer):
    for mark in ("<think>", "</think>"):
        [ids] = tokenizer([mark], add_special_tokens=False)["input_ids"]
        assert len(ids) == 1
        assert tokenizer.decode(ids, skip_special_tokens=True) == mark
    check_tokenizer(tokenizer)


@pytest.mark.parametrize("opening", ["", "<think>\n"])
def test_cut_points_in_tokens_are_those_of_the_text(tokenizer, opening):
    response = f"{opening}{THOUGHT}\n</think>\n\nThe answer is \\boxed{{10}}."
    ids = tokenizer(response, add_special_tokens=False)["input_ids"]
    thought = find_thought([tokenizer.decode([i]) for i in ids])
    # Where the text breaks, whatever the tokens are.
    ends = [len(opening) + THOUGHT.index(paragraph) for paragraph in PARAGRAPHS[1:]]
    before = [tokenizer.decode(ids[:start]) for start in thought.starts]
    assert before == ["", *(response[:end] for end in ends)]
    assert tokenizer.decode(ids[: thought.end]) == response[: response.index("</think>") + 8]
    assert thought.closed


def test_who_opens_the_thought(qwen3, deepseek):
    messages = [{"role": "user", "content": "1 + 1"}]
    asked = [
        tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        for tokenizer in (qwen3, deepseek)
    ]
    assert asked[0] == "<|im_start|>user\n1 + 1<|im_end|>\n<|im_start|>assistant\n"
    assert asked[1] == "<｜begin▁of▁sentence｜><｜User｜>1 + 1<｜Assistant｜><think>\n"
    assert opened_at(asked[0], ["<think>", "\n", "a"]) == 1, "Qwen3 opens it itself"
    assert opened_at(asked[1], ["a"]) == 0, "R1-Distill finds it open"


def test_the_probe_is_the_same_tokens_at_every_cut(tokenizer):
    probe = make_probe(tokenizer, "\\frac{3}{4}")
    assert tokenizer.decode(list(probe.ids)) == "\\boxed{\\frac{3}{4}}"
    assert all(probe.scored)
    closed = make_probe(tokenizer, "-12", answer_only=True, prefix=CLOSE_THOUGHT)
    assert tokenizer.decode(list(closed.ids)) == "</think>\n\n\\boxed{-12}"
    scored = [i for i, is_scored in zip(closed.ids, closed.scored, strict=True) if is_scored]
    assert "-12" in tokenizer.decode(scored)
    assert len(scored) < len(closed.ids)
