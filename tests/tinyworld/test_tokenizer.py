"""The tokenizer: any text survives, digits stand alone, the world's words are merged."""

import random

import pytest
from transformers import AutoTokenizer

from repro.config.backbones import TinyBackbone
from repro.tinyworld import tokenizer
from repro.training import supervised


@pytest.fixture(scope="module", params=["qwen2", "qwen3"])
def vocabulary(request):
    rng = random.Random(0)
    texts = ["\n".join(supervised.example(rng)) for _ in range(1000)]
    return tokenizer.train(request.param, texts, vocabulary=512)


@pytest.mark.parametrize(
    "text",
    [
        "Ünïcode: 数学 ∫ \U0001f600\r\n\ttabs  and   spaces \n\n\n",
        r"Let $\frac{a}{b} = 2^{10}$. Find $\lfloor x \rfloor$.",
        "def f(x):\n    return x ** 2\n",
    ],
)
def test_any_text_can_be_encoded(vocabulary, text):
    ids = vocabulary(text, add_special_tokens=False).input_ids
    assert vocabulary.decode(ids) == text


def test_digits_are_single_tokens_and_words_are_merged(vocabulary):
    tokens = vocabulary.tokenize("tens:4+8+1=13->33.\n\nlet me check")
    decoded = [vocabulary.convert_tokens_to_string([token]) for token in tokens]
    digits_and_signs = ["4", "+", "8", "+", "1", "=", "1", "3", "->", "3", "3"]
    assert decoded == ["tens", ":", *digits_and_signs, ".\n\n", "let", " me", " check"]


@pytest.mark.parametrize("architecture", ["qwen2", "qwen3"])
def test_auto_tokenizer_loads_the_same_tokenizer(architecture, tmp_path):
    """AutoTokenizer chooses the class by the model's type and would rebuild a foreign one."""
    rng = random.Random(0)
    texts = ["\n".join(supervised.example(rng)) for _ in range(200)]
    saved = tokenizer.train(architecture, texts, vocabulary=400)
    shape = {"hidden_size": 16, "layers": 1, "heads": 2, "key_value_heads": 1}
    backbone = TinyBackbone.model_construct(architecture=architecture, **shape)
    supervised.create(backbone, saved).save_pretrained(tmp_path)
    saved.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    for text in [*texts, r"\boxed{\frac{3}{4}}", "</think>\n\n"]:
        assert loaded(text).input_ids == saved(text).input_ids
    assert loaded.chat_template == saved.chat_template
    assert loaded.padding_side == "left"
    assert (loaded.bos_token, loaded.eos_token, loaded.pad_token) == (
        *(saved.bos_token, saved.eos_token, saved.pad_token),
    )


def test_the_marks_of_the_thought_survive_decoding(vocabulary):
    ids = vocabulary("<think>\nadd</think>\n\n", add_special_tokens=False).input_ids
    assert vocabulary.decode(ids, skip_special_tokens=True) == "<think>\nadd</think>\n\n"
    assert ids.count(vocabulary.convert_tokens_to_ids("</think>")) == 1


def test_templates_end_where_the_model_starts(vocabulary):
    message = [{"role": "user", "content": "Find the sum."}]
    prompt = vocabulary.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
    assert prompt.endswith(("<think>\n", "<|im_start|>assistant\n"))
    assert vocabulary.model_max_length >= 4096  # the longest real prompts need more
