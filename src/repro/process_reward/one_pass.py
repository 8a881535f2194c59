r"""The surrogate objective J of RePro (arXiv 2512.01925) at all cut points from one cached forward.

One causal forward over prompt and response fills a key-value cache. A thought cut after t tokens is
a prefix of that cache, so the probes of all cut points are packed into one short query pass: each
token sees the cache up to its cut and the probe's tokens before it, at the positions it would have
there. The probe's first token is scored by the state that the forward left before the cut; where
that is not known the token before the cut is queried again, read-only. This equals one forward per
cut point (`repeat_loop`) up to rounding, at little more than the cost of a plain forward.

The cache may come from any forward with the same weights: `cached_forward`, the pass that gives a
trainer its old log-probabilities, or generation itself.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache, PreTrainedModel

from repro.process_reward.logits import causal_lm, logits_in_parts
from repro.process_reward.probes import Probe

LAYER_KINDS = {"full_attention", "sliding_attention"}


@dataclass(frozen=True)
class CachedForward:
    """A causal forward over B left-padded prompts and their responses."""

    cache: DynamicCache  # keys and values of all W = P + T tokens, none evicted
    input_ids: Tensor  # (B, W)
    attention_mask: Tensor  # (B, W), 1 on tokens
    position_ids: Tensor  # (B, W), those of the forward
    prompt_length: int  # P, so that a cut after t tokens keeps the first P + t columns
    hidden: Tensor | None = None  # last hidden states, (B, W, H), where they are known

    def rows(self, rows: Tensor) -> "CachedForward":
        """Return some of the rows, (N,), with a cache of their own."""
        cache = DynamicCache()
        cache.layers = [copy.copy(layer) for layer in self.cache.layers]
        cache.batch_select_indices(rows)
        columns = (self.input_ids, self.attention_mask, self.position_ids)
        hidden = None if self.hidden is None else self.hidden[rows]
        return CachedForward(cache, *(c[rows] for c in columns), self.prompt_length, hidden)


def why_not(model: PreTrainedModel) -> str | None:
    """Say why the cache of this model, with its adapters or without, cannot be cut, or None."""
    config = model.config.get_text_config()
    if getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False):
        return "a learnt prompt stands before the text in the cache"
    kinds = set(getattr(config, "layer_types", None) or ()) - LAYER_KINDS
    if kinds:
        return f"layers of kind {', '.join(sorted(kinds))} keep no cache that can be cut"
    if getattr(config, "num_kv_shared_layers", 0):
        return "some layers share the keys and values of others"
    ropes = getattr(config, "rope_parameters", None) or {}
    for rope in (ropes, *ropes.values()):  # one, or one for each kind of layer
        kind = rope.get("rope_type") if isinstance(rope, dict) else None
        # Hunyuan's alpha scales once and for all.
        if kind == "longrope" or (kind == "dynamic" and not rope.get("alpha")):
            return f"rotary embeddings of kind {kind} depend on the length of the whole sequence"
    if config.model_type == "doge":
        return "attention with a mask computed from the values takes no mask of our own"
    if getattr(config, "alibi", False) or config.model_type in ("bloom", "mpt"):
        return "attention biased by distance (ALiBi) takes no mask of our own"
    if getattr(model, "_is_stateful", False) or config.is_encoder_decoder:
        return f"{type(model).__name__} keeps no plain key-value cache"
    return None


@torch.no_grad()
def cached_forward(
    model: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor, prompt_length: int
) -> tuple[CachedForward, Tensor, Tensor]:
    """Run the one forward: its cache, and log-probabilities and entropies of the responses.

    `input_ids` and `attention_mask` are (B, P + T), prompts padded on the left and responses on the
    right; `prompt_length` is P. Log-probabilities and entropies are (B, T) in nats, float32 or
    wider, arbitrary on padding. The model is in evaluation mode.
    """
    position_ids = (attention_mask.cumsum(1) - 1).clamp(min=0)
    cache = DynamicCache()  # without a config: with one, sliding layers would evict
    decoder = causal_lm(model).base_model
    hidden = decoder(
        input_ids=input_ids,
        attention_mask=attention_mask,
        position_ids=position_ids,
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state  # (B, P + T, H)
    flat = hidden[:, prompt_length - 1 : -1].flatten(0, 1)  # (B * T, H): the states before tokens
    targets = input_ids[:, prompt_length:].flatten()  # (B * T,)
    log_probs, entropies = [], []
    for logits, target in logits_in_parts(model, flat, targets):
        normalizer = logits.logsumexp(-1)
        log_probs.append(logits.gather(-1, target[:, None]).squeeze(-1) - normalizer)
        expected = (logits.softmax(-1) * logits).sum(-1)
        entropies.append(normalizer - expected)
    forward = CachedForward(cache, input_ids, attention_mask, position_ids, prompt_length, hidden)
    shape = len(input_ids), input_ids.shape[1] - prompt_length
    return forward, torch.cat(log_probs).view(shape), torch.cat(entropies).view(shape)


@torch.no_grad()
def surrogate_objective(
    model: PreTrainedModel,
    forward: CachedForward,
    cuts: Tensor,
    probes: Sequence[Sequence[Probe]],
    *,
    batch_size: int = 16,
) -> Tensor:
    """Compute J at every cut point by one packed query pass over the cache.

    Args:
        model: the causal language model of the cached forward.
        forward: B rows.
        cuts: (B, C), each the number of response tokens kept, -1 where a row has fewer.
        probes: B rows with the probe of each cut point.
        batch_size: rows in one query pass.

    Returns (B, C), float32 or wider; 0 where `cuts` is -1. ValueError: a cache that does not hold
    every token, or log-probabilities that are not finite.
    """
    width = forward.input_ids.shape[1]
    lengths = {layer.keys.shape[-2] for layer in forward.cache.layers}
    if lengths != {width}:
        raise ValueError(f"forward.cache: holds {sorted(lengths)} tokens a row; expected {width}")
    # Rows with as many cut points share a pass, so that little of its grid is padding.
    counts = (cuts >= 0).sum(dim=1)  # (B,)
    objective = None
    with _attention_with_masks(causal_lm(model)):
        for rows in counts.argsort(descending=True, stable=True).split(batch_size):
            columns = int(counts[rows].max())
            chosen = [probes[row] for row in rows.tolist()]
            values = _query(model, forward.rows(rows), cuts[rows, :columns], chosen)
            if objective is None:
                objective = values.new_zeros(cuts.shape)  # (B, C)
            objective[rows, :columns] = values
    if not torch.isfinite(objective).all():
        raise ValueError("model: log-probabilities of the answer are not finite (NaN or infinite)")
    return objective


def _query(
    model, forward: CachedForward, cuts: Tensor, probes: Sequence[Sequence[Probe]]
) -> Tensor:
    """J of some rows and cut points, (N, C)."""
    rows, columns = cuts.shape
    ids, scored = _pack(probes, columns, cuts.device)  # (N, C, A): tokens to predict
    scored &= (cuts >= 0)[..., None]
    last = forward.prompt_length + cuts.clamp(min=0) - 1  # (N, C): the column before the cut
    # Query 0 is the token before the cut, query i predicts token i: 0 is often not needed.
    first = 0 if forward.hidden is None and scored[..., 0].any() else 1
    before = forward.input_ids.gather(1, last)[..., None]  # (N, C, 1)
    queries = torch.cat([before, ids[..., :-1]], dim=-1)[..., first:]  # (N, C, Q)
    steps = torch.arange(first, ids.shape[-1], device=cuts.device)  # (Q,)
    positions = forward.position_ids.gather(1, last)[..., None] + steps  # (N, C, Q)
    states = []
    if first == 1 and forward.hidden is not None:
        known = last[..., None].expand(-1, -1, forward.hidden.shape[-1])
        states.append(forward.hidden.gather(1, known)[:, :, None])  # (N, C, 1, H)
    elif first == 1:
        ids, scored = ids[..., 1:], scored[..., 1:]
    if len(steps):
        decoder = causal_lm(model).base_model
        found = decoder(
            input_ids=queries.flatten(1),
            attention_mask=_masks(decoder, forward, last, positions, first),
            position_ids=positions.flatten(1),
            past_key_values=forward.cache,
            use_cache=True,
        ).last_hidden_state
        states.append(found.view(rows, columns, len(steps), -1))
    hidden = torch.cat(states, dim=2)  # (N, C, A, H)
    found = torch.cat(
        [
            -functional.cross_entropy(logits, target, reduction="none")
            for logits, target in logits_in_parts(model, hidden[scored], ids[scored], exact=True)
        ]
    )
    log_probs = found.new_zeros(scored.shape).masked_scatter_(scored, found)
    return log_probs.sum(-1) / scored.sum(-1).clamp(min=1)


def _pack(probes: Sequence[Sequence[Probe]], columns: int, device) -> tuple[Tensor, Tensor]:
    """Tokens of the probes and which are scored, (N, C, A) each.

    A is the longest probe up to its last scored token: what comes after decides nothing.
    """
    distinct = {p: i for i, p in enumerate(dict.fromkeys(chain.from_iterable(probes)))}
    needed = [len(probe.ids) - probe.scored[::-1].index(True) for probe in distinct]
    width = max(needed)
    ids = torch.zeros(len(distinct), width, dtype=torch.long)
    scored = torch.zeros(len(distinct), width, dtype=torch.bool)
    for (probe, index), length in zip(distinct.items(), needed, strict=True):
        ids[index, :length] = torch.tensor(probe.ids[:length])
        scored[index, :length] = torch.tensor(probe.scored[:length])
    which = torch.tensor(
        [[distinct[p] for p in row] + [0] * (columns - len(row)) for row in probes]
    )  # (N, C)
    return ids[which].to(device), scored[which].to(device)


def _masks(decoder, forward: CachedForward, last: Tensor, positions: Tensor, first: int):
    """Attention masks of the query pass, (N, 1, C * Q, W + C * Q), one for each kind of layer."""
    rows, columns, queries = positions.shape
    width, device = forward.input_ids.shape[1], last.device
    past = torch.arange(width, device=device) <= last[..., None]  # (N, C, W)
    past = (past & forward.attention_mask[:, None].bool())[:, :, None]  # (N, C, 1, W)
    step = torch.arange(first, first + queries, device=device)
    # Causal within a probe; the token before the cut (step 0) is in the cache already: no key here.
    within = (step[:, None] >= step) & (step > 0)  # (Q, Q)

    def join(past: Tensor, within: Tensor) -> Tensor:
        past = past.expand(rows, columns, queries, width).flatten(1, 2)  # (N, C * Q, W)
        same_probe = torch.eye(columns, dtype=torch.bool, device=device)
        block = torch.kron(same_probe, within).expand(rows, -1, -1)  # (N, C * Q, C * Q)
        allowed = torch.cat([past, block], dim=-1)[:, None]
        if decoder.config._attn_implementation != "eager":
            return allowed
        lowest = torch.finfo(decoder.dtype).min  # eager adds its mask; a boolean one is wrong there
        return torch.zeros_like(allowed, dtype=decoder.dtype).masked_fill_(~allowed, lowest)

    config = decoder.config.get_text_config()
    kinds, window = getattr(config, "layer_types", None), getattr(config, "sliding_window", None)
    if kinds is None and window is None:
        return join(past, within)
    masks = {"full_attention": join(past, within)} if kinds and "full_attention" in kinds else {}
    if kinds is None or "sliding_attention" in kinds:
        distance = positions[..., None] - forward.position_ids[:, None, None]  # (N, C, Q, W)
        near = join(past & (distance < window), within & (step[:, None] - step < window))
        if kinds is None:
            return near
        masks["sliding_attention"] = near
    return masks


@contextmanager
def _attention_with_masks(model: PreTrainedModel) -> Iterator[None]:
    """Run the query pass with an attention that takes a mask of our own.

    Flash attention takes none and flex attention only its block masks. Soft-capped scores exist in
    eager attention alone.
    """
    current = model.config._attn_implementation
    if current in ("sdpa", "eager"):
        yield
        return
    capped = getattr(model.config.get_text_config(), "attn_logit_softcapping", None)
    model.set_attn_implementation("sdpa" if model._supports_sdpa and not capped else "eager")
    try:
        yield
    finally:
        model.set_attn_implementation(current)
