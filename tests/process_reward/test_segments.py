r"""Where a thought is cut, and the probe `\boxed{ANSWER}` that is appended there."""

import math

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from repro.process_reward.probes import make_probe, probes_at_cuts
from repro.process_reward.segments import cut_points, find_thought, opened_at


def starts(*texts, separator="\n\n"):
    return find_thought(texts, separator).starts


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a", "\n\n", "b", "\n\n", "c", "</think>", "7"], [0, 2, 4]),
        (["a", ".\n\n", "b", "</think>"], [0, 2]),  # merged with what comes before
        (["a", "\n", "\n", "b", "</think>"], [0, 3]),  # split over two tokens
        (["a", "\n\nb", "c", "</think>"], [0, 1]),  # merged with the segment it opens
        (["a", ".\n", "\nb", "</think>"], [0, 2]),
        (["a", "\n\n", "\n\n", " ", "b", "</think>"], [0, 4]),  # one break, no blank segment
        (["a", "\n\n", " b", "</think>"], [0, 2]),
        (["a", "\n\n", "</think>", "\n\n", "b"], [0]),  # nothing after the break; answers have none
        (["a", "\n\n</think>"], [0]),
        (["\n\n", "a", "</think>"], [0, 1]),
    ],
)
def test_a_segment_starts_at_the_token_of_its_first_visible_character(texts, expected):
    assert starts(*texts) == expected


def test_separators_can_be_whole_tokens():
    texts = ["a", "?\n", "b", ".\n\n", "c", ".\n", "d", "\n\n", "</think>"]
    assert starts(*texts, separator=(".\n", "?\n", "\n\n")) == [0, 2, 6]
    assert starts(*texts) == [0, 4]
    assert starts("a", "\n", "b", "\n", "c", separator="\n") == [0, 2, 4]


@pytest.mark.parametrize(
    ("texts", "end", "closed"),
    [
        (["a", "</think>", "b", "</think>"], 2, True),  # the first one closes
        (["a", "</", "think", ">", "b"], 4, True),
        (["a", "</think>\n", "b"], 2, True),
        (["a", "b", "c"], 3, False),  # truncated: the end of the response
    ],
)
def test_end_of_thought(texts, end, closed):
    thought = find_thought(texts)
    assert (thought.end, thought.closed) == (end, closed)


@pytest.mark.parametrize(
    ("prompt", "texts", "expected"),
    [
        ("<assistant><think>\n", ["a", "</think>", "b"], 0),  # the template opened it
        ("<assistant>", ["<think>", "\n", "a"], 1),  # the model opens it
        ("<assistant>", ["\n", "<th", "ink>\n", "a", "</think>"], 3),
        ("<assistant><think>\n\n</think>\n\n", ["a", "b"], None),  # closed in the template
        ("Write <think> and </think>.<assistant>", ["a", "b"], None),
        ("<assistant>", ["a", "b"], None),
        ("<assistant>", ["a", "</think>", "b"], 0),  # what it closes has been open
        ("<assistant>", ["a", "</think>", "<think>"], 0),
        ("<assistant>", [], None),
    ],
)
def test_where_a_thought_is_opened(prompt, texts, expected):
    assert opened_at(prompt, texts) == expected


def test_cut_points_are_the_segments_of_highest_entropy_with_both_ends():
    thought = find_thought(["a", "\n\n", "b", "\n\n", "c", "\n\n", "d", "</think>", "7"])
    entropies = [0.1, 9, 0.5, 9, 0.9, 9, 0.7, 9, 9]
    assert cut_points(thought, entropies, k=2) == [0, 4, 6, 8]
    assert cut_points(thought, entropies, k=1) == [0, 4, 8]
    for k in (50, 4, math.inf):
        assert cut_points(thought, entropies, k=k) == [0, 2, 4, 6, 8]


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


def test_answers_with_braces_are_scored_up_to_the_box(tokenizer):
    probe = make_probe(tokenizer, "\\frac{1}{2}", answer_only=True)
    assert probe.scored == (False, *[True] * len("\\frac{1}{2}"), False)


def test_without_tags_the_thought_ends_before_the_final_answer():
    texts = ["So", " \\boxed{1", "}?", "\n\n", "No", ".\n\n", "It is ", "$\\box", "ed{2}", "$."]
    thought = find_thought(texts, has_tags=False)
    assert thought.starts == [0, 4, 6]
    assert thought.closed
    assert "".join(texts[: thought.end]) == "So \\boxed{1}?\n\nNo.\n\nIt is "  # whole tokens only
    cut_off = find_thought(["I", " add", "\n\n", "</think>", " on"], has_tags=False)
    assert (cut_off.starts, cut_off.end, cut_off.closed) == ([0, 3], 5, False)


def test_a_lead_in_stands_before_the_box_and_is_not_scored(tokenizer):
    plain, led = (
        probes_at_cuts(tokenizer, "7", [0, 2, 5], opened_at=2, closed_at=5, lead_in=text)
        for text in ("", "ar ")
    )
    said = [[tokenizer.decode(probe.ids) for probe in probes] for probes in (plain, led)]
    assert [after.replace("ar ", "") for after in said[1]] == said[0]
    assert [text.count("ar \\boxed{7}") for text in said[1]] == [1, 1, 1]
    assert [sum(probe.scored) for probe in led] == [sum(probe.scored) for probe in plain]
