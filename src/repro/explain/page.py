"""A case study shown: a chart of -J and the process rewards along the thought, and a page.

One drawing serves the PNG, the PDF and the page, whose stylesheet inverts it in dark mode. The PDF
is as wide as the text of a printed page, so that its letters keep their size there.
"""

import io
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from repro.explain.explanation import Explanation
from repro.report import html_pages

# Okabe and Ito's blue and vermilion: told apart in every common form of colour blindness.
PROGRESS, REGRESS = "#0072b2", "#d55e00"
_INK, _SOFT = "#1c1f23", "#6b7280"
_STYLE = {
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 8,
    "axes.edgecolor": _SOFT,
    "axes.facecolor": "none",
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#dfe2e6",
    "grid.linewidth": 0.6,
    "axes.linewidth": 0.6,
    "svg.fonttype": "none",  # text stays text
    "pdf.fonttype": 42,
    "svg.hashsalt": "repro",  # the same ids, and so the same bytes, every time
}
_METADATA = {
    "png": {"Software": None},
    "pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
}
_LABEL = 'aria-label="Minus J over the thought, and process rewards; the table has the numbers"'
_WIDTHS, _HEIGHT = {"png": 9.0, "pdf": 6.8, "svg": 9.0}, 4.7  # inches
_BESIDE_AXIS = 0.65  # inches of the width that its labels take
_DIGIT, _NUMBER, _UPRIGHT_NUMBER = 0.09, 0.48, 0.17  # inches that they need


def write(explanation: Explanation, output: str | Path, note: str = "") -> list[Path]:
    """Write PNG (`output`), PDF and HTML beside it, with a note below, and return their paths."""
    paths = [Path(output).with_suffix(f".{kind}") for kind in ("png", "pdf", "html")]
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    paths[0].write_bytes(draw_file(explanation, "png", note))
    paths[1].write_bytes(draw_file(explanation, "pdf", note))
    paths[2].write_text(write_page(explanation, note), encoding="utf-8")
    return paths


def write_page(explanation: Explanation, note: str = "") -> str:
    """Return the page, readable in light and dark mode; it needs no script and no other file."""
    values = {"explanation": explanation, "transcript": explanation.transcript, "remark": note}
    values |= {"settings": explanation.settings, "svg": draw_svg(explanation)}
    values |= {"number": number, "strength": strength, "largest": largest_reward(explanation)}
    return html_pages.render("case_study.html", "Process reward along one thought", "", **values)


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


def draw_file(explanation: Explanation, kind: str, note: str = "") -> bytes:
    """Return the chart as PNG (200 dpi) or PDF, with a title and the note below, or as bare SVG."""
    file, chosen = io.BytesIO(), explanation.settings
    with matplotlib.rc_context(_STYLE):
        figure = draw(explanation, _WIDTHS[kind])
        if kind != "svg":
            title = f"{Path(explanation.model).resolve().name}: −J along one thought, variant "
            title += f"{chosen.variant}, w = {chosen.score_weight:g}, "
            title += f"{len(explanation.stretches) + 1} cut points"
            figure.suptitle(title, fontsize=9, parse_math=False)
            figure.supxlabel(note, fontsize=8, color=_SOFT, parse_math=False)
        how = {"dpi": 200, "transparent": kind == "svg", "metadata": _METADATA[kind]}
        figure.savefig(file, format=kind, **how)
    return file.getvalue()


def draw_svg(explanation: Explanation) -> str:
    """Return the chart as an element for a page, each segment with a link to its row."""
    text = draw_file(explanation, "svg").decode()
    text = text[text.index('<g id="figure_1">') :].replace(' target="_blank"', "")
    for index, stretch in enumerate(explanation.stretches, start=1):
        link, gain = f'<a xlink:href="#segment-{index}">', number(stretch.reward, signed=True)
        text = text.replace(link, f"{link}<title>Segment {index}: r = {gain}</title>")
    size = f"0 0 {_WIDTHS['svg'] * 72:g} {_HEIGHT * 72:g}"
    return f'<svg viewBox="{size}" role="group" {_LABEL}>{text}'


