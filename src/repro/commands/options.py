"""What several commands share: how options are declared and read, and where work in progress is."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from repro.config.words import Settings, validate

WORK = Path("work")  # checkpoints, caches, logs: undeclared in the workflow, safe to delete
MANY = {"nargs": "+", "required": True}
CONFIG = MANY | {"help": "later files change what earlier ones say"}
NOTE = {"default": "", "help": "a sentence for the run's description"}
SOME = {"nargs": "*", "type": int, "default": []}
CUTOFFS = {
    "budgets": SOME | {"help": "numbers of tokens at which responses are cut off"},
    "at_k": SOME | {"help": "k of maj@k, pass@k and G-Pass@k, from 2 to n; else 2, 4, 8, ..."},
}

Command = Callable[[argparse.Namespace], None]


def takes(*required: str, **others: dict[str, Any]) -> Callable[[Command], Command]:
    """Return a decorator that declares the options of a command.

    `required` are names of options and positional arguments, one value each; `others` are further
    options, each with the keywords of argparse's add_argument.
    """
    options = {name: {"required": True} if name.startswith("-") else {} for name in required}
    options |= {f"--{name.replace('_', '-')}": keywords for name, keywords in others.items()}

    def declare(command: Command) -> Command:
        command.options = options
        return command

    return declare


def read_settings(text: str, kind: type[Settings]) -> Settings:
    """Return settings of a kind that are given as a JSON file or as JSON itself."""
    is_json = text.lstrip().startswith("{")
    try:
        return validate(text if is_json else Path(text).read_text(encoding="utf-8"), kind)
    except ValueError as error:
        raise ValueError(f"settings {text[:60]!r}: {error}") from None
