"""The chart of a case study: -J over the thought, and the process reward of each stretch.

One figure serves the PNG, the PDF and the page. For the page it becomes an SVG fragment whose
colours are CSS variables, so that it follows the reader's light or dark mode. The PDF is as wide as
the text of a printed page, so that its letters keep their size there.
"""

import io
import re
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from repro.explain.explanation import Explanation, Stretch

# Okabe and Ito's blue and vermilion: told apart in every common form of colour blindness.
PROGRESS, REGRESS = "#0072b2", "#d55e00"
_INK, _SOFT, _GRID = "#1c1f23", "#6b7280", "#dfe2e6"
_CSS = {
    PROGRESS: "rgb(var(--progress))",
    REGRESS: "rgb(var(--regress))",
    _INK: "var(--ink)",
    _SOFT: "var(--soft)",
    _GRID: "var(--grid)",
}
_STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 8,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _SOFT,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "axes.linewidth": 0.6,
    "svg.fonttype": "none",  # text stays text
    "pdf.fonttype": 42,
    "svg.hashsalt": "repro",  # the same ids, and so the same bytes, every time
}
_LABEL = 'aria-label="Minus J over the thought, and process rewards; the table has the numbers"'
_WIDTH, _PRINT_WIDTH, _HEIGHT = 9.0, 6.8, 4.7  # inches
_BESIDE_AXIS = 0.65  # inches of the width that its labels take
_DIGIT, _NUMBER, _UPRIGHT_NUMBER = 0.09, 0.48, 0.17  # inches that they need


def number(value: float, signed: bool = False) -> str:
    """Write a number with three decimals, a true minus and no negative zero."""
    text = f"{value:+.3f}" if signed else f"{value:.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", "−")


def largest_reward(explanation: Explanation) -> float:
    """Return the largest |r_j|, where the colour scale ends; at least 0.001, the last decimal."""
    return max(0.001, *(abs(stretch.reward) for stretch in explanation.stretches))


def strength(reward: float, largest: float) -> float:
    """Return how strongly a reward is coloured, 0 to 1; any reward that is not 0 can be seen."""
    return 0.0 if number(reward) == "0.000" else 0.15 + 0.85 * abs(reward) / largest


def png(explanation: Explanation, note: str = "") -> bytes:
    """Return the chart as PNG, 200 dpi, on white, with a title and the note below."""
    return _titled(explanation, note, _WIDTH, format="png", dpi=200, metadata={"Software": None})


def pdf(explanation: Explanation, note: str = "") -> bytes:
    """Return the chart as PDF, likewise, no letter smaller than 8 pt."""
    none = dict.fromkeys(("CreationDate", "Creator", "Producer"))
    return _titled(explanation, note, _PRINT_WIDTH, format="pdf", metadata=none)


def _titled(explanation: Explanation, note: str, width: float, **output) -> bytes:
    file, chosen = io.BytesIO(), explanation.settings
    with matplotlib.rc_context(_STYLE):
        figure = draw(explanation, width)
        name = Path(explanation.model).resolve().name
        figure.suptitle(
            f"{name}: −J along one thought, variant {chosen.variant}, "
            f"w = {chosen.score_weight:g}, {len(explanation.stretches) + 1} cut points",
            fontsize=9,
            parse_math=False,
        )
        if note:
            figure.supxlabel(note, fontsize=8, color=_SOFT, parse_math=False)
        figure.savefig(file, **output)
    return file.getvalue()


def svg(explanation: Explanation) -> str:
    """Return the chart as an SVG element for a page that defines the colours of `_CSS`."""
    file = io.StringIO()
    none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with matplotlib.rc_context(_STYLE):
        draw(explanation).savefig(file, format="svg", metadata=none, transparent=True)
    text = file.getvalue()
    text = text[text.index('<g id="figure_1">') :].replace(' target="_blank"', "")
    for colour, variable in _CSS.items():
        text = text.replace(colour, variable)

    def titled(link: re.Match) -> str:
        index = int(link[1])
        gain = number(explanation.stretches[index - 1].reward, signed=True)
        return f"{link[0]}<title>Segment {index}: r = {gain}</title>"

    text = re.sub(r'<a xlink:href="#segment-(\d+)">', titled, text)
    return f'<svg viewBox="0 0 {_WIDTH * 72:g} {_HEIGHT * 72:g}" role="group" {_LABEL}>{text}'


