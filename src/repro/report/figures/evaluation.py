"""Evaluation at a glance: each algorithm beside itself with RePro, and one setting at a time."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from repro import methods
from repro.measure.sampling_metrics import WITHIN
from repro.report import names
from repro.report.figures import style
from repro.report.rendering import say

# An algorithm and itself with RePro share a column of the legend, if what has no pair comes last.
_LEGEND = {"columns": 5, "last": "Original", "handlelength": 1, "columnspacing": 1.2}
_ABLATED = {
    "accuracy": "Difference in accuracy (points)",
    "tokens_percent": "Difference in reasoning tokens (%)",
}


def tokens_per_benchmark(summary: pd.DataFrame, *sentences: str) -> Figure:
    """Mean reasoning tokens on each benchmark, from `compare.summarise`, and sentences below."""
    tokens = summary[(summary["metric"] == "tokens") & summary["benchmark"].isin(names.BENCHMARKS)]
    titles = [names.BENCHMARKS[name] for name in tokens["benchmark"].unique()]
    chosen = tokens["method"].unique()  # each stands at the same place in all panels
    places = dict(zip(chosen, np.linspace(-0.5, 0.5, len(chosen) + 2)[1:-1], strict=True))
    looks = {"shift": 0.35 / (len(chosen) + 1), "linestyle": "none"}
    backbones = tokens["backbone"].unique()
    figure, panels = style.panels(backbones, {"all": ""}, "", "Reasoning tokens")
    for (backbone, _), axis in panels.items():
        for method, of in tokens[tokens["backbone"] == backbone].groupby("method", sort=False):
            style.draw_means(axis, np.arange(len(of)) + places[method], of, method, **looks)
        axis.set_xlim(-0.5, len(titles) - 0.5)
        axis.set_xticks(range(len(titles)), titles)
        axis.tick_params(axis="x", length=0)
        axis.grid(False, axis="x")
        for edge in range(1, len(titles)):
            axis.axvline(edge - 0.5, color="#B0B0B0", linewidth=0.6, zorder=0)
    bars = say("bars", seeds=names.count_seeds(tokens["seeds"]))
    return style.finish(figure, panels.values(), bars, *sentences, **_LEGEND)


def accuracy_within_budget(summary: pd.DataFrame, *sentences: str) -> Figure:
    """Accuracy over all benchmarks if responses were cut off, from `compare.summarise_sampling`.

    Each algorithm is beside itself with RePro and the untrained backbone. ValueError without any.
    """
    is_budget = summary["metric"].astype(str).str.startswith(WITHIN)
    shown = summary[is_budget & (summary["benchmark"] == "all")]
    if shown.empty:
        raise ValueError("accuracy_within_budget: no run has it; responses have to be scored again")
    algorithms = [methods.parse(method).algorithm for method in shown["method"]]
    titles = {name: methods.label(name) for name in algorithms if name}
    backbones = shown["backbone"].unique()
    figure, panels = style.panels(backbones, titles, "Budget (tokens)", "Accuracy (%)")
    for (backbone, algorithm), axis in panels.items():
        for method in (methods.ORIGINAL, algorithm, algorithm + methods.REPRO):
            rows = shown[(shown["backbone"] == backbone) & (shown["method"] == method)]
            if len(rows):
                budgets = rows["metric"].str.removeprefix(WITHIN).astype(int)
                style.draw_means(axis, budgets.to_numpy(), rows, method)
    said = say("within_budget", seeds=names.count_seeds(shown["seeds"]))
    return style.finish(figure, panels.values(), said, *sentences, **_LEGEND)


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
    said = say("ablation", name=name, seeds=names.count_seeds(effects["seeds"]))
    return style.finish(figure, panels.values(), said, note)


def frontier(points: pd.DataFrame, note: str = "") -> Figure:
    """Accuracy gained over tokens saved by RePro and its rivals, from `rivals.measure_points`."""
    titles = {of: methods.label(of) for of in points["algorithm"].unique()}
    axes = "Reasoning tokens saved (%)", "Accuracy gained (points)"
    figure, panels = style.panels(points["backbone"].unique(), titles, *axes)
    kinds = itertools.cycle(zip(style.COLOURS, style.MARKERS, strict=True))
    looks = dict(zip(methods.RULES, kinds, strict=False))
    for (*panel, rule), of in points.groupby(["backbone", "algorithm", "rule"], sort=False):
        axis, (colour, marker) = panels[tuple(panel)], looks[rule]
        means = of.groupby("method")[["saving", "gain"]].mean().sort_values("saving")
        is_k = means.index.str.contains("~k=")
        look = {"color": colour, "marker": marker, "linewidth": 0.9, "label": methods.RULES[rule]}
        axis.plot(means["saving"][~is_k], means["gain"][~is_k], **look)
        axis.plot(means["saving"][is_k], means["gain"][is_k], **look, ls="", mfc="white")
        axis.plot(of["saving"], of["gain"], ".", color=colour, markersize=3, alpha=0.5)
    for axis in panels.values():
        axis.axhline(0, color=style.PLAIN, linewidth=0.8)
        axis.axvline(0, color=style.PLAIN, linewidth=0.8)
    seeds = names.count_seeds(points.groupby("method")["seed"].nunique())
    return style.finish(figure, panels.values(), say("rival_points", seeds=seeds), note)
