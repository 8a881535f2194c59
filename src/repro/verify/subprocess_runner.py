"""Run a model-written program in a plain subprocess with limits. NOT A SANDBOX.

The limits keep an accident (an endless loop, a huge list, endless output) from hurting the machine.
They do not hold against intent: the program runs with the caller's rights, sees the network and
every readable file, and as root ignores some limits. Run untrusted models inside a container, or
with a sandboxed runner of the same signature.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

_CHILD = Path(__file__).with_name("program_child.py")


@dataclass(frozen=True)
class Limits:
    """What one program may use."""

    wall_s: float = 6.0  # LiveCodeBench's own limit per test
    memory_bytes: int = 2 << 30  # address space, of each process
    file_bytes: int = 16 << 20  # of each file written, standard output included
    processes: int = 64  # beyond those the user already runs; not enforced for root
    output_bytes: int = 4 << 20  # read back by the parent


@dataclass(frozen=True)
class Outcome:
    """What a program left behind."""

    stdout: bytes
    returncode: int  # negative: the signal that ended it
    timed_out: bool


def run(job: dict, stdin: str, limits: Limits) -> Outcome:
    """Run one job of ``program_child.py`` and return its standard output.

    The program gets a temporary working directory, an environment without the caller's variables
    and a session of its own; when it ends or its time is over, its process group is killed.
    An exit code proves nothing about correctness: compare values.
    """
    with (
        tempfile.TemporaryDirectory(prefix="repro-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as job_file,
        tempfile.TemporaryFile() as stdin_file,
        tempfile.TemporaryFile() as stdout_file,
    ):
        limits_now = asdict(limits) | {"processes": _user_processes() + limits.processes}
        job_file.write(json.dumps(job | {"limits": limits_now}).encode())
        stdin_file.write(stdin.encode("utf-8", "surrogatepass"))
        for file in (job_file, stdin_file):
            file.flush()
            file.seek(0)
        # Files, not pipes: nothing to drain, no deadlock, and RLIMIT_FSIZE bounds the output.
        process = subprocess.Popen(
            [sys.executable, "-s", "-P", str(_CHILD), str(job_file.fileno())],
            stdin=stdin_file,
            stdout=stdout_file,
            stderr=subprocess.DEVNULL,
            pass_fds=[job_file.fileno()],
            cwd=folder,
            env=_environment(folder),
            start_new_session=True,
        )
        timed_out = not _wait(process, limits.wall_s)
        return Outcome(
            stdout=os.pread(stdout_file.fileno(), limits.output_bytes, 0),
            returncode=process.returncode,
            timed_out=timed_out,
        )


def _wait(process: subprocess.Popen, seconds: float) -> bool:
    """Wait for the end or the time limit, then kill the whole group; True if it ended by itself."""
    pidfd = os.pidfd_open(process.pid)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    try:
        ended = bool(poll.poll(seconds * 1000))
    finally:
        # The leader is not reaped yet, so its group id cannot belong to anyone else.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(pidfd)
    return ended


def _environment(folder: str) -> dict[str, str]:
    return {
        "HOME": folder,
        "TMPDIR": folder,
        "PYTHONHASHSEED": "0",  # a program that prints a set gives the same verdict every time
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _user_processes() -> int:
    """Count this user's threads: RLIMIT_NPROC limits the user's total, not the program's own."""
    if os.geteuid() == 0:
        return 0
    count = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if folder.stat().st_uid == os.geteuid():
                    count += len(os.listdir(folder / "task"))
            except OSError:  # ended meanwhile, or hidden from this user
                continue
    return count
