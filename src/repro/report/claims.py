"""The paper's claims (RePro, arXiv 2512.01925, section Experiments) and what decides them."""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

from repro.report import claim_parts as of
from repro.report.claim_parts import POOL, TRAINING, Compared, difference, objective, over_values

DEFINED = "2026-11-29"  # when anything that `digest` covers was last changed
METHODS = ("ppo+repro", "reinforce_pp+repro", "reinforce_pp_baseline+repro", "grpo+repro")
EACH, MEAN = Compared(METHODS), Compared(METHODS, averaged=True)
TO_ORIGINAL = Compared(METHODS, averaged=True, baseline="original")
GRPO = Compared(("grpo+repro",))  # the algorithm of figure 5
TOKENS, BACKTRACK = "tokens_percent", "backtracking_responses"
INSIDE, OUTSIDE = "in-domain", "out-of-domain"
# The rules by which the parts of a clause decide it.
ALL = "all"  # every part is needed
TESTED = "tested"  # every part with enough problems is
NONE_OPPOSED = "none opposed"  # none is against it, they do not differ, and their mean is for it


class Clause(NamedTuple):
    """A sentence of a claim, which holds where all of its clauses do.

    A test is a direction (greater, less, or within: between the threshold and its negative), a
    threshold, and a function that makes parts of runs and further arguments.
    """

    text: str
    tests: Sequence[tuple]
    described: Sequence[tuple] = ()  # shown beside the tests, without deciding anything
    rule: str = ALL


def digest() -> str:
    """Return the SHA-256 of what decides: texts, tests, the rule, the smallest effects."""
    definitions = [of.RULE, of.SMALLEST, CLAIMS]
    text = json.dumps(definitions, default=lambda function: function.__name__)
    return hashlib.sha256(text.encode()).hexdigest()


MORE, LESS = ("greater", 0), ("less", 0)
CLAIMS = {  # id -> its text and its clauses
    "accuracy": (
        "RePro raises accuracy for every one of the four algorithms, in domain and out of domain.",
        Clause("Their mean, in domain.", [(*MORE, difference, "accuracy", MEAN, [INSIDE])]),
        Clause("Their mean, out of domain.", [(*MORE, difference, "accuracy", MEAN, [OUTSIDE])]),
        Clause(
            "Every one of them.",
            [(*MORE, difference, "accuracy", EACH, [INSIDE, OUTSIDE])],
            rule=NONE_OPPOSED,
        ),
    ),
    "objective": (
        "−J falls steadily with the position in the thought, on correct responses (figure 2).",
        # Shown for R1-Distill-Qwen-1.5B on AIME.
        Clause(
            "It falls before the answer stands, too (these checkpoints).",
            [(*LESS, objective, of.FALLS, "Spearman's rho")],
            [(*LESS, objective, of.FALLS, "Spearman's rho", of.FALLS_IF_WRONG)],
        ),
        Clause(
            "Two of three steps lower it, in the first half, too (these checkpoints).",
            [("greater", 2 / 3, objective, what, "share") for what in (of.RISES, of.RISES_EARLY)],
        ),
    ),
    "tokens": (
        "The mean number of reasoning tokens falls during training with RePro (figure 3); at "
        "evaluation it is lower on every benchmark (figure 6).",  # by up to 36.8 %
        Clause(
            "At the end of training it is lower than without RePro, on the same prompts.",
            [(*LESS, difference, TOKENS, MEAN, [TRAINING])],
            [(*LESS, difference, TOKENS, EACH, [TRAINING])],
        ),
        Clause(
            "At evaluation it is lower than without RePro.",
            [(*LESS, difference, TOKENS, MEAN, ["all"])],
            [(*LESS, difference, TOKENS, EACH)],
        ),
        Clause(
            "At evaluation it is lower than before the training.",
            [(*LESS, difference, TOKENS, TO_ORIGINAL, ["all"])],
        ),
    ),
    "backtracking": (
        "Backtracking becomes rarer during training than with plain GRPO (figure 5).",
        Clause("During training.", [(*LESS, difference, BACKTRACK, GRPO, [TRAINING])]),
        Clause(
            "At evaluation, by response and by token.",
            [
                (*LESS, difference, metric, GRPO, ["all"])
                for metric in (BACKTRACK, "backtracking_per_1k")
            ],
        ),
    ),
    "w": (
        "RePro beats its baseline at every w; smaller w is slightly better (magnitude matters "
        "more; figure 4).",
        Clause("At every w.", [(*MORE, difference, "accuracy", Compared("w"), [POOL])]),
        Clause("Smaller w is slightly better.", [(*LESS, over_values, "w", of.SLOPE)]),
    ),
    "alpha": (
        "Results are stable over a range of α.",  # around 0.1
        Clause(
            "At every α it beats its baseline.",
            [(*MORE, difference, "accuracy", Compared("alpha"), [POOL])],
        ),
        # The paper states no margin; 1 point is half of what RePro gains in domain there (2.0).
        Clause(
            "No two α are a point apart (two one-sided tests at 5 % for each two).",
            [("within", 1, over_values, "alpha", of.APART)],
        ),
    ),
    "k": (
        "More segments help slightly, with diminishing returns (k 10, 20, 30).",
        Clause("More segments help slightly.", [(*MORE, over_values, "k", of.SLOPE)]),
        Clause("With diminishing returns.", [(*LESS, over_values, "k", of.BEND)]),
    ),
    "case-study": (
        "Low-reward steps are self-doubt and redundant checks, high-reward steps are progress.",
        Clause(
            "Each such behaviour earns less than other steps (these checkpoints).",
            [(*LESS, objective, of.LABELLED[kind], "reward", "", True) for kind in of.LABELLED],
            rule=TESTED,
        ),
        Clause(
            "It is more frequent among low rewards than among high ones (these checkpoints).",
            [(*MORE, objective, of.QUARTERS, "points", "", True)],
        ),
    ),
}
