"""What several commands share: options that are read alike, and where work in progress lies."""

import argparse
import json
from pathlib import Path

WORK = Path("work")  # checkpoints, caches, logs: undeclared in the workflow, safe to delete


def require(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add options that must be given, one value each."""
    for name in names:
        parser.add_argument(f"--{name}", required=True)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the option that names an experiment's configuration."""
    parser.add_argument(
        "--config", nargs="+", required=True, help="later files change what earlier ones say"
    )


def read_settings(text: str) -> dict:
    """Return settings given as a JSON file or as JSON itself."""
    source = text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")
    try:
        settings = json.loads(source)
    except json.JSONDecodeError as error:
        raise ValueError(f"settings {text[:60]!r} are not valid JSON: {error}") from None
    if not isinstance(settings, dict):
        raise ValueError(f"settings {text[:60]!r}: expected a JSON object")
    return settings
