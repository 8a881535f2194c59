"""Is it RePro? Its controls and rivals on equal terms: accuracy gained against tokens saved.

A rule of process rewards is tried at several values of its knob, alpha. What it can do is the area
between its points and the plain algorithm: every gain in accuracy that it reaches together with
every saving of tokens. Seeds are paired: each point is compared with the plain run of its seed.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from repro import methods
from repro.measure.intervals import Estimate, interval, seed_means
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names, rendering, table_sheets
from repro.report.figures import style
from repro.report.rendering import say
from repro.report.table_sheets import Sheet, show_interval

AXES = {"accuracy": "in-domain", "tokens_percent": "all"}  # a metric, and where it is measured
COLUMNS = ["rule", "values", "area", "area_low", "area_high", "less", "less_low", "less_high"]
COLUMNS += ["equal", "equal_low", "equal_high", "seeds"]


def measure_points(problems: pd.DataFrame, chosen: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return what each method with a rule changes against its plain algorithm, a row a seed.

    ``problems`` are `Scores.problems`, ``chosen`` backbones and methods. Columns backbone, rule,
    method, knob (what its name says of a setting), seed, gain (points of accuracy in domain) and
    saving (percent of the reasoning tokens, over all benchmarks).
    """
    cells, rows = compare.by_cell(problems), []
    scored = {benchmark for *_, benchmark in cells}
    for backbone, method in chosen:
        parts, plain = methods.parse(method), methods.plain_algorithm(method)
        if not plain or (backbone, plain) not in chosen:
            continue
        found = {}
        for metric, pool in AXES.items():
            members = [name for name in compare.POOLS[pool] if name in scored]
            seeds, tables = compare.stack(cells, backbone, [method, plain], members)
            found[metric] = seed_means([compare.measure(metric, of) for of in tables])
        knob = method.partition("~")[2]
        keys = {"backbone": backbone, "rule": parts.rule, "method": method, "knob": knob}
        values = zip(seeds, found["accuracy"], -found["tokens_percent"], strict=True)
        rows += [keys | {"seed": s, "gain": gain, "saving": saved} for s, gain, saved in values]
    columns = ["backbone", "rule", "method", "knob", "seed", "gain", "saving"]
    return pd.DataFrame(rows, columns=columns)


def area(points: pd.DataFrame) -> float:
    """Return what one seed's points of a rule span above the plain algorithm, in points x percent.

    The union of the rectangles from (0, 0) to each point whose gain and saving are above 0.
    """
    above = points[(points["gain"] > 0) & (points["saving"] > 0)]
    ordered = above.sort_values("saving", ascending=False)
    widths = ordered["saving"] - ordered["saving"].shift(-1, fill_value=0.0)
    return float((widths * ordered["gain"].cummax()).sum())


def save_at_equal_accuracy(points: pd.DataFrame) -> float:
    """Return the largest saving of one seed's points that lose no accuracy; 0 without any."""
    return float(max([0.0, *points.loc[points["gain"] >= 0, "saving"]]))


def compare_rules(points: pd.DataFrame) -> pd.DataFrame:
    """Return a row per backbone and rule: its area, RePro's area less it, its saving at no loss.

    Each rule is compared with RePro at the same values of the same knob or, where the knobs mean
    different things, at as many. Columns backbone and `COLUMNS`, with 95 % t intervals over seeds.
    """
    rows = []
    for (backbone, rule), of in points.groupby(["backbone", "rule"], sort=False):
        ours = points[(points["backbone"] == backbone) & (points["rule"] == "repro")]
        same = ours[ours["knob"].isin(of["knob"])]
        if same["knob"].nunique() < of["knob"].nunique():
            same = ours[~ours["knob"].str.startswith("k=")]
        areas, theirs = (_by_seed(frame, area) for frame in (same, of))
        saved = _by_seed(of, save_at_equal_accuracy)
        found = [theirs, (areas - theirs).dropna(), saved]
        row = {"backbone": backbone, "rule": rule, "values": of["knob"].nunique()}
        for name, values in zip(("area", "less", "equal"), found, strict=True):
            mean, _, low, high, *_ = _interval(values)
            row |= {name: mean, f"{name}_low": low, f"{name}_high": high}
        rows.append(row | {"seeds": len(theirs)})
    return pd.DataFrame(rows, columns=["backbone", *COLUMNS])


