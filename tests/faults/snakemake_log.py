"""What Snakemake's own log files say of the jobs of each call."""

import re
from pathlib import Path

JOB = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?: {4}.*\n)+)", re.M)


def find_repeated(folder: Path) -> list[str]:
    """Return the jobs, `rule: first output`, that started again after a call had finished them."""
    done, again = set(), []
    for log in sorted((folder / ".snakemake/log").glob("*.snakemake.log")):
        text, jobs = log.read_text(errors="replace"), {}
        for rule, fields in JOB.findall(text):
            said = dict(re.findall(r"^ {4}(\w+): (.*)$", fields, re.M))
            if "output" in said:  # without files: a target
                jobs[said["jobid"]] = f"{rule}: {said['output'].split(',')[0]}"
        again += done.intersection(jobs.values())
        finished = re.findall(r"^Finished jobid: (\d+)", text, re.M)
        done |= {jobs[number] for number in finished if number in jobs}
    if not done:
        raise RuntimeError(f"no log in {folder} tells of a finished job")
    return again
