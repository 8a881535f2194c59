"""The names of methods: `original`, `grpo`, `grpo+repro`, `grpo+repro~alpha=0.3`."""

import json
import math
from typing import NamedTuple

ORIGINAL = "original"
ALGORITHMS = {  # each a file in algorithms/, and what it is called in tables and figures
    "ppo": "PPO",
    "reinforce_pp": "RF++",
    "reinforce_pp_baseline": "RF++ Baseline",
    "grpo": "GRPO",
}
REPRO = "+repro"
ABLATED = {"alpha": "\N{GREEK SMALL LETTER ALPHA}", "w": "w", "k": "k"}
ALL = "all"  # a value of k: every segment


class Method(NamedTuple):
    """The parts of a method's name."""

    algorithm: str | None  # None: the backbone as it is
    repro: bool  # with the process reward
    ablated: str | None  # the setting of the process reward that differs from the default
    value: str | None  # what it is set to

    def setting(self) -> float | str:
        """Return what it is set to as settings hold it, a number or `all`."""
        return self.value if self.value == ALL else json.loads(self.value)


def parse(name: str) -> Method:
    """Split a method's name; ValueError, which says how names are made, for one of no method."""
    base, tilde, ablation = name.partition("~")
    algorithm, repro = base.removesuffix(REPRO), base.endswith(REPRO)
    key, _, value = ablation.partition("=")
    known = algorithm in ALGORITHMS or name == ORIGINAL
    if not known or (tilde and not (repro and key in ABLATED and value)):
        raise ValueError(
            f"method {name!r} does not exist; allowed: {ORIGINAL}, ALGORITHM, ALGORITHM{REPRO} or "
            f"ALGORITHM{REPRO}~KEY=VALUE with ALGORITHM one of {', '.join(ALGORITHMS)} and KEY one "
            f"of {', '.join(ABLATED)}"
        )
    return Method(None if name == ORIGINAL else algorithm, repro, key or None, value or None)


def label(name: str) -> str:
    """Return the name to print, for instance `GRPO + RePro (k = 16)`."""
    method = parse(name)
    if method.algorithm is None:
        return "Original"
    text = ALGORITHMS[method.algorithm] + " + RePro" * method.repro
    changed = f" ({ABLATED[method.ablated]} = {method.value})" if method.ablated else ""
    return text + changed


def as_number(value: float | str) -> float:
    """Return the value of a setting as a number; `all` is infinite."""
    return math.inf if value == ALL else float(value)


def as_text(number: float) -> str:
    """Return such a number to print, for instance `0.3` or `all`."""
    return ALL if number == math.inf else f"{number:g}"


def plain_algorithm(name: str) -> str | None:
    """Return what RePro was added to (`grpo` of `grpo+repro`), None without RePro."""
    method = parse(name)
    return method.algorithm if method.repro else None
