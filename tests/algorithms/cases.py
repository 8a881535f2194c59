"""Random cases in the form of the conformance file, and what the estimators take."""

import random

import torch
from torch import Tensor

from repro.algorithms.batch import Batch, ProcessTerm

VARIANTS = ("paper", "reference")


def tensor(values) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def random_case(seed: int, groups=2, size=4, gamma=1.0, lam=1.0, alpha=0.3, tokens=9) -> dict:
    """Row 0 is the longest; 0 to 3 cut points a row, also on the first and the last token."""
    rng = random.Random(seed)
    case = {"num_generations": size, "alpha": alpha, "gamma": gamma, "lam": lam}
    keys = ("response_mask", "outcome_reward", "process_reward", "process_mask", "values")
    case |= {key: [] for key in keys}
    for row in range(groups * size):
        length = tokens if row == 0 else rng.randint(1, tokens - 1)
        points = rng.sample(range(length), min(length, rng.randint(0, 3)))
        case["response_mask"].append([int(t < length) for t in range(tokens)])
        outcome = rng.choice([0.0, 1.0, 0.25])
        case["outcome_reward"].append([outcome * (t == length - 1) for t in range(tokens)])
        case["process_mask"].append([int(t in points) for t in range(tokens)])
        gains = [rng.choice([0.0, rng.gauss(0, 0.3)]) if t in points else 0 for t in range(tokens)]
        case["process_reward"].append(gains)
        case["values"].append([rng.gauss(0, 1) if t < length else 0.0 for t in range(tokens)])
    return case


def batch_of(case: dict, **changes) -> Batch:
    given = {
        "rewards": tensor(case["outcome_reward"]).sum(1),
        "mask": tensor(case["response_mask"]),
        "num_generations": case["num_generations"],
        "values": tensor(case["values"]),
        "gamma": case["gamma"],
        "lam": case["lam"],
    }
    return Batch(**{**given, **changes})


def term_of(case: dict, variant: str, **changes) -> ProcessTerm:
    """The process rewards in as many columns as a response has cut points, as in training."""
    places = [[t for t, valid in enumerate(row) if valid] for row in case["process_mask"]]
    columns = max(1, max(map(len, places)))
    positions = torch.tensor([[*row, *[-2] * (columns - len(row))] for row in places])
    mask = positions >= 0
    rewards = tensor(case["process_reward"]).gather(1, positions.clamp(min=0))
    rewards = rewards.masked_fill(~mask, float("nan"))  # nobody may look there
    given = {"rewards": rewards, "mask": mask, "positions": positions, "alpha": case["alpha"]}
    return ProcessTerm(**{**given, "variant": variant, **changes})


def one_batch(*rewards: float, size: int, lengths=None, tokens=4, **settings) -> Batch:
    """A batch by its outcome rewards alone. docs/your_algorithm.md uses this one and the next."""
    lengths = lengths or [tokens] * len(rewards)
    mask = tensor([[float(t < length) for t in range(tokens)] for length in lengths])
    return Batch(tensor(rewards), mask, size, **settings)


def one_term(rows: list[list[float]], variant="paper", alpha=1.0) -> ProcessTerm:
    """Process rewards, one on each token from the first."""
    rewards = tensor(rows)
    positions = torch.arange(rewards.shape[1]).expand(rewards.shape)
    return ProcessTerm(rewards, torch.ones(rewards.shape), positions, alpha, variant)


def assert_close(actual: Tensor, expected, tolerance=1e-10) -> None:
    expected = expected if isinstance(expected, Tensor) else tensor(expected)
    assert actual.shape == expected.shape
    error = (actual - expected).abs().max().item()
    assert error <= tolerance, f"largest error {error:.3g}"
