"""How rollouts are scored: precision, dropout, padding, and what guards the fast routes."""

import pytest
import torch
from fixed_rollouts import FixedRollouts
from test_trainer import loss_and_gradients, rollout, scored_by
from transformers import AttentionInterface, AttentionMaskInterface, masking_utils
from transformers.integrations.flash_attention import get_target_dtype
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from repro.process_reward import one_pass
from repro.training.policy_scoring import is_random_in_training


def drop_attention(trainer, share: float = 0.3) -> None:
    """Dropout that TRL's `disable_dropout` does not reach: a number of each attention layer."""
    for layer in trainer.model.model.layers:
        layer.self_attn.attention_dropout = share
    trainer._is_random = is_random_in_training(trainer.model)


def half_precision_attention(module, query, key, value, attention_mask, **kwargs):
    """As flash attention's kernels: no float32, and no mask but that of padding."""
    dtype = get_target_dtype(query, module) or query.dtype
    if dtype not in (torch.float16, torch.bfloat16):
        raise RuntimeError("FlashAttention only support fp16 and bf16 data type")
    if attention_mask is not None:
        queries, keys = query.shape[2], key.shape[2]
        causal = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)
        attention_mask = attention_mask[:, None, None].bool() & causal
    states = (states.to(dtype) for states in (query, key, value))
    return sdpa_attention_forward(module, *states, attention_mask, **kwargs)


def test_training_with_an_attention_of_half_precision(build, settings):
    AttentionInterface.register("half_precision", half_precision_attention)
    AttentionMaskInterface.register("half_precision", masking_utils.flash_attention_mask)
    settings["training"] |= {"dtype": "bfloat16", "steps": 1}
    trainer = build(process_reward={"k": 3})
    trainer.model.set_attn_implementation("half_precision")
    trainer.train()
    assert trainer.state.global_step == 1


@pytest.mark.parametrize("updates", [1, 2])
def test_dropout_does_not_change_the_objective(build, settings, monkeypatch, updates):
    """Old log-probabilities are those of stock TRL, with its dropout, to the last bit."""
    settings["training"] |= {"updates_per_generation": updates, "micro_batch_size": 8}
    stock, dropping = build(stock=True), build(process_reward={"k": 3})
    drop_attention(dropping)
    for layer in stock.model.model.layers:
        layer.self_attn.attention_dropout = 0.3
    expected = rollout(stock)
    cuts, objective, out = scored_by(dropping, "generation", monkeypatch)
    assert torch.equal(out["completion_ids"], expected["completion_ids"])
    assert ("old_per_token_logps" in out) == (updates == 2)
    if updates == 2:
        assert torch.equal(out["old_per_token_logps"], expected["old_per_token_logps"])
    assert dropping.model.training
    assert torch.equal(objective[:4, 0], objective[:1, 0].expand(4)), "one prompt, one answer"
    lengths = out["completion_mask"].sum(1).tolist()
    with dropping._scoring() as model:
        for row, example in enumerate(next(iter(dropping.get_train_dataloader()))):
            prompt = out["prompt_ids"][row][out["prompt_mask"][row].bool()].tolist()
            response = out["completion_ids"][row, : lengths[row]].tolist()
            kept = [cut for cut in cuts[row].tolist() if cut >= 0]
            by_loop = dropping._scorer.by_loop(model, prompt, response, kept, example["answer"])
            assert torch.allclose(objective[row, : len(kept)], by_loop, atol=1e-5)


