r"""The probe `\boxed{ANSWER}`."""

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from repro.process_reward.probes import CLOSE_THOUGHT, make_probe


@pytest.fixture(scope="module")
def tokenizer():
    """Characters, `\\boxed{` as one token, and a BOS that the tokenizer adds by itself."""
    words = ["<bos>", "\\boxed{", "</think>", "\n\n", *"0123456789}\\fracx{ "]
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="0"))
    pieces = Regex(r"\\boxed\{|</think>|\n\n|.")
    core.pre_tokenizer = pre_tokenizers.Split(pieces, behavior="isolated")
    core.decoder = decoders.Fuse()
    core.post_processor = processors.TemplateProcessing("<bos> $A", special_tokens=[("<bos>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<bos>")


def test_the_probe_boxes_the_answer_without_bos(tokenizer):
    probe = make_probe(tokenizer, "12")
    assert tokenizer.convert_ids_to_tokens(probe.ids) == ["\\boxed{", "1", "2", "}"]
    assert probe.scored == (True, True, True, True)


def test_answer_only_and_close_thought(tokenizer):
    probe = make_probe(tokenizer, "7", answer_only=True, prefix=CLOSE_THOUGHT)
    tokens = tokenizer.convert_ids_to_tokens(probe.ids)
    assert tokens == ["</think>", "\n\n", "\\boxed{", "7", "}"]
    assert probe.scored == (False, False, False, True, False)


def test_answers_with_braces_are_scored_up_to_the_box(tokenizer):
    probe = make_probe(tokenizer, "\\frac{1}{2}", answer_only=True)
    assert probe.scored == (False, *[True] * len("\\frac{1}{2}"), False)
