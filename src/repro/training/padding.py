"""Prompts with their responses, without columns that are padding in every row of a micro-batch.

TRL pads a generation batch to its longest response, so a micro-batch of a few responses may be
padding for the most part. Only the right side is cut off: TRL passes no position ids, transformers
counts columns, and so the padding before prompts decides positions.
"""

import torch
from torch import Tensor
from torch.nn import functional


def join(batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, int]:
    """Token ids and attention mask of prompts with completions, (B, P + T) each, and T."""
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
    attention = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
    return ids, attention, batch["completion_ids"].shape[1]


def trim(ids: Tensor, mask: Tensor, length: int) -> tuple[Tensor, Tensor, int]:
    """Cut both off after the longest response: (B, P + N) each, and N, at least 1."""
    used = mask[:, -length:].any(dim=0).nonzero()
    kept = int(used[-1]) + 1 if len(used) else 1
    end = ids.shape[1] - length + kept
    return ids[:, :end], mask[:, :end], kept


def restore(values: Tensor, length: int, padding: float = 0) -> Tensor:
    """Widen values of the kept columns, (B, N), to (B, length)."""
    return functional.pad(values, (0, length - values.shape[1]), value=padding)
