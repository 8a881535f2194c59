"""What goes into an engine and what comes out: prompts and sampling in, texts out."""

from dataclasses import dataclass
from typing import Literal, Protocol

from repro.config.models import Sampling


@dataclass(frozen=True)
class Request:
    """One prompt and how many completions of it are wanted; they share the prompt's prefill."""

    prompt: str  # with the chat template, bos token included where the model wants one
    n: int
    seed: int  # the same requests with the same seeds give the same completions


@dataclass(frozen=True)
class Completion:
    """One response."""

    text: str  # without special tokens, but with <think> and </think>
    n_tokens: int  # generated tokens, a closing eos included
    n_reasoning_tokens: int  # up to and including </think>; all of them where it never closes
    finish_reason: Literal["stop", "length"]


class Engine(Protocol):
    """A loaded model."""

    def generate(self, requests: list[Request], sampling: Sampling) -> list[list[Completion]]:
        """Return n completions for each request, in order, drawn independently of each other.

        Nothing else in a model's generation_config applies, except its eos tokens.
        """
        ...
