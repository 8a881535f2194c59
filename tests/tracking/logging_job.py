"""What a training does for MLflow, as a process: `python logging_job.py URI SEED SECONDS`.

Logs the rows of a file, one every so many seconds. It waits for a line on stdin before the first,
so that several start at once, and prints how long the longest call took.
"""

import sys
import time
from pathlib import Path

from repro import jsonl, tracking
from tests.run_folder import RUN


def settings(seed: int) -> dict:
    return {**RUN, "seed": seed}


def main() -> None:
    uri, seed, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    work = Path(f"work{seed}")
    rows = jsonl.read(work / "rows.jsonl")
    tracking.FLUSH_SECONDS = 0.2
    print("ready", flush=True)
    sys.stdin.readline()
    longest = 0.0
    with tracking.Writer(uri, "many", settings(seed), work) as writer:
        for row in rows:
            time.sleep(seconds)
            started = time.perf_counter()
            writer.add(row)
            longest = max(longest, time.perf_counter() - started)
    print(longest, flush=True)


if __name__ == "__main__":
    main()
