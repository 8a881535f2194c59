"""The scores and the four estimators once more, with plain Python numbers, number by number.

Nothing of the code under test is used: a case is a dictionary of lists as in the conformance file.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise, product

ALGORITHMS = ("ppo", "reinforce_pp", "reinforce_pp_baseline", "grpo")
Matrix = list[list[float]]


def advantages(case: dict, algorithm: str, variant: str = "") -> tuple[Matrix, Matrix | None]:
    """Total advantages, and returns for PPO; the outcome alone where there is no variant."""
    mask, gamma, size = case["response_mask"], case["gamma"], case["num_generations"]
    tokens = list(_places(mask))
    rewards = [math.fsum(row) for row in case["outcome_reward"]]
    groups = [range(first, first + size) for first in range(0, len(mask), size)]
    zeros = [[0.0] * len(row) for row in mask]

    outcome = [row[:] for row in zeros]
    if algorithm == "ppo":
        outcome = _gae(case["outcome_reward"], case)
    elif algorithm == "reinforce_pp":
        outcome = _to_go(case["outcome_reward"], gamma)
    else:
        for group in groups:
            mean = math.fsum(rewards[i] for i in group) / size if size > 1 else 0.0
            squares = math.fsum((rewards[i] - mean) ** 2 for i in group)
            std = math.sqrt(squares / (size - 1)) if size > 1 else 1.0
            scale = std + 1e-6 if algorithm == "grpo" else 1.0
            for i in group:
                outcome[i] = [(rewards[i] - mean) / scale] * len(mask[i])
    returns = None
    if algorithm == "ppo":
        returns = _add(outcome, case["values"])
    if algorithm != "grpo":
        outcome = _whiten(outcome, tokens, 1e-8)
    if not variant:
        return _masked(outcome, mask), returns and _masked(returns, mask)

    process, points = case["process_reward"], list(_places(case["process_mask"]))
    if algorithm == "reinforce_pp":
        normalized = _whiten(process, points, 1e-8 if variant == "reference" else 0.0)
    else:
        normalized = [row[:] for row in zeros]
        scaled = variant == "paper" or algorithm != "reinforce_pp_baseline"
        for group in groups:
            inside = [(i, t) for i, t in points if i in group]
            values = _z([process[i][t] for i, t in inside], scaled)
            for (i, t), value in zip(inside, values, strict=True):
                normalized[i][t] = value
    if (algorithm, variant) == ("ppo", "reference"):
        later = _whiten(_gae(normalized, case), tokens, 1e-8)
        total = _add(outcome, later, case["alpha"])
        returns = _add(case["values"], total)
    else:
        total = _add(outcome, _to_go(normalized, gamma), case["alpha"])
    return _masked(total, mask), returns and _masked(returns, mask)


def expected_advantages(case: dict) -> dict[str, Matrix]:
    """Everything that a case of the conformance file can expect."""
    expected = {"ppo_returns": advantages(case, "ppo")[1]}
    for algorithm in ALGORITHMS:
        expected[algorithm] = advantages(case, algorithm)[0]
        for variant in ("paper", "reference"):
            expected[f"{algorithm}_repro_{variant}"] = advantages(case, algorithm, variant)[0]
    return expected


def expected_scores(j: list[float], w: float, emas: Iterable[float]) -> dict:
    """The scores of the objectives of one response, in the form of the conformance file."""

    def magnitude(value: float) -> float:
        if value == 0:
            return 1.0
        return 1 - math.tanh(value / j[0]) if j[0] else 0.0

    def tau(values: list[float]) -> float:
        m = len(values)
        pairs = [
            _sign(values[a] - values[b]) * _sign(a - b) for a, b in product(range(m), repeat=2)
        ]
        return sum(pairs) / (m * (m - 1))

    def stability(values: list[float]) -> list[float]:
        return [tau(values[: end + 1]) / 2 + 0.5 for end in range(1, len(values))]

    averages = {}
    for weight in emas:
        average = [j[0]]
        for value in j[1:]:
            average.append(weight * value + (1 - weight) * average[-1])
        averages[str(weight)] = stability(average)
    magnitudes = [magnitude(value) for value in j]
    score = [(1 - w) * a + w * b for a, b in zip(magnitudes, [0.5, *stability(j)], strict=True)]
    gains = [after - before for before, after in pairwise(score)]
    return {
        "J": j,
        "w": w,
        "magnitude": magnitudes[1:],
        "stability": stability(j),
        "stability_of_ema": averages,
        "score": score[1:],
        "process_reward": {"empty_prefix": gains, "zero": [*score[1:2], *gains[1:]]},
    }


def _places(mask: Matrix) -> Iterator[tuple[int, int]]:
    return ((i, t) for i, row in enumerate(mask) for t, valid in enumerate(row) if valid)


def _masked(values: Matrix, mask: Matrix) -> Matrix:
    return [
        [v if m else 0.0 for v, m in zip(*rows, strict=True)]
        for rows in zip(values, mask, strict=True)
    ]


def _add(a: Matrix, b: Matrix, factor: float = 1.0) -> Matrix:
    return [[x + factor * y for x, y in zip(*rows, strict=True)] for rows in zip(a, b, strict=True)]


def _to_go(rewards: Matrix, gamma: float) -> Matrix:
    """Sum over s >= t of gamma^(s - t) r_s."""
    return [
        [math.fsum(gamma ** (s - t) * row[s] for s in range(t, len(row))) for t in range(len(row))]
        for row in rewards
    ]


def _gae(rewards: Matrix, case: dict) -> Matrix:
    """Sum over s >= t of (gamma lambda)^(s - t) (r_s + gamma V_{s+1} - V_s)."""
    gamma, deltas = case["gamma"], []
    for reward, value, mask in zip(rewards, case["values"], case["response_mask"], strict=True):
        length = sum(mask)
        after = [value[t + 1] if t + 1 < length else 0.0 for t in range(len(value))]
        delta = [r + gamma * n - v for r, n, v in zip(reward, after, value, strict=True)]
        deltas.append([d if t < length else 0.0 for t, d in enumerate(delta)])
    return _to_go(deltas, gamma * case["lam"])


def _whiten(values: Matrix, places: list[tuple[int, int]], count_eps: float) -> Matrix:
    pool = [values[i][t] for i, t in places]
    count, found = len(pool), [[0.0] * len(row) for row in values]
    if not pool:
        return found
    mean = math.fsum(pool) / (count + count_eps)
    variance = math.fsum((x - mean) ** 2 for x in pool) / (count + count_eps)
    variance *= count / max(count - 1, 1)
    for i, t in places:
        found[i][t] = (values[i][t] - mean) / math.sqrt(variance + 1e-8)
    return found


def _z(pool: list[float], scaled: bool) -> list[float]:
    if not pool:
        return []
    mean = math.fsum(pool) / len(pool)
    if not scaled or len(pool) == 1:
        return [x - mean for x in pool]
    std = math.sqrt(math.fsum((x - mean) ** 2 for x in pool) / (len(pool) - 1))
    return [(x - mean) / (std + 1e-6) for x in pool]


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
