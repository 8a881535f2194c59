import dataclasses

import pytest
import torch

from repro.evaluation import engines
from repro.evaluation.transformers_engine import TransformersEngine, _draw

SAMPLING = engines.Sampling(temperature=0.6, top_p=0.95, top_k=None, max_new_tokens=40, seed=1)
GREEDY = dataclasses.replace(SAMPLING, temperature=0)
PROMPTS = ["<|user|>a<|end|><|assistant|>", "<|user|>a much longer one<|end|><|assistant|>"]


@pytest.fixture(scope="module")
def engine(r1_model):
    return engines.load("transformers", r1_model)


def test_unknown_engine_lists_the_choices(tmp_path):
    with pytest.raises(ValueError, match="engine: 'tgi' is unknown, choose from transformers"):
        engines.load("tgi", tmp_path)


@pytest.mark.parametrize("model", ["r1_model", "qwen3_model"])
def test_greedy_equals_transformers_generate(model, request):
    engine = TransformersEngine(request.getfixturevalue(model))
    # Many common tokens end a response, so that rows leave the batch at different times.
    engine.eos_ids = set(range(40)) | engine.eos_ids
    prompts = [f"<|user|>{'x' * (n % 5)}{n}<|end|><|assistant|>" for n in range(24)]
    ours = engine._sample(prompts, GREEDY)
    assert len({len(row) for row in ours}) > 5
    for prompt, row in zip(prompts, ours, strict=True):
        ids = engine.tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
        theirs = engine.model.generate(
            ids, do_sample=False, max_new_tokens=40, eos_token_id=sorted(engine.eos_ids)
        )
        assert row == theirs[0, ids.shape[1] :].tolist()


def test_the_same_seed_gives_the_same_batch_and_another_seed_does_not(engine):
    first = engine.generate(PROMPTS * 3, SAMPLING)
    torch.rand(5)  # the global random state plays no part
    assert engine.generate(PROMPTS * 3, SAMPLING) == first
    assert engine.generate(PROMPTS * 3, dataclasses.replace(SAMPLING, seed=2)) != first


def test_equal_prompts_are_drawn_independently(engine):
    texts = {completion.text for completion in engine.generate(PROMPTS[:1] * 8, SAMPLING)}
    assert len(texts) == 8


def test_finish_reason_and_token_counts(engine, monkeypatch):
    eos = engine.tokenizer.eos_token_id
    close = engine.tokenizer.convert_tokens_to_ids("</think>")
    x = engine.tokenizer.convert_tokens_to_ids("x")
    rows = [[x, x, close, x, x, eos], [x] * 40, [eos]]
    monkeypatch.setattr(engine, "_sample", lambda prompts, sampling: rows)
    assert engine.generate(["", "", ""], SAMPLING) == [
        engines.Completion("xx</think>xx", 6, 3, "stop"),
        engines.Completion("x" * 40, 40, 40, "length"),
        engines.Completion("", 1, 1, "stop"),
    ]


def test_reasoning_tokens_where_the_closing_tag_is_several_tokens(qwen3_model, monkeypatch):
    engine = TransformersEngine(qwen3_model)
    ids = engine.tokenizer("so: é</think>7")["input_ids"] + [engine.tokenizer.eos_token_id]
    monkeypatch.setattr(engine, "_sample", lambda prompts, sampling: [ids])
    (completion,) = engine.generate([""], SAMPLING)
    assert completion.text == "so: é</think>7"
    assert completion.n_tokens == len(ids) == 16
    assert completion.n_reasoning_tokens == len(ids) - 2


def test_thinking_tags_are_kept_where_the_tokenizer_calls_them_special(r1_model, tmp_path):
    engine = TransformersEngine(r1_model)
    engine.tokenizer.add_special_tokens({"additional_special_tokens": ["<think>", "</think>"]})
    engine.tokenizer.save_pretrained(tmp_path)
    engine.model.save_pretrained(tmp_path)
    engine = TransformersEngine(tmp_path)
    ids = engine.tokenizer("<think>a</think>b<|end|>")["input_ids"]
    assert engine.tokenizer.decode(ids, skip_special_tokens=True) == "ab"
    assert engine._decode(ids) == "<think>a</think>b"


@pytest.mark.parametrize(
    ("top_p", "top_k", "kept"),
    [(0.95, None, 3), (0.69, None, 2), (0.5, None, 1), (1.0, None, 4), (1.0, 2, 2), (0.5, 3, 1)],
)
def test_nucleus_and_top_k(top_p, top_k, kept):
    """The distribution drawn from is the renormalised head of the sorted one."""
    probabilities = torch.tensor([0.1, 0.5, 0.04, 0.36])
    order = [1, 3, 0, 2]
    sampling = dataclasses.replace(SAMPLING, temperature=1.0, top_p=top_p, top_k=top_k)
    logits = probabilities.log().expand(20_000, -1)
    drawn = _draw(logits, sampling, torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    expected = torch.zeros(4)
    expected[order[:kept]] = probabilities[order[:kept]] / probabilities[order[:kept]].sum()
    torch.testing.assert_close(shares, expected, atol=0.015, rtol=0)


def test_temperature_sharpens():
    logits = torch.tensor([0.0, 1.0]).expand(20_000, -1)
    sampling = dataclasses.replace(SAMPLING, temperature=0.5, top_p=1.0)
    drawn = _draw(logits, sampling, torch.Generator().manual_seed(0))
    assert abs(drawn.float().mean().item() - torch.sigmoid(torch.tensor(2.0)).item()) < 0.015
