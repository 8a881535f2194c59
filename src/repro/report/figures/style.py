"""What all figures share: style, panels, legend, note, and how they are written."""

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
INTERVALS = "95\N{NO-BREAK SPACE}% intervals over problems"
# Algorithm -> its colour and marker. GRPO, which the paper ablates, has the first; one's own
# algorithms come after the paper's, whose looks stay.
_PAPER = ("grpo", "reinforce_pp_baseline", "reinforce_pp", "ppo")
_LOOKS = itertools.cycle(zip(COLOURS, MARKERS, strict=True))
ALGORITHMS = dict(zip(dict.fromkeys([*_PAPER, *methods.ALGORITHMS]), _LOOKS, strict=False))
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E0E0E0",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.handlelength": 3,  # shows the dashes
    "pdf.fonttype": 42,
}
WIDTH = 6.8  # inches: the text width of a one-column page
_HEIGHT = 9.0  # inches: what such a page leaves above a caption
_PANEL_HEIGHT = 2.6
_SURROUNDINGS = 0.6  # legend and note


def save(figure: Figure, path_without_suffix: str | Path) -> tuple[Path, Path]:
    """Write PNG (200 dpi) and PDF without timestamps; return both paths."""
    stem = str(path_without_suffix).removesuffix(".png").removesuffix(".pdf")
    png, pdf = Path(stem + ".png"), Path(stem + ".pdf")
    png.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        figure.savefig(png, dpi=200, metadata={"Software": None})
        figure.savefig(pdf, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return png, pdf


def panels(
    rows: int,
    columns: int,
    *,
    sharex: bool | str = False,
    sharey: bool | str = False,
    width: float | None = None,
    height: float = _PANEL_HEIGHT,
) -> tuple[Figure, np.ndarray]:
    """Return a figure and its axes, (rows, columns); many rows are made lower, to fit a page.

    Args:
        rows: of panels.
        columns: of panels.
        sharex: as `matplotlib.figure.Figure.subplots` takes it.
        sharey: likewise.
        width: in inches; by default the text width, or less for a single column.
        height: of a row in inches, at most.
    """
    width = width or (WIDTH if columns > 1 else 4.5)
    height = min(height, (_HEIGHT - _SURROUNDINGS) / rows)
    figure = Figure(figsize=(width, height * rows + _SURROUNDINGS), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey)


def backbone_panels(
    backbones: Sequence[str],
    columns: Mapping[str, str],
    xlabel: str,
    ylabel: str,
    width: float | None = None,
) -> tuple[Figure, dict[tuple[str, str], Axes]]:
    """Return a figure with a row a backbone; with one column, backbones stand side by side.

    Args:
        backbones: their names.
        columns: what a column shows -> its title.
        xlabel: of all panels.
        ylabel: of all panels.
        width: in inches, as for `panels`.

    Returns:
        The figure, and (backbone, key of ``columns``) -> its panel.
    """
    if len(columns) == 1:
        figure, axes = panels(-(-len(backbones) // 2), min(2, len(backbones)), width=width)
        for axis in axes.flat[len(backbones) :]:
            axis.remove()
        for number, (backbone, axis) in enumerate(zip(backbones, axes.flat, strict=False)):
            axis.set_title(backbone)
            axis.set_xlabel(xlabel)
            axis.set_ylabel(ylabel if number % 2 == 0 else "")
        pairs = ((backbone, column) for backbone in backbones for column in columns)
        return figure, dict(zip(pairs, axes.flat, strict=False))
    figure, axes = panels(len(backbones), len(columns), sharex=True, sharey="row")
    for axis, title in zip(axes[0], columns.values(), strict=True):
        axis.set_title(title)
    for axis in axes[-1]:
        axis.set_xlabel(textwrap.fill(xlabel, 100 // len(columns)))  # labels of neighbours touch
    for axis, backbone in zip(axes[:, 0], backbones, strict=True):
        axis.set_ylabel(f"{textwrap.fill(backbone, 24)}\n{ylabel}")
    figure.align_ylabels(axes[:, 0])
    pairs = [(backbone, column) for backbone in backbones for column in columns]
    return figure, dict(zip(pairs, axes.flat, strict=True))


def gap(axis: Axes, text: str, x: float | None = None) -> None:
    """Say what is missing: across a panel, or upright at ``x`` of its horizontal axis."""
    place = (0.5, axis.transAxes) if x is None else (x, axis.get_xaxis_transform())
    axis.text(
        place[0],
        0.5,
        text,
        transform=place[1],
        rotation=0 if x is None else 90,
        ha="center",
        va="center",
        color=PLAIN,
        style="italic",
    )


def errors(rows: pd.DataFrame) -> np.ndarray:
    """Return how far the intervals reach below and above the means, (2, N), for `Axes.errorbar`.

    Args:
        rows: columns mean, low and high, (N,) each; NaN where a single problem has no interval.
    """
    return (rows[["mean", "high"]].to_numpy() - rows[["low", "mean"]].to_numpy()).T


def thousands(axis: Axes) -> None:
    """Write 12,000 for 12000 on a vertical axis of tokens."""
    if axis.get_ylim()[1] >= 1000:
        axis.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def show_at_least(axis: Axes, span: float) -> None:
    """Widen a vertical axis on which everything is equal; its own range would be rounding noise."""
    low, high = axis.get_ylim()
    if high - low < span:
        axis.set_ylim((low + high - span) / 2, (low + high + span) / 2)


def legend_and_note(
    figure: Figure, artists: Mapping[str, Artist], *sentences: str, columns: int = 3, **looks
) -> None:
    """Set the legend above the panels and the sentences below them.

    Args:
        figure: as good as done.
        artists: label -> what the legend shows beside it, see `labelled`.
        sentences: empty ones are left out; those without a full stop get one.
        columns: of the legend, at most; fewer where the figure is narrow.
        looks: further options of the legend.
    """
    if artists:
        figure.legend(
            artists.values(),
            artists.keys(),
            loc="outside upper center",
            ncols=min(round(columns * figure.get_figwidth() / WIDTH), len(artists)),
            **looks,
        )
    note = " ".join(text if text.endswith((".", "!")) else f"{text}." for text in sentences if text)
    if note:
        characters = int(figure.get_figwidth() * 17)
        text = "\n".join(textwrap.wrap(note, characters))
        figure.supxlabel(text, fontsize=8, style="italic", parse_math=False)  # a $ is a dollar


def labelled(axes: Iterable[Axes]) -> dict[str, Artist]:
    """Return label -> the first artist with it."""
    found: dict[str, Artist] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return found
