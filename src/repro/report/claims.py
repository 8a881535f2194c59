"""The paper's claims, tested on one's own runs: supported, not supported or inconclusive.

config/claims.yaml states each claim as statistics, comparisons and thresholds, and the rule.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from repro import methods
from repro.files import strict_yaml
from repro.records.experiment import RunFolder
from repro.report import claim_inputs, collect, compare, names, tables
from repro.report.claim_statistics import (
    ANY,
    EACH,
    METRICS,
    ORDERS,
    PLAIN,
    SCALES,
    STATISTICS,
    Part,
)

SUPPORTED, NOT_SUPPORTED = "supported", "not supported"
INCONCLUSIVE, NOT_TESTED = "inconclusive", "not tested"
VERDICTS = (SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE, NOT_TESTED)
DIRECTIONS = {"greater": ">", "less": "<"}
# All numbers; what else a statistic has stands in STATISTICS.
RULE = {"level": (0.5, 0.9999), "problems_at_least": (2, 10**6), "steps_at_least": (2, 10**6)}
TEST_KEYS = ("statistic", "looks_at", "direction", "threshold")
_ABOUT = "A verdict is about the runs that it names, on their benchmarks, and about nothing else."
_NOT_THE_PAPERS = "It neither supports nor refutes anything about the paper's own models."
_CAPTION = (
    "Effects are paired by problem and seed, with {level:g} % intervals over problems "
    "(in training logs: steps) and, where there are several, seeds; with one seed they say nothing "
    "about other seeds. Supported: the interval lies beyond the threshold. Not supported: it lies "
    "on the wrong side. A claim is supported where all of its parts are, and not supported where "
    "a part is not even with its interval widened for the number of parts."
)


def load(path: str | Path) -> dict:
    """Return the claims: ``{"rule": {...}, "claims": [{"id", "text", "tests"}, ...]}``.

    Raises:
        ValueError: the file is missing or malformed; the message names file, key, value and what is
            allowed.
    """
    content = strict_yaml.read(path)
    try:
        _check_keys("", content, ("rule", "claims"))
        _check_keys("rule", content["rule"], RULE)
        for key, (low, high) in RULE.items():
            if not _is_number(content["rule"][key]) or not low <= content["rule"][key] <= high:
                _refuse(f"rule.{key}", content["rule"][key], f"a number from {low} to {high}")
        if not isinstance(content["claims"], list) or not content["claims"]:
            _refuse("claims", content["claims"], "a list of claims, not empty")
        for number, claim in enumerate(content["claims"]):
            _check_claim(f"claims[{number}]", claim)
        ids = [claim["id"] for claim in content["claims"]]
        for number, name in enumerate(ids):
            if name in ids[:number]:
                _refuse(f"claims[{number}].id", name, "an id that no other claim has")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return content


def evaluate(claims: dict, runs: Sequence[RunFolder], benchmarks: Sequence[str]) -> pd.DataFrame:
    """Test all claims on runs.

    Args:
        claims: those of `load`.
        runs: the folders of the runs.
        benchmarks: those whose scores are read.

    Returns:
        One row per part: claim, part, effect, low, high (`rule.level`), strict_low, strict_high
        (the interval widened for the number of the claim's tested parts), direction, threshold,
        unit, verdict, n, of (what n counts: problems or steps), seeds, remark, and runs as
        ``backbone/method/seed``, separated by blanks. Numbers are NaN where nothing is tested.

    Raises:
        ValueError: a file of a run is missing or malformed.
    """
    tests = [test for claim in claims["claims"] for test in claim["tests"]]
    looks_at = {test["looks_at"] for test in tests}
    return judge(claims, claim_inputs.load(runs, benchmarks, looks_at))


def judge(claims: dict, data: claim_inputs.Data) -> pd.DataFrame:
    """Test all claims on what was read; see `evaluate`."""
    rule, rows = claims["rule"], []
    for claim in claims["claims"]:
        made = [
            (test, part)
            for test in claim["tests"]
            for part in STATISTICS[test["statistic"]].parts(data, test)
        ]
        tested = sum(part.interval is not None for _, part in made)
        rows += [{"claim": claim["id"]} | _row(test, part, rule, tested) for test, part in made]
    return pd.DataFrame(rows)


def overall(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one verdict per claim: columns claim, verdict, reason.

    Args:
        frame: that of `evaluate`.
    """
    rows = []
    for claim, parts in frame.groupby("claim", sort=False):
        counts = parts["verdict"].value_counts()
        against = [
            _side(row["strict_low"], row["strict_high"], row) == NOT_SUPPORTED
            and row["verdict"] == NOT_SUPPORTED
            for row in parts.to_dict("records")
        ]
        verdict = INCONCLUSIVE
        if any(against):
            verdict = NOT_SUPPORTED
        elif len(counts) == 1 and counts.index[0] in (SUPPORTED, NOT_TESTED):
            verdict = counts.index[0]
        reason = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if name in counts)
        if lacking := _lacking(parts):
            more = f"; and {len(lacking) - 3} more" if len(lacking) > 3 else ""
            reason += f" ({'; '.join(lacking[:3])}{more})"
        rows.append({"claim": claim, "verdict": verdict, "reason": f"parts: {reason}"})
    return pd.DataFrame(rows)


