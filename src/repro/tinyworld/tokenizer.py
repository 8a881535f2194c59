r"""A byte-level BPE tokenizer for the tiny backbones: any text can be encoded.

It is Qwen's tokenizer, trained on the world's text: digits stay single tokens; words, LaTeX
commands and paragraph breaks are merged. The class is Qwen2Tokenizer because AutoTokenizer takes
that one for Qwen2 models, whatever the saved file says.
"""

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path

from tokenizers import pre_tokenizers, trainers
from transformers import Qwen2Tokenizer

from repro.tinyworld import CONTEXT

# The chat template and the special tokens of each architecture.
_OWN = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


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
        **_OWN[architecture]["special"],
    )
    # Not special: decoding with skip_special_tokens must keep the two marks.
    tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.chat_template = _OWN[architecture]["chat_template"]
    return tokenizer
