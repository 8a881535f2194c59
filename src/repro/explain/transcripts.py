"""The files of judged transcripts: JSONL, figure 2, the table of probes, and pages."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import pandas as pd

from repro import methods
from repro.explain import page, probe_check
from repro.explain.probe_check import Judged
from repro.files import jsonl
from repro.measure.objective import correlate_with_position
from repro.report import rendering, table_sheets
from repro.report.figures import curves, style
from repro.report.table_sheets import Sheet

FIGURE = "figure2_objective_over_position"
_CAPTION = (
    "Each probe is appended at every cut point. ρ is Spearman's rank correlation of −J with the "
    "position in the thought: below 0, −J falls. −J is in nats per scored token, averaged over the "
    "transcripts."
)


def write(
    judged: Sequence[Judged], name: str, output: str | Path, note: str = ""
) -> tuple[pd.DataFrame, list[Path]]:
    """Write what is known of transcripts into a folder; return the table of probes and the files.

    ``name`` is what the transcripts are called. objective.jsonl has what `write_objectives` of
    `responses` gives, with the scores at the cut points and J with every probe.
    """
    output, model = Path(output), judged[0].explained.model
    pages = [Path(f"transcripts/{number}.html") for number in range(1, len(judged) + 1)]
    rows = [_row(name, number, one) for number, one in enumerate(judged)]
    jsonl.write(output / "objective.jsonl", rows)
    (output / "transcripts").mkdir(exist_ok=True)
    for file, one in zip(pages, judged, strict=True):
        (output / file).write_text(page.write_page(one.explained, note), encoding="utf-8")
    keys = {"backbone": Path(model).resolve().name, "method": methods.ORIGINAL, "seed": 0}
    with matplotlib.rc_context(style.STYLE):
        figure = curves.objective_over_position(FIGURE, pd.DataFrame(rows).assign(**keys), note)
    png, pdf = style.save(figure, output / f"{FIGURE}.png")
    summary = probe_check.summarise(judged)
    (output / "probes.csv").write_text(table_sheets.to_csv(summary, note), encoding="utf-8")
    text = rendering.render(
        "transcripts.html",
        title=f"−J along {len(judged)} transcripts",
        note=note,
        model=judged[0].explained,
        warning=probe_check.warn(summary, judged[0].explained.settings),
        probes=probes_sheet(summary),
        figure=rendering.embed(png),
        rows=list(zip(pages, judged, (_rho(one) for one in judged), strict=True)),
        number=page.number,
    )
    (output / "objective.html").write_text(text, encoding="utf-8")
    names = ("objective.html", "objective.jsonl", "probes.csv")
    return summary, [*(output / of for of in names), png, pdf]


def probes_sheet(summary: pd.DataFrame) -> Sheet:
    """Return the table of probes as text, from `probe_check.summarise`."""
    digits = {"rho": 2, "falls": 0, "start": 2, "end": 2, "box_share": 0}
    rows = []
    for row in summary.to_dict("records"):
        numbers = ("-" if pd.isna(row[key]) else f"{row[key]:.{n}f}" for key, n in digits.items())
        rows.append([row["probe"], *(text.replace("-0.", "−0.") for text in numbers)])
    cells = pd.DataFrame(rows, columns=list(probe_check.COLUMNS.values()), dtype=str)
    return Sheet("probes", _CAPTION, cells, groups=0, texts=1)


def _row(name: str, number: int, judged: Judged) -> dict:
    explained = judged.explained
    scores = [[of.magnitude, of.stability, of.score] for of in explained.points]
    found = {"benchmark": name, "doc_id": number, "sample": 0, "correct": judged.line.correct}
    return found | explained.row() | {"scores": scores, "probes": judged.by_probe}


def _rho(judged: Judged) -> float:
    points = judged.explained.points
    return correlate_with_position([of.end for of in points], [of.objective for of in points])