def draw(explanation: Explanation, width: float = _WIDTH) -> Figure:
    """Draw -J with a marker at every cut point above, the rewards as bars below.

    Args:
        explanation: one transcript, scored.
        width: of the figure in inches.
    """
    figure = Figure(figsize=(width, _HEIGHT), layout="constrained")
    end, largest = max(explanation.stretches[-1].end, 1), largest_reward(explanation)
    inches = (width - _BESIDE_AXIS) / end  # a token
    upright = any((s.end - s.start) * inches < _NUMBER for s in explanation.stretches)
    ratios = [3, 2 if upright else 1.5]  # upright numbers need height
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=ratios)
    for index, stretch in enumerate(explanation.stretches, start=1):
        tokens = stretch.end - stretch.start
        colour = PROGRESS if stretch.reward > 0 else REGRESS
        alpha = strength(stretch.reward, largest)
        link = f"#segment-{index}"
        upper.axvspan(
            stretch.start, stretch.end, color=colour, alpha=alpha / 2, linewidth=0, url=link
        )
        if tokens * inches > _DIGIT * len(str(index)):
            upper.annotate(
                str(index),
                ((stretch.start + stretch.end) / 2, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                color=_SOFT,
            )
        lower.bar(
            stretch.start,
            stretch.reward,
            tokens,
            align="edge",
            color=colour,
            alpha=max(alpha, 0.3),
            edgecolor=_INK,
            linewidth=0.3,
        )[0].set_url(link)
        _bar_number(lower, stretch, tokens * inches)
    _objective_line(upper, explanation, end)
    lower.axhline(0, color=_INK, linewidth=0.8)
    lower.set_ylabel("process reward r")
    lower.set_xlabel("position in the thought (tokens)")
    lower.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    gains = [0.0, *(stretch.reward for stretch in explanation.stretches)]
    margin = (1.0 if upright else 0.35) * max(max(gains) - min(gains), 0.001)
    lower.set_ylim(min(gains) - margin, max(gains) + margin)
    lower.yaxis.set_major_locator(MaxNLocator(4))
    figure.align_ylabels()
    return figure


def _objective_line(axis: Axes, explanation: Explanation, end: int) -> None:
    points = [explanation.baseline, *explanation.stretches]
    surprise = [-point.objective for point in points]
    axis.plot(
        [point.end for point in points],
        surprise,
        color=_INK,
        linewidth=1.4,
        marker="o",
        markersize=4 if len(points) < 80 else 2,
        clip_on=False,
        zorder=3,
    )
    below = surprise[-1] <= surprise[0]  # where the line ends: the words go to the other side
    axis.axhline(surprise[0], color=_SOFT, linewidth=1, linestyle=(0, (4, 3)))
    axis.annotate(
        f"−J_b = {number(surprise[0])}, the empty thought",
        (1, surprise[0]),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 3 if below else -3),
        textcoords="offset points",
        ha="right",
        va="bottom" if below else "top",
        parse_math=False,
    )
    axis.set_xlim(0, end)
    axis.set_ylim(0, 1.12 * max(*surprise, 0.01))
    axis.set_ylabel("−J (nats per answer token)")
    axis.tick_params(bottom=False)


def _bar_number(axis: Axes, stretch: Stretch, width: float) -> None:
    """Print a reward at its bar: upright where that is narrow, nowhere where it is narrower."""
    if width < _UPRIGHT_NUMBER:
        return
    above = stretch.reward >= 0
    axis.annotate(
        number(stretch.reward, signed=True),
        ((stretch.start + stretch.end) / 2, stretch.reward),
        xytext=(0, 2 if above else -2),
        textcoords="offset points",
        ha="center",
        va="bottom" if above else "top",
        rotation=0 if width >= _NUMBER else 90,
    )
