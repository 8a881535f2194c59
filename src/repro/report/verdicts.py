"""The verdicts on the paper's claims, on one's own runs.

`_HOW` has the rule. All parts of a claim must pass, so that their number needs no correction; one
of many lands on the wrong side by chance, so that refuting needs one (Bonferroni).
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from repro.files import jsonl
from repro.measure.intervals import Estimate
from repro.records.experiment import RunFolder
from repro.report.claims import CLAIMS, Claim, Data, Part
from repro.report.table_sheets import Sheet, to_csv, to_markdown

SUPPORTED, NOT_SUPPORTED = "supported", "not supported"
INCONCLUSIVE, NOT_TESTED = "inconclusive", "not tested"
VERDICTS = (SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE, NOT_TESTED)
DIRECTIONS = {"greater": ">", "less": "<"}
# The level of every interval, and how many problems, or steps in a quarter of the training, are
# needed to judge by: a spread of few verdicts can vanish by chance.
RULE = {"level": 0.95, "problems_at_least": 10, "steps_at_least": 4}
_HOW = (
    "The parts that could be tested. Effects are paired by problem and seed, with 95 % intervals "
    "over problems (in training logs: steps) and, where there are several, seeds; with one seed "
    "they say nothing about other seeds. Supported: the interval lies beyond the threshold. Not "
    "supported: it lies on the wrong side. A claim is supported where all of its parts are, and "
    "not supported where a part is not even with its interval widened for the number of parts."
)
_ABOUT = (
    "A verdict is about the runs that it names, on their benchmarks, and about nothing else: it "
    "neither supports nor refutes anything about other models, such as the paper's."
)


def evaluate(data: Data, claims: Sequence[Claim] = CLAIMS) -> pd.DataFrame:
    """Test claims on what runs wrote; ValueError where a file of a run is missing or malformed.

    A row a part: claim, part, effect, low, high (of the rule's level), strict_low, strict_high (the
    interval widened for the number of the claim's tested parts), direction, threshold, unit,
    verdict, n, of (what n counts: problems or steps), seeds, remark, and runs as
    ``backbone/method/seed``, separated by blanks. Numbers are NaN where nothing is tested.
    """
    rows = []
    for claim in claims:
        made = [
            (direction, threshold, part)
            for direction, threshold, parts, *arguments in claim.tests
            for part in parts(data, *arguments)
        ]
        tested = sum(bool(part.tables) for _, _, part in made)
        rows += [{"claim": claim.id} | _row(*one, tested) for one in made]
    return pd.DataFrame(rows)


def overall(rows: pd.DataFrame) -> tuple[str, str]:
    """Return the verdict on a claim, and the reason, from its rows of `evaluate`."""
    counts = rows["verdict"].value_counts()
    against = rows["verdict"].eq(NOT_SUPPORTED)
    beyond = rows["strict_low"].gt(rows["threshold"]) | rows["strict_high"].lt(rows["threshold"])
    verdict = counts.index[0] if len(counts) == 1 and not against.any() else INCONCLUSIVE
    if (against & beyond).any():
        verdict = NOT_SUPPORTED
    reason = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if name in counts)
    if lacking := rows.loc[rows["verdict"] == NOT_TESTED, "remark"].drop_duplicates().tolist():
        more = f"; and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        reason += f" ({'; '.join(lacking[:3])}{more})"
    return verdict, f"parts: {reason}"


def write_claims(
    runs: Sequence[RunFolder], benchmarks: Sequence[str], output_dir: str | Path, note: str = ""
) -> pd.DataFrame:
    """Write claims.{md,csv,json}, each with the note; return id, verdict and reason of a claim."""
    data = Data(runs, benchmarks)
    frame = evaluate(data, CLAIMS)
    note = " ".join(filter(None, [note, _ABOUT, data.scores.gaps]))
    found = []
    for claim in CLAIMS:
        rows = frame[frame["claim"] == claim.id].drop(columns="claim")
        verdict, reason = overall(rows)
        keys = {"id": claim.id, "text": claim.text, "verdict": verdict, "reason": reason}
        parts = rows.astype(object).where(rows.notna(), None)  # JSON knows no NaN
        found.append(keys | {"parts": parts.to_dict("records")})
    output_dir = Path(output_dir)
    jsonl.write_json(output_dir / "claims.json", {"note": note, "rule": RULE, "claims": found})
    (output_dir / "claims.csv").write_text(to_csv(frame, note), encoding="utf-8")
    verdicts, parts = sheets(found)
    text = f"{to_markdown(verdicts, note)}\n{to_markdown(parts)}"
    (output_dir / "claims.md").write_text(text, encoding="utf-8")
    return pd.DataFrame(found)[["id", "verdict", "reason"]]


def headline(judged: Sequence[dict]) -> str:
    """Return the sentence that a report begins with, from the claims of a claims.json."""
    counts = Counter(claim["verdict"] for claim in judged)
    seeds = sorted({part["seeds"] for claim in judged for part in claim["parts"]} - {0})
    span = " to ".join(str(n) for n in dict.fromkeys([*seeds[:1], *seeds[-1:]]))
    on = f" on {span} seed{'s' * (span != '1')}" if seeds else ""
    found = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    return f"Of the paper's {len(judged)} claims{on}: {found}."


def sheets(judged: Sequence[dict]) -> tuple[Sheet, Sheet]:
    """Return the claims of a claims.json as tables: the verdicts, and the parts that are tested."""
    verdicts = [[claim["text"], claim["verdict"], claim["reason"]] for claim in judged]
    parts = []
    for claim in judged:
        for part in claim["parts"]:
            if part["verdict"] != NOT_TESTED:
                effect = f"{part['effect']:+.3g}"
                if part["low"] is not None:
                    effect += f" [{part['low']:+.3g}, {part['high']:+.3g}]"
                threshold = f"{DIRECTIONS[part['direction']]} {part['threshold']:g}"
                cells = [part[key] for key in ("part", "remark", "verdict", "unit")]
                n = f"{part['n']} {part['of']}"
                parts.append([claim["id"], *cells, effect, threshold, n, str(part["seeds"])])
    header = ["Claim", "Part", "Remark", "Verdict", "Unit", "Effect", "Threshold", "n", "Seeds"]
    of_verdicts = Sheet("claims", "", ["Claim", "Verdict", "Why"], verdicts, 0, texts=3)
    return of_verdicts, Sheet("parts", _HOW, header, parts, 1, texts=5)


def _row(direction: str, threshold: float, part: Part, tested: int) -> dict:
    found = strict = Estimate(np.nan, np.nan, np.nan, np.nan, 0)
    verdict, remark = NOT_TESTED, part.remark
    if part.tables:
        found = part.statistic(part.tables, RULE["level"])
        strict = part.statistic(part.tables, 1 - (1 - RULE["level"]) / tested)
        above, below = found.low > threshold, found.high < threshold  # not with NaN
        right, wrong = (below, above) if direction == "less" else (above, below)
        verdict = SUPPORTED if right else NOT_SUPPORTED if wrong else INCONCLUSIVE
        least = RULE[f"{part.of}_at_least"]
        if found.n < least:
            verdict = INCONCLUSIVE
            remark = "; ".join(filter(None, [f"{found.n} {part.of}, fewer than {least}", remark]))
    row = {"part": part.name, "effect": found.mean, "low": found.low, "high": found.high}
    row |= {"strict_low": strict.low, "strict_high": strict.high}
    row |= {"direction": direction, "threshold": threshold, "unit": part.unit, "verdict": verdict}
    row |= {"n": found.n, "of": part.of, "seeds": len(part.seeds)}
    return row | {"remark": remark, "runs": part.runs}
