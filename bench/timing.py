"""Interleaved timing: every variant once a round, so that a slow moment hits all alike."""

import resource
import statistics
import time
from collections.abc import Callable

import torch


def interleaved(variants: dict[str, Callable], repeats: int) -> dict[str, float]:
    """Median seconds of each variant over `repeats` rounds, after one round of warm-up."""
    seconds = {name: [] for name in variants}
    for _ in range(repeats + 1):
        for name, variant in variants.items():
            _synchronize()
            started = time.perf_counter()
            variant()
            _synchronize()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values[1:]) for name, values in seconds.items()}


def peak_memory() -> float:
    """Peak memory so far in MiB: of the GPU where there is one, else of the process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
