"""What all figures share: looks, panels, legend, note, and how they are written."""

import itertools
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from repro import methods

# Okabe and Ito's palette, with grey for its yellow, which is too light for lines on white.
# The marker changes with the colour, so that nothing is told by colour alone.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#808080")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
PLAIN = "#505050"  # without RePro, where colour does not stand for the algorithm
WITHOUT, WITH = "without RePro", "with RePro"
# Algorithm -> its colour and marker. GRPO, which the paper ablates, has the first; one's own
# algorithms come after the paper's, whose looks stay.
_PAPER = ("grpo", "reinforce_pp_baseline", "reinforce_pp", "ppo")
_LOOKS = itertools.cycle(zip(COLOURS, MARKERS, strict=True))
ALGORITHMS = dict(zip(dict.fromkeys([*_PAPER, *methods.ALGORITHMS]), _LOOKS, strict=False))
_FILE = Path(__file__).with_name("print.mplstyle")
STYLE = matplotlib.rc_params_from_file(_FILE, use_default_template=False)
_WIDTH, _HEIGHT = 6.8, 9.0  # inches: the text of a one-column page, and what a caption leaves
_PANEL_HEIGHT, _SURROUNDINGS = 2.6, 0.6  # inches; legend and note surround the panels


@matplotlib.rc_context(STYLE)
def save(figure: Figure, output: str | Path) -> tuple[Path, Path]:
    """Write PNG (200 dpi) and PDF without timestamps; return both paths."""
    png, pdf = (Path(output).with_suffix(suffix) for suffix in (".png", ".pdf"))
    png.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(png, dpi=200, metadata={"Software": None})
    figure.savefig(pdf, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return png, pdf


def panels(
    backbones: Sequence[str], columns: Mapping[str, str], xlabel: str, ylabel: str
) -> tuple[Figure, dict[tuple[str, str], Axes]]:
    """Return a figure with a row a backbone, and (backbone, key of ``columns``) -> its panel.

    ``columns`` gives each column its title. ``ylabel`` is empty where they show different things;
    their axes are not shared.
    """
    height = min(_PANEL_HEIGHT * len(backbones) + _SURROUNDINGS, _HEIGHT)
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    sharey = "row" if ylabel else False
    axes = figure.subplots(len(backbones), len(columns), squeeze=False, sharex=True, sharey=sharey)
    for axis, title in zip(axes[0], columns.values(), strict=True):
        axis.set_title(title)
    for axis in axes[-1]:
        axis.set_xlabel(textwrap.fill(xlabel, 100 // len(columns)))  # else labels touch
    for axis, backbone in zip(axes[:, 0], backbones, strict=True):
        axis.set_ylabel(f"{textwrap.fill(backbone, 24)}\n{ylabel}".strip())
    figure.align_ylabels()
    return figure, dict(zip(itertools.product(backbones, columns), axes.flat, strict=True))


def gap(axis: Axes, text: str) -> None:
    """Say across a panel what is missing."""
    look = {"ha": "center", "va": "center", "color": PLAIN, "style": "italic"}
    axis.text(0.5, 0.5, text, transform=axis.transAxes, **look)


def draw_means(
    axis: Axes, x: np.ndarray, rows: pd.DataFrame, method: str, shift: float = 0.0, **looks
) -> None:
    """Draw N means of a method with their intervals, and a small, faint dot for each seed.

    ``rows`` have mean, low, high and by_seed (a text with blanks between the seeds' numbers), ``x``
    (N,) says where; the dots are ``shift`` to the right of it.
    """
    seeds = rows["by_seed"].str.split(expand=True).astype(float)  # (N, S)
    parts = methods.parse(method)
    colour, marker = ALGORITHMS.get(parts.algorithm, ("#000000", "X"))
    looks = {"linestyle": "-" if parts.repro else "--", "markersize": 4, "elinewidth": 0.9} | looks
    axis.errorbar(
        x,
        rows["mean"],
        yerr=(rows[["mean", "high"]].to_numpy() - rows[["low", "mean"]].to_numpy()).T,
        color=colour,
        marker=marker,
        markerfacecolor=colour if parts.repro or not parts.algorithm else "white",
        label=methods.label(method),
        **looks,
    )
    if seeds.shape[1] > 1:
        axis.plot(x + shift, seeds, ".", markersize=4, alpha=0.5, markeredgewidth=0, color=colour)


def finish(
    figure: Figure, axes: Iterable[Axes], *sentences: str, columns: int = 4, last: str = "", **looks
) -> Figure:
    """Set a legend of all labels, which ends with ``last``, above the panels, sentences below.

    Vertical axes have 12,000 for 12000.
    """
    found: dict[str, Artist] = {}
    for axis in axes:
        for artist, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, artist)
        low, high = axis.get_ylim()
        if high >= 1000:
            axis.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        if high - low < 1e-9:  # all values are equal but for rounding, which nobody wants to see
            axis.set_ylim(low - 1, high + 1)
    labels = sorted(found, key=lambda label: label == last)
    looks |= {"loc": "outside upper center", "ncols": min(columns, len(found)) or 1}
    figure.legend([found[label] for label in labels], labels, **looks)
    note = " ".join(text if text.endswith((".", "!")) else f"{text}." for text in sentences if text)
    note = textwrap.fill(note, 115)
    figure.supxlabel(note, fontsize=8, style="italic", parse_math=False)  # a $ is a dollar
    return figure
