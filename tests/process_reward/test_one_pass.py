"""The repeat loop equals single sequences, and the one pass the loop, for any attention."""

import copy
from dataclasses import replace

import pytest
import torch
from tests.process_reward.tiny_models import MODELS, PROBES, model_of, new_model, random_rows
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from transformers import AttentionInterface, AttentionMaskInterface, masking_utils
from transformers.integrations import flex_attention as transformers_flex
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.models.qwen3 import modeling_qwen3

from repro.process_reward import logits, one_pass, repeat_loop

SEEDS = (0, 1, 2)


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


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
@torch.no_grad()
def test_the_loop_is_one_forward_a_cut_with_logits_of_the_probe_alone(kind):
    model, rows, calls = new_model(kind), random_rows(0), []
    model.register_forward_hook(lambda _m, _a, out: calls.append(out.logits.shape[1]))
    given = zip(rows.prompts, rows.completions, rows.cuts, rows.probes, strict=True)
    for prompt, completion, cuts, probes in given:
        calls.clear()
        objective = repeat_loop.surrogate_objective(model, prompt, completion, cuts, probes)
        assert calls == [len(probe.ids) + 1 for probe in probes]
        for value, cut, probe in zip(objective, cuts, probes, strict=True):
            expected = by_hand(model, prompt, completion, cut, probe)
            assert abs(value.item() - expected) < 1e-5


def by_the_loop(model, rows):
    given = zip(rows.prompts, rows.completions, rows.cuts, rows.probes, strict=True)
    found = [repeat_loop.surrogate_objective(model, *row) for row in given]
    width = rows.cut_table().shape[1]
    return torch.stack([torch.nn.functional.pad(row, (0, width - len(row))) for row in found])


def by_one_pass(model, rows, **changes):
    forward, _, _ = one_pass.cached_forward(model, *rows.padded(), rows.prompt_length)
    forward = replace(forward, **changes)
    return one_pass.surrogate_objective(model, forward, rows.cut_table(), rows.probes, batch_size=2)


def assert_equal(actual, expected, tolerance=1e-5):
    assert actual.shape == expected.shape
    error = (actual - expected).abs().max().item()
    assert error <= tolerance, f"largest error {error:.3g}"


def cut_everywhere():
    rows = random_rows(2)
    cuts = [list(range(len(completion) + 1)) for completion in rows.completions]
    probes = [[PROBES[cut % len(PROBES)] for cut in row] for row in cuts]
    return replace(rows, cuts=cuts, probes=probes)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", MODELS)
def test_equals_the_repeat_loop(kind, attention):
    for rows in (*map(random_rows, SEEDS), cut_everywhere()):
        model = model_of(kind, attention)
        expected = by_the_loop(model, rows)
        assert (expected < -0.1).any(), "a case that says something"
        found = by_one_pass(model, rows)
        assert_equal(found, expected)
        assert (found[rows.cut_table() < 0] == 0).all()
        assert_equal(by_one_pass(model, rows, hidden=None), expected)  # the read-only query


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("kind", ["qwen3", "mistral, all layers sliding", "gemma2"])
def test_flex_attention_switches_for_the_query_pass(kind, monkeypatch):
    # Not compiled: compiling would take most of the whole test run.
    monkeypatch.setattr(
        transformers_flex, "WrappedFlexAttention", lambda training: lambda: flex_attention
    )
    monkeypatch.setattr(
        masking_utils,
        "create_block_mask",
        lambda *args, _compile, **kwargs: create_block_mask(*args, **kwargs),
    )
    rows = random_rows(0)
    expected = by_the_loop(model_of(kind, "eager"), rows)
    model = model_of(kind, "flex_attention")
    assert_equal(by_one_pass(model, rows), expected)
    assert model.config._attn_implementation == "flex_attention"


@pytest.fixture
def flash(monkeypatch):
    """Stands for flash attention, which runs on no CPU: it refuses any mask of our own."""
    calls = []

    def attend(module, query, key, value, attention_mask, sliding_window=None, **kwargs):
        assert attention_mask is None or attention_mask.dim() == 2
        calls.append(query.shape)
        length = query.shape[2]
        assert key.shape[2] == length, "only the first pass may come here"
        allowed = torch.ones(length, length, dtype=torch.bool).tril()
        if sliding_window is not None:
            allowed = allowed.triu(1 - sliding_window)
        if attention_mask is not None:  # flash attention drops padding; so does this
            allowed = allowed & attention_mask[:, None, None].bool()
            allowed = allowed | torch.eye(length, dtype=torch.bool)  # no empty row
        else:
            allowed = allowed.expand(len(query), 1, length, length)
        return sdpa_attention_forward(module, query, key, value, allowed, **kwargs)

    for interface, function in (
        (AttentionInterface, attend),
        (AttentionMaskInterface, masking_utils.flash_attention_mask),
    ):
        monkeypatch.setitem(interface._global_mapping, "no_masks_here", function)
    return calls


@pytest.mark.parametrize("kind", ["qwen3", "qwen2, some layers sliding"])
def test_attention_without_masks_switches_and_comes_back(kind, flash):
    rows = random_rows(1)
    expected = by_the_loop(model_of(kind, "eager"), rows)
    model = model_of(kind, "no_masks_here")
    assert_equal(by_one_pass(model, rows), expected)
    assert len(flash) == 4, "one forward through four layers; the query pass went elsewhere"
    assert model.config._attn_implementation == "no_masks_here"


