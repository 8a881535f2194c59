"""What vLLM reads from the environment; anything set there already stays."""

import os

DEFAULTS = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; half of the machine's memory by itself
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # one model on one device needs no workers
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
}


def prepare() -> None:
    """Set the defaults; to be called before vLLM is imported, which TRL does on its own import."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
