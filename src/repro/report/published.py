"""The figures that the paper and other publications state, read from config/paper_results.csv.

One row a figure (accuracy: avg@16 for AIME, avg@4 for the others). `detail` tells rows apart that
agree in everything before it. What is empty is not stated. `kind` is `published`, or `band_low` and
`band_high`: the ends of what other publications report for an untrained backbone.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from repro.records.experiment import RunFolder

CELL = ["backbone", "method", "benchmark"]  # of the main table
KEYS = [*CELL, "metric", "detail"]
COLUMNS = [*KEYS, "value", "unit", "kind", "source"]
# The paper's backbones: names that runs may have -> names in the file. Numbers of a backbone that
# is not here, such as a tiny one, are never shown beside the paper's.
_CALLED = ("DeepSeek-R1-Distill-Qwen-1.5B", "Qwen3-1.7B", "Qwen3-8B", "Hunyuan-1.8B-Instruct")
BACKBONES = {"R1-Distill-Qwen-1.5B": _CALLED[0]} | {name: name for name in _CALLED}


def load(path: str | Path) -> pd.DataFrame:
    """Return all figures, in the order of the file: `COLUMNS`, texts but for ``value``.

    ValueError, with the file's name, where it is no such table, or a figure is there twice.
    """
    types = dict.fromkeys(COLUMNS, str) | {"value": float}
    try:
        frame = pd.read_csv(path, dtype=types, keep_default_na=False)
    except ValueError as error:  # also where it is not text, or not a table
        raise ValueError(f"{path}: {error}") from None
    if list(frame.columns) != COLUMNS:
        raise ValueError(f"{path}: columns {list(frame.columns)}; allowed: {', '.join(COLUMNS)}")
    for figure in frame.loc[frame.duplicated([*KEYS, "kind"]), KEYS].values.tolist():
        raise ValueError(f"{path}: the same figure is there twice: {figure}")
    return frame


def main_table(figures: pd.DataFrame) -> pd.Series:
    """Return the accuracies of the paper's main table, in percent and by `CELL`, from `load`."""
    # A row with a detail is about another thing, such as an ablation.
    is_main = (figures["kind"] == "published") & (figures["detail"] == "")
    return figures[is_main & (figures["metric"] == "accuracy")].set_index(CELL)["value"]


def stated_accuracy(
    path: str | Path, runs: Sequence[RunFolder]
) -> dict[tuple[str, str, str], float]:
    """Return what ``path`` states of the runs: (backbone, method, benchmark) -> percent.

    Only for backbones of `BACKBONES`, called as the runs call them; and never for one whose
    settings.json says that it was built here, whatever it is called. Errors are those of `load`.
    """
    # Without settings.json, as of scores from elsewhere, nothing but the name tells.
    tiny = {
        run.backbone
        for run in runs
        if run.read_json("settings").get("backbone_settings", {}).get("source") == "tinyworld"
    }
    return {
        (backbone, *of): value
        for (called, *of), value in main_table(load(path)).items()
        for backbone in {run.backbone for run in runs} - tiny
        if called == BACKBONES.get(backbone)
    }
