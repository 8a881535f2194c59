r"""Anyone's transcripts under several probes, to see whether J measures the answer or the box.

What is appended at a cut decides what J means for a model. A model that never opens a box in the
middle of a text is surprised by `\boxed{`, however far the thought has come; then J averaged over
the whole box says little. The check shows J with each probe side by side, before anything is
trained.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
import torch
from pydantic import BaseModel

from repro.config.words import validate
from repro.evaluation.decoding import Decoder
from repro.explain import transcript
from repro.explain.explanation import Explanation, explain_each
from repro.files import jsonl
from repro.measure.objective import correlate_with_position
from repro.process_reward.probes import LEAD_IN, box_sums
from repro.process_reward.settings import STRICT, ProcessRewardSettings, Text

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
) -> Iterator[Judged]:
    """Yield each transcript of a file, judged by a model with some settings and with every probe.

    ValueError: an unusable model folder or file, or a transcript too long for the model's context.
    """
    lines = read(file)
    tokenizer = Decoder(folder, trust_remote_code).tokenizer
    transcripts = [
        transcript.make(
            *(folder, tokenizer, line.question, line.answer, line.thought.rstrip()),
            source=f"{Path(file).name}, transcript {number}",
        )
        for number, line in enumerate(lines, start=1)
    ]
    model, probes = transcript.load_model(folder, trust_remote_code), list_probes(has_tags)
    every = [settings, *(settings.model_copy(update=of) for of in probes.values())]
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
        yield Judged(line, explained, found, box)


def list_probes(has_tags: bool) -> dict[str, dict]:
    """Return name -> settings of each probe: first the whole box, then its answer alone."""
    before = {"box": {"close_thought": False, "lead_in": None}}
    if has_tags:
        before["</think>, box"] = {"close_thought": True, "lead_in": None}
    before[f"{LEAD_IN.strip()!r}, box"] = {"close_thought": False, "lead_in": LEAD_IN}
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
    return (
        f"{share:.0f} % of −J stands in the tokens of the box itself, so that J says little of the "
        f"answer: consider process_reward.answer_only. −J falls most clearly with the probe "
        f"{best['probe']!r} (median ρ {best['rho']:.2f}, against {summary['rho'].iloc[0]:.2f} with "
        "the whole box)."
    )
