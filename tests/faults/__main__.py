"""`make faults`: kill the smoke pipeline at random moments, call it again, compare the end.

The kinds of harm take turns, `--tries` times in each stage, call after call in one folder. At the
end everything must equal what an undisturbed pipeline makes, and no job that Snakemake had seen
finish may have been started again. Prints the matrix; status 1 where it fails. For root: the folder
is a small file system of its own.
"""

import argparse
import itertools
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from tests.faults.project import POLL, STAGES, Project, durable, mount, strike, unmount
from tests.faults.snakemake_log import find_repeated

KINDS = ["worker", "snakemake", "both", "SIGTERM", "clock", "full disk", "read-only"]


class Blow(NamedTuple):
    """One moment at which something was killed."""

    kind: str
    stage: str
    after: float  # seconds into the worker's life
    lost: float  # seconds of work since then, or since it last wrote something that stays


def main() -> int:
    """Run the matrix."""
    options = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    options.add_argument("--tries", type=int, default=1, help="blows in each stage")
    tries = options.parse_args().tries
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        undisturbed, began = Project(Path(folder) / "undisturbed"), time.monotonic()
        lives = watch(undisturbed)
        print(f"undisturbed: {time.monotonic() - began:.0f} s")
        place = Path(folder) / "disturbed"
        mount(place)
        project = Project(place)
        try:
            faults = report(undisturbed, project, disturb(project, tries, lives))
        finally:
            project.end_all()
            unmount(place)
    print(f"{faults} faults")
    return min(faults, 1)


def watch(project: Project) -> dict[str, float]:
    """Run a pipeline to its end; return for each stage within how long workers can be struck."""
    call, seen = project.start(), {}
    while call.poll() is None:
        now = time.monotonic()
        for worker, stage in project.workers(call).items():
            first, _ = seen.get((stage, worker), (now, now))
            seen[stage, worker] = first, now
        time.sleep(POLL)
    if call.returncode or find_repeated(project.folder):
        raise RuntimeError(project.output())
    lives = {stage: [] for stage in STAGES}
    for (stage, _), (first, last) in seen.items():
        lives[stage].append(last - first)
    # Half of it, because what was measured on a busy machine may be too long on an idle one.
    return {stage: statistics.median(values) / 2 for stage, values in lives.items()}


def disturb(project: Project, tries: int, lives: dict[str, float]) -> list[Blow]:
    """Strike in each stage, in the order of the pipeline; then let it finish."""
    blows, kinds = [], itertools.cycle(KINDS)
    for stage in STAGES:
        for kind in itertools.islice(kinds, tries):
            blows.append(one_blow(project, kind, stage, lives[stage]))
    if project.finish().returncode:  # a job that the last blow left behind may have had to end
        raise RuntimeError(project.output())
    return blows


def one_blow(project: Project, kind: str, stage: str, life: float) -> Blow:
    """Call the workflow and strike a worker of a stage at a random moment of its life.

    A worker that ended before its moment came is let go and the next one taken.
    """
    call, let_go = project.start(), set()
    while call.poll() is None:
        at_work = [pid for pid, of in project.workers(call).items() if of == stage]
        fresh = [pid for pid in at_work if pid not in let_go]
        if not fresh:
            time.sleep(POLL)
            continue
        worker, began, after = fresh[0], time.time(), random.uniform(0, life)
        let_go.add(worker)
        time.sleep(after)
        if worker not in project.workers(call):
            continue
        lost = time.time() - durable(project, began)
        strike(kind, project, call, worker)
        if call.returncode == 0:
            raise RuntimeError(f"{kind} in {stage}: the call ended as if nothing had happened")
        return Blow(kind, stage, after, lost)
    raise RuntimeError(f"{kind} came too late for {stage}, which was over: call it once more")


def report(undisturbed: Project, project: Project, blows: list[Blow]) -> int:
    """Print a line for each blow; return the number of faults."""
    command = [sys.executable, "-m", "repro", "compare", undisturbed.results, project.results]
    compared = subprocess.run(command, capture_output=True, text=True)
    twice = find_repeated(project.folder)
    print(pd.DataFrame(blows).round(1).to_markdown(index=False))
    print(compared.stdout + compared.stderr)
    for job in twice:
        print(f"finished, and started again: {job}")
    return (compared.returncode != 0) + len(twice)


if __name__ == "__main__":
    sys.exit(main())