def answer(compared: pd.DataFrame) -> str:
    """Answer the question in a sentence for each backbone."""
    said = []
    for backbone, of in compared[compared["rule"] != "repro"].groupby("backbone", sort=False):
        names_of = of["rule"].map(methods.RULES)
        lists = {
            "ahead": names_of[of["less_low"] > 0],
            "behind": names_of[of["less_high"] < 0],
            "open": names_of[~((of["less_low"] > 0) | (of["less_high"] < 0))],
        }
        said.append(say("rivals", backbone=backbone, **{k: list(v) for k, v in lists.items()}))
    return " ".join(said)


def make_sheet(compared: pd.DataFrame) -> Sheet:
    """Return the table as text."""
    rows = []
    for row in compared.to_dict("records"):
        shown = [
            show_interval(row[name], row[f"{name}_low"], row[f"{name}_high"], form)
            for name, form in (("area", ".0f"), ("less", "+.0f"), ("equal", ".1f"))
        ]
        ours = "-" if row["rule"] == "repro" else shown[1]
        cells = [methods.RULES[row["rule"]], str(row["values"]), shown[0], ours, shown[2]]
        rows.append([row["backbone"], *cells, str(row["seeds"])])
    header = ["Backbone", "Rule", "Values", "Area (points x %)", "RePro's less it"]
    header += ["Tokens saved at no loss (%)", "Seeds"]
    return Sheet("rivals", say("frontier"), pd.DataFrame(rows, columns=header), groups=1, texts=2)


@matplotlib.rc_context(style.STYLE)
def draw(points: pd.DataFrame, note: str = "") -> Figure:
    """Draw the frontier: a line per rule through its means, a small dot for each seed."""
    backbones = points["backbone"].unique()
    titles = {"": "More accurate and shorter is up and to the right"}
    figure, panels = style.panels(backbones, titles, "Reasoning tokens saved (%)", "Accuracy gained")
    looks = list(zip(style.COLOURS * 2, style.MARKERS[::-1] * 2, strict=True))
    for (backbone, _), axis in panels.items():
        axis.axhline(0, color=style.PLAIN, linewidth=0.8)
        axis.axvline(0, color=style.PLAIN, linewidth=0.8)
        shown = points[points["backbone"] == backbone]
        for (rule, of), (colour, marker) in zip(
            shown.groupby("rule", sort=False), looks, strict=False
        ):
            means = of.groupby("method", sort=False)[["saving", "gain"]].mean().sort_values("saving")
            label = methods.RULES[rule]
            look = {"color": colour, "marker": marker, "markersize": 5, "linewidth": 0.9}
            axis.plot(means["saving"], means["gain"], label=label, **look)
            axis.plot(of["saving"], of["gain"], ".", color=colour, markersize=3, alpha=0.5)
    seeds = names.count_seeds(points.groupby("method")["seed"].nunique())
    return style.finish(figure, panels.values(), say("rival_points", seeds=seeds), note)


def write(
    runs: Sequence[RunFolder], benchmarks: Sequence[str], output: str | Path, note: str = ""
) -> str:
    """Write table, figure and page below a folder of results; return the answer."""
    output, scores = Path(output), collect.read_scores(runs, benchmarks)
    points = measure_points(scores.problems, scores.grid.methods)
    compared = compare_rules(points)
    table_sheets.write(compared, make_sheet(compared), output / "tables", note)
    png, _ = style.save(draw(points, note), output / "figures/rivals.png")
    page = rendering.render(
        "rivals.html",
        title="Is it RePro?",
        note=note,
        answer=answer(compared),
        sheet=make_sheet(compared),
        figure=rendering.embed(png),
    )
    (output / "report").mkdir(exist_ok=True)
    (output / "report/rivals.html").write_text(page, encoding="utf-8")
    return answer(compared)


def _by_seed(points: pd.DataFrame, measure) -> pd.Series:
    return pd.Series({seed: measure(of) for seed, of in points.groupby("seed")}, dtype=float)


def _interval(values: pd.Series) -> Estimate:
    return interval([values.to_numpy()[:, None]]) if len(values) else compare.MISSING
