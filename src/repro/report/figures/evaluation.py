"""Evaluation at a glance: each algorithm beside itself with RePro, and one setting at a time."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from repro import methods
from repro.report import names
from repro.report.figures import style

# An algorithm and itself with RePro share a column of the legend, if what has no pair comes last.
_LEGEND = {"columns": 5, "last": "Original", "handlelength": 1, "columnspacing": 1.2}
_ABLATED = {
    "accuracy": "Difference in accuracy (points)",
    "tokens_percent": "Difference in reasoning tokens (%)",
}


def tokens_per_benchmark(
    summary: pd.DataFrame, benchmarks: Sequence[str], note: str = ""
) -> Figure:
    """Mean reasoning tokens on each of ``benchmarks``, from `compare.summarise`."""
    groups = {name: title for name, title in names.BENCHMARKS.items() if name in benchmarks}
    tokens = summary[(summary["metric"] == "tokens") & summary["benchmark"].isin(groups)]
    places = style.places(summary["method"])
    looks = {"shift": 0.35 / (len(places) + 1), "linestyle": "none"}
    backbones = summary["backbone"].unique()
    figure, panels = style.panels(backbones, {"all": ""}, "", "Reasoning tokens")
    for (backbone, _), axis in panels.items():
        rows = tokens[tokens["backbone"] == backbone].set_index(["method", "benchmark"])
        for method, of in rows.groupby("method", sort=False):
            of = of.droplevel("method").reindex(groups)
            x = np.arange(len(groups)) + places[method]
            style.draw_means(axis, x, of, method, **looks)
        present = rows["mean"].dropna().index.get_level_values("benchmark")
        for number, group in enumerate(groups):
            if group not in present:
                style.gap(axis, "not scored", number)
        axis.set_xlim(-0.5, len(groups) - 0.5)
        axis.set_xticks(range(len(groups)), groups.values())
        axis.tick_params(axis="x", length=0)
        axis.grid(False, axis="x")
        for edge in range(1, len(groups)):
            axis.axvline(edge - 0.5, color="#B0B0B0", linewidth=0.6, zorder=0)
    said = style.explain_bars(tokens["seeds"]), note
    return style.finish(figure, panels.values(), *said, **_LEGEND)


def ablation(
    key: str, effects: pd.DataFrame, values: Mapping[str, float], note: str = ""
) -> Figure:
    """What RePro changes at each value of one of its settings: in-domain accuracy and tokens.

    ``effects`` is the frame of `compare.effects`, ``values`` the setting ``key`` of every method
    with RePro in the figure, all of one algorithm; infinite: a k of all segments. ValueError where
    no in-domain benchmark is scored.
    """
    plain = methods.plain_algorithm(next(iter(values)))
    chosen = (effects["benchmark"] == "in-domain") & (effects["baseline"] == plain)
    effects = effects[chosen].rename(columns={"difference": "mean"})
    if effects["mean"].isna().all():
        raise ValueError(f"ablation of {key}: no in-domain benchmark in the scores, or no {plain}")
    default, name = plain + methods.REPRO, methods.label(plain)
    tried = sorted(values, key=values.get)  # they are equally far apart in the figure
    texts = [methods.as_text(values[method]) for method in tried]
    labels = [text + "\n(default)" * (of == default) for text, of in zip(texts, tried, strict=True)]
    backbones, label = effects["backbone"].unique(), f"RePro's {methods.ABLATED[key]}"
    figure, panels = style.panels(backbones, _ABLATED, label, "")
    for (backbone, metric), axis in panels.items():
        rows = effects[(effects["backbone"] == backbone) & (effects["metric"] == metric)]
        rows = rows.set_index("method").reindex(tried)
        axis.axhline(0, color=style.PLAIN, linestyle="--", label=f"{name} alone")
        style.draw_means(axis, np.arange(len(tried)), rows, default, shift=0.08, capsize=3)
        axis.set_xlim(-0.5, len(tried) - 0.5)
        axis.set_xticks(range(len(tried)), labels)
    what = f"Differences to {name} alone on the in-domain benchmarks, paired by problem and seed."
    return style.finish(figure, panels.values(), what, style.explain_bars(effects["seeds"]), note)