def test_attention_comes_back_after_an_error(flash, monkeypatch):
    model = model_of("qwen3", "no_masks_here")
    seen = []

    def fail(*_arguments):
        seen.append(model.config._attn_implementation)
        raise RuntimeError("out of memory")

    monkeypatch.setattr(one_pass, "_query", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        by_one_pass(model, random_rows(0))
    assert seen == ["sdpa"]
    assert model.config._attn_implementation == "no_masks_here"


def test_float64_is_exact(monkeypatch):
    class Norm(modeling_qwen3.Qwen3RMSNorm):
        def forward(self, x):
            scale = torch.rsqrt(x.square().mean(-1, keepdim=True) + self.variance_epsilon)
            return self.weight * x * scale

    class Rotary(modeling_qwen3.Qwen3RotaryEmbedding):
        def forward(self, x, position_ids):
            angles = position_ids[..., None].double() * self.inv_freq.double()
            angles = torch.cat([angles, angles], dim=-1)
            return angles.cos(), angles.sin()

    monkeypatch.setattr(modeling_qwen3, "Qwen3RMSNorm", Norm)
    monkeypatch.setattr(modeling_qwen3, "Qwen3RotaryEmbedding", Rotary)
    model = new_model("qwen3").double()
    for seed in SEEDS:
        rows = random_rows(seed)
        found = by_one_pass(model, rows)
        assert found.dtype == torch.float64
        assert_equal(found, by_the_loop(model, rows), 1e-9)


def test_bfloat16_weights_give_a_float32_objective():
    model = new_model("qwen3")
    for parameter in model.parameters():  # weights as a trained model's: logits of a few units
        parameter.data = parameter.data * 0.4 if parameter.dim() == 2 else parameter.data
    model = model.bfloat16()
    rows = random_rows(0)
    found = by_one_pass(model, rows)
    assert found.dtype == torch.float32
    expected = by_the_loop(copy.deepcopy(model).float(), rows)
    # bfloat16 keeps 8 bits, 0.4 % of a logit; means over a probe are closer (0.008 measured).
    assert_equal(found, expected, 0.03)
    assert (found - expected).abs().max() > 1e-5, "float32 would be better than that"


@torch.no_grad()
@pytest.mark.parametrize("kind", ["qwen3", "gemma2", "granite", "cohere"])
def test_log_probabilities_and_entropies_of_the_responses(kind, monkeypatch):
    rows, model = random_rows(0), model_of(kind)
    results = []
    for at_once in (logits.LOGITS_AT_ONCE, 3 * 50, 1):
        monkeypatch.setattr(logits, "LOGITS_AT_ONCE", at_once)
        _, *found = one_pass.cached_forward(model, *rows.padded(), rows.prompt_length)
        results.append(found)
    for row, (prompt, completion) in enumerate(zip(rows.prompts, rows.completions, strict=True)):
        whole = model(torch.tensor([[*prompt, *completion]])).logits[0, len(prompt) - 1 : -1]
        expected = whole.log_softmax(-1)
        of_tokens = expected.gather(1, torch.tensor(completion)[:, None])[:, 0]
        entropy = -(expected.exp() * expected).sum(-1)
        for log_probs, entropies in results:
            assert_equal(log_probs[row, : len(completion)], of_tokens, 2e-5)
            assert_equal(entropies[row, : len(completion)], entropy, 2e-5)


def test_logits_never_exist_all_at_once(monkeypatch):
    model, rows, sizes = model_of("qwen3"), random_rows(0), []
    monkeypatch.setattr(logits, "LOGITS_AT_ONCE", 4 * 50)
    handle = model.lm_head.register_forward_hook(lambda _m, _a, out: sizes.append(out.numel()))
    found = by_one_pass(model, rows)
    handle.remove()
    assert max(sizes) == 4 * 50
    assert_equal(found, by_the_loop(model, rows))


@pytest.mark.parametrize("is_autocast", [False, True])
def test_probes_logits_are_not_rounded_to_bfloat16(is_autocast, monkeypatch):
    """The head multiplies in float32, a part of the vocabulary at a time."""
    monkeypatch.setattr(logits, "LOGITS_AT_ONCE", 20 * 32)  # 20 of 50 rows of the head
    model = new_model("qwen3")
    if not is_autocast:
        model.to(torch.bfloat16)
    hidden = torch.randn(12, 32, generator=torch.Generator().manual_seed(0)).to(model.dtype)
    expected = hidden.double() @ model.lm_head.weight.double().T
    for exact, is_close in ((True, True), (False, False)):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=is_autocast):
            parts = logits.logits_in_parts(model, hidden, torch.arange(12), exact=exact)
            found = torch.cat([part for part, _ in parts])
        assert found.dtype == torch.float32
        assert torch.allclose(found.double(), expected, atol=1e-5) == is_close


def test_the_cached_forward_can_be_asked_again():
    model, rows = model_of("qwen3"), random_rows(0)
    forward, _, _ = one_pass.cached_forward(model, *rows.padded(), rows.prompt_length)
    calls = []
    handle = model.model.register_forward_hook(lambda *_: calls.append(1))
    first, second = (
        one_pass.surrogate_objective(model, forward, rows.cut_table(), rows.probes, batch_size=3)
        for _ in range(2)
    )
    handle.remove()
    assert torch.equal(first, second), "the cache is left as it was"
    assert len(calls) == 2 * 2, "five rows, three at a time: two small passes for all cut points"


def test_adapters_are_looked_through():
    class Wrapper:  # as PEFT's: what it does not have itself it asks of the model within
        def __init__(self, model):
            self.get_base_model = lambda: model

        def __getattr__(self, name):
            if name in ("base_model", "lm_head"):
                raise AssertionError(f"{name} of the wrapper is not that of the model")
            return getattr(self.get_base_model(), name)

    model, rows = model_of("qwen3"), random_rows(0)
    assert torch.equal(by_one_pass(Wrapper(model), rows), by_one_pass(model, rows))
