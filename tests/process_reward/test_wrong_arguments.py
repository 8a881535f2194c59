"""Whatever does not fit is a ValueError whose message begins with the argument's name."""

from types import SimpleNamespace

import pytest
import torch
from tests.process_reward.tiny_models import model_of, new_model, random_rows
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from repro.process_reward import one_pass, repeat_loop
from repro.process_reward.probes import make_probe

NAN = float("nan")


@pytest.mark.parametrize("answer", [" ", None])
def test_an_answer_that_is_no_text(answer):
    with pytest.raises(ValueError, match=f"^answer: {answer!r}"):
        make_probe(None, answer)


ROWS = random_rows(0, rows=3)
LENGTH = ROWS.prompt_length


def forward_of(model):
    return one_pass.cached_forward(model, *ROWS.padded(), LENGTH)[0]


def test_a_cache_that_lost_tokens():
    forward = forward_of(model_of("qwen3"))
    for layer in forward.cache.layers[1:2]:
        layer.keys, layer.values = layer.keys[:, :, 2:], layer.values[:, :, 2:]
    with pytest.raises(ValueError, match=r"^forward\.cache: holds \[\d+, \d+\] tokens a row"):
        one_pass.surrogate_objective(model_of("qwen3"), forward, ROWS.cut_table(), ROWS.probes)


def test_weights_that_are_not_finite():
    model = new_model("qwen3")
    model.lm_head.weight.data.fill_(NAN)
    row = ROWS.prompts[0], ROWS.completions[0], ROWS.cuts[0], ROWS.probes[0]
    with pytest.raises(ValueError, match="^model: log-probabilities .* not finite"):
        one_pass.surrogate_objective(model, forward_of(model), ROWS.cut_table(), ROWS.probes)
    with pytest.raises(ValueError, match="^model: log-probabilities .* not finite"):
        repeat_loop.surrogate_objective(model, *row)


def test_gradient_checkpointing_in_training():
    """It drops the cache without a word."""
    model = new_model("qwen3").train()
    model.gradient_checkpointing_enable()
    with pytest.raises(ValueError, match=r"^forward\.cache: holds \[\] tokens a row"):
        one_pass.surrogate_objective(model, forward_of(model), ROWS.cut_table(), ROWS.probes)


EXPERTS = {"num_hidden_layers": 4, "num_experts": 2, "moe_intermediate_size": 8}


@pytest.mark.parametrize(
    ("auto", "kind", "sizes", "reason"),
    [
        (AutoModelForCausalLM, "qwen3_next", EXPERTS, "layers of kind linear_attention keep no"),
        (AutoModelForSeq2SeqLM, "t5", {}, "T5ForConditionalGeneration keeps no plain key-value"),
    ],
)
def test_why_not_names_what_keeps_no_cache(auto, kind, sizes, reason):
    with torch.device("meta"):
        model = auto.from_config(AutoConfig.for_model(kind, **sizes))
    assert one_pass.why_not(model).startswith(reason)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"num_kv_shared_layers": 2}, "share the keys and values"),
        ({"alibi": True}, "ALiBi"),
        ({"model_type": "bloom"}, "ALiBi"),
        ({"model_type": "doge"}, "computed from the values"),
        ({"rope_parameters": {"rope_type": "dynamic"}}, "of kind dynamic depend on the length"),
        ({"rope_parameters": {"full_attention": {"rope_type": "longrope"}}}, "of kind longrope"),
    ],
)
def test_why_not_names_caches_that_only_look_plain(setting, reason):
    model = new_model("qwen3")
    for name, value in setting.items():
        setattr(model.config, name, value)
    assert reason in one_pass.why_not(model)


def test_why_not_names_a_learnt_prompt():
    class Tuned:  # as PEFT's: it prepends what it has learnt to the states, not to the tokens
        config = model_of("qwen3").config
        active_peft_config = SimpleNamespace(is_prompt_learning=True)

    assert "a learnt prompt" in one_pass.why_not(Tuned())


@pytest.mark.parametrize("kind", ["qwen3", "mistral, all layers sliding", "gemma3", "hunyuan"])
def test_why_not_is_none_for_plain_models(kind):
    model = new_model(kind)
    if kind == "hunyuan":  # the only one of this kind whose rotary embedding is fixed
        model.config.rope_parameters = {"rope_type": "dynamic", "alpha": 1000.0, "factor": 1.0}
    assert one_pass.why_not(model) is None
