"""How benchmarks and methods are ordered, grouped and called in tables and figures."""

from typing import NamedTuple

# The columns of the paper's main table (RePro, arXiv 2512.01925), in its order.
IN_DOMAIN = ("aime24", "aime25", "math500", "lmb")
OUT_OF_DOMAIN = ("gpqa", "mbpp", "lcb")
BENCHMARKS = {
    "aime24": "AIME24",
    "aime25": "AIME25",
    "math500": "MATH500",
    "lmb": "LMB",
    "gpqa": "GPQA-D",
    "mbpp": "MBPP",
    "lcb": "LCB",
}
DOMAINS = {"in-domain": IN_DOMAIN, "out-of-domain": OUT_OF_DOMAIN}

ORIGINAL = "original"
ABLATION_KEYS = {"alpha": "\N{GREEK SMALL LETTER ALPHA}", "w": "w", "k": "k"}
_ALGORITHMS = {
    "original": "Original",
    "ppo": "PPO",
    "reinforce_pp": "RF++",
    "reinforce_pp_baseline": "RF++ Baseline",
    "grpo": "GRPO",
}


class Method(NamedTuple):
    """The parts of a method's name, as in ``grpo+repro~alpha=0.3``."""

    algorithm: str
    repro: bool
    ablated: str | None
    value: str | None


def parse_method(method: str) -> Method:
    """Split ``original``, ``ALGORITHM``, ``ALGORITHM+repro`` or ``ALGORITHM+repro~KEY=VALUE``."""
    name, tilde, ablation = method.partition("~")
    algorithm, plus, extra = name.partition("+")
    key, _, value = ablation.partition("=")
    if (
        not algorithm
        or (plus and extra != "repro")
        or (tilde and (not extra or key not in ABLATION_KEYS or not value))
    ):
        raise ValueError(
            f"method {method!r}: expected original, ALGORITHM, ALGORITHM+repro or "
            f"ALGORITHM+repro~KEY=VALUE with KEY one of {', '.join(ABLATION_KEYS)}"
        )
    return Method(algorithm, bool(extra), key or None, value or None)


def method_label(method: str) -> str:
    """Return the name to print, for instance ``GRPO + RePro (k = 16)``."""
    parts = parse_method(method)
    label = _ALGORITHMS.get(parts.algorithm, parts.algorithm.upper())
    if parts.repro:
        label += " + RePro"
    if parts.ablated:
        label += f" ({ABLATION_KEYS[parts.ablated]} = {parts.value})"
    return label


def plain_algorithm(method: str) -> str | None:
    """Return what RePro was added to (``grpo`` of ``grpo+repro``), None without RePro."""
    parts = parse_method(method)
    return parts.algorithm if parts.repro else None
