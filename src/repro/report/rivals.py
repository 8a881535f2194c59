"""Is it RePro? Its controls and rivals on equal terms: accuracy gained against tokens saved.

A rule of process rewards is tried at some values of its knob, alpha. What it can do is the area
between its points and the plain algorithm: every gain in accuracy that it reaches together with
every saving of tokens. Seeds are paired: each point is compared with the plain run of its seed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from repro import methods
from repro.measure.intervals import interval
from repro.records.experiment import RunFolder
from repro.report import collect, compare, names, rendering, table_sheets
from repro.report.figures import style
from repro.report.rendering import say
from repro.report.table_sheets import Sheet, show_interval

# What a point has: its metric in `compare.effects`, where that is measured, and its sign.
AXES = {"gain": ("accuracy", "in-domain", 1), "saving": ("tokens_percent", "all", -1)}
MEASURES = {"area": ".0f", "less": "+.0f", "equal": ".1f"}  # of `compare_rules`, and their digits


def measure_points(effects: pd.DataFrame) -> pd.DataFrame:
    """Return what each method with a rule changes against its plain algorithm, a row a seed.

    ``effects`` are those of `compare.effects`, of methods that have the same seeds. Columns
    backbone, method, algorithm, rule, knob (what the name sets), seed (its number from 0), gain
    (points of accuracy in domain) and saving (percent of reasoning tokens, all benchmarks).
    """
    keys, axes = ["backbone", "method", "seed"], {}
    ruled = effects[effects["baseline"] != methods.ORIGINAL]
    for name, (metric, pool, sign) in AXES.items():
        rows = ruled[(ruled["metric"] == metric) & (ruled["benchmark"] == pool)]
        each = rows.assign(value=rows["by_seed"].str.split()).explode("value")
        each["seed"] = each.groupby(keys[:2]).cumcount()
        axes[name] = sign * each.set_index(keys)["value"].astype(float)
    points = pd.DataFrame(axes).reindex(axes["gain"].index).reset_index()
    parts = points["method"].str.extract(r"(?P<algorithm>\w+)\+(?P<rule>\w+)~?(?P<knob>.*)")
    return points.join(parts)


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
    """Return a row per backbone, algorithm and rule, with 95 % t intervals over seeds.

    Columns these and values (of the knob), seeds, and with NAME_low and NAME_high each: area; less,
    RePro's area less it; equal, its saving at equal accuracy. RePro has the same values of the same
    knob there or, where alpha means another thing, all of its own.
    """
    rows, keys = [], ["backbone", "algorithm"]
    for (*of_keys, rule), of in points.groupby([*keys, "rule"], sort=False):
        ours = points[(points[keys] == of_keys).all(axis=1) & (points["rule"] == "repro")]
        own = ours[~ours["knob"].str.startswith("k=")]
        of = own if rule == "repro" else of
        same = ours[ours["knob"].isin(of["knob"])]
        same = own if same["knob"].nunique() < of["knob"].nunique() else same
        theirs, equal = _by_seed(of, area), _by_seed(of, save_at_equal_accuracy)
        found = {"area": theirs, "less": _by_seed(same, area) - theirs, "equal": equal}
        row = dict(zip([*keys, "rule"], [*of_keys, rule], strict=True))
        for name, values in found.items():
            mean, _, low, high, *_ = interval([values.to_numpy()[:, None]])
            row |= {name: mean, f"{name}_low": low, f"{name}_high": high}
        rows.append(row | {"values": of["knob"].nunique(), "seeds": len(theirs)})
    return pd.DataFrame(rows)


def answer(compared: pd.DataFrame) -> str:
    """Answer the question in a sentence for each backbone and algorithm."""
    said, others = [], compared[compared["rule"] != "repro"]
    for (backbone, algorithm), of in others.groupby(["backbone", "algorithm"], sort=False):
        ahead, behind = of["less_low"] > 0, of["less_high"] < 0
        groups = {"ahead": ahead, "behind": behind, "open": ~(ahead | behind)}
        found = {
            name: list(of.loc[rows, "rule"].map(methods.RULES)) for name, rows in groups.items()
        }
        said.append(say("rivals", where=f"{backbone}, {methods.label(algorithm)}", **found))
    return " ".join(said)


def make_sheet(compared: pd.DataFrame) -> Sheet:
    """Return the table as text."""
    rows = []
    for row in compared.to_dict("records"):
        area, less, equal = (
            show_interval(row[name], row[f"{name}_low"], row[f"{name}_high"], form)
            for name, form in MEASURES.items()
        )
        less = "-" if row["rule"] == "repro" else less
        label = methods.label(f"{row['algorithm']}+{row['rule']}")
        rows.append(
            [row["backbone"], label, str(row["values"]), area, less, equal, str(row["seeds"])]
        )
    header = ["Backbone", "Method", "Values", "Area (points x %)", "RePro's less it"]
    header += ["Tokens saved at no loss (%)", "Seeds"]
    return Sheet("rivals", say("frontier"), pd.DataFrame(rows, columns=header), groups=1, texts=2)


@matplotlib.rc_context(style.STYLE)
def draw(points: pd.DataFrame, note: str = "") -> Figure:
    """Draw the frontier: a line per rule through its means, a small dot for each seed."""
    better = "better is up and to the right"
    titles = {of: f"{methods.label(of)}: {better}" for of in points["algorithm"].unique()}
    axes = "Reasoning tokens saved (%)", "Accuracy gained (points)"
    figure, panels = style.panels(points["backbone"].unique(), titles, *axes)
    looks = dict(zip(methods.RULES, zip(style.COLOURS, style.MARKERS, strict=True), strict=True))
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


def write(
    runs: Sequence[RunFolder], benchmarks: Sequence[str], output: str | Path, note: str = ""
) -> str:
    """Write table, figure and page below a folder of results; return the answer.

    Of the runs, those are taken whose seeds all methods have.
    """
    seeds: dict[tuple[str, str], set[int]] = {}
    for run in runs:
        seeds.setdefault((run.backbone, run.method), set()).add(run.seed)
    shared, output = set.intersection(*seeds.values()), Path(output)
    scores = collect.read_scores([run for run in runs if run.seed in shared], benchmarks)
    note = " ".join(filter(None, [note, scores.gaps]))
    points = measure_points(compare.effects(scores.problems, scores.grid))
    compared = compare_rules(points)
    sheet, said = make_sheet(compared), answer(compared)
    table_sheets.write(compared, sheet, output / "tables", note)
    png, _ = style.save(draw(points, note), output / "figures/rivals.png")
    shown = {"title": "Is it RePro?", "note": note, "answer": said, "sheet": sheet}
    page = rendering.render("rivals.html", figure=rendering.embed(png), **shown)
    (output / "report").mkdir(exist_ok=True)
    (output / "report/rivals.html").write_text(page, encoding="utf-8")
    return said


def _by_seed(points: pd.DataFrame, measure: Callable[[pd.DataFrame], float]) -> pd.Series:
    return pd.Series({seed: measure(of) for seed, of in points.groupby("seed")}, dtype=float)
