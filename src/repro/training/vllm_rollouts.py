"""Rollouts by vLLM, in the training process.

TRL loads the engine, brings it the policy's weights before each generation and hands it the
prompts. What is added here: the settings, and a seed for every response. TRL gives all requests the
same parameters, so that the engine would draw from a random state that no checkpoint holds, the
same for every seed of a run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from repro.files import digests

if TYPE_CHECKING:
    from vllm import LLM


def arguments(training: dict) -> dict:
    """Translate the training settings into TRL's arguments; none where transformers generates.

    Args:
        training: with vLLM, `rollouts` holds `engine`, `gpu_memory`, `sleep`, `tensor_parallel`.
    """
    chosen = training.get("rollouts", {"engine": "transformers"})
    if chosen["engine"] != "vllm":
        return {}
    return {
        "use_vllm": True,
        "vllm_mode": "colocate",
        "vllm_gpu_memory_utilization": chosen["gpu_memory"],
        "vllm_enable_sleep_mode": chosen["sleep"],
        "vllm_tensor_parallel_size": chosen["tensor_parallel"],
        "vllm_max_model_length": training["max_prompt_tokens"] + training["max_completion_tokens"],
        "generation_kwargs": {"detokenize": False},  # TRL takes the tokens
    }


def seed(run_seed: int, step: int, row: int) -> int:
    """Return the seed of one response, in [0, 2^63): a resumed run draws what it would have drawn.

    Args:
        run_seed: of the run.
        step: optimizer steps done before this generation.
        row: the response's place among those of all processes, however many there are.
    """
    return digests.to_integer(f"{run_seed} {step} {row}", 8) % 2**63


@contextmanager
def seeded(llm: "LLM", run_seed: int, step: int, engine: int) -> Iterator[None]:
    """Give each request of an engine's next generation its own seed; see `seed`.

    Every engine gets as many requests. The processes that share one hand it the same seeds.
    """
    generate = llm.generate

    def generate_seeded(prompts, sampling_params, **kwargs):
        parameters = []
        for row in range(len(prompts)):
            one = sampling_params.clone()
            one.seed = seed(run_seed, step, engine * len(prompts) + row)
            parameters.append(one)
        return generate(prompts, sampling_params=parameters, **kwargs)

    llm.generate = generate_seeded
    try:
        yield
    finally:
        del llm.generate  # the class's own again
