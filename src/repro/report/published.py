"""The figures that the paper and other publications state, read from config/paper_results.csv.

One row a figure. `detail` tells rows apart that agree in everything before it. An empty backbone,
method or benchmark is not stated. `kind` is `published`, or `band_low` and `band_high`: the two
ends of what other publications report for an untrained backbone, equal where there is one report.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from repro import methods
from repro.files import jsonl
from repro.records.experiment import RunFolder
from repro.report import names

KEYS = ("backbone", "method", "benchmark", "metric", "detail")
COLUMNS = (*KEYS, "value", "unit", "kind", "source")
BANDS = ("band_low", "band_high")
KINDS = ("published", *BANDS)
# metric -> its unit, lowest and highest value
METRICS = {
    "accuracy": ("percent", 0.0, 100.0),
    "tokens_percent": ("percent", -100.0, np.inf),
    "process_reward": ("reward", -1.0, 1.0),
}
PAPER = "arXiv 2512.01925"
# The paper's backbones: names that runs may have -> names in the file. Numbers of a backbone that
# is not here, such as a tiny one, are never shown beside the paper's.
BACKBONES = {
    "DeepSeek-R1-Distill-Qwen-1.5B": "DeepSeek-R1-Distill-Qwen-1.5B",
    "R1-Distill-Qwen-1.5B": "DeepSeek-R1-Distill-Qwen-1.5B",
    "Qwen3-1.7B": "Qwen3-1.7B",
    "Qwen3-8B": "Qwen3-8B",
    "Hunyuan-1.8B-Instruct": "Hunyuan-1.8B-Instruct",
}


def load(path: str | Path) -> pd.DataFrame:
    """Return all figures, in the order of the file.

    Returns:
        Columns `COLUMNS`; `value` is a float in the row's unit (accuracy: avg@16 for AIME, avg@4
        for the others), the rest are texts, empty where nothing is stated.

    Raises:
        ValueError: the file is missing or a row is wrong; the message names file, line, column,
            value and what is allowed.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a CSV file ({error})") from None
    if tuple(frame.columns) != COLUMNS:
        raise ValueError(f"{path}: columns {list(frame.columns)}; allowed: {', '.join(COLUMNS)}")
    values = []
    for line, row in enumerate(frame.to_dict("records"), start=2):
        try:
            values.append(_checked_value(row))
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from None
    frame["value"] = values
    twice = frame.duplicated([*KEYS, "kind"])
    if twice.any():
        line = int(np.flatnonzero(twice)[0]) + 2
        raise ValueError(f"{path}, line {line}: the same figure is there twice")
    ends = frame[frame["kind"].isin(BANDS)]
    bands = ends.pivot(index=list(KEYS), columns="kind", values="value").reindex(columns=BANDS)
    for band, (low, high) in bands.iterrows():
        if not low <= high:
            raise ValueError(
                f"{path}: band {' '.join(filter(None, band))}: {low} to {high}; allowed: both "
                "ends, the lower one first"
            )
    return frame


def stated_accuracy(
    path: str | Path, runs: Sequence[RunFolder]
) -> dict[tuple[str, str, str], float]:
    """Return what the paper states: (backbone, method, benchmark) -> accuracy in percent.

    Only for backbones of `BACKBONES`, called as the runs call them; and never for one whose
    settings.json says that it was built here, whatever it is called.

    Args:
        path: config/paper_results.csv.
        runs: the folders of the runs.

    Raises:
        ValueError: the file is missing or wrong.
    """
    figures = load(path)
    # A row with a detail is about another thing, such as an ablation.
    main = (figures["kind"] == "published") & (figures["detail"] == "")
    figures = figures[main & (figures["metric"] == "accuracy")]
    tiny = {run.backbone for run in runs if _is_tiny(run)}
    stated = {}
    for backbone in {run.backbone for run in runs} - tiny:
        for row in figures[figures["backbone"] == BACKBONES.get(backbone)].to_dict("records"):
            stated[backbone, row["method"], row["benchmark"]] = row["value"]
    return stated


def _is_tiny(run: RunFolder) -> bool:
    path = run.path / "settings.json"
    if not path.is_file():  # scores from elsewhere: nothing but the name tells
        return False
    source = (jsonl.read_json(path).get("backbone_settings") or {}).get("source")
    return source == "tinyworld"


def _checked_value(row: dict[str, str]) -> float:
    """Return the row's number; a column that is wrong is named."""
    _one_of("metric", row["metric"], METRICS)
    _one_of("kind", row["kind"], KINDS)
    _one_of("benchmark", row["benchmark"], ("", *names.BENCHMARKS))
    if row["method"]:
        methods.parse(row["method"])
    if row["kind"] in BANDS and row["method"] != methods.ORIGINAL:
        raise ValueError(f"method = {row['method']!r}; allowed in a band: {methods.ORIGINAL}")
    unit, low, high = METRICS[row["metric"]]
    _one_of("unit", row["unit"], (unit,))
    if PAPER not in row["source"]:
        raise ValueError(f"source = {row['source']!r}; allowed: a text that names {PAPER}")
    try:
        value = float(row["value"])
    except ValueError:
        value = np.nan
    if not (low <= value <= high and np.isfinite(value)):
        raise ValueError(f"value = {row['value']!r}; allowed: a number from {low:g} to {high:g}")
    return value


def _one_of(column: str, value: str, allowed) -> None:
    if value not in allowed:
        choices = ", ".join(name or "(empty)" for name in allowed)
        raise ValueError(f"{column} = {value!r}; allowed: {choices}")
