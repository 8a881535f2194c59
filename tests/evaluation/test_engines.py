import pytest
import torch
from transformers import GenerationConfig

from repro.config.models import Sampling
from repro.evaluation.decoding import Completion, Request
from repro.evaluation.transformers_engine import TransformersEngine

SAMPLING, GREEDY = Sampling(max_new_tokens=40), Sampling(max_new_tokens=40, temperature=0)
PROMPTS = ["<|user|>a<|end|><|assistant|>", "<|user|>a much longer one<|end|><|assistant|>"]


def ask(prompts: list[str], n: int = 1, seed: int = 1) -> list[Request]:
    return [Request(prompt, n, seed) for prompt in prompts]


def each(engine, prompts: list[str], sampling, seed: int = 1) -> list[Completion]:
    """One completion for each prompt."""
    return [one for (one,) in engine.generate(ask(prompts, 1, seed), sampling)]


@pytest.fixture(scope="module")
def engine(r1_model):
    return TransformersEngine(r1_model)


@pytest.mark.parametrize("model", ["r1_model", "qwen3_model"])
def test_a_batch_says_what_each_prompt_alone_says(model, request):
    engine = TransformersEngine(request.getfixturevalue(model))
    prompts = [f"<|user|>{'x' * (n % 5)}{n}<|end|><|assistant|>" for n in range(12)]
    together = engine.generate(ask(prompts, 3), GREEDY)  # each thrice the same
    assert together == [each(engine, [prompt], GREEDY) * 3 for prompt in prompts]
    assert len({completions[0].text for completions in together}) > 3


def test_sampling_defaults_of_the_model_do_not_leak_in(r1_model, tmp_path):
    plain = TransformersEngine(r1_model)
    expected = each(plain, PROMPTS, SAMPLING)
    plain.model.generation_config = GenerationConfig(
        eos_token_id=sorted(plain.decoder.eos_ids), repetition_penalty=9.0, top_k=1, do_sample=True
    )
    plain.model.save_pretrained(tmp_path)
    plain.decoder.tokenizer.save_pretrained(tmp_path)
    assert each(TransformersEngine(tmp_path), PROMPTS, SAMPLING) == expected


def test_the_same_seeds_give_the_same_batch_and_another_seed_does_not(engine):
    first = engine.generate(ask(PROMPTS, 8), SAMPLING)
    assert len({completion.text for completion in first[0]}) > 4  # drawn independently
    torch.rand(5)  # the random state left behind by others plays no part
    assert engine.generate(ask(PROMPTS, 8), SAMPLING) == first
    assert engine.generate(ask(PROMPTS, 8, seed=2), SAMPLING) != first


def answer_with(rows: list[list[int]], engine, monkeypatch) -> None:
    """Let the model answer with these token ids, padded as `generate` pads finished rows."""
    width = max(map(len, rows))
    pad = engine.decoder.tokenizer.pad_token_id
    padded = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
    monkeypatch.setattr(
        engine.model, "generate", lambda input_ids, **_: torch.cat([input_ids, padded], dim=1)
    )


def test_finish_reason_and_token_counts(engine, monkeypatch):
    eos = engine.decoder.tokenizer.eos_token_id
    close = engine.decoder.tokenizer.convert_tokens_to_ids("</think>")
    x = engine.decoder.tokenizer.convert_tokens_to_ids("x")
    rows = [[x, x, close, x, x, eos], [x] * 40, [eos]]
    answer_with(rows, engine, monkeypatch)
    assert each(engine, PROMPTS[:1] * 3, SAMPLING) == [
        Completion("xx</think>xx", 6, 3, "stop"),
        Completion("x" * 40, 40, 40, "length"),
        Completion("", 1, 1, "stop"),
    ]


def test_reasoning_tokens_where_the_closing_tag_is_several_tokens(qwen3_model, monkeypatch):
    engine = TransformersEngine(qwen3_model)
    ids = engine.decoder.tokenizer("so: é</think>7")["input_ids"] + [
        engine.decoder.tokenizer.eos_token_id
    ]
    answer_with([ids], engine, monkeypatch)
    (completion,) = each(engine, PROMPTS[:1], SAMPLING)
    assert completion.text == "so: é</think>7"
    assert completion.n_tokens == len(ids) == 16
    assert completion.n_reasoning_tokens == len(ids) - 2


def test_thinking_tags_are_kept_where_the_tokenizer_calls_them_special(r1_model, tmp_path):
    engine = TransformersEngine(r1_model)
    engine.decoder.tokenizer.add_special_tokens(
        {"additional_special_tokens": ["<think>", "</think>"]}
    )
    engine.decoder.tokenizer.save_pretrained(tmp_path)
    engine.model.save_pretrained(tmp_path)
    engine = TransformersEngine(tmp_path)
    ids = engine.decoder.tokenizer("<think>a</think>b<|end|>")["input_ids"]
    assert engine.decoder.tokenizer.decode(ids, skip_special_tokens=True) == "ab"
    assert engine.decoder.text(ids) == "<think>a</think>b"
