"""The whole estimate: sanity, changed assumptions, wrong input, the table."""

import pandas as pd
import pytest
from tests.cost.conftest import changed
from tests.paths import ROOT

from repro.config import settings
from repro.config.models import Benchmark, Experiment
from repro.cost import estimate, jobs


def line(found: estimate.Estimate, *path: str) -> pd.Series:
    return found.lines.loc["/".join(path)]


def test_the_embedded_default_costs_what_it_was_measured_to_cost():
    # A GRPO step took 0.95 s, the responses of a run 14 s.
    found = estimate.estimate(settings.read(ROOT / "config/config.yaml"))
    assert not found.notes
    assert "total" in estimate.write_text(found)
    assert 14 / 1.5 < line(found, "generate").job_seconds < 14 * 1.5
    step = (line(found, "train", "tiny-qwen3", "grpo").job_seconds - 12) / 24
    assert 0.95 / 1.5 < step < 0.95 * 1.5


def test_lines_add_up(paper):
    found = estimate.estimate(paper)
    trained, generated = line(found, "train"), line(found, "generate")
    for field in ("device_hours", "jobs"):
        total = getattr(trained, field) + getattr(generated, field)
        assert getattr(line(found), field) == pytest.approx(total)
    methods = found.lines[found.lines.index.str.count("/") == 2]
    assert methods.disk_bytes.sum() == pytest.approx(line(found).disk_bytes)
    n = 1_720_574_976  # weights, and two checkpoints, with PPO also of the critic
    for method, size in {"grpo": 4 + 2 * 12, "ppo+repro": 4 + 2 * 24}.items():
        assert line(found, "train", "Qwen3-1.7B", method).disk_bytes == size * n
    assert trained.jobs == methods.jobs.sum() == 4 * 8 + 7  # ablations
    assert generated.jobs == line(found, "generate", "Qwen3-8B").jobs + 34 == 43
    longest = methods.job_seconds.max()
    assert trained.job_seconds == line(found).job_seconds == longest


def test_more_gpus_of_a_training_shorten_it_and_not_the_rest(paper):
    one = estimate.estimate(paper, changes=["parallel_efficiency=1"])
    eight = estimate.estimate(changed(paper, gpus=8), changes=["parallel_efficiency=1"])
    # The longest response is as long as before.
    assert line(one, "train").device_hours < line(eight, "train").device_hours
    assert line(eight, "train").job_seconds < line(one, "train").job_seconds / 6
    hours = (line(found, "generate").device_hours for found in (one, eight))
    assert len({*hours}) == 1
    slower = estimate.estimate(changed(paper, gpus=8), changes=["parallel_efficiency=0.5"])
    doubled = pytest.approx(2 * line(eight, "train").device_hours, rel=1e-2)
    assert line(slower, "train").device_hours == doubled


def lacks(config: Experiment) -> list[str]:
    """What does not fit into the memory."""
    notes = [note for note in estimate.estimate(config).notes if note.startswith("OUT OF MEMORY: ")]
    return [note.removeprefix("OUT OF MEMORY: ") for note in notes]


def test_the_paper_fits_on_eight_gpus_and_but_for_its_largest_backbone_on_one(
    paper, paper_on_eight
):
    assert lacks(paper_on_eight) == []
    trained = line(estimate.estimate(paper_on_eight), "train").jobs
    assert trained == 3 * 8 + 3 * 2 + 7  # three seeds, three more backbones, ablations
    plain = changed(paper_on_eight, training={"parallel": {"strategy": "ddp"}})
    for config, kinds in ((paper, 2), (plain, 1)):  # with a critic and without
        large = [note for note in lacks(config) if note.startswith("train Qwen3-8B")]
        assert len(large) == kinds
        assert all("strategy = fsdp" in note for note in large)
    assert len(lacks(paper)) == 2


