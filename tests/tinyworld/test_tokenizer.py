"""The tokenizer: any text survives, digits stand alone, the world's words are merged."""

import random

import pytest
from transformers import AutoTokenizer

from repro.benchmarks import prompts
from repro.config.backbones import TinyBackbone
from repro.tinyworld import problems, tokenizer
from repro.training import supervised


@pytest.fixture(scope="module", params=["qwen2", "qwen3"])
def architecture(request):
    return request.param


@pytest.fixture(scope="module")
def texts():
    rng = random.Random(0)
    return ["\n".join(supervised.example(rng)) for _ in range(1000)]


@pytest.fixture(scope="module")
def vocabulary(architecture, texts):
    return tokenizer.train(architecture, texts, vocabulary=512)


def test_any_text_can_be_encoded_and_digits_are_single_tokens(vocabulary):
    text = (
        "Ünïcode: 数学 ∫ \U0001f600\r\n\ttabs  and   spaces \n\n\n$\\frac{a}{b} = 2^{10}$, x ** 2\n"
    )
    assert vocabulary.decode(vocabulary(text, add_special_tokens=False).input_ids) == text
    tokens = vocabulary.tokenize("tens:4+8+1=13->33.\n\nlet me check")
    decoded = [vocabulary.convert_tokens_to_string([token]) for token in tokens]
    digits_and_signs = ["4", "+", "8", "+", "1", "=", "1", "3", "->", "3", "3"]
    assert decoded == ["tens", ":", *digits_and_signs, ".\n\n", "let", " me", " check"]


def test_auto_tokenizer_loads_the_same_tokenizer(vocabulary, architecture, texts, tmp_path):
    """AutoTokenizer chooses the class by the model's type and would rebuild a foreign one."""
    shape = {"hidden_size": 16, "layers": 1, "heads": 2, "key_value_heads": 1}
    backbone = TinyBackbone.model_construct(architecture=architecture, **shape)
    supervised.create(backbone, vocabulary).save_pretrained(tmp_path)
    vocabulary.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    for text in [*texts[:200], r"\boxed{\frac{3}{4}}", "</think>\n\n"]:
        assert loaded(text).input_ids == vocabulary(text).input_ids
    for name in ("chat_template", "padding_side", "bos_token", "eos_token", "pad_token"):
        assert getattr(loaded, name) == getattr(vocabulary, name)
    assert loaded.padding_side == "left"


def test_training_prompts_have_one_length_so_that_a_batch_needs_no_padding(architecture):
    rng = random.Random(0)
    learnt = supervised.learn_vocabulary(
        architecture, [supervised.example(rng) for _ in range(4000)]
    )
    turns = [prompts.messages(prompts.math(row)) for row in problems.generate("train", 300, seed=0)]
    rendered = learnt.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)
    assert len({len(ids) for ids in rendered["input_ids"]}) == 1


def test_templates_end_where_the_model_starts_and_marks_survive_decoding(vocabulary):
    message = [{"role": "user", "content": "Find the sum."}]
    prompt = vocabulary.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
    assert prompt.endswith(("<think>\n", "<|im_start|>assistant\n"))
    ids = vocabulary("<think>\nadd</think>\n\n", add_special_tokens=False).input_ids
    assert vocabulary.decode(ids, skip_special_tokens=True) == "<think>\nadd</think>\n\n"
    assert ids.count(vocabulary.convert_tokens_to_ids("</think>")) == 1
    assert vocabulary.model_max_length >= 4096  # the longest real prompts need more
