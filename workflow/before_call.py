"""What `make` looks at before it calls Snakemake: another's lock, and a clock that went back.

Snakemake locks a directory while it works there and leaves the lock when it is killed; its own
`--unlock` asks nothing. And it refuses what a job has made where an input is newer, so that files
from before the clock went back would stop everything until the old time comes again. Both are
mended with a word; the status is 1 where the lock may be somebody's.
"""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import psutil

LOCKS, LOGS = Path(".snakemake/locks"), Path(".snakemake/log")
RESULTS = Path("results")
TOLERANCE = 60  # seconds that the clocks of two machines may differ


def main() -> int:
    """Return 0 where Snakemake may be called, and 1 where it may not."""
    if any(LOCKS.glob("*")) and clear_lock():
        return 1
    if files := from_the_future(RESULTS):
        now = time.time()
        for file in files:  # all alike, so that none is older than what it was made from
            os.utime(file, (now, now), follow_symlinks=False)
        print(f"The clock has gone back: {len(files)} results from the future are dated now.")
    return 0


def clear_lock() -> int:
    """Return 0 where the directory is free now, and 1 where it is not."""
    if pids := at_work(Path.cwd()):
        print(f"Another Snakemake (process {pids[0]}) is at work here: wait for it, or stop it.")
        return 1
    host = last_host()
    if host != platform.node():
        print(
            f"A Snakemake on {host or 'an unknown machine'} has locked this directory. "
            "If it is gone: snakemake --unlock"
        )
        return 1
    done = subprocess.run(["snakemake", "--unlock"], capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, end="")
        return 1
    print("The Snakemake that had locked this directory is gone; its lock is cleared.")
    return 0


def from_the_future(folder: Path) -> list[Path]:
    """Return the files and folders below a folder that are newer than now."""
    limit = time.time() + TOLERANCE
    return [path for path in folder.rglob("*") if path.lstat().st_mtime > limit]


def at_work(directory: Path) -> list[int]:
    """Return the ids of the Snakemake processes that work in a directory."""
    found = []
    for process in psutil.process_iter():
        try:
            command, place = process.cmdline(), process.cwd()
        except psutil.Error:  # it ended meanwhile, or belongs to somebody else
            continue
        called = any(Path(word).name == "snakemake" for word in command[:3])
        if called and place == str(directory):
            found.append(process.pid)
    return found


def last_host() -> str | None:
    """Return the machine on which the newest log of Snakemake was begun."""
    logs = sorted(LOGS.glob("*.snakemake.log"))
    lines = logs[-1].read_text(encoding="utf-8", errors="replace").splitlines() if logs else []
    return next((line.split(":", 1)[1].strip() for line in lines if "Host:" in line[:12]), None)


if __name__ == "__main__":
    sys.exit(main())
