r"""Anyone's transcripts: how J runs along them, and whether it measures the answer or the box.

A model that never opens a box in the middle of a text is surprised by `\boxed{`, however far the
thought has come; then J averaged over the whole box says little (docs/your_backbone.md). Other
probes say more: they are compared here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import matplotlib
import pandas as pd
import torch
from matplotlib.figure import Figure
from pydantic import BaseModel

from repro import methods
from repro.config.words import validate
from repro.evaluation.decoding import Decoder
from repro.explain import explanation, page
from repro.explain.explanation import Explanation, explain_each
from repro.files import jsonl
from repro.measure.objective import correlate_with_position
from repro.process_reward.probes import LEAD_IN, box_sums
from repro.process_reward.settings import STRICT, ProcessRewardSettings, Text
from repro.report import rendering, table_sheets
from repro.report.figures import curves, style
from repro.report.table_sheets import Sheet

FIGURE = "figure2_objective_over_position"
OWN = 0.5  # share of -J in the box's own tokens from which on the box is called the surprise
COLUMNS = {  # of `summarise`: their titles
    "probe": "Probe",
    "rho": "Median ρ of −J with position",
    "falls": "ρ below 0 (%)",
    "start": "−J at the start",
    "end": "−J at the end",
    "box_share": "Box's own share of −J (%)",
}


class Line(BaseModel):
    """A line of a file of transcripts; it may have other keys, which are not read."""

    model_config = STRICT | {"extra": "ignore"}

    question: Text
    answer: Text
    thought: Text
    """The response as its writer left it; what follows the thought may be there, too."""
    correct: Literal[0, 1] = 1


@dataclass(frozen=True)
class Judged:
    """A transcript, as a model sees it."""

    line: Line
    explained: Explanation  # with the settings that were asked for
    by_probe: dict[str, list[float]]  # J at each cut point
    box: dict[str, tuple[float, float]]  # `probes.box_sums`, of the probes that score a whole box


def read(file: str | Path) -> list[Line]:
    """Return the transcripts of a JSONL file; ValueError, with the line, where one is malformed."""
    lines = []
    for number, row in jsonl.rows(file):
        try:
            lines.append(validate(row, Line))
        except ValueError as error:
            raise ValueError(f"{file}, line {number}: {error}") from None
    if not lines:
        raise ValueError(f"{file}: no transcripts; expected lines with question, answer, thought")
    return lines


def judge(
    folder: str | Path,
    file: str | Path,
    settings: ProcessRewardSettings,
    has_tags: bool = True,
    trust_remote_code: bool = False,
) -> list[Judged]:
    """Judge each transcript of a file by a model, with some settings and with every probe.

    ValueError: an unusable model folder or file, or a transcript too long for the model's context.
    """
    lines = read(file)
    tokenizer = Decoder(folder, trust_remote_code).tokenizer
    transcripts = [
        explanation.make(
            *(folder, tokenizer, line.question, line.answer, line.thought.rstrip()),
            source=f"{Path(file).name}, transcript {number}",
        )
        for number, line in enumerate(lines, start=1)
    ]
    model, probes = explanation.load_model(folder, trust_remote_code), list_probes(has_tags)
    every = [settings, *(settings.model_copy(update=of) for of in probes.values())]
    judged = []
    for line, read_in in zip(lines, transcripts, strict=True):
        explained, *others = explain_each(model, tokenizer, read_in, every, has_tags)
        found = {
            name: [point.objective for point in of.points]
            for name, of in zip(probes, others, strict=True)
        }
        box = {}
        for whole, only in zip(list(probes)[::2], list(probes)[1::2], strict=True):
            both = (torch.tensor([found[name]], dtype=torch.float64) for name in (whole, only))
            box[whole] = tuple(box_sums(tokenizer, [line.answer], *both).tolist())
        judged.append(Judged(line, explained, found, box))
    return judged


def list_probes(has_tags: bool) -> dict[str, dict]:
    """Return name -> settings of each probe: first the whole box, then its answer alone."""
    open_thought = {"close_thought": False, "lead_in": None}
    closed = {"</think>, box": open_thought | {"close_thought": True}} if has_tags else {}
    lead_in = {f"{LEAD_IN.strip()!r}, box": open_thought | {"lead_in": LEAD_IN}}
    before = {"box": open_thought} | closed | lead_in
    return {
        f"{name}{', answer only' * only}": {**of, "answer_only": only}
        for name, of in before.items()
        for only in (False, True)
    }


def summarise(judged: Sequence[Judged]) -> pd.DataFrame:
    """Return a row per probe with `COLUMNS`; NaN where nothing is known, as of ρ on two points."""
    rows = []
    for probe in judged[0].by_probe:
        values = [one.by_probe[probe] for one in judged]
        at = [[point.end for point in one.explained.points] for one in judged]
        rho = pd.Series(map(correlate_with_position, at, values)).dropna()
        boxes = [one.box[probe] for one in judged if probe in one.box]
        own, whole = map(sum, zip(*boxes, strict=True)) if boxes else (math.nan, math.nan)
        rows.append(
            {
                "probe": probe,
                "rho": rho.median(),
                "falls": 100 * (rho < 0).mean(),
                "start": -pd.Series([of[0] for of in values]).mean(),
                "end": -pd.Series([of[-1] for of in values]).mean(),
                "box_share": 100 * own / whole,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def warn(summary: pd.DataFrame, settings: ProcessRewardSettings) -> str:
    """Return what is wrong with the probe of some settings, and which one does better; or ""."""
    share = summary["box_share"].iloc[0]
    if settings.answer_only or not share >= 100 * OWN:
        return ""
    best = summary.loc[summary["rho"].fillna(0).idxmin()]
    rho = {"best": best["rho"], "rho": summary["rho"].iloc[0]}
    return rendering.say("surprising_box", share=share, probe=repr(best["probe"]), **rho)


def write(
    judged: Sequence[Judged], name: str, output: str | Path, note: str = ""
) -> tuple[pd.DataFrame, list[Path]]:
    """Write what is known of transcripts into a folder; return the table of probes and the files.

    ``name`` is what the transcripts are called. objective.jsonl has what `write_objectives` of
    `responses` gives, with the scores at the cut points and J with every probe.
    """
    output, model = Path(output), judged[0].explained.model
    pages = [Path(f"transcripts/{number}.html") for number in range(1, len(judged) + 1)]
    rows = []
    for number, one in enumerate(judged):
        scores = [[of.magnitude, of.stability, of.score] for of in one.explained.points]
        row = one.explained.row(name, number, one.line.correct)
        rows.append(row | {"scores": scores, "probes": one.by_probe})
    columns = [zip(*row["points"], strict=True) for row in rows]
    rho = [correlate_with_position(ends, objective) for ends, _, objective in columns]
    jsonl.write(output / "objective.jsonl", rows)
    (output / "transcripts").mkdir(exist_ok=True)
    for file, one in zip(pages, judged, strict=True):
        (output / file).write_text(page.write_page(one.explained, note), encoding="utf-8")
    figure = draw(pd.DataFrame(rows), Path(model).resolve().name, note)
    png, pdf = style.save(figure, output / f"{FIGURE}.png")
    summary = summarise(judged)
    (output / "probes.csv").write_text(table_sheets.to_csv(summary, note), encoding="utf-8")
    text = rendering.render(
        "transcripts.html",
        title=f"−J along {len(judged)} transcripts",
        note=note,
        model=judged[0].explained,
        warning=warn(summary, judged[0].explained.settings),
        probes=probes_sheet(summary),
        figure=rendering.embed(png),
        rows=list(zip(pages, judged, rho, strict=True)),
        number=page.number,
    )
    (output / "objective.html").write_text(text, encoding="utf-8")
    names = ("objective.html", "objective.jsonl", "probes.csv")
    return summary, [*(output / of for of in names), png, pdf]


def probes_sheet(summary: pd.DataFrame) -> Sheet:
    """Return the table of probes as text, from `summarise`."""
    digits = {"rho": 2, "falls": 0, "start": 2, "end": 2, "box_share": 0}
    rows = []
    for row in summary.to_dict("records"):
        numbers = ("-" if pd.isna(row[key]) else f"{row[key]:.{n}f}" for key, n in digits.items())
        rows.append([row["probe"], *(text.replace("-0.", "−0.") for text in numbers)])
    cells = pd.DataFrame(rows, columns=list(COLUMNS.values()), dtype=str)
    return Sheet("probes", rendering.say("probes"), cells, groups=0, texts=1)


@matplotlib.rc_context(style.STYLE)
def draw(responses: pd.DataFrame, model: str, note: str) -> Figure:
    """Draw figure 2 of transcripts, those that are marked as wrong apart."""
    responses = responses.assign(backbone=model, method=methods.ORIGINAL)
    found, label = curves.mean_curves(responses), "Position in thought"
    figure, panels = style.panels([model], {"": ""}, label, "−J (nats per answer token)")
    (axis,) = panels.values()
    for correct, rows in found.groupby("correct", sort=False):
        what, colour, marker = curves.VERDICTS[correct]
        axis.fill_between(rows["position"], rows["low"], rows["high"], alpha=0.15, color=colour)
        look = {"color": colour, "marker": marker, "markersize": 4, "markevery": 4}
        axis.plot(rows["position"], rows["mean"], label=f"{what}, {rows['n'].max()}", **look)
    axis.set_ylim(0, 1.5 * found["mean"].max())
    return style.finish(figure, [axis], "Means over transcripts, and 95 % bands", note)
