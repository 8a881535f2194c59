"""One job at a time for the same output.

A killed workflow can leave a job running: when the workflow is called again it starts that job a
second time, and both would write the same checkpoints and files. The second waits for the first and
then finds its work done.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock, Timeout

from repro.files import digests

LOCKS = Path("work/locks")


def of_output(options: argparse.Namespace) -> AbstractContextManager:
    """Return the lock of what a command's options say it writes; nothing is locked for others."""
    output = getattr(options, "output", None) or getattr(options, "run", None)
    if output is None:
        return nullcontext()
    return alone(options.command, output if isinstance(output, str) else output[0])


@contextmanager
def alone(step: str, output: str) -> Iterator[None]:
    """Hold the lock of the path that a step writes; wait for it where another process has it.

    The system takes a lock back when its process ends, however that ends. Of processes that one
    launcher started to train together the first takes it for all, and the others wait for that.
    """
    file = LOCKS / digests.of_values([step, os.path.abspath(output)])
    owner = Path(f"{file}.owner")
    us = f"started by {os.getppid()} on {platform.node()}"
    if int(os.environ.get("RANK", 0)) > 0:
        while not _read(owner).endswith(us):
            time.sleep(0.1)
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{file}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        who = f"{_read(owner) or 'another process'}, left over from a call that has ended"
        message = f"{step}: {output} is being written by {who}; waiting for it"
        print(message, file=sys.stderr, flush=True)
        lock.acquire()
    try:
        owner.write_text(f"process {os.getpid()} {us}", encoding="utf-8")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _read(owner: Path) -> str:
    try:
        return owner.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
