"""How far sampler and trainer are apart, against numbers computed by hand."""

import math

import pytest
import torch

from repro.training import sampler_mismatch

NAN = math.nan
SAMPLER = torch.tensor([[-1.0, -2.0, -1.0], [-0.5, NAN, -9.0]])  # (B, T); one was not given
RATIOS = torch.tensor([[4.0, 0.5, 1.0], [1.0, 1.0, 1.0]])  # of the trainer's to the sampler's
MASK = torch.tensor([[1, 1, 1], [1, 1, 0]])  # the last one is padding


def measured(weights):
    trainer = SAMPLER.nan_to_num() + RATIOS.log()
    found = sampler_mismatch.measure(trainer, SAMPLER, MASK, weights)
    largest = found.pop("ratio_max").item()
    return sampler_mismatch.columns({k: float(v) for k, v in found.items()}, largest)


def test_kl_and_the_largest_ratio_are_of_the_known_tokens():
    found = measured(None)
    k3 = [4 - 1 - math.log(4), 0.5 - 1 - math.log(0.5), 0, 0]
    assert found["sampler_kl"] == pytest.approx(sum(k3) / 4, rel=1e-5)
    assert found["sampler_ratio_max"] == pytest.approx(4)
    assert found["sampler_corrected"] == 0


@pytest.mark.parametrize(
    ("weights", "share"),
    [
        (RATIOS.clamp(max=3), 1 / 4),  # token, truncate
        (RATIOS.where(RATIOS <= 3, 0), 1 / 4),  # token, mask
        (torch.tensor([[1.5], [1.0]]), 3 / 4),  # sequence, truncate: the first response's is 2
        (torch.tensor([[2.0], [0.0]]), 1 / 4),  # sequence, mask
        (torch.tensor([[2.0], [1.0]]), 0),
    ],
)
def test_what_the_correction_changed_is_counted_in_tokens(weights, share):
    assert measured(weights)["sampler_corrected"] == pytest.approx(share)
