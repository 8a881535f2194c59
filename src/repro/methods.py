"""The names of methods: `original`, `grpo`, `grpo+repro`, `grpo+repro~alpha=0.3`, `grpo+length`."""

import json
import math
import re
from typing import NamedTuple

ORIGINAL = "original"
ALGORITHMS = {  # each a file in algorithms/, and what it is called in tables and figures
    "ppo": "PPO",
    "reinforce_pp": "RF++",
    "reinforce_pp_baseline": "RF++ Baseline",
    "grpo": "GRPO",
}
REPRO = "+repro"
RULES = {  # of process rewards, in process_reward/rules/: RePro, its controls, its rivals
    "repro": "RePro",
    "magnitude": "magnitude only",
    "stability": "stability only",
    "random_cuts": "random cuts",
    "shuffled": "shuffled rewards",
    "outcome": "outcome at cuts",
    "length": "length penalty",
    "vps": "VPS",
}
READ_W = ("repro", "random_cuts", "shuffled")  # the rules to which w means anything
ABLATED = {"alpha": "\N{GREEK SMALL LETTER ALPHA}", "w": "w", "k": "k"}
ALL = "all"  # a value of k: every segment
_VALUE = re.compile(rf"{ALL}|\d+(\.\d+)?(e-\d+)?")


class Method(NamedTuple):
    """The parts of a method's name."""

    algorithm: str | None  # None: the backbone as it is
    rule: str | None  # of the process reward; None without one
    ablated: str | None  # the setting of the process reward that differs from the default
    value: str | None  # what it is set to

    @property
    def repro(self) -> bool:
        """Whether it is RePro, not one of its controls or rivals."""
        return self.rule == "repro"

    def setting(self) -> float | str:
        """Return what it is set to as settings hold it, a number or `all`."""
        return self.value if self.value == ALL else json.loads(self.value)


def parse(name: str) -> Method:
    """Split a method's name; ValueError, which says how names are made, for one of no method."""
    base, tilde, ablation = name.partition("~")
    algorithm, plus, rule = base.partition("+")
    key, _, value = ablation.partition("=")
    known = algorithm in ALGORITHMS and (rule in RULES if plus else not tilde)
    is_set = key in ABLATED and _VALUE.fullmatch(value)
    if name != ORIGINAL and (not known or (tilde and not is_set)):
        raise ValueError(
            f"method {name!r} does not exist; allowed: {ORIGINAL}, ALGORITHM, ALGORITHM+RULE or "
            f"ALGORITHM+RULE~KEY=VALUE with ALGORITHM one of {', '.join(ALGORITHMS)}, RULE one of "
            f"{', '.join(RULES)} and KEY one of {', '.join(ABLATED)}"
        )
    algorithm = None if name == ORIGINAL else algorithm
    return Method(algorithm, rule or None, key or None, value or None)


def label(name: str) -> str:
    """Return the name to print, for instance `GRPO + RePro (k = 16)`."""
    method = parse(name)
    if method.algorithm is None:
        return "Original"
    added = f" + {RULES[method.rule]}" if method.rule else ""
    changed = f" ({ABLATED[method.ablated]} = {method.value})" if method.ablated else ""
    return ALGORITHMS[method.algorithm] + added + changed


def as_number(value: float | str) -> float:
    """Return the value of a setting as a number; `all` is infinite."""
    return math.inf if value == ALL else float(value)


def as_text(number: float) -> str:
    """Return such a number to print, for instance `0.3` or `all`."""
    return ALL if number == math.inf else f"{number:g}"


def plain_algorithm(name: str) -> str | None:
    """Return what a rule was added to (`grpo` of `grpo+repro`), None without one."""
    method = parse(name)
    return method.algorithm if method.rule else None
