"""What the n responses to a problem, c of them correct, tell beyond their mean.

Each metric is a share of one problem; a benchmark's is the mean over its problems. Where k of the n
are drawn, without replacement, what is expected is computed exactly.

* accuracy_within_b: those that are correct and complete within b generated tokens. A longer one is
  wrong, even if its answer stood before; b is at most the length at which responses were cut off.
* unanswered: those without a final answer; truncation: those that hit the length limit.
* maj_at_k: `majority_at_k`.
* pass_at_k: that of k at least one is correct (Chen et al., arXiv 2107.03374, section 2.1).
* g_pass_T_at_k: G-Pass@k_τ (Liu et al., arXiv 2412.13147), that of k at least ⌈τk⌉ are correct:
  Σ_{j=⌈τk⌉}^k C(c, j) C(n - c, k - j) / C(n, k), for the T of `TAUS`; and there
  mg_pass_at_k: mG-Pass@k = (2/k) Σ_{i=⌈k/2⌉+1}^k G-Pass@k_{i/k}, at most 1 - 1/k for odd k.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

TAUS = (0.5, 0.75, 1.0)  # those of the publication's tables
WITHIN = "accuracy_within_"
Cutoffs = tuple[Sequence[int], ...]  # the budgets and then the k that are measured, or neither


def majority_at_k(correct: Sequence[int], answers: Sequence, k: int) -> float:
    """Return the probability that the vote of k of a problem's n responses is right.

    maj@k (Wang et al., arXiv 2203.11171): the most frequent answer wins, of equally frequent ones
    any. ``answers`` (n,) say which are equal; None has no vote. ``correct`` are (n,) verdicts.
    """
    right, n = sum(correct), len(correct)
    voted = Counter(answer for answer, hit in zip(answers, correct, strict=True) if not hit)
    wrong = [count for answer, count in voted.items() if answer is not None]
    silent, won = n - right - sum(wrong), 0.0
    for votes in range(1, min(right, k) + 1):  # for the right answer; no other may have more
        ways = Counter({(votes, 1): math.comb(right, votes)})  # by responses drawn, answers ahead
        for count in wrong:
            before, ways = ways, Counter()
            for (drawn, ahead), number in before.items():
                for more in range(min(count, votes, k - drawn) + 1):
                    ways[drawn + more, ahead + (more == votes)] += number * math.comb(count, more)
        won += sum(m * math.comb(silent, k - drawn) / ahead for (drawn, ahead), m in ways.items())
    return won / math.comb(n, k)


def measure_samples(
    score: dict, budgets: Sequence[int] = (), at_k: Sequence[int] = ()
) -> pd.DataFrame:
    """Return the metrics of a score file's problems: a row each, by doc_id; empty without any.

    ``budgets`` are in tokens; ``at_k``, or 2, 4, 8, ..., from 2 to the samples that all problems
    have. Programs have no answer to vote on, and score files from before `length` and `answer` no
    metrics of these.
    """
    problems, votes = score.get("problems", []), not score.get("sandbox")
    n = min((len(problem["correct"]) for problem in problems), default=0)
    ks = [k for k in at_k or [2**i for i in range(1, n.bit_length())] if 2 <= k <= n]
    rows = [_measure_problem(problem, sorted(budgets), ks, votes) for problem in problems]
    return pd.DataFrame(rows, index=pd.Index([of["doc_id"] for of in problems], name="doc_id"))


def _measure_problem(problem: dict, budgets: list[int], ks: list[int], votes: bool) -> dict:
    correct, found = problem["correct"], {}
    n, c = len(correct), sum(correct)
    if is_known := "answer" in problem:
        for budget in budgets:
            complete = np.less_equal(problem["length"], budget)  # (n,)
            found[f"{WITHIN}{budget}"] = np.mean(complete * correct)
        found["unanswered"] = np.mean([answer is None for answer in problem["answer"]])
    found["truncation"] = np.mean(problem["truncated"])
    for k in ks:
        if is_known and votes:
            found[f"maj_at_{k}"] = majority_at_k(correct, problem["answer"], k)
        ways = [math.comb(c, j) * math.comb(n - c, k - j) for j in range(k + 1)]  # of j correct
        at_least = [sum(ways[j:]) / math.comb(n, k) for j in range(k + 1)]
        found[f"pass_at_{k}"] = at_least[1]
        found |= {f"g_pass_{tau}_at_{k}": at_least[math.ceil(tau * k)] for tau in TAUS}
        found[f"mg_pass_at_{k}"] = 2 / k * sum(at_least[math.ceil(k / 2) + 1 :])
    return found
