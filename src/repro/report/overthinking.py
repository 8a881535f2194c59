"""What RePro changes in the segments of the tiny world's thoughts.

Words do not tell a doubt that mends a slip from one that mends nothing; the arithmetic does, and in
the tiny world it is known. So this is read from the responses, and of that world alone.
"""

import itertools
from collections.abc import Sequence

import pandas as pd

from repro import methods
from repro.files import jsonl
from repro.records.experiment import RunFolder
from repro.report import compare
from repro.report.collect import RUN_KEYS, Grid
from repro.tinyworld import overthinking
from repro.verify.answers import split_thought

# Of the kinds that `repro.tinyworld.overthinking.count` counts.
TITLES = {"correction": "Productive corrections", "self_doubt": "Self-doubt"}
TITLES |= {"check": "Redundant checks", "filler": "Filler"}


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
    pairs = counts[["backbone", "method"]].drop_duplicates().itertuples(index=False, name=None)
    grid, found = Grid(list(pairs), list(counts["benchmark"].unique())), []
    for kind in TITLES:
        # As accuracies are compared, which are shown times 100, too.
        problems = counts.assign(**dict.fromkeys(compare.MEASURED, counts[kind]))
        means, effects = (
            of(problems, grid).query("benchmark == 'all' and metric == 'accuracy'")
            for of in (compare.summarise, compare.effects)
        )
        repro = means[["backbone", "method", "mean"]].rename(columns={"mean": "repro"})
        plain = repro.rename(columns={"method": "baseline", "repro": "plain"})
        chosen = effects["method"].str.endswith(methods.REPRO)  # not its rivals and ablations
        against_plain = effects[chosen & (effects["baseline"] != methods.ORIGINAL)]
        found.append(against_plain.assign(kind=kind).merge(repro).merge(plain))
    columns = ["backbone", "method", "baseline", "kind", "plain", "repro"]
    columns += ["difference", "low", "high", "seeds"]
    return pd.concat(found).sort_index(kind="stable")[columns]
