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
from repro.report import compare, table_sheets
from repro.report.collect import RUN_KEYS
from repro.report.table_sheets import Sheet
from repro.tinyworld import overthinking
from repro.verify.answers import split_thought

# Of the kinds that `repro.tinyworld.overthinking.count` counts.
TITLES = {"correction": "Productive corrections", "self_doubt": "Self-doubt"}
TITLES |= {"check": "Redundant checks", "filler": "Filler"}
_CAPTION = (
    "Segments of a kind per 100 responses, over all benchmarks, which count equally. A productive "
    "correction makes a wrong column right; self-doubt changes or repeats a column that was right, "
    "changes it back, or changes a wrong one without mending it. Differences are paired by problem "
    "and seed, with 95 % intervals over problems and, of several seeds, over these."
)


def read_counts(runs: Sequence[RunFolder], benchmarks: Sequence[str]) -> pd.DataFrame:
    """Return the segments per response of each kind of `TITLES`, a row a problem and run.

    Columns backbone, method, seed, benchmark, doc_id and the kinds, averaged over samples.
    """
    rows = []
    for run, benchmark in itertools.product(runs, benchmarks):
        for row in jsonl.read(run.path / "generations" / f"{benchmark}.jsonl"):
            counts = overthinking.count(split_thought(row["text"])[0])
            keys = run.keys() | {"benchmark": benchmark, "doc_id": row["doc_id"]}
            rows.append(keys | {kind: counts[kind] for kind in TITLES})
    keys = [*RUN_KEYS, "benchmark", "doc_id"]
    return pd.DataFrame(rows).groupby(keys, sort=False).mean().reset_index()


def compare_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Return every method with RePro beside its plain algorithm, per backbone and kind.

    Columns backbone, method, baseline, kind, plain, repro (segments per 100 responses), difference,
    low, high (95 %), seeds (that both have).
    """
    cells, compared = compare.by_cell(counts, TITLES), {}
    for backbone, method in counts[["backbone", "method"]].drop_duplicates().to_numpy():
        pair = [method, methods.plain_algorithm(method)]
        seeds, tables = compare.stack(cells, backbone, pair, counts["benchmark"].unique())
        if seeds:
            tables = [100 * table for table in tables]  # (K, 2, S, P) each
            changes = [table[:, 0] - table[:, 1] for table in tables]
            compared[backbone, *pair] = len(seeds), tables, changes
    every = [changes for *_, changes in compared.values()]
    spreads = [
        compare.pooled_spread([[x[i] for x in of] for of in every]) for i in range(len(TITLES))
    ]
    rows = []
    for of_pair, (i, kind) in itertools.product(compared.items(), enumerate(TITLES)):
        keys, (seeds, tables, changes) = of_pair
        found = interval([change[i] for change in changes], spread=spreads[i])
        row = dict(zip(("backbone", "method", "baseline"), keys, strict=True), kind=kind)
        repro, plain = np.mean([table[i].mean(axis=(1, 2)) for table in tables], axis=0)
        row |= {"plain": plain, "repro": repro, "difference": found.mean}
        rows.append(row | {"low": found.low, "high": found.high, "seeds": seeds})
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
    table_sheets.write(frame, make_sheet(frame), output_dir, note)


def make_sheet(frame: pd.DataFrame) -> Sheet:
    """Return the table of `compare_counts`."""
    rows = []
    for row in frame.to_dict("records"):
        effect = f"{row['difference']:+.1f} [{row['low']:+.1f}, {row['high']:+.1f}]"
        cells = [f"{row['plain']:.1f}", f"{row['repro']:.1f}", effect, str(row["seeds"])]
        rows.append([row["backbone"], methods.label(row["baseline"]), TITLES[row["kind"]], *cells])
    header = ["Backbone", "Algorithm", "Segments", "Plain", "+ RePro", "Difference", "Seeds"]
    caption = f"{_CAPTION} {table_sheets.describe_seeds(frame['seeds'])}"
    return Sheet("overthinking", caption, header, rows, groups=2, texts=3)
