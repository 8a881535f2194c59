"""docs/metrics.md names every metric that is logged."""

from repro.measure.intervals import summary
from repro.tracking import sync
from repro.training.callbacks import ROLLOUT_COLUMNS, UPDATE_COLUMNS
from tests.paths import ROOT
from tests.run_folder import SETTINGS

LISTS = ("correct", "tokens", "truncated", "backtracking", "verification", "hesitation")


def test_every_metric_statistic_tag_and_mean_is_explained():
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    statistics = summary([dict.fromkeys(LISTS, [1, 0])] * 2)
    assert "pass_at_2" in statistics
    suffixes = {f"backtracking_per_1k{end}": f"...{end}" for end in ("_correct", "_wrong")}
    names = [*ROLLOUT_COLUMNS, *UPDATE_COLUMNS, "step_seconds"]
    names += [suffixes.get(name, name) for name in statistics]
    names += sync.list_tags(SETTINGS)
    names += [f"eval/mean/{key}" for key in sync.MEANS]
    assert [name for name in names if f"`{name}`" not in page] == []
