"""Clear the lock that a killed Snakemake left in this directory, if it is really gone.

Snakemake locks a directory while it works there and leaves the lock when it is killed; its own
`--unlock` asks nothing. `make` calls this first: it says what it does, and ends with status 1 where
the lock may be somebody's.
"""

import platform
import subprocess
import sys
from pathlib import Path

import psutil

LOCKS, LOGS = Path(".snakemake/locks"), Path(".snakemake/log")


def main() -> int:
    """Return 0 where the directory is free now, and 1 where it is not."""
    if not any(LOCKS.glob("*")):
        return 0
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
