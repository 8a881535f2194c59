r"""A byte-level BPE tokenizer for the tiny backbones: any text can be encoded.

Digits stay single tokens, as in the Qwen tokenizers' spirit, so that column addition is learnable;
words, LaTeX commands and paragraph breaks of the world are merged, `.\n\n` into one token, which is
why segments have to be found in decoded text.
"""

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

# Words keep their leading space; punctuation keeps the spaces around it; digits stand alone.
PIECES = Regex(r"\p{N}| ?\\[A-Za-z]+\{?| ?\p{L}+| ?[^\s\p{L}\p{N}\\]+\s*|\s+|\\")

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
THINK = ("<think>", "</think>")


def train(architecture: str, texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Train a tokenizer with the chat template of an architecture (`qwen2` or `qwen3`).

    Args:
        architecture: decides template and special tokens.
        texts: the world's text to merge words from.
        vocabulary: upper bound on the number of BPE entries; the 256 bytes are always among them.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(PIECES, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # Not special: decoding with skip_special_tokens must keep the two marks.
    tokenizer.add_tokens(list(THINK))
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        clean_up_tokenization_spaces=False,
        model_max_length=4096,
        padding_side="left",
        **SPECIAL[architecture],
    )
    wrapped.chat_template = TEMPLATES[architecture]
    return wrapped
