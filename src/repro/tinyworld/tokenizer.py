r"""A byte-level BPE tokenizer for the tiny backbones: any text can be encoded.

It is Qwen's tokenizer, trained on the world's text: digits stay single tokens; words, LaTeX
commands and paragraph breaks are merged. The class is Qwen2Tokenizer because AutoTokenizer takes
that one for Qwen2 models, whatever the saved file says.
"""

import json
from collections.abc import Iterable

from tokenizers import pre_tokenizers, trainers
from transformers import Qwen2Tokenizer

from repro.tinyworld import CONTEXT

# The two chat templates mirror those of the paper's main backbones: R1-Distill opens the thought in
# the prompt, Qwen3 leaves that to the model.
TEMPLATES = {
    "qwen2": (
        "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}"
        "<｜User｜>{{ message.content }}{% else %}"
        "<｜Assistant｜>{{ message.content }}{{ eos_token }}"
        "{% endif %}{% endfor %}{% if add_generation_prompt %}<｜Assistant｜><think>\n{% endif %}"
    ),
    "qwen3": (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n"
        "{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
}
SPECIAL = {
    "qwen2": {
        "bos_token": "<｜begin▁of▁sentence｜>",
        "eos_token": "<｜end▁of▁sentence｜>",
        "pad_token": "<｜pad｜>",
        "additional_special_tokens": ["<｜User｜>", "<｜Assistant｜>"],
    },
    "qwen3": {
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "additional_special_tokens": ["<|im_start|>"],
    },
}


def train(architecture: str, texts: Iterable[str], vocabulary: int) -> Qwen2Tokenizer:
    """Train a tokenizer of `vocabulary` entries at most, with the chat template of `qwen2` or 3."""
    trained = Qwen2Tokenizer(vocab={}, merges=[]).backend_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator(texts, trainer)
    bpe = json.loads(trained.to_str())["model"]
    tokenizer = Qwen2Tokenizer(
        vocab=bpe["vocab"],
        merges=[tuple(merge) for merge in bpe["merges"]],
        unk_token=None,
        model_max_length=CONTEXT,
        padding_side="left",
        **SPECIAL[architecture],
    )
    # Not special: decoding with skip_special_tokens must keep the two marks.
    tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.chat_template = TEMPLATES[architecture]
    return tokenizer
