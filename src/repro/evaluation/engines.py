"""Engines turn prompts into completions. Small on purpose: prompts and sampling in, texts out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

ENGINES = ("transformers",)


@dataclass(frozen=True)
class Sampling:
    """How to draw a completion. Nothing else in a model's generation_config applies, except eos."""

    temperature: float  # 0: greedy
    top_p: float
    top_k: int | None
    max_new_tokens: int
    seed: int  # of this batch: the same batch with the same seed gives the same completions


@dataclass(frozen=True)
class Completion:
    """One response."""

    text: str  # without special tokens, but with <think> and </think>
    n_tokens: int  # generated tokens, a closing eos included
    n_reasoning_tokens: int  # up to and including </think>; all of them where it never closes
    finish_reason: Literal["stop", "length"]


class Engine(Protocol):
    """A loaded model."""

    def generate(self, prompts: list[str], sampling: Sampling) -> list[Completion]:
        """Return one completion per prompt, in order; equal prompts are drawn independently."""
        ...


def load(name: str, model_dir: str | Path) -> Engine:
    """Load a model into the named engine.

    Raises:
        ValueError: an unknown engine; the message lists the choices.
    """
    check_name(name)
    from repro.evaluation.transformers_engine import TransformersEngine

    return TransformersEngine(model_dir)


def check_name(name: str) -> None:
    """Refuse an unknown engine before anything is loaded."""
    if name not in ENGINES:
        raise ValueError(f"engine: {name!r} is unknown, choose from {', '.join(ENGINES)}")
