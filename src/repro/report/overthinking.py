"""Table `overthinking`: what RePro changes in the segments of the tiny world's thoughts.

Words do not tell a doubt that mends a slip from one that mends nothing; the arithmetic does, and in
the tiny world it is known. So this table is read from the responses, and of that world alone.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from repro import methods
from repro.files import jsonl
from repro.measure.intervals import interval
from repro.records.experiment import RunFolder
from repro.report.collect import RUN_KEYS
from repro.report.compare import pooled_spread
from repro.report.table_sheets import Sheet, to_csv, to_latex, to_markdown
from repro.tinyworld import overthinking
from repro.verify.answers import split_thought

TITLES = {
    "correction": "Productive corrections",
    "self_doubt": "Self-doubt",
    "check": "Redundant checks",
    "filler": "Filler",
}
_CAPTION = (
    "Segments of a kind per 100 responses, over all benchmarks, which count equally. A productive "
    "correction makes a wrong column right; self-doubt changes or repeats a column that was right, "
    "changes it back, or changes a wrong one without mending it. Differences are paired by problem "
    "and seed, with 95 % intervals over problems and seeds."
)


def read_counts(runs: Sequence[RunFolder], benchmarks: Sequence[str]) -> pd.DataFrame:
    """Return the segments per response of each of `overthinking.KINDS`, a row a problem and run.

    Columns backbone, method, seed, benchmark, doc_id and the kinds, averaged over samples.
    """
    rows = []
    for run, benchmark in itertools.product(runs, benchmarks):
        for row in jsonl.read(run.path / "generations" / f"{benchmark}.jsonl"):
            counts = overthinking.count(split_thought(row["text"])[0])
            kinds = {kind: counts[kind] for kind in overthinking.KINDS}
            keys = run.keys() | {"benchmark": benchmark, "doc_id": row["doc_id"]}
            rows.append(keys | kinds)
    keys = [*RUN_KEYS, "benchmark", "doc_id"]
    return pd.DataFrame(rows).groupby(keys, sort=False).mean().reset_index()


def compare_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Return every method with RePro beside its plain algorithm, per backbone and kind.

    Columns backbone, method, baseline, kind, plain, repro (segments per 100 responses), difference,
    low, high (95 %), seeds (that both have).
    """
    compared, keys = {}, [*RUN_KEYS, "benchmark", "doc_id"]
    every = 100 * counts.set_index(keys)[[*overthinking.KINDS]]
    for backbone, method in dict.fromkeys(zip(counts["backbone"], counts["method"], strict=True)):
        plain = methods.plain_algorithm(method)
        if plain == method or (backbone, plain) not in every.index.droplevel([2, 3, 4]):
            continue
        both = [every.loc[backbone, name] for name in (method, plain)]
        seeds = sorted(set.intersection(*(set(of.index.unique("seed")) for of in both)))
        for kind in overthinking.KINDS:
            wide = [of.loc[seeds, kind].unstack("seed") for of in both]  # (benchmarks' P, S)
            names = wide[0].index.unique("benchmark")
            tables = [[of.loc[name].to_numpy().T for name in names] for of in wide]
            compared[backbone, method, plain, kind] = (seeds, *tables)
    rows = []
    for (backbone, method, plain, kind), (seeds, ours, theirs) in compared.items():
        alike = [of for (*_, other), of in compared.items() if other == kind]
        spread = pooled_spread([_differences(*of[1:]) for of in alike])
        found = interval(_differences(ours, theirs), spread=spread)
        row = {"backbone": backbone, "method": method, "baseline": plain, "kind": kind}
        row |= {"plain": _mean(theirs), "repro": _mean(ours), "difference": found.mean}
        rows.append(row | {"low": found.low, "high": found.high, "seeds": len(seeds)})
    return pd.DataFrame(rows)


def write_table(
    runs: Sequence[RunFolder], benchmarks: Sequence[str], output_dir: str | Path, note: str
) -> None:
    """Write overthinking.{csv,md,tex}; ValueError where no method is there with and without RePro.

    ``note`` says what the numbers are not.
    """
    frame = compare_counts(read_counts(runs, benchmarks))
    if frame.empty:
        raise ValueError("table overthinking: no method is there with and without RePro")
    sheet = make_sheet(frame)
    texts = {"csv": to_csv(frame, note), "md": to_markdown(sheet, note)}
    for suffix, text in (texts | {"tex": to_latex(sheet, note)}).items():
        (Path(output_dir) / f"overthinking.{suffix}").write_text(text, encoding="utf-8")


def make_sheet(frame: pd.DataFrame) -> Sheet:
    """Return the table of `compare_counts`."""
    rows = []
    for row in frame.to_dict("records"):
        effect = f"{row['difference']:+.1f} [{row['low']:+.1f}, {row['high']:+.1f}]"
        cells = [f"{row['plain']:.1f}", f"{row['repro']:.1f}", effect, str(row["seeds"])]
        rows.append([row["backbone"], methods.label(row["baseline"]), TITLES[row["kind"]], *cells])
    header = ["Backbone", "Algorithm", "Segments", "Plain", "+ RePro", "Difference", "Seeds"]
    return Sheet("overthinking", _CAPTION, header, rows, groups=2, texts=3)


def _differences(ours: list[np.ndarray], theirs: list[np.ndarray]) -> list[np.ndarray]:
    return [a - b for a, b in zip(ours, theirs, strict=True)]


def _mean(tables: list[np.ndarray]) -> float:
    return float(np.mean([table.mean() for table in tables]))
