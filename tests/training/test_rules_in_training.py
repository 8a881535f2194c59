"""Rules of process rewards in the trainer: by name, by settings, and functions of one's own."""

import pytest
import torch
from tests.training.test_trainer import rollout, scored_by

from repro.files import jsonl
from repro.process_reward import segments
from repro.process_reward.measured import Measured
from repro.training import supported


def progress(measured: Measured, settings) -> torch.Tensor:
    return measured.probability.diff(dim=1)


def lengths(measured: Measured, settings) -> torch.Tensor:
    return -measured.lengths


def test_a_name_settings_and_a_function_are_three_ways_to_say_the_same(build):
    given = ["vps", {"rule": "vps"}, progress, {"rule": progress}]
    trainers = [build("qwen3", process_reward=one) for one in given]
    first, *others = (rollout(trainer)["advantages"] for trainer in trainers)
    assert all(torch.equal(first, other) for other in others)
    repro = rollout(build("qwen3", process_reward={}))["advantages"]
    assert not torch.equal(first, repro)
    assert [one._name for one in trainers] == ["GRPO + VPS"] * 2 + ["GRPO + progress"] * 2
    assert all(one._paper == {} for one in trainers), "the paper is of RePro alone"


def test_a_rule_may_replace_the_outcome(build):
    seen = []

    def baseline(measured: Measured, settings) -> torch.Tensor:
        seen.append(measured)
        return measured.objective.sum(dim=1)

    trainer = build("qwen3", process_reward=baseline)
    out = rollout(trainer)
    [measured] = seen
    assert torch.equal(measured.lengths, out["completion_mask"].sum(dim=1))
    assert measured.num_generations == trainer.num_generations
    groups = measured.objective.sum(dim=1).view(-1, trainer.num_generations)
    centred = groups - groups.mean(dim=1, keepdim=True)
    expected = (centred / (groups.std(dim=1, keepdim=True) + 1e-6)).view(-1, 1)
    assert expected.abs().max() > 0.1, "the test needs outcomes that differ"
    expected = expected * out["completion_mask"]
    assert torch.allclose(out["advantages"].double(), expected, atol=1e-6)
    metrics = trainer._metrics["train"]
    assert metrics["rollout/process_reward_mean"] == [0.0]
    assert metrics["rollout/objective_baseline"][0] < 0, "J is measured for every rule"


def test_random_cuts_are_drawn_for_their_rule_alone(build, monkeypatch):
    drawn = []

    def draw(thought, like, seed):
        drawn.append((like, seed))
        return [0, thought.end]

    monkeypatch.setattr(segments, "draw_cut_points", draw)
    ours = scored_by(build("qwen3", process_reward={"k": 3}), "generation", monkeypatch)[0]
    assert not drawn
    trainer = build("qwen3", process_reward={"rule": "random_cuts", "k": 3})
    found = scored_by(trainer, "generation", monkeypatch)[0]
    assert [like for like, _ in drawn[: len(ours)]] == [
        [cut for cut in row if cut >= 0] for row in ours.tolist()
    ]
    assert found.tolist() == [[0, end] for end in ours.amax(dim=1).tolist()]


def test_a_training_goes_on_with_the_same_rule_alone(build, tmp_path):
    before = supported.settings_of(build("qwen3", process_reward=progress))
    jsonl.write(tmp_path / supported.SETTINGS, [before])
    supported.check_resume(tmp_path, build("qwen3", process_reward=progress))
    with pytest.raises(ValueError, match="process_reward.rule: 'vps'; .* with 'progress'"):
        supported.check_resume(tmp_path, build("qwen3", process_reward="vps"))
