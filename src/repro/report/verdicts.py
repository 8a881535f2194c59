"""The verdicts on the paper's claims, on one's own runs; `rule` in templates/captions.txt is how.

All parts of a clause must pass, so that their number needs no correction; one of many lands on the
wrong side by chance, so that refuting needs one (Bonferroni).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import scipy

from repro.files import jsonl
from repro.measure.intervals import Estimate, interval, seed_means
from repro.records.experiment import RunFolder
from repro.report import names
from repro.report.claim_parts import RULE, SMALLEST, TRAINING, Data, Part
from repro.report.claims import CLAIMS, DEFINED, NONE_OPPOSED, TESTED, digest
from repro.report.compare import MISSING
from repro.report.rendering import say
from repro.report.table_sheets import Sheet, show_interval, to_csv, to_markdown

SUPPORTED, NOT_SUPPORTED, NO_EFFECT = "supported", "not supported", "no relevant effect"
INCONCLUSIVE, NOT_TESTED = "inconclusive", "not tested"
VERDICTS = (SUPPORTED, NOT_SUPPORTED, NO_EFFECT, INCONCLUSIVE, NOT_TESTED)
DESCRIBED = "described"  # in place of a verdict: the part decides nothing
DIRECTIONS = {"greater": ">", "less": "<", "within": "±"}


def evaluate(data: Data, claims: Mapping[str, tuple] = CLAIMS) -> pd.DataFrame:
    """Test claims on what runs wrote; ValueError where a file of a run is missing or malformed.

    A row a part: claim, clause, rule, part, effect, se, low, high, refutes (also with the interval
    widened for the number of the claim's parts), direction, threshold, smallest (effect of
    interest), unit, verdict, n, of (what n counts), seeds, seed_sd (of the effect), few_seeds,
    lacks (what a verdict needs), backbone, pool, remark, and runs as ``backbone/method/seed``,
    separated by blanks. Numbers are NaN where nothing is tested.
    """
    made = [
        (claim, clause, described, direction, threshold, part)
        for claim, (_, *clauses) in claims.items()
        for clause in clauses
        for described, tests in ((False, clause.tests), (True, clause.described))
        for direction, threshold, parts, *arguments in tests
        for part in parts(data, *arguments)
    ]
    tested = Counter(of for of, _, described, *_, part in made if part.tables and not described)
    rows = []
    for claim, clause, described, *test in made:
        row = {"claim": claim, "clause": clause.text, "rule": clause.rule}
        row |= _judge(*test, max(1, tested[claim]), clause.rule)
        rows.append(row | ({"verdict": DESCRIBED} if described else {}))
    return pd.DataFrame(rows)


def combine(verdicts: Iterable[str]) -> str:
    """Return the verdict on something of which everything must hold."""
    found = set(verdicts)
    if found <= {NOT_TESTED}:
        return NOT_TESTED
    found = {INCONCLUSIVE if verdict == NOT_TESTED else verdict for verdict in found}
    return min(found, key=(NOT_SUPPORTED, INCONCLUSIVE, NO_EFFECT, SUPPORTED).index)


def overall(rows: pd.DataFrame) -> tuple[str, list[dict]]:
    """Return the verdict on a claim and its clauses, from its rows of `evaluate`.

    A clause has text, verdict, reason, and parts: its rows, with None for NaN.
    """
    clauses = []
    for (text, rule), of in rows.groupby(["clause", "rule"], sort=False):
        judged, said = of[of["verdict"] != DESCRIBED], ""
        few = judged.groupby("backbone")["few_seeds"].transform("all")
        if few.any() and not few.all():  # a backbone with enough seeds is judged without the others
            left = ", ".join(judged.loc[few, "backbone"].unique())
            said = f"; not counted: {left}, too few seeds"
            judged = judged[~few]
        found = judged["verdict"].mask(judged["verdict"].eq(NOT_SUPPORTED) & ~judged["refutes"])
        found = found.fillna(INCONCLUSIVE)
        verdict = combine(found[found != NOT_TESTED] if rule == TESTED else found)
        if rule == NONE_OPPOSED and verdict not in (NOT_SUPPORTED, NOT_TESTED):
            p = _heterogeneity(judged)
            mean = combine(clause["verdict"] for clause in clauses)
            verdict = mean if p >= 0.05 and mean in (SUPPORTED, NO_EFFECT) else INCONCLUSIVE
            if len(judged) > 1:
                said += f"; Cochran's Q of their differences: p = {p:.2g}"
        clauses.append({"text": text, "verdict": verdict, "reason": _reason(judged) + said})
        of = of.astype(object).where(of.notna(), None)  # JSON knows no NaN
        clauses[-1]["parts"] = of.drop(columns=["claim", "clause"]).to_dict("records")
    return combine(clause["verdict"] for clause in clauses), clauses


def write_claims(
    runs: Sequence[RunFolder], benchmarks: Sequence[str], output_dir: str | Path, note: str = ""
) -> pd.DataFrame:
    """Write claims.{md,csv,json}, each with the note; return a row a clause, with the verdicts."""
    data, output_dir = Data(runs, benchmarks), Path(output_dir)
    frame, judged = evaluate(data), []
    for claim, (text, *_) in CLAIMS.items():
        verdict, clauses = overall(frame[frame["claim"] == claim])
        judged.append({"id": claim, "text": text, "verdict": verdict, "clauses": clauses})
    about = say("claims", defined=DEFINED, digest=digest())
    note = " ".join(filter(None, [note, about, data.scores.gaps]))
    content = {"note": note, "defined": DEFINED, "sha256": digest(), "rule": RULE}
    content |= {"smallest": SMALLEST, "claims": judged}
    jsonl.write_json(output_dir / "claims.json", content)
    (output_dir / "claims.csv").write_text(to_csv(frame, note), encoding="utf-8")
    verdicts, parts = sheets(judged)
    text = f"{to_markdown(verdicts, note)}\n{to_markdown(parts)}"
    (output_dir / "claims.md").write_text(text, encoding="utf-8")
    return verdicts.cells


def headline(judged: Sequence[dict]) -> str:
    """Return the sentence that a report begins with, from the claims of a claims.json."""
    counts = Counter(claim["verdict"] for claim in judged)
    parts = [part for *_, part in _parts(judged)]
    of_methods = [part for part in parts if part["few_seeds"] or part["seed_sd"] is not None]
    seeds = names.count_seeds(part["seeds"] for part in of_methods)  # a checkpoint needs none
    found = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    return f"Of the paper's {len(judged)} claims{f' on {seeds}' * bool(seeds)}: {found}."


def sheets(judged: Sequence[dict]) -> tuple[Sheet, Sheet]:
    """Return the claims of a claims.json as tables: the verdicts, and the parts that are tested."""
    verdicts = [
        [claim["text"], claim["verdict"], clause["text"], clause["verdict"], clause["reason"]]
        for claim in judged
        for clause in claim["clauses"]
    ]
    parts = []
    for claim, clause, part in _parts(judged):
        if part["effect"] is not None:
            effect = show_interval(part["effect"], part["low"], part["high"], "+.3g")
            threshold = f"{DIRECTIONS[part['direction']]} {part['threshold']:.2g}"
            smallest = "" if part["smallest"] is None else f"{part['smallest']:.2g}"
            row = [claim["id"], clause["text"], *(part[key] for key in ("part", "remark"))]
            row += [part["verdict"], part["unit"], effect, threshold, smallest]
            parts.append([*row, f"{part['n']} {part['of']}", str(part["seeds"])])
    header = ["Claim", "Clause", "Part", "Remark", "Verdict", "Unit", "Effect", "Threshold"]
    header += ["Of interest from", "n", "Seeds"]
    columns = ["Claim", "Verdict", "Clause", "Its verdict", "Why"]
    of_verdicts = Sheet("claims", "", pd.DataFrame(verdicts, columns=columns), groups=2, texts=5)
    of_parts = pd.DataFrame(parts, columns=header)
    return of_verdicts, Sheet("parts", say("rule"), of_parts, groups=2, texts=6)


def _parts(judged: Sequence[dict]) -> list[tuple[dict, dict, dict]]:
    clauses = [(claim, clause) for claim in judged for clause in claim["clauses"]]
    return [(claim, clause, part) for claim, clause in clauses for part in clause["parts"]]


def _judge(direction: str, threshold: float, part: Part, tested: int, rule: str) -> dict:
    found, strict, seed_sd = MISSING, MISSING, np.nan
    seeds, counted = len(part.seeds), "seeds" if part.pool == TRAINING else "problems"
    verdict, lacks = NOT_TESTED, [part.remark]
    few_seeds = seeds < RULE["seeds_at_least"] and not part.of_checkpoints
    if part.tables:
        levels = (RULE["level"], 1 - (1 - RULE["level"]) / tested, RULE["equivalence_level"])
        found, strict, near = (interval(part.tables, of, part.spread) for of in levels)
        means, furthest = seed_means(part.tables), max(near.high, -near.low)
        if part.spread or means.size > 1:
            seed_sd = float(np.sqrt(part.spread.variance) if part.spread else means.std(ddof=1))
        right = {"greater": found.low > threshold, "less": found.high < threshold}
        right["within"] = furthest < threshold
        wrong = _opposes(direction, threshold, found)
        verdict = SUPPORTED if right[direction] else NOT_SUPPORTED if wrong else INCONCLUSIVE
        if direction != "within" and furthest < part.smallest:
            verdict = NO_EFFECT
        few_problems = counted == "problems" and found.n < RULE["problems_at_least"]
        lacks = [_fewer(seeds, "seeds")] * few_seeds + [_fewer(found.n, "problems")] * few_problems
        lacks += filter(None, [part.lacks])
        if lacks:
            verdict = NOT_TESTED if few_problems and rule == TESTED else INCONCLUSIVE
    row = {"part": part.name, "effect": found.mean, "se": found.se, "low": found.low}
    row |= {"high": found.high, "refutes": _opposes(direction, threshold, strict)}
    row |= {"direction": direction, "threshold": threshold, "verdict": verdict, "of": counted}
    row |= {"n": seeds if counted == "seeds" else found.n, "seeds": seeds, "few_seeds": few_seeds}
    row |= {key: getattr(part, key) for key in ("unit", "smallest", "backbone", "pool", "runs")}
    row |= {"seed_sd": seed_sd, "lacks": "; ".join(lacks)}
    return row | {"remark": "; ".join(dict.fromkeys(filter(None, [*lacks, part.remark])))}


def _opposes(direction: str, threshold: float, found: Estimate) -> bool:
    """Return whether an interval lies on the wrong side; not where it is NaN."""
    beyond = {"greater": threshold - found.high, "less": found.low - threshold}
    beyond["within"] = max(found.low, -found.high) - threshold
    return bool(beyond[direction] > 0)


def _fewer(count: int, what: str) -> str:
    return f"{count} {what[:-1] if count == 1 else what}, fewer than {RULE[f'{what}_at_least']}"


def _heterogeneity(rows: pd.DataFrame) -> float:
    """Return the p of Cochran's Q, summed over backbones and pools; 1 with nothing to compare.

    Algorithms resemble each other at a seed, so that Q is rather too small than too large.
    """
    q, freedom = 0.0, 0
    for _, of in rows[rows["se"] > 0].groupby(["backbone", "pool"]):
        mean = np.average(of["effect"], weights=of["se"] ** -2)
        q += float((((of["effect"] - mean) / of["se"]) ** 2).sum())
        freedom += len(of) - 1
    return float(scipy.stats.chi2.sf(q, freedom)) if freedom else 1.0


def _reason(rows: pd.DataFrame) -> str:
    counts = rows["verdict"].value_counts()
    reason = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if name in counts)
    lacking = [lacks for lacks in rows["lacks"].unique() if lacks]
    more = f"; and {len(lacking) - 3} more" if len(lacking) > 3 else ""
    return f"parts: {reason}" + (f" ({'; '.join(lacking[:3])}{more})" if lacking else "")