def test_randomness_in_training_is_seen(build):
    trainer = build()
    assert not is_random_in_training(trainer.model)
    trainer.model.model.layers[0].mlp.add_module("dropout", torch.nn.Dropout(0.1))
    assert is_random_in_training(trainer.model)
    trainer.model.model.layers[0].mlp.dropout.p = 0.0
    assert not is_random_in_training(trainer.model)
    drop_attention(trainer)
    assert trainer._is_random


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("route", ["generation", "one pass"])
def test_a_wrong_fast_route_falls_back_to_the_loop(build, settings, monkeypatch, route, dtype):
    settings["training"]["dtype"] = dtype
    expected = build(process_reward={"k": 3})
    with pytest.warns(UserWarning, match="no cache: the process reward is computed by a forward"):
        cuts, objective, _ = scored_by(expected, "repeat loop", monkeypatch)
    monkeypatch.undo()
    query = one_pass._query  # off by 0.3: little for a mask that an architecture does not honour
    monkeypatch.setattr(one_pass, "_query", lambda *args: query(*args) - 0.3)
    trainer = build(process_reward={"k": 3})
    with pytest.warns(UserWarning, match="Qwen3ForCausalLM: J from the cache is not that of"):
        found = scored_by(trainer, route, monkeypatch)
    assert torch.equal(found[0], cuts)
    assert torch.equal(found[1], objective)
    assert trainer._why_not_cut


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("route", ["generation", "one pass"])
def test_a_right_fast_route_stays(build, settings, monkeypatch, route, dtype):
    settings["training"]["dtype"] = dtype
    trainer = build(process_reward={"k": 3})
    scored_by(trainer, route, monkeypatch)
    assert trainer._is_checked
    assert trainer._why_not_cut is None
    monkeypatch.setattr(trainer._scorer, "by_loop", lambda *_: pytest.fail("checked once"))
    rollout(trainer)


def test_what_one_process_finds_all_follow(build, monkeypatch):
    trainer = build(process_reward={"k": 3})
    reduce = trainer.accelerator.reduce

    def with_another_process(tensor, reduction):
        found = reduce(tensor, reduction=reduction)
        return found + 1 if tensor.dim() == 0 and tensor.dtype == torch.float32 else found

    monkeypatch.setattr(trainer.accelerator, "reduce", with_another_process)
    with pytest.warns(UserWarning, match="J from the cache"):
        rollout(trainer)


@pytest.mark.parametrize("process_reward", [None, {"k": 3}])
def test_no_column_that_is_padding_is_computed(build, settings, monkeypatch, process_reward):
    """Of old and reference log-probabilities, scoring and update, a response at a time."""
    settings["training"] |= {"micro_batch_size": 1, "updates_per_generation": 2}
    responses = FixedRollouts._generate_single_turn
    found = {}
    for stock in (True, False):
        extra = {} if stock else {"process_reward": process_reward}
        trainer = build(stock=stock, **extra)
        monkeypatch.setattr(type(trainer), "_generate_single_turn", responses)
        if process_reward:
            trainer._is_checked = True  # its two forwards are as wide as they need to be
        widths = []
        for model in (trainer.model, trainer.ref_model):
            model.model.register_forward_pre_hook(
                lambda _m, _a, given, widths=widths: widths.append(given["input_ids"].shape[1]),
                with_kwargs=True,
            )
        out = rollout(trainer)
        mask = out["completion_mask"]
        lengths = mask.sum(1)
        # Both learn from the same numbers, after a policy that moved.
        noise = torch.randn(3, *mask.shape, generator=torch.Generator().manual_seed(0)) * mask
        names = ("advantages", "old_per_token_logps", "ref_per_token_logps")
        given = out | {name: noise[i] - 4.0 * (i > 0) for i, name in enumerate(names)}
        gradients = 0
        for row in range(len(mask)):
            one = {key: v[row : row + 1] if v.dim() else v for key, v in given.items()}
            _, parts = loss_and_gradients(trainer, one)
            gradients += torch.cat([part.flatten() for part in parts])
        found[stock] = out, widths, gradients
    expected, out = found[True][0], found[False][0]
    assert lengths.min() < lengths.max(), "the test needs responses that differ"
    wide = sorted((out["prompt_ids"].shape[1] + lengths).tolist() * 3)
    assert [width for width in sorted(found[False][1]) if width >= wide[0]] == wide
    for key in ("old_per_token_logps", "ref_per_token_logps"):
        assert torch.allclose(out[key] * mask, expected[key] * mask, atol=1e-5)
        assert (out[key][mask == 0] == 0).all()
    assert found[True][2].norm() > 0
    assert (found[False][2] - found[True][2]).norm() <= 1e-5 * found[True][2].norm()
