"""What holds for all four estimators: padding, packing, several processes; and wrong input."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from tests.algorithms.cases import VARIANTS, assert_close, batch_of, random_case, tensor, term_of

from repro.algorithms import ADVANTAGES
from repro.algorithms.batch import Batch, ProcessTerm

NAN = float("nan")
ALGORITHMS = pytest.mark.parametrize("algorithm", ADVANTAGES)
TERMS = pytest.mark.parametrize("variant", ["", *VARIANTS])


def estimate(algorithm, batch, term):
    return ADVANTAGES[algorithm](batch, term or None)


@ALGORITHMS
@TERMS
@pytest.mark.parametrize("junk", [9.0, NAN])
def test_padding_columns_of_junk_change_nothing(algorithm, variant, junk):
    case = random_case(0, gamma=0.9, lam=0.8)
    batch = batch_of(case)
    term = variant and term_of(case, variant)
    rows = len(batch.mask)
    wider = replace(
        batch,
        mask=torch.cat([batch.mask, torch.zeros(rows, 3)], dim=1),
        values=torch.cat([batch.values, tensor([[junk] * 3] * rows)], dim=1),
    )
    wider = replace(wider, values=wider.values.masked_fill(wider.mask == 0, junk))
    wider_term = variant and replace(
        term,
        rewards=torch.cat([term.rewards, tensor([[junk]] * rows)], dim=1),
        mask=torch.cat([term.mask, torch.zeros(rows, 1, dtype=torch.bool)], dim=1),
        positions=torch.cat([term.positions, torch.full((rows, 1), 99)], dim=1),
    )
    found, expected = estimate(algorithm, wider, wider_term), estimate(algorithm, batch, term)
    assert_close(found.advantages[:, :9], expected.advantages, 1e-12)
    assert (found.advantages[:, 9:] == 0).all()
    assert (found.advantages[wider.mask == 0] == 0).all()
    if expected.returns is not None:
        assert_close(found.returns[:, :9], expected.returns, 1e-12)
        assert (found.returns[wider.mask == 0] == 0).all()


class Processes:
    """Threads that add tensors up as processes would."""

    def __init__(self, count):
        self.barrier, self.parts = threading.Barrier(count, timeout=20), {}

    def sum(self, tensor):
        self.parts[threading.get_ident()] = tensor.clone()
        self.barrier.wait()
        total = sum(self.parts.values())
        self.barrier.wait()
        return total

    def run(self, functions):
        with ThreadPoolExecutor(len(functions)) as threads:
            return list(threads.map(lambda function: function(), functions))


@ALGORITHMS
@TERMS
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("ends", [[4, 8], [3, 8], [1, 2, 8]])  # groups are whole, or divided
def test_several_processes_find_what_one_does(algorithm, variant, seed, ends):
    case = random_case(seed, gamma=0.95, lam=0.9)
    batch, term = batch_of(case), variant and term_of(case, variant)
    expected = estimate(algorithm, batch, term)
    processes, functions, slices = Processes(len(ends)), [], []
    for first, end in zip([0, *ends], ends, strict=False):
        rows = slice(first, end)
        tokens = int(batch.mask[rows].sum(1).max())  # each pads to its own longest response
        mine = replace(
            batch,
            rows=rows,
            mask=batch.mask[rows, :tokens],
            values=batch.values[rows, :tokens],
            sum_over_processes=processes.sum,
        )
        my_term = variant and replace(term, positions=term.positions[rows])
        slices.append((rows, tokens))
        functions.append(lambda mine=mine, my_term=my_term: estimate(algorithm, mine, my_term))
    assert len({tokens for _, tokens in slices}) > 1, "different T"
    for found, (rows, tokens) in zip(processes.run(functions), slices, strict=True):
        assert_close(found.advantages, expected.advantages[rows, :tokens], 1e-12)
        if expected.returns is not None:
            assert_close(found.returns, expected.returns[rows, :tokens], 1e-12)


GOOD = {"rewards": torch.ones(4), "mask": torch.ones(4, 3), "num_generations": 2}
TERM = {
    "rewards": torch.ones(4, 2),
    "mask": torch.ones(4, 2),
    "positions": torch.tensor([[0, 1]] * 4),
    "alpha": 0.1,
}


@pytest.mark.parametrize(
    ("argument", "changes"),
    [
        ("rewards", {"rewards": tensor([1, NAN, 0, 0])}),
        ("rewards", {"rewards": tensor([1, float("inf"), 0, 0])}),
        ("values", {"values": torch.full((4, 3), NAN)}),
    ],
)
def test_a_batch_that_is_not_finite(argument, changes):
    with pytest.raises(ValueError, match=f"^{argument}: "):
        Batch(**{**GOOD, **changes})


@pytest.mark.parametrize(
    ("argument", "changes"),
    [
        ("rewards, mask", {"rewards": torch.ones(4)}),
        ("rewards, mask", {"mask": torch.ones(4, 3)}),
        ("rewards", {"rewards": torch.full((4, 2), NAN)}),
    ],
)
def test_a_process_term_that_does_not_fit(argument, changes):
    with pytest.raises(ValueError, match=f"^{argument}"):
        ProcessTerm(**{**TERM, **changes})
