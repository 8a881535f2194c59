"""The repeat loop against one unpadded sequence at a time, with full logits."""

import pytest
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from repro.process_reward.objective import CLOSE_THOUGHT, Probe, make_probe, surrogate_objective

MODELS = {"qwen2": (Qwen2Config, Qwen2ForCausalLM), "qwen3": (Qwen3Config, Qwen3ForCausalLM)}


def make_model(kind: str):
    config, model = MODELS[kind]
    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "hidden_size": 32, "intermediate_size": 48, "head_dim": 8}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 2}
    return model(config(**sizes, **heads)).eval()


def by_hand(model, prompt, completion, cut, probe):
    ids = [*prompt, *completion[:cut], *probe.ids]
    logits = model(torch.tensor([ids])).logits[0].double()
    first = len(prompt) + cut
    log_probs = [
        logits[first + i - 1].log_softmax(-1)[token].item()
        for i, (token, scored) in enumerate(zip(probe.ids, probe.scored, strict=True))
        if scored
    ]
    return sum(log_probs) / len(log_probs)


@pytest.mark.parametrize("kind", MODELS)
@torch.no_grad()
def test_equals_an_unpadded_loop(kind):
    model = make_model(kind)
    generator = torch.Generator().manual_seed(1)

    def tokens(count):
        return torch.randint(0, 50, (count,), generator=generator).tolist()

    prompts = [tokens(3), tokens(7), tokens(5)]
    completions = [tokens(12), tokens(4), tokens(9)]
    cuts = [[0, 3, 8, 12], [0, 4], [0]]
    whole = Probe((5, 6, 7), (True, True, True))
    single = Probe((9,), (True,))  # an answer of one token
    partial = Probe((1, 2, 3, 4, 5), (False, False, True, True, False))
    probes = [[whole] * 4, [single, single], [partial]]
    for batch_size in (1, 3, 100):
        objective = surrogate_objective(
            model, prompts, completions, cuts, probes, batch_size=batch_size
        )
        assert objective.shape == (3, 4)
        for row, points in enumerate(cuts):
            for column, cut in enumerate(points):
                expected = by_hand(model, prompts[row], completions[row], cut, probes[row][column])
                assert abs(objective[row, column].item() - expected) < 1e-5
        assert (objective[1, 2:] == 0).all()


def test_equal_sequences_are_computed_once_and_only_probe_logits_exist():
    model = make_model("qwen3")
    calls = []
    forward = model.forward

    def spy(*args, **kwargs):
        output = forward(*args, **kwargs)
        calls.append(tuple(output.logits.shape))
        return output

    model.forward = spy
    probe = Probe((5, 6), (True, True))
    prompt, completion = [1, 2, 3], list(range(20))
    surrogate_objective(
        model, [prompt] * 4, [completion] * 4, [[0, 20]] * 4, [[probe] * 2] * 4, batch_size=8
    )
    assert calls == [(2, 3, 50)], "four responses alike, two cut points, two probe tokens and one"


def test_half_precision_takes_the_softmax_in_float32():
    model = make_model("qwen2").bfloat16()
    probe = Probe((5, 6), (True, True))
    objective = surrogate_objective(model, [[1, 2]], [[3]], [[0, 1]], [[probe, probe]])
    assert objective.dtype == torch.float32


def test_nan_is_refused():
    model = make_model("qwen2")
    model.lm_head.weight.data.fill_(float("nan"))
    probe = Probe((5,), (True,))
    with pytest.raises(ValueError, match="not finite"):
        surrogate_objective(model, [[1]], [[2]], [[0]], [[probe]])


@pytest.fixture
def tokenizer():
    """Characters, `\\boxed{` as one token, and a BOS that the tokenizer adds by itself."""
    words = ["<bos>", "\\boxed{", "</think>", "\n\n", *"0123456789}\\fracx{ "]
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="0"))
    pieces = Regex(r"\\boxed\{|</think>|\n\n|.")
    core.pre_tokenizer = pre_tokenizers.Split(pieces, behavior="isolated")
    core.decoder = decoders.Fuse()
    from tokenizers.processors import TemplateProcessing

    core.post_processor = TemplateProcessing("<bos> $A", special_tokens=[("<bos>", 0)])
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


def test_an_empty_answer_is_refused(tokenizer):
    with pytest.raises(ValueError, match="answer: ' ' is empty"):
        make_probe(tokenizer, " ")
