"""The patterns and tables of the verifiers, which are data: ``*.toml`` beside this file."""

import re
import tomllib
from pathlib import Path
from types import SimpleNamespace


def read(name: str) -> dict:
    """Return the tables of ``NAME.toml``."""
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


def compiled(tables: dict, **words: str) -> SimpleNamespace:
    """Return the ``patterns`` of a file by their names.

    In a pattern ``<NAME>`` stands for an earlier one, or for what is given by that name here. Line
    breaks, with the blanks that follow them, do not count. ``rewritten`` are pairs: a pattern, and
    what replaces it.
    """
    for key, text in tables["patterns"].items():
        joined = re.sub(r"\n *", "", text)
        words[key] = re.sub("<([A-Z_]+)>", lambda found: words[found[1]], joined)
    named = SimpleNamespace(**{key: re.compile(text) for key, text in words.items()})
    rewritten = tables.get("rewritten", [])
    named.rewritten = [(re.compile(re.sub(r"\n *", "", old)), new) for old, new in rewritten]
    return named
