import math

import torch

from repro.process_reward import scores


def tensor(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def test_magnitude_by_hand():
    magnitude = scores.magnitude(tensor([-2.0, -1.0, -4.0, 0.0]))
    expected = [1 - math.tanh(1), 1 - math.tanh(0.5), 1 - math.tanh(2), 1.0]
    assert torch.allclose(magnitude, tensor(expected))


def test_stability_of_climbing_falling_and_flat_objectives():
    climbing = scores.stability(tensor([-3.0, -2.0, -1.0]))
    falling = scores.stability(tensor([-1.0, -2.0, -3.0]))
    flat = scores.stability(tensor([-1.0, -1.0, -1.0]))
    assert climbing.tolist() == [[0.5, 1, 1]]
    assert falling.tolist() == [[0.5, 0, 0]]
    assert flat.tolist() == [[0.5, 0.5, 0.5]], "ties count neither way"


def test_stability_equals_kendalls_tau_a_pair_by_pair():
    torch.manual_seed(0)
    objective = -torch.randint(0, 5, (4, 7)).double()
    stability = scores.stability(objective)
    for row in range(4):
        for t in range(1, 7):
            j = objective[row, : t + 1].tolist()
            pairs = [(a, b) for a in range(t + 1) for b in range(t + 1) if a != b]
            total = sum(
                (j[a] > j[b]) - (j[a] < j[b]) if a > b else (j[a] < j[b]) - (j[a] > j[b])
                for a, b in pairs
            )
            assert stability[row, t].item() == (total / len(pairs)) / 2 + 0.5


def test_moving_average():
    average = scores.moving_average(tensor([-4.0, -2.0, 0.0]), 0.5)
    assert average.tolist() == [[-4, -3, -1.5]]
    assert torch.equal(scores.moving_average(tensor([-4.0, -2.0]), 1.0), tensor([-4.0, -2.0]))


def test_the_empty_thoughts_score_has_stability_one_half():
    score = scores.score(tensor([-2.0, -1.0]), w=0.4)
    assert math.isclose(score[0, 0].item(), 0.6 * (1 - math.tanh(1)) + 0.4 * 0.5)
    assert math.isclose(score[0, 1].item(), 0.6 * (1 - math.tanh(0.5)) + 0.4 * 1.0)


def test_padding_does_not_reach_the_valid_columns():
    short, padded = tensor([-3.0, -1.0, -2.0]), tensor([-3.0, -1.0, -2.0, 0.0, 0.0])
    for ema in (1.0, 0.3):
        assert torch.equal(scores.score(short, 0.5, ema), scores.score(padded, 0.5, ema)[:, :3])


def test_the_reference_variants_average_decides_the_stability_only():
    # New values weigh 1 %: the average still climbs where J has begun to fall.
    objective = tensor([-4.0, -1.0, -2.0])
    magnitude, weight = scores.magnitude(objective), 0.5
    found = scores.score(objective, weight, ema=0.01)
    assert torch.allclose(found, (1 - weight) * magnitude + weight * tensor([0.5, 1.0, 1.0]))
    assert torch.allclose(
        scores.score(objective, weight), (1 - weight) * magnitude + weight * tensor([0.5, 1, 2 / 3])
    )
