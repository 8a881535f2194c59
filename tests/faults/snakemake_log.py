"""What Snakemake's own log files say of the jobs of each call."""

import re
from pathlib import Path
from typing import NamedTuple

RULE = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
FINISHED = re.compile(r"^Finished jobid: (\d+)")


class Call(NamedTuple):
    """Jobs by what they make: `rule: first output`."""

    started: list[str]
    finished: list[str]


def read(folder: Path) -> list[Call]:
    """Return the calls of a directory in their order."""
    logs = sorted((folder / ".snakemake/log").glob("*.snakemake.log"))
    return [parse(log.read_text(errors="replace")) for log in logs]


def parse(text: str) -> Call:
    """Return the jobs that one call started and finished."""
    call, rule, output, jobs = Call([], []), None, "", {}
    for line in text.splitlines():
        if match := RULE.match(line.strip()):
            rule, output = match[1], ""
        elif rule and line.strip().startswith("output:"):
            output = line.split(":", 1)[1].split(",")[0].strip()
        elif rule and line.strip().startswith("jobid:"):
            jobs[line.split(":", 1)[1].strip()] = f"{rule}: {output}"
            call.started.append(f"{rule}: {output}")
            rule = None
        elif match := FINISHED.match(line.strip()):
            call.finished.append(jobs[match[1]])
    return call


def repeated(calls: list[Call]) -> list[str]:
    """Return the jobs that were started again after a call had finished them."""
    finished, again = set(), []
    for call in calls:
        again += [job for job in call.started if job in finished]
        finished |= {job for job in call.finished if job.split(": ")[1]}  # without files: targets
    return again