@pytest.mark.parametrize(
    ("key", "value", "words", "also_without_critic"),
    [
        ("micro_batch_size", 8, "takes 130 GB of a GPU, 76 GB are there", True),
        ("micro_batch_size", 2, "takes 80 GB of", False),
        ("gradient_checkpointing", False, "GB are there", True),
        ("rollouts", {"sleep": False}, "takes 95 GB", False),
        ("rollouts", {"gpu_memory": 0.4}, "takes 83 GB", False),
        ("rollouts", {"gpu_memory": 0.1}, "room for the cache of 0 responses, not for 1", True),
        ("rollouts", {"engine": "transformers"}, "responses, not for 2,048", True),
    ],
)
def test_what_does_not_fit_on_the_gpu_is_said(paper, key, value, words, also_without_critic):
    found = lacks(changed(paper, training={key: value}))
    with_critic = "train Qwen3-1.7B with critic: "
    assert any(note.startswith(with_critic) and words in note for note in found)
    assert any(note.startswith("train Qwen3-1.7B: ") for note in found) == also_without_critic


def test_a_change_reaches_one_kind_of_backbone(paper):
    stated = jobs.read_assumptions(paper, "H200", [])
    plain = jobs.read_sampler(paper, "Qwen3-8B", "generate", stated)
    for change in ("generate_share.hub=0.25", "generate_share=0.25"):
        assume = jobs.read_assumptions(paper, "H200", [change])
        sampled = jobs.read_sampler(paper, "Qwen3-8B", "generate", assume).sampled
        assert sampled == plain.sampled / 2 == 0.25 * paper.evaluation.max_new_tokens
    said = " ".join(estimate.write_text(estimate.estimate(paper, changes=[change])).split())
    assert "generate_share.hub = 0.25: set by you, 0.5 is stated; mean response" in said


@pytest.mark.parametrize(
    ("config", "hardware", "change", "words"),
    [
        ("paper", None, "eficiency=1", "no such assumption; did you mean 'efficiency'"),
        ("paper", None, "efficiency=much", "--set efficiency=much: expected NAME=VALUE"),
        ("paper", None, "efficiency=0", "above 0"),
        ("paper", None, "efficiency=nan", "above 0"),
        ("paper", "h100", "flops=1", "--hardware h100 .* gpus = 1; .*allowed: A100-80G"),
        ("smoke", "H200", "flops=1", "--hardware H200 does not .* gpus = 0; allowed: cpu-core"),
    ],
)
def test_wrong_assumptions_are_refused(request, config, hardware, change, words):
    with pytest.raises(ValueError, match=words):
        estimate.estimate(request.getfixturevalue(config), hardware, [change])


def test_problems_are_counted(paper, smoke, tmp_path):
    own = {"data_source": "directory", "data_dir": str(tmp_path)}
    for name, wanted in (("aime24", 2), ("math500", None)):
        (tmp_path / f"{name}.jsonl").write_text('{"a": 1}\n' * 3 + "\n")
        config = changed(smoke, **own, benchmarks={name: Benchmark(problems=wanted)})
        assert jobs.count_problems(config, name, {}) == (wanted or 3)
    assert jobs.count_problems(paper, "lcb", {"lcb_problems": 279}) == 175  # the newest of v6
    paper = changed(paper, evaluation={"protocol": "compact"})
    assert jobs.count_problems(paper, "lcb", {"lcb_problems": 279}) == 279
    assert jobs.count_problems(paper, "lcb", {"lcb_problems": 9999}) == 880  # v5, its default
    paper = changed(paper, benchmarks={"lcb": changed(paper.benchmarks["lcb"], release="v1")})
    assert jobs.count_problems(paper, "lcb", {"lcb_problems": 9999}) == 400


def test_batches_hold_whole_problems(smoke):
    few, many = Benchmark(samples=3, problems=5), Benchmark(samples=16, problems=2)
    smoke = changed(smoke, evaluation={"batch_size": 7}, benchmarks={"aime24": few, "lcb": many})
    assert jobs.split_batches(smoke, "aime24", {}) == [6, 6, 3]
    assert jobs.split_batches(smoke, "lcb", {}) == [16, 16]  # a problem exceeds a batch