def write_claims(
    claims_file: str | Path,
    runs: Sequence[RunFolder],
    benchmarks: Sequence[str],
    output_dir: str | Path,
    note: str = "",
) -> pd.DataFrame:
    """Write claims.{md,csv,json}; return the frame of `overall`.

    Args:
        claims_file: config/claims.yaml.
        runs: as for `evaluate`.
        benchmarks: as for `evaluate`.
        output_dir: created where needed.
        note: a sentence that every file carries, such as what its numbers are not; benchmarks that
            could not be scored are named after it.
    """
    claims = load(claims_file)
    frame = evaluate(claims, runs, benchmarks)
    verdicts = overall(frame)
    about = f"{_ABOUT} {_NOT_THE_PAPERS}" if note else _ABOUT
    note = " ".join(filter(None, [note, about, collect.gaps(runs, benchmarks)]))
    output_dir = Path(output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    files = {
        "claims.md": to_markdown(claims, frame, verdicts, note),
        "claims.csv": tables.to_csv(frame, note),
        "claims.json": to_json(claims, frame, verdicts, note),
    }
    for name, text in files.items():
        (output_dir / name).write_text(text, encoding="utf-8")
    return verdicts


def to_markdown(claims: dict, frame: pd.DataFrame, verdicts: pd.DataFrame, note: str = "") -> str:
    """Return verdicts and parts as GitHub Markdown, the note and the rule above them."""
    lines = [f"**{note}**", ""] if note else []
    lines += [_CAPTION.format(level=100 * claims["rule"]["level"]), ""]
    texts = {claim["id"]: claim["text"] for claim in claims["claims"]}
    rows = [[texts[name], f"**{verdict}**", why] for name, verdict, why in verdicts.to_numpy()]
    lines += _rows(["Claim", "Verdict", "Why"], rows)
    header = ["Part", "Effect", "Threshold", "Unit", "Verdict", "n", "Seeds", "Remark", "Runs"]
    for name, parts in frame.groupby("claim", sort=False):
        lines += ["", f"## {texts[name]}", ""]
        tested = parts[parts["verdict"] != NOT_TESTED]
        if len(tested):
            lines += _rows(header, [_cells(row) for row in tested.to_dict("records")])
        if lacking := _lacking(parts):
            lines += [""] * bool(len(tested))
            lines += [f"Not tested ({len(parts) - len(tested)} parts): {'; '.join(lacking)}."]
    return "\n".join(lines) + "\n"


def to_json(claims: dict, frame: pd.DataFrame, verdicts: pd.DataFrame, note: str = "") -> str:
    """Return everything as JSON: note, rule, and the claims with text, verdict and parts."""
    texts = {claim["id"]: claim["text"] for claim in claims["claims"]}
    parts = frame.astype(object).where(frame.notna(), None)  # JSON knows no NaN
    content = {
        "note": note,
        "rule": claims["rule"],
        "claims": [
            {
                "id": name,
                "text": texts[name],
                "verdict": verdict,
                "reason": reason,
                "parts": parts[parts["claim"] == name].drop(columns="claim").to_dict("records"),
            }
            for name, verdict, reason in verdicts.to_numpy()
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _row(test: dict, part: Part, rule: dict, tested: int) -> dict:
    """Return a part's row: its effect, its two intervals, its verdict."""
    row = {"part": part.name, "direction": test["direction"], "threshold": test["threshold"]}
    row |= {"unit": part.unit, "of": part.of, "seeds": part.seeds, "remark": part.remark}
    row["runs"] = " ".join(part.runs)
    if part.interval is None:
        numbers = ("effect", "low", "high", "strict_low", "strict_high")
        row |= dict.fromkeys(numbers, np.nan) | {"n": 0, "verdict": NOT_TESTED}
    else:
        found = part.interval(rule["level"])
        strict = part.interval(1 - (1 - rule["level"]) / tested)
        row |= {"effect": found.mean, "low": found.low, "high": found.high, "n": found.n}
        row |= {"strict_low": strict.low, "strict_high": strict.high}
        least = rule[f"{part.of}_at_least"]
        row["verdict"] = _side(found.low, found.high, test)
        if found.n < least:
            row["verdict"] = INCONCLUSIVE
            fewer = f"{found.n} {part.of}, fewer than {least}"
            row["remark"] = "; ".join(filter(None, [fewer, part.remark]))
    columns = ["part", "effect", "low", "high", "strict_low", "strict_high", "direction"]
    columns += ["threshold", "unit", "verdict", "n", "of", "seeds", "remark", "runs"]
    return {column: row[column] for column in columns}


def _side(low: float, high: float, test: dict) -> str:
    """Return on which side of the threshold an interval lies; NaN ends are inconclusive."""
    above, below = low > test["threshold"], high < test["threshold"]
    if test["direction"] == "less":
        above, below = below, above
    return SUPPORTED if above else NOT_SUPPORTED if below else INCONCLUSIVE


def _lacking(parts: pd.DataFrame) -> list[str]:
    """Return why parts are not tested, each reason once."""
    return parts.loc[parts["verdict"] == NOT_TESTED, "remark"].drop_duplicates().tolist()


def _cells(row: dict) -> list[str]:
    """Return the cells of a part that is tested."""
    effect = f"{row['effect']:+.3g}"
    if not pd.isna(row["low"]):
        effect += f" [{row['low']:+.3g}, {row['high']:+.3g}]"
    threshold = f"{DIRECTIONS[row['direction']]} {row['threshold']:g}"
    n, runs = f"{row['n']} {row['of']}", row["runs"].replace(" ", ", ")
    cells = [row["part"], effect, threshold, row["unit"], row["verdict"], n, str(row["seeds"])]
    return [*cells, row["remark"] or "-", runs]


def _rows(header: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]


def _check_claim(key: str, claim: dict) -> None:
    _check_keys(key, claim, ("id", "text", "tests"))
    for name in ("id", "text"):
        if not isinstance(claim[name], str) or not claim[name].strip():
            _refuse(f"{key}.{name}", claim[name], "a text that is not empty")
    key = f"{key} ({claim['id']})"
    if not isinstance(claim["tests"], list) or not claim["tests"]:
        _refuse(f"{key}.tests", claim["tests"], "a list of tests, not empty")
    for number, test in enumerate(claim["tests"]):
        _check_test(f"{key}.tests[{number}]", test)


def _check_test(key: str, test: dict) -> None:
    name = test.get("statistic") if isinstance(test, dict) else None
    if not isinstance(name, str) or name not in STATISTICS:
        _refuse(f"{key}.statistic", name, ", ".join(STATISTICS))
    statistic = STATISTICS[name]
    _check_keys(key, test, (*TEST_KEYS, *statistic.keys))
    if not _is_number(test["threshold"]):
        _refuse(f"{key}.threshold", test["threshold"], "a number")
    baselines = [PLAIN, methods.ORIGINAL, *methods.ALGORITHMS]
    choices = {
        "looks_at": [statistic.looks_at],
        "direction": DIRECTIONS,
        "metric": METRICS,
        "against": baselines,
        "setting": methods.ABLATED,
        "order": ORDERS,
        "scale": SCALES,
    }
    for name in test.keys() & choices.keys():
        if not isinstance(test[name], str) or test[name] not in choices[name]:
            _refuse(f"{key}.{name}", test[name], ", ".join(choices[name]))
    if "benchmarks" in test:
        _check_names(
            f"{key}.benchmarks", test["benchmarks"], EACH, [*compare.POOLS, *names.BENCHMARKS]
        )
    if "methods" in test:
        any_of = ANY if statistic.looks_at == "objective" else None
        known = [f"{algorithm}{methods.REPRO}" for algorithm in methods.ALGORITHMS]
        if test.get("against") != PLAIN:
            known += [methods.ORIGINAL, *methods.ALGORITHMS]
        _check_names(f"{key}.methods", test["methods"], any_of, known)


def _check_names(key: str, value, word: str | None, known: list[str]) -> None:
    if word is not None and value == word:
        return
    if not isinstance(value, list) or not value or not all(name in known for name in value):
        allowed = f"a list of {', '.join(known)}"
        _refuse(key, value, f"{word}, or {allowed}" if word else allowed)


def _check_keys(key: str, value, known: Sequence[str]) -> None:
    """Refuse what is no mapping with exactly these keys."""
    if not isinstance(value, dict):
        _refuse(key or "the file", value, f"a mapping with the keys {', '.join(known)}")
    prefix = f"{key}." if key else ""
    for name in value:
        if name not in known:
            raise ValueError(f"{prefix}{name}: unknown key; allowed: {', '.join(known)}")
    for name in known:
        if name not in value:
            raise ValueError(f"{prefix}{name}: missing; needed here: {', '.join(known)}")


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


def _refuse(key: str, value, allowed: str) -> None:
    raise ValueError(f"{key} = {value!r}; allowed: {allowed}")
