"""The paper's claims (RePro, arXiv 2512.01925, section Experiments) and what decides them."""

import hashlib
import json
from typing import NamedTuple

from repro.report import claim_parts as of
from repro.report.claim_parts import POOL, TRAINING, Compared, difference, objective, over_values

DEFINED = "2026-11-29"  # when anything that `digest` covers was last changed
METHODS = ("ppo+repro", "reinforce_pp+repro", "reinforce_pp_baseline+repro", "grpo+repro")
EACH, MEAN = Compared(METHODS), Compared(METHODS, averaged=True)
TO_ORIGINAL = Compared(METHODS, averaged=True, baseline="original")
GRPO = Compared(METHODS[-1:])  # the algorithm of figure 5
W, ALPHA = Compared("w"), Compared("alpha")
TOKENS, BACKTRACKING = "tokens_percent", "backtracking_responses"
# The rules by which the parts of a clause decide it.
ALL = "all"  # every part is needed
TESTED = "tested"  # every part with enough problems is
NONE_OPPOSED = "none opposed"  # none is against it, they do not differ, and their mean is for it


class Clause(NamedTuple):
    """A sentence of a claim, which holds where all of its clauses do.

    A test is a direction (greater, less, or within: between the threshold and its negative), a
    threshold, and a function that makes parts of runs and further arguments.
    """

    claim: str
    text: str
    tests: list[tuple]
    described: list[tuple] = []  # shown beside the tests, without deciding anything
    rule: str = ALL


def digest() -> str:
    """Return the SHA-256 of what decides: texts, tests, the rule, the smallest effects."""
    definitions = [of.RULE, of.SMALLEST, CLAIMS, CLAUSES]
    text = json.dumps(definitions, default=lambda function: function.__name__)
    return hashlib.sha256(text.encode()).hexdigest()


CLAIMS = {
    "accuracy": "RePro raises accuracy for every one of the four algorithms, in domain and out of "
    "domain.",
    "objective": "−J falls steadily with the position in the thought, on correct responses "
    "(figure 2).",  # shown for R1-Distill-Qwen-1.5B on AIME
    "tokens": "The mean number of reasoning tokens falls during training with RePro (figure 3); at "
    "evaluation it is lower on every benchmark (figure 6).",
    "backtracking": "Backtracking becomes rarer during training than with plain GRPO (figure 5).",
    "w": "RePro beats its baseline at every w; smaller w is slightly better (magnitude matters "
    "more; figure 4).",
    "alpha": "Results are stable over a range of α.",  # around 0.1
    "k": "More segments help slightly, with diminishing returns (k 10, 20, 30).",
    "case-study": "Low-reward steps are self-doubt and redundant checks, high-reward steps are "
    "progress.",
}
CLAUSES = [
    Clause(
        "accuracy",
        "On the mean of the algorithms, in domain.",
        [("greater", 0, difference, "accuracy", MEAN, ["in-domain"])],
    ),
    Clause(
        "accuracy",
        "On the mean of the algorithms, out of domain.",
        [("greater", 0, difference, "accuracy", MEAN, ["out-of-domain"])],
    ),
    Clause(
        "accuracy",
        "For every one of them.",
        [("greater", 0, difference, "accuracy", EACH, ["in-domain", "out-of-domain"])],
        rule=NONE_OPPOSED,
    ),
    Clause(
        "objective",
        "It falls, also before the answer stands (of these checkpoints).",
        [("less", 0, objective, of.FALLS, "Spearman's rho")],
        [("less", 0, objective, of.FALLS, "Spearman's rho", of.FALLS_IF_WRONG)],
    ),
    Clause(
        "objective",
        "At least two of three steps lower it, in the first half too (of these checkpoints).",
        [("greater", 2 / 3, objective, what, "share") for what in (of.RISES, of.RISES_EARLY)],
    ),
    Clause(
        "tokens",
        "At the end of training there are fewer than without RePro, on the same prompts.",
        [("less", 0, difference, TOKENS, MEAN, [TRAINING])],
        [("less", 0, difference, TOKENS, EACH, [TRAINING])],
    ),
    Clause(
        "tokens",
        "At evaluation there are fewer than without RePro.",
        [("less", 0, difference, TOKENS, MEAN, ["all"])],
        [("less", 0, difference, TOKENS, EACH)],  # by up to 36.8 % in the paper
    ),
    Clause(
        "tokens",
        "At evaluation there are fewer than before the training.",
        [("less", 0, difference, TOKENS, TO_ORIGINAL, ["all"])],
    ),
    Clause(
        "backtracking",
        "At the end of training fewer responses backtrack.",
        [("less", 0, difference, BACKTRACKING, GRPO, [TRAINING])],
    ),
    Clause(
        "backtracking",
        "At evaluation it is rarer, by response and by token.",
        [
            ("less", 0, difference, BACKTRACKING, GRPO, ["all"]),
            ("less", 0, difference, "backtracking_per_1k", GRPO, ["all"]),
        ],
    ),
    Clause(
        "w",
        "It beats its baseline at every w.",
        [("greater", 0, difference, "accuracy", W, [POOL])],
    ),
    Clause("w", "Smaller w is slightly better.", [("less", 0, over_values, "w", of.SLOPE)]),
    Clause(
        "alpha",
        "It beats its baseline at every α.",
        [("greater", 0, difference, "accuracy", ALPHA, [POOL])],
    ),
    # The paper states no margin; 1 point is half of what RePro gains in domain there (2.0).
    Clause(
        "alpha",
        "No two values are a point apart: each two pass two one-sided tests at 5 %.",
        [("within", 1, over_values, "alpha", of.APART)],
    ),
    Clause("k", "More segments help slightly.", [("greater", 0, over_values, "k", of.SLOPE)]),
    Clause("k", "With diminishing returns.", [("less", 0, over_values, "k", of.BEND)]),
    Clause(
        "case-study",
        "Steps with any such behaviour earn less than others (of these checkpoints).",
        [("less", 0, objective, what, "process reward", "", True) for what in of.LABELLED.values()],
        rule=TESTED,
    ),
    Clause(
        "case-study",
        "Such steps are more frequent among low rewards than high ones (of these checkpoints).",
        [("greater", 0, objective, of.QUARTERS, "points", "", True)],
    ),
]
