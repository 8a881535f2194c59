"""Sampling of rollouts, handed to TRL as its `rollout_func`.

TRL's own route, transformers' `generate`, computes every row until the longest response has ended
and reads equal prompts once for each response. On a CPU that is half of a training step. Here rows
that have ended leave the batch, and each prompt of a group is read once.
"""

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel
from trl import GRPOTrainer

# Rows leave the batch when the living ones have shrunk to this share: copying has a price too.
COMPACT_BELOW = 0.8


def sample_rollouts(prompts: list[list[dict]], trainer: GRPOTrainer) -> dict:
    """Sample a response to each prompt (a conversation; equal ones are drawn independently).

    Returns:
        What TRL asks of a `rollout_func`: prompt_ids and completion_ids, lists of token ids.
    """
    tokenizer, args = trainer.processing_class, trainer.args
    rendered = [
        tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
        for prompt in prompts
    ]
    # The template wrote any BOS already.
    prompt_ids = tokenizer(rendered, add_special_tokens=False)["input_ids"]
    with torch.no_grad(), trainer.accelerator.autocast():
        completion_ids = sample(
            trainer.accelerator.unwrap_model(trainer.model),
            prompt_ids,
            eos_ids=trainer.eos_token_ids,
            max_new_tokens=args.max_completion_length,
            temperature=args.temperature,
            top_p=args.top_p,
        )
    return {"prompt_ids": prompt_ids, "completion_ids": completion_ids, "logprobs": None}


def sample(
    model: PreTrainedModel,
    prompt_ids: list[list[int]],
    *,
    eos_ids: list[int],
    max_new_tokens: int,
    temperature: float,
    top_p: float,
) -> list[list[int]]:
    """Draw a completion for each prompt from torch's global generator.

    Args:
        model: causal language model with a key-value cache.
        prompt_ids: B unpadded prompts.
        eos_ids: tokens that end a completion.
        max_new_tokens: length at which a completion is cut.
        temperature: divides the logits, > 0.
        top_p: mass of the nucleus; 1 samples from the whole distribution.

    Returns:
        B completions, a closing end-of-sequence token included.
    """
    eos = torch.tensor(eos_ids, device=model.device)
    distinct = list(dict.fromkeys(map(tuple, prompt_ids)))
    source = {prompt: row for row, prompt in enumerate(distinct)}
    rows = torch.tensor([source[tuple(ids)] for ids in prompt_ids], device=model.device)  # (B,)
    width = max(map(len, distinct))
    ids = torch.tensor([[0] * (width - len(p)) + [*p] for p in distinct], device=model.device)
    mask = torch.tensor(
        [[0] * (width - len(p)) + [1] * len(p) for p in distinct], device=model.device
    )  # (D, P)

    cache = DynamicCache(config=model.config)
    logits = _next_logits(model, ids, mask, cache)[rows]  # (B, V)
    cache.batch_select_indices(rows)
    mask = mask[rows]
    completions = [[] for _ in prompt_ids]
    alive = list(range(len(prompt_ids)))  # which completion each row of the batch belongs to
    running = torch.ones(len(alive), dtype=torch.bool, device=model.device)
    for _ in range(max_new_tokens):
        tokens = _draw(logits, temperature, top_p)  # (A,)
        for row, token, open_ in zip(alive, tokens.tolist(), running.tolist(), strict=True):
            if open_:
                completions[row].append(token)
        running &= ~torch.isin(tokens, eos)
        left = int(running.sum())
        if left == 0:
            break
        if left < COMPACT_BELOW * len(alive):
            keep = running.nonzero().squeeze(1)
            cache.batch_select_indices(keep)
            alive = [alive[row] for row in keep.tolist()]
            tokens, mask, running = tokens[keep], mask[keep], running[keep]
        mask = torch.cat([mask, mask.new_ones(len(alive), 1)], dim=1)
        logits = _next_logits(model, tokens[:, None], mask, cache)
    return completions


def _next_logits(model, ids: Tensor, mask: Tensor, cache: DynamicCache) -> Tensor:
    """Logits after the last of `ids`, (rows, V); the cache grows by them."""
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    output = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return output.logits[:, -1].float()


def _draw(logits: Tensor, temperature: float, top_p: float) -> Tensor:
    """Draw a token a row, (rows,)."""
    probabilities = (logits / temperature).softmax(-1)  # (rows, V)
    if top_p < 1:
        ordered, order = probabilities.sort(descending=True)
        # A token belongs to the nucleus if the tokens before it hold less than top_p together.
        outside = ordered.cumsum(-1) - ordered >= top_p
        probabilities = torch.zeros_like(ordered).scatter(
            -1, order, ordered.masked_fill(outside, 0.0)
        )
    return torch.multinomial(probabilities, 1).squeeze(1)
