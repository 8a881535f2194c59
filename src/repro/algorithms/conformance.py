"""The conformance check: scores and estimators against vectors computed elsewhere.

A file holds `advantages` and `scores`, lists of cases with exact inputs and `expected` numbers. The
vectors were made by the co-author's estimator functions and an independent float64 implementation.
"""

import functools
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from repro.algorithms import ADVANTAGES
from repro.algorithms.batch import Batch, ProcessTerm
from repro.process_reward import reward, scores

TOLERANCE = 1e-8
tensor = functools.partial(torch.tensor, dtype=torch.float64)


def largest_errors(file: str | Path) -> dict[str, tuple[float, int]]:
    """Compare everything in a file: for each quantity its largest absolute error, and the cases.

    ValueError: the file is no JSON of that form, or holds a quantity that nothing computes.
    """
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
        cases = {section: list(content.get(section, [])) for section in ("advantages", "scores")}
    except (ValueError, AttributeError, TypeError) as error:  # ValueError: no UTF-8 or no JSON
        raise ValueError(f"{file}: not a file of conformance vectors: {error}") from None
    errors = defaultdict(list)
    for section, compare in (("advantages", _advantages), ("scores", _scores)):
        for number, case in enumerate(cases[section]):
            try:
                for name, actual, expected in compare(case):
                    errors[name].append(_largest(actual, expected))
            except (ValueError, TypeError, AttributeError, LookupError, RuntimeError) as error:
                said = f"no key {error}" if isinstance(error, KeyError) else error
                raise ValueError(f"{file}: {section}[{number}]: {said}") from None
    if not errors:
        raise ValueError(f"{file}: no numbers under 'advantages' or 'scores' to compare with")
    return {name: (max(found), len(found)) for name, found in errors.items()}


def _advantages(case: dict) -> Iterator[tuple[str, Tensor, Tensor]]:
    mask, process_mask = tensor(case["response_mask"]), tensor(case["process_mask"]).bool()
    batch = Batch(
        rewards=tensor(case["outcome_reward"]).sum(dim=1),
        mask=mask,
        num_generations=case["num_generations"],
        values=tensor(case["values"]),
        gamma=case["gamma"],
        lam=case["lam"],
    )
    for name, expected in case["expected"].items():
        expected = tensor(expected)
        if expected.shape == mask.shape:  # otherwise `_largest` refuses it
            expected = batch.masked(expected)
        if name == "ppo_returns":
            yield name, ADVANTAGES["ppo"](batch).returns, expected
            continue
        algorithm, _, variant = name.partition("_repro_")
        if algorithm not in ADVANTAGES:
            raise ValueError(f"expected.{name}: no such algorithm; {', '.join(ADVANTAGES)}")
        process = variant and ProcessTerm(
            rewards=tensor(case["process_reward"]),
            mask=process_mask,
            positions=torch.arange(mask.shape[1]).expand(mask.shape),
            alpha=case["alpha"],
            variant=variant,
        )
        yield name, ADVANTAGES[algorithm](batch, process or None).advantages, expected


def _scores(case: dict) -> Iterator[tuple[str, Tensor, Tensor]]:
    objective = tensor([case["J"]])  # (1, C)
    score = scores.score(objective, case["w"])
    yield "magnitude", scores.magnitude(objective)[0, 1:], tensor(case["magnitude"])
    yield "stability", scores.stability(objective)[0, 1:], tensor(case["stability"])
    for weight, expected in case["stability_of_ema"].items():
        average = scores.moving_average(objective, float(weight))
        yield "stability_of_ema", scores.stability(average)[0, 1:], tensor(expected)
    yield "score", score[0, 1:], tensor(case["score"])
    for initial, expected in case["process_reward"].items():
        actual = reward.process_reward(score, initial)[0]
        yield f"process_reward ({initial})", actual, tensor(expected)


def _largest(actual: Tensor, expected: Tensor) -> float:
    if actual.shape != expected.shape:
        shapes = f"{tuple(expected.shape)} numbers, computed {tuple(actual.shape)}"
        raise ValueError(f"expected {shapes}")
    if not actual.numel():  # an empty thought alone: no cut point after it
        return 0.0
    error = (actual - expected).abs()
    # NaN compares false with everything: it must count as wrong, not as right.
    return float("inf") if not torch.isfinite(error).all() else error.max().item()
