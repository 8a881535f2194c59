"""Commands about single transcripts, of anyone, judged by any model."""

import argparse
from pathlib import Path

from repro.commands.options import takes
from repro.config.words import validate
from repro.process_reward.settings import ProcessRewardSettings
from repro.verify import thinking

SETTINGS = {
    "variant": {"default": "paper", "help": "paper or reference"},
    "w": {"type": float, "default": 0.1, "help": "weight of stability"},
    "k": {"type": int, "help": "segments kept; all of them by default"},
    "separator": {"help": "text between segments; a blank line by default"},
    "answer_only": {"action": "store_true", "help": "J without the box"},
    "close_thought": {"action": "store_true", "help": "</think>, then the box"},
    "lead_in": {"help": "text before the box"},
}
MODEL = {
    "thinking": {
        "default": thinking.REQUIRED,
        "choices": thinking.STATED,
        "help": "none where the model has no </think>: the thought ends at the final answer",
    },
    "trust_remote_code": {"action": "store_true", "help": "run the model's own Python files"},
}


@takes(*("--model", "--question", "--answer", "--thought", "--output"), **SETTINGS, **MODEL)
def explain(options: argparse.Namespace) -> None:
    """Show the process reward along one response's thought, as PNG and HTML."""
    from repro.explain import explanation, page

    settings = _read_settings(options)
    model, tokenizer, response = explanation.load(
        *(options.model, options.question, options.answer, options.thought),
        trust_remote_code=options.trust_remote_code,
    )
    has_tags = options.thinking == thinking.REQUIRED
    [explained] = explanation.explain_each(model, tokenizer, response, [settings], has_tags)
    for path in page.write(explained, Path(options.output) / "explain.png"):
        print(path)


@takes("--transcripts", "--model", "--output", **SETTINGS, **MODEL)
def objective(options: argparse.Namespace) -> None:
    """Judge anyone's transcripts: J, scores and process rewards along them, and every probe."""
    from repro.explain import transcripts

    name = Path(options.transcripts).stem
    summary, files = transcripts.write(_judge(options), name, options.output)
    _print_probes(summary, options)
    print(*files, sep="\n")


@takes("--transcripts", "--model", **SETTINGS, **MODEL)
def probe_check(options: argparse.Namespace) -> None:
    """Show J with every probe: is the answer the surprise, or the box around it."""
    from repro.explain import transcripts

    _print_probes(transcripts.summarise(_judge(options)), options)


def _judge(options: argparse.Namespace) -> list:
    from repro.explain import transcripts

    return transcripts.judge(
        *(options.model, options.transcripts, _read_settings(options)),
        has_tags=options.thinking == thinking.REQUIRED,
        trust_remote_code=options.trust_remote_code,
    )


def _print_probes(summary, options: argparse.Namespace) -> None:
    from repro.explain import transcripts

    print(transcripts.probes_sheet(summary).cells.to_string(index=False))
    if warning := transcripts.warn(summary, _read_settings(options)):
        print(f"warning: {warning}")


def _read_settings(options: argparse.Namespace) -> ProcessRewardSettings:
    given = {name: getattr(options, name) for name in SETTINGS}
    given["k"] = "all" if options.k is None else options.k
    settings = validate(given, ProcessRewardSettings, "process_reward")
    if settings.close_thought and options.thinking == thinking.NONE:
        raise ValueError("--close-thought: there is no tag to close with --thinking none")
    return settings
