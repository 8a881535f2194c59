"""What `make` does before it calls Snakemake: it clears a lock that nobody holds any more.

Snakemake locks a directory while it works there and leaves the lock when it is killed; its own
`--unlock` does not ask whether another Snakemake still works. Results that are dated in the future,
because the computer's clock was set back, would make Snakemake refuse what is made from them: they
are named, and with `--date-now` they get the present time. The status is 1 where Snakemake cannot
be called yet.
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
    files = from_the_future(RESULTS)
    if not files:
        return 0
    if "--date-now" not in sys.argv[1:]:
        print(
            f"{len(files)} results are dated in the future, such as {files[0]}: the clock was set "
            "back, and Snakemake would refuse what is made from them. "
            "To give them the present time: make ... DATE_NOW=1"
        )
        return 1
    now = time.time()
    for file in files:  # all the same time, so that none is older than what it was made from
        os.utime(file, (now, now), follow_symlinks=False)
    print(f"{len(files)} results that were dated in the future have the present time now.")
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
