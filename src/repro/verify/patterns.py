"""The patterns and tables of the verifiers, which are data: ``*.toml`` beside this file."""

import re
import tomllib
from functools import partial
from pathlib import Path
from types import SimpleNamespace


def read(name: str) -> dict:
    """Return the tables of ``NAME.toml``."""
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


def compiled(tables: dict, **words: str) -> SimpleNamespace:
    """Return the ``patterns`` of a file by their names, and each list ``rewritten`` as a function.

    In a pattern ``<NAME>`` stands for an earlier one, or for what is given by that name here. Line
    breaks, with the blanks that follow them, do not count. A list holds pairs: a pattern, and what
    replaces it; its function takes a text and replaces all of them, in this order.
    """

    def whole(text: str) -> str:
        joined = re.sub(r"\n *", "", text)
        return re.sub("<([A-Z_]+)>", lambda found: words[found[1]], joined)

    for key, text in tables["patterns"].items():
        words[key] = whole(text)
    named: dict[str, object] = {key: re.compile(text) for key, text in words.items()}
    for key, rows in tables.get("rewritten", {}).items():
        pairs = [(re.compile(whole(pattern)), replacement) for pattern, replacement in rows]
        named[key] = partial(_rewrite, pairs)
    return SimpleNamespace(**named)


def _rewrite(pairs: list[tuple[re.Pattern, str]], text: str) -> str:
    for pattern, replacement in pairs:
        text = pattern.sub(replacement, text)
    return text
