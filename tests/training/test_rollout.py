"""The sampler against transformers' `generate` and against the distribution it samples from."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from repro.training.rollout import _draw, sample

PROMPTS = [[5, 6, 7], [9, 8, 7, 6, 5, 4, 3, 12], [5, 6, 7], [20, 21]]


@pytest.fixture(params=["qwen2", "qwen3"])
def model(request, backbones):
    return AutoModelForCausalLM.from_pretrained(backbones[request.param], dtype=torch.float32)


def draw(model, seed, **changes):
    torch.manual_seed(seed)
    how = {"eos_ids": [1], "max_new_tokens": 30, "temperature": 1.0, "top_p": 1.0}
    with torch.no_grad():
        return sample(model, PROMPTS * 4, **how | changes)


@torch.no_grad()
def test_without_randomness_it_is_greedy_generation(model):
    """Whatever ends a row: rows of several lengths leave the batch one after the other."""
    single = [
        model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=30, eos_token_id=[])
        for prompt in PROMPTS
    ]
    greedy = [row[0, len(p) :].tolist() for row, p in zip(single, PROMPTS, strict=True)]
    eos_ids = [greedy[1][3], greedy[3][7]]
    expected = []
    for ids in greedy:
        ends = [i for i, token in enumerate(ids) if token in eos_ids]
        expected.append(ids[: ends[0] + 1] if ends else ids)
    assert len(set(map(len, expected))) > 1
    assert draw(model, 0, temperature=1e-7, eos_ids=eos_ids) == expected * 4


def test_samples_end_at_eos_or_at_the_limit(model):
    completions = draw(model, 0)
    assert len({tuple(ids) for ids in completions}) > 12, "equal prompts are drawn independently"
    for ids in completions:
        assert ids.count(1) == (ids[-1] == 1)
        assert ids[-1] == 1 or len(ids) == 30
    assert any(ids[-1] == 1 for ids in completions)
    assert draw(model, 0) == completions
    assert draw(model, 1) != completions


@pytest.mark.parametrize(
    ("temperature", "top_p", "expected"),
    [
        (1.0, 1.0, [0.5, 0.3, 0.15, 0.05]),
        (1.0, 0.7, [0.625, 0.375, 0, 0]),
        (1.0, 0.3, [1.0, 0, 0, 0]),
        (0.5, 1.0, [0.6849, 0.2466, 0.0616, 0.0068]),
    ],
)
def test_draws_follow_the_distribution(temperature, top_p, expected):
    torch.manual_seed(0)
    logits = torch.tensor([0.3, 0.05, 0.5, 0.15]).log().expand(20_000, -1)
    counts = _draw(logits, temperature, top_p).bincount(minlength=4)[[2, 0, 3, 1]]
    assert torch.allclose(counts / 20_000, torch.tensor(expected), atol=0.012)
