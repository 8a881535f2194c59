import shutil

import pytest
import torch
from transformers import AutoTokenizer, GenerationConfig

from repro.config.models import Sampling
from repro.evaluation import engines
from repro.evaluation.decoding import Completion, Decoder, Request

SAMPLING, GREEDY = Sampling(max_new_tokens=40), Sampling(max_new_tokens=40, temperature=0)
PROMPTS = ["<|user|>a<|end|><|assistant|>", "<|user|>a much longer one<|end|><|assistant|>"]


def ask(prompts: list[str], n: int = 1, seed: int = 1) -> list[Request]:
    return [Request(prompt, n, seed) for prompt in prompts]


def each(engine, prompts: list[str], sampling, seed: int = 1) -> list[Completion]:
    """One completion for each prompt."""
    return [one for (one,) in engine.generate(ask(prompts, 1, seed), sampling)]


@pytest.mark.parametrize("model", ["r1_model", "qwen3_model"])
def test_a_batch_says_what_each_prompt_alone_says(model, request):
    engine = engines.load("transformers", request.getfixturevalue(model), 64)
    prompts = [f"<|user|>{'x' * (n % 5)}{n}<|end|><|assistant|>" for n in range(12)]
    together = engine.generate(ask(prompts, 3), GREEDY)  # each thrice the same
    assert together == [each(engine, [prompt], GREEDY) * 3 for prompt in prompts]
    assert len({completions[0].text for completions in together}) > 3


def test_sampling_defaults_of_the_model_do_not_leak_in(r1_model, tmp_path):
    plain = engines.load("transformers", r1_model, 64)
    expected = each(plain, PROMPTS, SAMPLING)
    plain.model.generation_config = GenerationConfig(
        eos_token_id=sorted(plain.decoder.eos_ids), repetition_penalty=9.0, top_k=1, do_sample=True
    )
    plain.model.save_pretrained(tmp_path)
    plain.decoder.tokenizer.save_pretrained(tmp_path)
    assert each(engines.load("transformers", tmp_path, 64), PROMPTS, SAMPLING) == expected


def test_the_same_seeds_give_the_same_batch_and_another_seed_does_not(r1_model):
    engine = engines.load("transformers", r1_model, 64)
    first = engine.generate(ask(PROMPTS, 8), SAMPLING)
    assert len({completion.text for completion in first[0]}) > 4  # drawn independently
    torch.rand(5)  # the random state left behind by others plays no part
    assert engine.generate(ask(PROMPTS, 8), SAMPLING) == first
    assert engine.generate(ask(PROMPTS, 8, seed=2), SAMPLING) != first


def test_without_tags_reasoning_is_what_stands_before_the_final_answer(r1_model):
    decoder = Decoder(r1_model, has_tags=False)

    def count(text: str) -> int:
        return decoder.completion(decoder.tokenizer(text)["input_ids"]).n_reasoning_tokens

    assert count(r"So \boxed{3}? No, \boxed{4}.") == len("So \\boxed{3}? No, ")  # a token a byte
    assert count(r"\boxed{4}") == 0
    assert count("I do not know.") == len("I do not know.")


def test_the_tokenizers_eos_ends_a_response_where_the_configuration_names_another(
    r1_model, tmp_path
):
    shutil.copytree(r1_model, tmp_path / "model")
    GenerationConfig(eos_token_id=5).save_pretrained(tmp_path / "model")
    decoder = Decoder(tmp_path / "model")
    assert decoder.eos_ids == {5, decoder.tokenizer.eos_token_id}


def test_finish_reason_and_token_counts(r1_model):
    decoder = Decoder(r1_model)
    close, x = decoder.tokenizer.convert_tokens_to_ids(["</think>", "x"])
    eos, pad = decoder.tokenizer.eos_token_id, decoder.tokenizer.pad_token_id
    rows = [[x, x, close, x, x, eos, pad, pad], [x] * 40, [eos, pad]]
    assert [decoder.completion(ids) for ids in rows] == [
        Completion("xx</think>xx", 6, 3, "stop"),
        Completion("x" * 40, 40, 40, "length"),
        Completion("", 1, 1, "stop"),
    ]


def test_reasoning_tokens_where_the_closing_tag_is_several_tokens(qwen3_model):
    decoder = Decoder(qwen3_model)
    ids = [*decoder.tokenizer("so: é</think>7")["input_ids"], decoder.tokenizer.eos_token_id]
    assert decoder.completion(ids) == Completion("so: é</think>7", 16, 14, "stop")
    assert len(ids) == 16


def test_thinking_tags_are_kept_where_the_tokenizer_calls_them_special(r1_model, tmp_path):
    shutil.copytree(r1_model, tmp_path, dirs_exist_ok=True)
    tokenizer = Decoder(r1_model).tokenizer
    tokenizer.add_special_tokens({"additional_special_tokens": ["<think>", "</think>"]})
    tokenizer.save_pretrained(tmp_path)
    decoder = Decoder(tmp_path)
    ids = decoder.tokenizer("<think>a</think>b<|end|>")["input_ids"]
    assert decoder.tokenizer.decode(ids, skip_special_tokens=True) == "ab"
    assert decoder.text(ids) == "<think>a</think>b"


def test_a_tokenizer_without_padding_is_padded_by_its_eos(r1_model, tmp_path):
    """As Llama's, which names no token for padding."""
    shutil.copytree(r1_model, tmp_path, dirs_exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(r1_model)
    tokenizer.pad_token = None
    tokenizer.save_pretrained(tmp_path)
    bare = engines.load("transformers", tmp_path, 64)
    assert bare.decoder.tokenizer.pad_token == "<|end|>"
    expected = each(engines.load("transformers", r1_model, 64), PROMPTS, GREEDY)
    assert each(bare, PROMPTS, GREEDY) == expected
