"""`generate` through vLLM against vLLM called directly, on the same requests: tokens per second.

Both are timed with and without a seed for each request, because vLLM draws for such requests one by
one. The rounds are interleaved, the medians shown; loading and warm-up are not in them.

    python bench/vllm_sampling.py --model FOLDER --requests 64 --tokens 128
"""

import argparse
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from unittest import mock

from repro.config.backbones import DirectoryBackbone
from repro.config.resolved import Generation
from repro.evaluation import engines, generate
from repro.files import jsonl


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--requests", type=int, default=64)
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    started = time.perf_counter()
    engine = engines.load("vllm", options.model, 512 + options.tokens)
    loaded = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            {"problem": f"What is {n} + {n + 7}?", "answer": "0"} for n in range(options.requests)
        ]
        jsonl.write(Path(folder) / "aime24.jsonl", rows)
        variants = {
            "vLLM": partial(ask_directly, engine, options, False),
            "vLLM, a seed for each request": partial(ask_directly, engine, options, True),
            "generate, seed_by batch": partial(ask, engine, options, folder, "batch"),
            "generate, seed_by request": partial(ask, engine, options, folder, "request"),
        }
        speed = {name: [] for name in variants}
        for number in range(options.rounds + 1):
            for name, variant in variants.items():
                began = time.perf_counter()
                tokens = variant(number)
                speed[name].append(tokens / (time.perf_counter() - began))
    print(f"{options.requests} requests of {options.tokens} tokens; loaded in {loaded:.1f} s")
    median = {name: statistics.median(values[1:]) for name, values in speed.items()}
    for name, value in median.items():
        print(f"{name:<32}{value:9.0f} tokens/s   {value / median['vLLM']:.3f}")


def ask_directly(engine, options: argparse.Namespace, seeded: bool, number: int) -> int:
    """Return how many tokens vLLM itself draws for the prompts of `ask`."""
    from vllm import SamplingParams

    prompts = [{"prompt_token_ids": ids} for ids in _prompts(engine, options)]
    how = [
        SamplingParams(
            n=options.samples,
            temperature=0.6,
            top_p=0.95,
            max_tokens=options.tokens,
            seed=1000 * number + place if seeded else None,
            stop_token_ids=sorted(engine.decoder.eos_ids),
            detokenize=False,
        )
        for place in range(len(prompts))
    ]
    outputs = engine.llm.generate(prompts, how, use_tqdm=False)
    return sum(len(one.token_ids) for output in outputs for one in output.outputs)


def ask(engine, options: argparse.Namespace, folder: str, seed_by: str, number: int) -> int:
    """Return how many tokens the command `generate` draws, from prompts to finished files."""
    generation = Generation(
        engine="vllm",
        seed_by=seed_by,
        seed=number,
        max_new_tokens=options.tokens,
        batch_size=options.requests * options.samples,
        benchmarks={"aime24": {"samples": options.samples}},
    )
    output = Path(folder) / f"{seed_by}{number}"
    backbone = DirectoryBackbone(source="directory", path=str(options.model))
    with mock.patch.object(engines, "load", lambda *_: engine):
        places = options.model, folder, output / "work", output
        generate.generate_responses(generation, backbone, *places)
    return sum(row["n_tokens"] for row in jsonl.read(output / "aime24.jsonl"))


def _prompts(engine, options: argparse.Namespace) -> list[list[int]]:
    tokenizer = engine.decoder.tokenizer
    said = "Please reason step by step, and put your final answer within \\boxed{}."
    texts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": f"What is {n} + {n + 7}?\n{said}"}],
            tokenize=False,
            add_generation_prompt=True,
        )
        for n in range(options.requests)
    ]
    return tokenizer(texts, add_special_tokens=False)["input_ids"]


if __name__ == "__main__":
    main()
