"""From a model's last hidden states to logits, in parts and in float32 or wider."""

import functools
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

LOGITS_AT_ONCE = 2**26  # elements: 256 MiB of float32


def causal_lm(model) -> PreTrainedModel:
    """Return the causal language model itself, out of its adapters' wrapper if it has one."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def logits_in_parts(
    model, hidden: Tensor, targets: Tensor, exact: bool = False
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield logits in float32 or wider and their targets, never all of them at once.

    The model's head turns states, `hidden` of (N, H), into logits; `targets` are (N,). With `exact`
    a plain head of a model that rounds more than float32 multiplies in float32.
    """
    model = causal_lm(model)
    head, config = model.get_output_embeddings(), model.config.get_text_config()
    size = max(1, LOGITS_AT_ONCE // head.weight.shape[0])
    if exact and type(head) is nn.Linear:
        is_rounded = head.weight.dtype.itemsize < 4
        if is_rounded or torch.is_autocast_enabled(hidden.device.type):
            head = functools.partial(_exact_product, head)
    for some, target in zip(hidden.split(size), targets.split(size), strict=True):
        logits = head(some)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        # What some models do between head and softmax: Cohere and Granite scale, Gemma caps.
        if getattr(config, "logit_scale", None) is not None:
            logits = logits * config.logit_scale
        if getattr(config, "logits_scaling", None) is not None:
            logits = logits / config.logits_scaling
        cap = getattr(config, "final_logit_softcapping", None)
        yield (logits if cap is None else cap * torch.tanh(logits / cap)), target


def _exact_product(head: nn.Linear, states: Tensor) -> Tensor:
    """Logits of some states, (N, V), in float32 or wider, outside autocast."""
    dtype = torch.promote_types(head.weight.dtype, torch.float32)
    with torch.autocast(states.device.type, enabled=False):
        # A part of the vocabulary at a time: a whole copy of the head may be gigabytes.
        parts = head.weight.split(max(1, LOGITS_AT_ONCE // head.in_features))
        products = [functional.linear(states.to(dtype), part.to(dtype)) for part in parts]
        logits = torch.cat(products, dim=-1)
        return logits if head.bias is None else logits + head.bias.to(dtype)
