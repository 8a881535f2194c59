"""What several commands share: options that are read alike, and where work in progress lies."""

import argparse
from pathlib import Path
from typing import TypeVar

from repro.config.words import validate

WORK = Path("work")  # checkpoints, caches, logs: undeclared in the workflow, safe to delete

Settings = TypeVar("Settings")


def require(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add options that must be given, one value each."""
    for name in names:
        parser.add_argument(f"--{name}", required=True)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the option that names an experiment's configuration."""
    parser.add_argument(
        "--config", nargs="+", required=True, help="later files change what earlier ones say"
    )


def read_settings(text: str, kind: type[Settings]) -> Settings:
    """Return settings of a kind that are given as a JSON file or as JSON itself."""
    is_json = text.lstrip().startswith("{")
    try:
        return validate(text if is_json else Path(text).read_text(encoding="utf-8"), kind)
    except ValueError as error:
        raise ValueError(f"settings {text[:60]!r}: {error}") from None
