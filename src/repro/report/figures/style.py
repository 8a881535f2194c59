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
INTERVALS = "95\N{NO-BREAK SPACE}% intervals over problems and, of several, seeds"
# Algorithm -> its colour and marker. GRPO, which the paper ablates, has the first; one's own
# algorithms come after the paper's, whose looks stay.
_PAPER = ("grpo", "reinforce_pp_baseline", "reinforce_pp", "ppo")
_LOOKS = itertools.cycle(zip(COLOURS, MARKERS, strict=True))
ALGORITHMS = dict(zip(dict.fromkeys([*_PAPER, *methods.ALGORITHMS]), _LOOKS, strict=False))
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E0E0E0",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.handlelength": 3,  # shows the dashes
    "pdf.fonttype": 42,
}
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
    backbones: Sequence[str],
    columns: Mapping[str, str],
    xlabel: str,
    ylabel: str,
    across: int = 2,
) -> tuple[Figure, dict[tuple[str, str], Axes]]:
    """Return a figure with a row a backbone, and (backbone, key of ``columns``) -> its panel.

    ``columns`` gives each column its title; with one, up to ``across`` backbones are side by side.
    ``ylabel`` is empty where the columns show different things; their axes are not shared.
    """
    single, keys = len(columns) == 1, list(itertools.product(backbones, columns))
    number = min(across, len(backbones)) if single else len(columns)
    rows = -(-len(keys) // number)
    height = min(_PANEL_HEIGHT * rows + _SURROUNDINGS, _HEIGHT)
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    sharey = "row" if ylabel and not single else False
    axes = figure.subplots(rows, number, squeeze=False, sharex=not single, sharey=sharey)
    for axis in axes.flat[len(keys) :]:
        axis.remove()
    found = dict(zip(keys, axes.flat, strict=False))
    for (backbone, column), axis in found.items():
        place = axis.get_subplotspec()
        if single or place.is_first_row():
            axis.set_title(backbone if single else columns[column])
        if single or place.is_last_row():
            axis.set_xlabel(textwrap.fill(xlabel, 100 // number))  # labels of neighbours touch
        if place.is_first_col():
            row = "" if single else textwrap.fill(backbone, 24)
            axis.set_ylabel(f"{row}\n{ylabel}".strip())
    figure.align_ylabels()
    return figure, found


def gap(axis: Axes, text: str, x: float | None = None) -> None:
    """Say what is missing: across a panel, or upright at ``x`` of its horizontal axis."""
    look = {"ha": "center", "va": "center", "color": PLAIN, "style": "italic"}
    if x is None:
        axis.text(0.5, 0.5, text, transform=axis.transAxes, **look)
    else:
        axis.text(x, 0.5, text, transform=axis.get_xaxis_transform(), rotation=90, **look)


def errors(rows: pd.DataFrame) -> np.ndarray:
    """Return how far the intervals of N rows reach from their means, (2, N); NaN without one."""
    return (rows[["mean", "high"]].to_numpy() - rows[["low", "mean"]].to_numpy()).T


def thousands(axis: Axes) -> None:
    """Write 12,000 for 12000 on a vertical axis of tokens."""
    if axis.get_ylim()[1] >= 1000:
        axis.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def bound_share(axis: Axes) -> None:
    """Begin a vertical axis of percent at 0 where it would begin below."""
    axis.set_ylim(bottom=max(0, axis.get_ylim()[0]))


def finish(
    figure: Figure, axes: Iterable[Axes], *sentences: str, columns: int = 4, last: str = "", **looks
) -> Figure:
    """Set a legend of all labels, which ends with ``last``, above the panels, sentences below."""
    found: dict[str, Artist] = {}
    for axis in axes:
        for artist, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, artist)
        low, high = axis.get_ylim()
        if high - low < 1e-9:  # all values are equal but for rounding, which nobody wants to see
            axis.set_ylim(low - 1, high + 1)
    labels = sorted(found, key=lambda label: label == last)
    looks |= {"loc": "outside upper center", "ncols": min(columns, len(found)) or 1}
    figure.legend([found[label] for label in labels], labels, **looks)
    note = " ".join(text if text.endswith((".", "!")) else f"{text}." for text in sentences if text)
    note = textwrap.fill(note, 115)
    figure.supxlabel(note, fontsize=8, style="italic", parse_math=False)  # a $ is a dollar
    return figure
