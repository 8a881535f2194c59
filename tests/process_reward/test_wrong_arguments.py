"""Whatever does not fit is a ValueError whose message begins with the argument's name."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from tests.process_reward.tiny_models import PROBES, model_of, new_model, random_rows
from torch import ones, zeros
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from repro.process_reward import one_pass, repeat_loop, reward, scores
from repro.process_reward.probes import make_probe
from repro.process_reward.segments import Thought, cut_points

NAN, INF = float("nan"), float("inf")
THOUGHT = Thought([0, 2], 4, True)
ONE = torch.tensor([[-1.0]])
INITIAL = "initial_score: 'one'; allowed: empty_prefix, zero"
DIVIDES = "num_generations: 2 does not divide the 3 rows"
CALLS = [
    ("w: 1.5", scores.score, ONE, 1.5),
    ("weight: 0", scores.score, ONE, 0.1, 0),
    ("weight: 1.5", scores.moving_average, ONE, 1.5),
    ("score: shape", reward.process_reward, zeros(3)),
    (INITIAL, reward.process_reward, zeros(1, 2), "one"),
    (DIVIDES, reward.normalize_in_groups, zeros(3, 2), zeros(3, 2), 2),
    ("num_generations: 0", reward.center_in_groups, zeros(3, 2), zeros(3, 2), 0),
    ("mask: shape", reward.normalize_in_groups, zeros(2, 2), zeros(2, 3), 2),
    ("mask: shape", reward.whiten, zeros(2, 2), zeros(2, 3)),
    ("mask, positions", reward.place_on_tokens, zeros(2, 2), ones(2, 2), zeros(2, 3).long(), 4),
    ("positions: expected 0 to 3", reward.place_on_tokens, ONE, ONE, torch.tensor([[4]]), 4),
    ("positions", reward.place_on_tokens, ONE, ONE, torch.tensor([[-1]]), 4),  # nobody's last token
    ("k: 0", cut_points, THOUGHT, [0.0] * 4, 0),
    ("entropies", cut_points, THOUGHT, [0.0] * 2, 1),
    ("entropies", cut_points, THOUGHT, [0.0, 0.0, NAN, 0.0], 1),
    ("answer: ' '", make_probe, None, " "),
    ("answer: None", make_probe, None, None),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
def test_the_argument_is_named(call):
    message, function, *arguments = call
    with pytest.raises(ValueError, match=f"^{message}"):
        function(*arguments)


@pytest.mark.parametrize("function", ["magnitude", "stability", "moving_average", "score"])
@pytest.mark.parametrize(
    "objective",
    [
        torch.tensor([[-1.0, NAN]]),
        torch.tensor([[-INF, -1.0]]),
        torch.tensor([[-1.0, 0.1]]),
        torch.tensor([-1.0, -2.0]),
        torch.zeros(2, 0),
    ],
)
def test_an_objective_that_is_no_log_probability(function, objective):
    arguments = {"moving_average": (0.5,), "score": (0.1,)}.get(function, ())
    with pytest.raises(ValueError, match="^objective: "):
        getattr(scores, function)(objective, *arguments)


ROWS = random_rows(0, rows=3)
LENGTH = ROWS.prompt_length


def forward_of(model):
    return one_pass.cached_forward(model, *ROWS.padded(), LENGTH)[0]


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("attention_mask", lambda ids, mask: (ids, mask[:, 1:], LENGTH)),
        ("prompt_length", lambda ids, mask: (ids, mask, 0)),
        ("prompt_length", lambda ids, mask: (ids, mask, ids.shape[1])),
    ],
)
def test_cached_forward(argument, change):
    with pytest.raises(ValueError, match=f"^{argument}: "):
        one_pass.cached_forward(model_of("qwen3"), *change(*ROWS.padded()))


@pytest.mark.parametrize(
    ("message", "cuts", "probes"),
    [
        ("cuts: 21; the responses have 20 tokens", [[0, 21], [0, -1], [0, -1]], [2, 1, 1]),
        ("cuts, probes: ", [[0, 1], [0, 1]], [2, 2]),  # rows are missing
        ("cuts, probes: ", [[0, 1], [0, 1], [0, 1]], [2, 2]),
        ("cuts, probes: ", [[0, 1], [0, 1], [0, 1]], [2, 2, 1]),  # a cut without a probe
        ("cuts, probes: ", [[0, 1], [0, 1], [0, -1]], [2, 2, 2]),  # a probe without a cut
        ("cuts, probes: ", [[0, 1], [0, 1], [-1, 0]], [2, 2, 1]),  # padding comes last
        ("cuts, probes: ", [0, 1, 2], [1, 1, 1]),
    ],
)
def test_cuts_and_probes_that_do_not_fit(message, cuts, probes):
    forward = forward_of(model_of("qwen3"))
    probes = [[PROBES[0]] * count for count in probes]
    for given in (forward, replace(forward, hidden=None)):
        with pytest.raises(ValueError, match=f"^{message}"):
            one_pass.surrogate_objective(model_of("qwen3"), given, torch.tensor(cuts), probes)


def test_a_cache_that_lost_tokens():
    forward = forward_of(model_of("qwen3"))
    for layer in forward.cache.layers[1:2]:
        layer.keys, layer.values = layer.keys[:, :, 2:], layer.values[:, :, 2:]
    with pytest.raises(ValueError, match=r"^forward\.cache: holds \[\d+, \d+\] tokens a row"):
        one_pass.surrogate_objective(model_of("qwen3"), forward, ROWS.cut_table(), ROWS.probes)


def test_weights_that_are_not_finite():
    model = new_model("qwen3")
    model.lm_head.weight.data.fill_(NAN)
    rows = (ROWS.prompts, ROWS.completions, ROWS.cuts, ROWS.probes)
    with pytest.raises(ValueError, match="^model: log-probabilities .* not finite"):
        one_pass.surrogate_objective(model, forward_of(model), ROWS.cut_table(), ROWS.probes)
    with pytest.raises(ValueError, match="^model: log-probabilities .* not finite"):
        repeat_loop.surrogate_objective(model, *rows)


def test_gradient_checkpointing_in_training():
    model = new_model("qwen3").train()
    model.gradient_checkpointing_enable()
    with pytest.raises(ValueError, match="^model: gradient checkpointing"):
        forward_of(model)
    forward_of(model.eval())


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("prompts, completions, cuts, probes", {"prompts": [[1]]}),
        ("prompts, completions, cuts, probes", {"cuts": [[0]]}),
        ("prompts", {"prompts": [[1], [], [2]]}),
        ("cuts", {"completions": [[1], [1], [1]]}),  # too short for their cuts
        ("cuts", {"cuts": [[-1], [0], [0]], "probes": [[PROBES[0]]] * 3}),
        ("probes", {"probes": [[PROBES[0]]] * 3}),
    ],
)
def test_rows_of_the_loop_that_do_not_fit(argument, change):
    with pytest.raises(ValueError, match=f"^{argument}: "):
        repeat_loop.surrogate_objective(model_of("qwen3"), **vars(replace(ROWS, **change)))


EXPERTS = {"num_hidden_layers": 4, "num_experts": 2, "moe_intermediate_size": 8}


@pytest.mark.parametrize(
    ("auto", "kind", "sizes", "reason"),
    [
        (AutoModelForCausalLM, "qwen3_next", EXPERTS, "layers of kind linear_attention keep no"),
        (AutoModelForCausalLM, "mamba", {}, "layers of kind linear_attention keep no cache"),
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
