"""`make faults`: kill the smoke pipeline at random moments, call it again, compare the end.

Every kind of harm meets the pipeline in every stage, `--tries` times each, call after call in
one folder. At the end everything must equal what an undisturbed pipeline makes, and no job that
Snakemake had seen finish may have been started again. Prints the matrix; status 1 where it fails.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.faults.project import POLL, STAGES, Project, durable, mount, strike, unmount
from tests.faults.snakemake_log import find_repeated

KINDS = ["worker", "snakemake", "both", "SIGTERM", "clock"]
FILE_SYSTEM = ["full disk", "read-only"]  # where something can be mounted
ATTEMPTS = 3  # pipelines, where a moment comes too late


class Blow(NamedTuple):
    """One moment at which something was killed."""

    kind: str
    stage: str
    after: float  # seconds into the worker's life
    lost: float  # seconds of work since then, or since it last wrote something that stays


def main() -> int:
    """Run the matrix."""
    options = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    options.add_argument("--tries", type=int, default=2, help="of each kind in each stage")
    options.add_argument("--mixed", action="store_true", help="all kinds in one pipeline, in turn")
    options = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        probe = Path(folder) / "probe"
        if mounted := mount(probe):
            unmount(probe)
        else:
            print(f"left out, because nothing can be mounted here: {', '.join(FILE_SYSTEM)}")
        kinds = KINDS + FILE_SYSTEM if mounted else KINDS
        undisturbed = Project(Path(folder) / "undisturbed")
        began = time.monotonic()
        lives = watch(undisturbed)
        print(f"undisturbed: {time.monotonic() - began:.0f} s")
        print("| kind | stage | tries | moments (s) | work lost, most (s) | equal | ran twice |")
        print("|---|---|--:|---|--:|---|--:|")
        faults = 0
        for number, plan in enumerate([kinds] if options.mixed else [[kind] for kind in kinds]):
            for attempt in range(ATTEMPTS):
                place = Path(folder) / f"disturbed-{number}-{attempt}"
                if mounted:
                    mount(place)
                project = Project(place)
                try:
                    if blows := disturb(project, plan, options.tries, lives):
                        faults += report(undisturbed, project, blows)
                        break
                finally:
                    project.end_all()
                    if mounted:
                        unmount(place)
            else:
                faults += 1
    print(f"{faults} faults")
    return min(faults, 1)


def watch(project: Project) -> dict[str, float]:
    """Run a pipeline to its end; return for each stage within how long workers can be struck."""
    call, seen = project.start(), {}
    while call.poll() is None:
        now = time.monotonic()
        for stage, steps in STAGES.items():
            for worker in project.workers(steps, call):
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


def disturb(project: Project, kinds: list[str], tries: int, lives: dict[str, float]) -> list[Blow]:
    """Strike in each stage, in the order of the pipeline; then let it finish.

    Nothing is returned where a stage was over before its moment came.
    """
    blows = []
    for stage in STAGES:
        for _ in range(tries):
            kind = kinds[len(blows) % len(kinds)]
            blow = one_blow(project, kind, stage, lives[stage])
            if blow is None:
                print(f"{kind} came too late for {stage}; once more", file=sys.stderr)
                return []
            blows.append(blow)
    if project.finish().returncode:  # a job that the last blow left behind may have had to end
        raise RuntimeError(project.output())
    return blows


def one_blow(project: Project, kind: str, stage: str, life: float) -> Blow | None:
    """Call the workflow and strike a worker of a stage at a random moment of its life.

    A worker that ended before its moment came is let go and the next one taken; None where the call
    ended without another.
    """
    call, let_go = project.start(), set()
    while call.poll() is None:
        fresh = [pid for pid in project.workers(STAGES[stage], call) if pid not in let_go]
        if not fresh:
            time.sleep(POLL)
            continue
        worker, began, after = fresh[0], time.time(), random.uniform(0, life)
        let_go.add(worker)
        time.sleep(after)
        if worker not in project.workers(STAGES[stage], call):
            continue
        lost = time.time() - durable(project, began)
        strike(kind, project, call, worker)
        if call.returncode == 0:
            raise RuntimeError(f"{kind} in {stage}: the call ended as if nothing had happened")
        return Blow(kind, stage, after, lost)
    return None


def report(undisturbed: Project, project: Project, blows: list[Blow]) -> int:
    """Print a line for each stage and kind; return the number of faults."""
    command = [sys.executable, "-m", "repro", "compare", undisturbed.results, project.results]
    compared = subprocess.run(command, capture_output=True, text=True)
    equal = "NO" if compared.returncode else "yes"
    twice = find_repeated(project.folder)
    for kind, stage in dict.fromkeys((blow.kind, blow.stage) for blow in blows):
        alike = [blow for blow in blows if (blow.kind, blow.stage) == (kind, stage)]
        moments = ", ".join(f"{blow.after:.1f}" for blow in alike)
        lost = f"{max(blow.lost for blow in alike):.1f}"
        row = [kind, stage, len(alike), moments, lost, equal, len(twice)]
        print(f"| {' | '.join(map(str, row))} |", flush=True)
    if compared.returncode:
        print(compared.stdout + compared.stderr, file=sys.stderr)
    for job in twice:
        print(f"finished, and started again: {job}", file=sys.stderr)
    return (compared.returncode != 0) + len(twice)


if __name__ == "__main__":
    sys.exit(main())
