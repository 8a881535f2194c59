"""One job at a time for the same output.

A killed workflow can leave a job running. When the workflow is called again it starts that job a
second time, which waits for the first and then finds its work done.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from repro.files import digests

LOCKS = Path("work/locks")


@contextmanager
def of_output(options: argparse.Namespace) -> Iterator[None]:
    """Hold the lock of what a command's options say it writes; wait where another process has it.

    The system takes a lock back when its process ends, however that ends. Of processes that one
    launcher started to train together the first takes it for all, and the others wait for that.
    """
    output = getattr(options, "output", None) or getattr(options, "run", None)
    if output is None:
        yield
        return
    output = output if isinstance(output, str) else output[0]
    file = LOCKS / digests.of_values([options.command, os.path.abspath(output)])
    owner, lock = Path(f"{file}.owner"), FileLock(f"{file}.lock")
    us = f"started by {os.getppid()} on {platform.node()}"
    if int(os.environ.get("RANK", 0)) > 0:
        while not (owner.is_file() and owner.read_text(encoding="utf-8").endswith(us)):
            time.sleep(0.1)
        yield
        return
    try:
        held = lock.acquire(blocking=False)
    except Timeout:
        who = owner.read_text(encoding="utf-8") if owner.is_file() else "another process"
        print(f"{output} is being written by {who}; waiting for it", file=sys.stderr, flush=True)
        held = lock.acquire()
    with held:
        owner.write_text(f"process {os.getpid()} {us}", encoding="utf-8")
        yield
