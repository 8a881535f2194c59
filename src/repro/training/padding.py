"""Columns that are padding in every row of a micro-batch, which need not be computed.

TRL pads a generation batch to its longest response, so a micro-batch of a few responses may be
padding for the most part. Only the right side is cut off: TRL passes no position ids, transformers
counts columns, and so the padding before prompts decides positions.
"""

from torch import Tensor
from torch.nn import functional


def trim(ids: Tensor, mask: Tensor, length: int) -> tuple[Tensor, Tensor, int]:
    """Cut ids and mask, (B, P + T), off after the longest response; `length` is T.

    Returns:
        Both, (B, P + N) each, and N, at least 1.
    """
    used = mask[:, -length:].any(dim=0).nonzero()
    kept = int(used[-1]) + 1 if len(used) else 1
    end = ids.shape[1] - length + kept
    return ids[:, :end], mask[:, :end], kept


def restore(values: Tensor, length: int) -> Tensor:
    """Widen values of the kept columns, (B, N), to (B, length) by zeros."""
    return functional.pad(values, (0, length - values.shape[1]))
