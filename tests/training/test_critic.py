"""PPO's critic by itself: it learns, it clips, it is no part of the policy."""

import pytest
import torch
from accelerate import Accelerator
from fixed_rollouts import weights_after
from tests.training.conftest import make_model, make_settings

from repro.training.critic import Critic, CriticSettings, explained_variance


def test_it_learns_what_can_be_known(backbones, train_file, tmp_path):
    """The same few responses again and again: their rewards follow from their texts."""
    settings = make_settings("ppo", steps=80, micro_batch_size=8, save_every=80)
    settings["training"]["critic"]["learning_rate"] = 3e-3
    settings["process_reward"] = None
    paths = (str(backbones["qwen3"]), str(train_file), str(tmp_path))
    _, log, _ = weights_after(settings, *paths, dtype=torch.float32)
    rows = [row for row in log if "explained_variance" in row]
    assert rows[0]["explained_variance"] == pytest.approx(0, abs=1e-6), "it starts as zero"
    assert rows[-1]["explained_variance"] > 0.5
    assert rows[-1]["value_loss"] < rows[0]["value_loss"]


@pytest.fixture
def critic():
    return Critic(make_model("qwen3", 40), CriticSettings(value_clip=0.5), Accelerator(cpu=True))


def test_its_loss_is_the_worse_of_the_clipped_and_the_free_one(critic):
    """Values are 0 at first: with old values of 2 the clipped value is 1.5."""
    ids = torch.tensor([[3, 4, 5, 6]])
    inputs = {
        "prompt_ids": ids[:, :2],
        "completion_ids": ids[:, 2:],
        "prompt_mask": torch.ones(1, 2, dtype=torch.long),
        "completion_mask": torch.tensor([[1, 0]]),
        "values": torch.full((1, 2), 2.0),
        "returns": torch.ones(1, 2),
    }
    sums = critic.backward(inputs, 1.0)
    assert sums["tokens"] == 1, "padding does not count"
    assert sums["value_loss"] == pytest.approx(0.5 * max((0 - 1) ** 2, (1.5 - 1) ** 2))
    assert sums["value_clip_fraction"] == 0
    inputs["returns"] = torch.full((1, 2), 0.1)
    sums = critic.backward(inputs, 1.0)
    assert sums["value_loss"] == pytest.approx(0.5 * (1.5 - 0.1) ** 2)
    assert sums["value_clip_fraction"] == 1


def test_making_it_draws_no_random_number():
    model = make_model("qwen3", 40)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    Critic(model, CriticSettings(), Accelerator(cpu=True))
    assert torch.equal(state, torch.get_rng_state())


def test_explained_variance():
    returns, values = torch.tensor([1.0, 2.0, 4.0, 1.0]), torch.tensor([1.0, 1.5, 3.0, 2.0])
    error = returns - values
    sums = {"tokens": 4.0}
    for name, value in (("error", error), ("return", returns)):
        sums |= {name: value.sum().item(), f"{name}_squared": value.square().sum().item()}
    expected = 1 - error.var(correction=0) / returns.var(correction=0)
    assert explained_variance(sums) == pytest.approx(expected.item())
    alike = {"tokens": 2.0, "error": 1.0, "error_squared": 1.0}
    assert explained_variance({**alike, "return": 2.0, "return_squared": 2.0}) == 0


def test_a_policy_with_adapters_is_refused(critic):
    policy = make_model("qwen3", 40)
    policy.get_base_model = lambda: policy
    with pytest.raises(ValueError, match="model: PPO's critic cannot be copied"):
        Critic(policy, CriticSettings(), critic.accelerator)
