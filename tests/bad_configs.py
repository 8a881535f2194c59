"""Malformed configurations, each a file, and words that the message on it must hold."""

import copy
from typing import NamedTuple

import yaml

from tests.paths import ROOT

SMOKE = (ROOT / "config/smoke.yaml").read_text()
FILE = "bad.yaml"
GONE = "(missing)"  # the key is left out


class Case(NamedTuple):
    """The content of a file and what must be said of it."""

    title: str
    words: list[str]
    content: bytes


def changed(config: dict, changes: dict[str, object]) -> dict:
    """Return a configuration with other values at some paths."""
    config = copy.deepcopy(config)
    for path, value in changes.items():
        *parents, last = (int(part) if part.isdecimal() else part for part in path.split("."))
        inner = config
        for name in parents:
            inner = inner[name]
        inner[last] = value
        if value == GONE:
            del inner[last]
    return config


def _case(said: list[str], title: str = "", of: str = "smoke", **what) -> Case:
    """Return a case as bad_configs.yaml states it."""
    content = what.get("file", SMOKE)
    if "set" in what:
        title = title or ", ".join(f"{path}: {value!r}" for path, value in what["set"].items())
        config = yaml.safe_load((ROOT / f"config/{of}.yaml").read_text())
        content = yaml.safe_dump(changed(config, what["set"]), allow_unicode=True)
    elif "replace" in what:
        old, new = what["replace"]
        assert SMOKE.count(old) == 1, old
        content = SMOKE.replace(old, new)
    elif "add" in what:
        content = f"{SMOKE}\n{what['add']}\n"
    return Case(title, said, content if isinstance(content, bytes) else content.encode())


_LONG = {"source": "directory", "path": "x" * 300}
CASES = [
    *(_case(**case) for case in yaml.safe_load((ROOT / "tests/bad_configs.yaml").read_text())),
    _case(["data_seed", "less than or equal to"], "a huge number", set={"data_seed": 10**400}),
    _case(["name", "should match pattern"], "a long name", set={"name": "x" * 101}),
    _case(["backbones.mine.path", "too long"], "a long path", set={"backbones.mine": _LONG}),
    _case(["recursion"], "deep nesting", file="a: " + "[" * 5000),
    _case(["not valid YAML"], "binary garbage", file=bytes(range(256))),
]
