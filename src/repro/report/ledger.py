"""Where the main table's numbers come from: a row for every one of them at every seed."""

import json
from collections.abc import Sequence

import pandas as pd

from repro.files import digests
from repro.records.archive import without_places
from repro.records.experiment import RunFolder
from repro.report.collect import RUN_KEYS


def read_ledger(runs: Sequence[RunFolder], problems: pd.DataFrame, command: str) -> pd.DataFrame:
    """Return what the records beside the runs say, a row per run and benchmark that is scored.

    From `Scores.problems`. Columns backbone, method, seed, benchmark; accuracy in percent (of
    several seeds the main table has the mean); step, of how many; commit, with a + where files had
    changed; settings and responses, SHA-256 sums; engine with its version; machine, the one that
    trained; hours, from the backbone to the scores; command, ``command`` and the score file's path.
    What was not recorded is empty.
    """
    rows, accuracies = [], problems.groupby([*RUN_KEYS, "benchmark"])["accuracy"].mean()
    for run in runs:
        asked, scored = (run.read_json(f"{of}.provenance") for of in ("generations", "scores"))
        made = asked.get("inputs", {}).get("model", {}).get("made") or {}
        engine = asked.get("settings", {}).get("evaluation", {}).get("engine", "")
        settings = json.dumps(run.read_json("settings"), sort_keys=True)
        seconds = [record.get("seconds", 0) for record in (made, asked, scored)]
        packages, chosen = asked.get("packages", {}), run.read_json("checkpoint")
        version = packages.get(engine) or packages.get(f"{engine}-cpu", "")
        machine = made.get("machine", {})
        devices = machine.get("gpus") or [machine.get("cpu", "")] * machine.get("cpus", 0)
        facts = {
            "step": f"{chosen['step']} of {chosen['steps']}" if chosen else "",
            "commit": (made.get("git_commit") or "") + "+" * bool(made.get("git_changes")),
            "settings": digests.of_values(without_places(settings), 64),
            "engine": f"{engine} {version}".strip(),
            "machine": f"{len(devices)} x {devices[0]}" if devices else "",
            "hours": sum(seconds) / 3600,
        }
        of_run = accuracies.get(tuple(run.keys().values()), pd.Series())
        for benchmark, accuracy in of_run.items():
            row = run.keys() | {"benchmark": benchmark, "accuracy": 100 * accuracy} | facts
            digest = asked.get("outputs", {}).get(benchmark, {}).get("content", "")
            target = f"{command}/runs/{run.name}/scores/{benchmark}.json"
            rows.append(row | {"responses": digest, "command": target})
    return pd.DataFrame(rows)
