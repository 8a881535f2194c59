"""Whatever does not fit is a ValueError whose message begins with the argument's name."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from tests.process_reward.tiny_models import PROBES, model_of, new_model, random_rows
from transformers import (
    MambaConfig,
    MambaForCausalLM,
    Qwen3NextConfig,
    Qwen3NextForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from repro.process_reward import one_pass, repeat_loop, reward, scores
from repro.process_reward.probes import Probe, make_probe
from repro.process_reward.segments import Thought, cut_points, pad_cut_points

NAN, INF = float("nan"), float("inf")
THOUGHT = Thought([0, 2], 4, True)
CALLS = {
    "w": lambda: scores.score(torch.tensor([[-1.0]]), w=1.5),
    "w: nan": lambda: scores.score(torch.tensor([[-1.0]]), w=NAN),
    "ema: 0": lambda: scores.score(torch.tensor([[-1.0]]), w=0.1, ema=0),
    "weight: 1.5": lambda: scores.moving_average(torch.tensor([[-1.0]]), 1.5),
    "score: shape": lambda: reward.process_reward(torch.zeros(3)),
    "initial_score: 'one'; allowed: empty_prefix, zero": lambda: reward.process_reward(
        torch.zeros(1, 2), "one"
    ),
    "num_generations: 2 does not divide the 3 rows": lambda: reward.normalize_in_groups(
        torch.zeros(3, 2), torch.zeros(3, 2), 2
    ),
    "num_generations: 0": lambda: reward.center_in_groups(torch.zeros(3, 2), torch.zeros(3, 2), 0),
    "mask: shape": lambda: reward.normalize_in_groups(torch.zeros(2, 2), torch.zeros(2, 3), 2),
    "mask: shape ": lambda: reward.whiten(torch.zeros(2, 2), torch.zeros(2, 3)),
    "mask, positions": lambda: reward.place_on_tokens(
        torch.zeros(2, 2), torch.ones(2, 2), torch.zeros(2, 3).long(), 4
    ),
    "positions: expected 0 to 3": lambda: reward.place_on_tokens(
        torch.zeros(1, 1), torch.ones(1, 1), torch.tensor([[4]]), 4
    ),
    "positions": lambda: reward.place_on_tokens(  # index -1 is nobody's last token
        torch.zeros(1, 1), torch.ones(1, 1), torch.tensor([[-1]]), 4
    ),
    "k: 0": lambda: cut_points(THOUGHT, [0.0] * 4, k=0),
    "entropies": lambda: cut_points(THOUGHT, [0.0] * 2, k=1),
    "entropies: ": lambda: cut_points(THOUGHT, [0.0, 0.0, NAN, 0.0], k=1),
    "width: 2": lambda: pad_cut_points([[0, 1, 2]], 2),
    "answer: ''": lambda: make_probe(None, ""),
    "answer: ' '": lambda: make_probe(None, " "),
    "answer: None": lambda: make_probe(None, None),
    "scored": lambda: Probe((1, 2), (True,)),
    "scored: ": lambda: Probe((1, 2), (False, False)),
}


@pytest.mark.parametrize("message", CALLS)
def test_the_argument_is_named(message):
    with pytest.raises(ValueError, match=f"^{message}"):
        CALLS[message]()


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


# One pass and repeat loop.


@pytest.fixture
def rows():
    return random_rows(0, rows=3)


@pytest.fixture
def forward(rows):
    return one_pass.cached_forward(model_of("qwen3"), *rows.padded(), rows.prompt_length)[0]


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("attention_mask", lambda ids, mask, length: (ids, mask[:, 1:], length, 1.0)),
        ("prompt_length", lambda ids, mask, _: (ids, mask, 0, 1.0)),
        ("prompt_length", lambda ids, mask, _: (ids, mask, ids.shape[1], 1.0)),
        ("temperature", lambda ids, mask, length: (ids, mask, length, 0.0)),
        ("temperature", lambda ids, mask, length: (ids, mask, length, NAN)),
    ],
)
def test_cached_forward(argument, change, rows):
    with pytest.raises(ValueError, match=f"^{argument}: "):
        one_pass.cached_forward(model_of("qwen3"), *change(*rows.padded(), rows.prompt_length))


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
@pytest.mark.parametrize("hidden", [True, False])
def test_cuts_and_probes_that_do_not_fit(message, cuts, probes, forward, hidden):
    forward = forward if hidden else replace(forward, hidden=None)
    probes = [[PROBES[0]] * count for count in probes]
    with pytest.raises(ValueError, match=f"^{message}"):
        one_pass.surrogate_objective(model_of("qwen3"), forward, torch.tensor(cuts), probes)


def test_a_cache_that_lost_tokens(rows, forward):
    for layer in forward.cache.layers[1:2]:
        layer.keys, layer.values = layer.keys[:, :, 2:], layer.values[:, :, 2:]
    with pytest.raises(ValueError, match=r"^forward\.cache: holds \[\d+, \d+\] tokens a row"):
        one_pass.surrogate_objective(model_of("qwen3"), forward, rows.cut_table(), rows.probes)


def test_weights_that_are_not_finite(rows):
    model = new_model("qwen3")
    model.lm_head.weight.data.fill_(NAN)
    forward, _, _ = one_pass.cached_forward(model, *rows.padded(), rows.prompt_length)
    for call in (
        lambda: one_pass.surrogate_objective(model, forward, rows.cut_table(), rows.probes),
        lambda: repeat_loop.surrogate_objective(
            model, rows.prompts, rows.completions, rows.cuts, rows.probes
        ),
    ):
        with pytest.raises(ValueError, match="^model: log-probabilities .* not finite"):
            call()


def test_gradient_checkpointing_in_training(rows):
    model = new_model("qwen3").train()
    model.gradient_checkpointing_enable()
    with pytest.raises(ValueError, match="^model: gradient checkpointing"):
        one_pass.cached_forward(model, *rows.padded(), rows.prompt_length)
    one_pass.cached_forward(model.eval(), *rows.padded(), rows.prompt_length)


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
def test_rows_of_the_loop_that_do_not_fit(argument, change, rows):
    given = {name: getattr(rows, name) for name in ("prompts", "completions", "cuts", "probes")}
    with pytest.raises(ValueError, match=f"^{argument}: "):
        repeat_loop.surrogate_objective(model_of("qwen3"), **{**given, **change})


def test_why_not_names_what_keeps_no_cache():
    sizes = {"hidden_size": 16, "num_hidden_layers": 4, "vocab_size": 9, "intermediate_size": 16}
    with torch.device("meta"):
        linear = Qwen3NextForCausalLM(
            Qwen3NextConfig(**sizes, num_experts=2, moe_intermediate_size=8)
        )
        state_space = MambaForCausalLM(MambaConfig(hidden_size=16, num_hidden_layers=1))
        both_ways = T5ForConditionalGeneration(T5Config(d_model=16, num_layers=1, d_ff=16))
    for model in (linear, state_space):
        assert one_pass.why_not(model) == (
            "layers of kind linear_attention keep no cache that can be cut"
        )
    assert one_pass.why_not(both_ways) == (
        "T5ForConditionalGeneration keeps no plain key-value cache"
    )


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

    assert one_pass.why_not(Tuned()) == "a learnt prompt stands before the text in the cache"


def test_hunyuans_scaling_of_its_rotary_embedding_is_fixed():
    model = new_model("hunyuan")
    model.config.rope_parameters = {"rope_type": "dynamic", "alpha": 1000.0, "factor": 1.0}
    assert one_pass.why_not(model) is None


@pytest.mark.parametrize("kind", ["qwen3", "mistral, all layers sliding", "gemma3", "hunyuan"])
def test_why_not_is_none_for_plain_models(kind):
    assert one_pass.why_not(model_of(kind)) is None
