"""Show the process reward along one response's thought, as PNG and HTML."""

import argparse
from pathlib import Path

from repro.commands.options import require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "model", "question", "answer", "output")
    parser.add_argument("--thought", help="text of a response; without it one is sampled")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sampling")
    parser.add_argument("--max-new-tokens", type=int, default=2048, help="length of the sample")
    parser.add_argument("--variant", default="paper", help="paper or reference")
    parser.add_argument("--w", type=float, default=0.1, help="weight of stability")
    parser.add_argument("--k", type=int, help="segments kept; all of them by default")
    parser.add_argument("--answer-only", action="store_true", help="J without the box")
    parser.add_argument(
        "--trust-remote-code", action="store_true", help="run the model's own Python files"
    )
    parser.add_argument("--close-thought", action="store_true", help="</think>, then the box")


def execute(options: argparse.Namespace) -> None:
    from repro.config.words import validate
    from repro.explain import explanation, page, transcript
    from repro.process_reward.settings import ProcessRewardSettings

    names = ("variant", "w", "k", "answer_only", "close_thought")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    settings = validate(given, ProcessRewardSettings, "process_reward")
    model, tokenizer, response = transcript.load(
        options.model,
        options.question,
        options.answer,
        options.thought,
        seed=options.seed,
        max_new_tokens=options.max_new_tokens,
        trust_remote_code=options.trust_remote_code,
    )
    explained = explanation.explain(model, tokenizer, response, settings, options.k)
    for path in page.write(explained, Path(options.output) / "explain.png"):
        print(path)