def draw(explanation: Explanation, width: float) -> Figure:
    """Draw -J with a marker at every cut point above, the rewards as bars below."""
    figure = Figure(figsize=(width, _HEIGHT), layout="constrained")
    stretches, end = explanation.stretches, max(explanation.stretches[-1].end, 1)
    rewards = [stretch.reward for stretch in stretches]
    inches = [(s.end - s.start) * (width - _BESIDE_AXIS) / end for s in stretches]
    upright = min(inches) < _NUMBER
    ratios = [3, 2 if upright else 1.5]  # upright numbers need height
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=ratios)
    largest = largest_reward(explanation)
    colours = [PROGRESS if reward > 0 else REGRESS for reward in rewards]
    alphas = [strength(reward, largest) for reward in rewards]
    bars = lower.bar(
        [stretch.start for stretch in stretches],
        rewards,
        [stretch.end - stretch.start for stretch in stretches],
        align="edge",
        color=[to_rgba(*pair) for pair in zip(colours, (max(a, 0.3) for a in alphas), strict=True)],
        edgecolor=_INK,
        linewidth=0.3,
    )
    numbers = lower.bar_label(bars, [number(reward, signed=True) for reward in rewards], padding=2)
    for index, stretch in enumerate(stretches):
        link, look = f"#segment-{index + 1}", {"color": colours[index], "linewidth": 0}
        bars[index].set_url(link)
        upper.axvspan(stretch.start, stretch.end, alpha=alphas[index] / 2, url=link, **look)
        numbers[index].set_rotation(0 if inches[index] >= _NUMBER else 90)
        numbers[index].set_visible(inches[index] >= _UPRIGHT_NUMBER)
    shown = [i for i in range(len(stretches)) if inches[i] > _DIGIT * len(str(i + 1))]
    middles = [(stretches[i].start + stretches[i].end) / 2 for i in shown]
    above = upper.secondary_xaxis("top")
    above.set_xticks(middles, [str(i + 1) for i in shown], color=_SOFT)
    above.tick_params(length=0)
    _objective_line(upper, explanation, end)
    lower.axhline(0, color=_INK, linewidth=0.8)
    lower.set_ylabel("process reward r")
    lower.set_xlabel("position in the thought (tokens)")
    lower.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    low, high = min(0.0, *rewards), max(0.0, *rewards)
    margin = (1.0 if upright else 0.35) * max(high - low, 0.001)
    lower.set_ylim(low - margin, high + margin)
    lower.yaxis.set_major_locator(MaxNLocator(4))
    for axis in (upper, lower, above):
        axis.spines["top"].set_visible(False)
    figure.align_ylabels()
    return figure


def _objective_line(axis: Axes, explanation: Explanation, end: int) -> None:
    points = [explanation.baseline, *explanation.stretches]
    ends, surprise = [point.end for point in points], [-point.objective for point in points]
    size = 4 if len(points) < 80 else 2
    look = {"color": _INK, "linewidth": 1.4, "marker": "o", "markersize": size}
    axis.plot(ends, surprise, clip_on=False, zorder=3, **look)
    axis.axhline(surprise[0], color=_SOFT, linewidth=1, linestyle=(0, (4, 3)))
    below = surprise[-1] <= surprise[0]  # where the line ends: the words go to the other side
    words, place = f"−J_b = {number(surprise[0])}, the empty thought", axis.get_yaxis_transform()
    look = {"ha": "right", "va": "bottom" if below else "top", "parse_math": False}
    height = surprise[0] + (0.012 if below else -0.012) * max(surprise)
    axis.text(0.998, height, words, transform=place, **look)
    axis.set_xlim(0, end)
    axis.set_ylim(0, 1.12 * max(*surprise, 0.01))
    axis.set_ylabel("−J (nats per answer token)")
    axis.tick_params(bottom=False)
