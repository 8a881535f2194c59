"""A seed for every response that vLLM samples in the training process.

TRL gives all requests the same parameters, so that the engine would draw from a random state that
no checkpoint holds, the same for every seed of a run.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from repro.files import digests


def seed(run_seed: int, step: int, row: int) -> int:
    """Return the seed of one response, in [0, 2^63): a resumed run draws what it would have drawn.

    `step` counts the optimizer steps before this generation, `row` the response's place among those
    of all processes, however many there are.
    """
    return digests.to_integer(f"{run_seed} {step} {row}", 8) % 2**63


@contextmanager
def seeded(llm, run_seed: int, step: int, engine: int) -> Iterator[None]:
    """Give each request of a `vllm.LLM`'s next generation its seed.

    Every engine gets as many requests; the processes that share one hand it the same seeds.
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
