"""A case study shown: a chart of -J and the process rewards along the thought, and a page.

One drawing serves the PNG, the PDF and the page, whose stylesheet inverts it in dark mode.
"""

import io
import re
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from repro.explain.explanation import Explanation
from repro.report import rendering
from repro.report.figures import style

PROGRESS, REGRESS, *_ = style.COLOURS
_OWN = Path(__file__).with_name("page.mplstyle")
_STYLE = {**style.STYLE, **matplotlib.rc_params_from_file(_OWN, use_default_template=False)}
_LABEL = 'aria-label="Minus J over the thought, and process rewards; the table has the numbers"'
_WIDTH, _HEIGHT, _AXIS = 6.8, 4.2, 6.1  # inches; the last is what labels leave of the width
_DIGIT, _NUMBER, _UPRIGHT_NUMBER = 0.09, 0.48, 0.17  # inches that they need


def write(explanation: Explanation, output: str | Path, note: str = "") -> list[Path]:
    """Write PNG (`output`), PDF and HTML beside it, with a note, and return their paths."""
    figure = draw(explanation)
    chosen, points = explanation.settings, len(explanation.stretches) + 1
    title = f"{Path(explanation.model).resolve().name}: −J along one thought, variant "
    title += f"{chosen.variant}, w = {chosen.score_weight:g}, {points} cut points"
    figure.suptitle(title, fontsize=9, parse_math=False)
    figure.supxlabel(note, fontsize=8, style="italic", parse_math=False)
    png, pdf = style.save(figure, output)
    page = png.with_suffix(".html")
    page.write_text(write_page(explanation, note), encoding="utf-8")
    return [png, pdf, page]


def write_page(explanation: Explanation, note: str = "") -> str:
    """Return the page, readable in light and dark mode; it needs no script and no other file."""
    return rendering.render(
        "case_study.html",
        title="Process reward along one thought",
        note=note,
        explanation=explanation,
        svg=_draw_svg(explanation),
        number=number,
        strengths=strengths(explanation),
    )


def number(value: float, signed: bool = False) -> str:
    """Write a number with three decimals, a true minus and no negative zero."""
    text = f"{value:+.3f}" if signed else f"{value:.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", "−")


def strengths(explanation: Explanation) -> list[float]:
    """Return how strongly each reward is coloured, 0 to 1; any that is not 0.000 can be seen."""
    sizes = [abs(stretch.reward) for stretch in explanation.stretches]
    largest = max(sizes, default=0)
    return [0.0 if number(size) == "0.000" else 0.15 + 0.85 * size / largest for size in sizes]


@matplotlib.rc_context(_STYLE)
def draw(explanation: Explanation) -> Figure:
    """Draw -J with a marker at every cut point above, the rewards as bars below."""
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    points, stretches, alphas = explanation.points, explanation.stretches, strengths(explanation)
    end, rewards = max(points[-1].end, 1), [stretch.reward for stretch in stretches]
    bars = lower.bar(
        [stretch.start for stretch in stretches],
        rewards,
        [stretch.end - stretch.start for stretch in stretches],
        align="edge",
        color=[PROGRESS if reward > 0 else REGRESS for reward in rewards],
    )
    labels = lower.bar_label(bars, [number(reward, signed=True) for reward in rewards], padding=2)
    for index, (stretch, bar, label) in enumerate(zip(stretches, bars, labels, strict=True), 1):
        link, inches = f"#segment-{index}", bar.get_width() * _AXIS / end
        look = {"color": bar.get_facecolor(), "alpha": alphas[index - 1] / 2, "linewidth": 0}
        upper.axvspan(stretch.start, stretch.end, url=link, **look)
        bar.set_url(link)
        label.set(rotation=0 if inches >= _NUMBER else 90, visible=inches >= _UPRIGHT_NUMBER)
        if inches > _DIGIT * len(str(index)):
            place = (stretch.start + stretch.end) / 2, 1.02
            upper.text(*place, index, ha="center", transform=upper.get_xaxis_transform())
    surprise = [-point.objective for point in points]
    look = {"color": "black", "marker": "o", "markersize": 3, "clip_on": False}
    upper.plot([point.end for point in points], surprise, zorder=3, **look)
    empty = f"−J_b = {number(surprise[0])}, the empty thought"
    upper.axhline(surprise[0], color=style.PLAIN, linewidth=1, linestyle="--", label=empty)
    upper.legend()
    upper.set(xlim=(0, end), ylim=(0, 1.12 * max(*surprise, 0.01)))
    upper.set_ylabel("−J (nats per answer token)")
    lower.axhline(0, color="black", linewidth=0.8)
    lower.margins(y=1.0)  # for the numbers
    lower.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    lower.set(xlabel="position in the thought (tokens)", ylabel="process reward r")
    figure.align_ylabels()
    return figure


@matplotlib.rc_context(_STYLE)
def _draw_svg(explanation: Explanation) -> str:
    """Return the chart as an element for a page, each segment with a link to its row."""
    file, nothing = io.StringIO(), dict.fromkeys(("Date", "Creator", "Format", "Type"))
    draw(explanation).savefig(file, format="svg", transparent=True, metadata=nothing)
    text = file.getvalue().partition('<g id="figure_1">')
    links = r'(<a xlink:href="#segment-(\d+)") target="_blank">'
    text = re.sub(links, r"\1><title>Segment \2</title>", "".join(text[1:]))
    return f'<svg viewBox="0 0 {_WIDTH * 72:g} {_HEIGHT * 72:g}" role="group" {_LABEL}>{text}'
