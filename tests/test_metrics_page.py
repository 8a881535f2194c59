"""docs/metrics.md names every metric that is logged."""

from pathlib import Path

from repro.measure.intervals import summary
from repro.tracking import payload
from repro.training.callbacks import ROLLOUT_COLUMNS, UPDATE_COLUMNS

PAGE = (Path(__file__).parents[1] / "docs/metrics.md").read_text(encoding="utf-8")
LISTS = ("correct", "tokens", "truncated", "backtracking", "verification", "hesitation")


def test_every_training_metric_is_explained():
    for name in (*ROLLOUT_COLUMNS, *UPDATE_COLUMNS, "step_seconds"):
        assert f"`{name}`" in PAGE, name


def test_every_statistic_of_a_score_file_is_explained():
    names = summary([dict.fromkeys(LISTS, [1, 0])] * 2)
    assert "pass_at_2" in names
    for name in names:
        stem = name.removeprefix("backtracking_per_1k")
        assert f"`{name}`" in PAGE or f"`...{stem}`" in PAGE, name


def test_every_tag_and_mean_is_explained():
    run = {"backbone": "b", "method": "grpo", "algorithm": "grpo", "seed": 0}
    for tag in payload.list_tags(run):
        assert f"`{tag}`" in PAGE, tag
    for key in payload.MEANS:
        assert f"`eval/mean/{key}`" in PAGE, key
