"""Route "none": run a model-written program in a plain subprocess with limits. NOT A SANDBOX.

The limits keep an accident (an endless loop, a huge list, endless output) from hurting the machine.
They do not hold against intent: the program runs with the caller's rights, sees the network and
every readable file, can start processes, and as root ignores some limits. ``sandbox.py`` has
better.
"""

import compileall
import functools
import os
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from repro.sandbox.conversation import Limits, Outcome, converse

CHILD = Path(__file__).with_name("child")


def run(job: dict, stdin: str, limits: Limits) -> Outcome:
    """Run one job (see ``conversation.converse``).

    The program gets a temporary working directory, an environment without the caller's variables
    and a session of its own; when it ends or its time is over, its process group is killed.
    An exit code proves nothing about correctness: compare values.

    Raises:
        NotStarted: the process did not come up.
    """
    limits = replace(limits, processes=_user_processes() + limits.processes)
    with tempfile.TemporaryDirectory(prefix="repro-", ignore_cleanup_errors=True) as folder:
        return converse(
            lambda channel: child_command(CHILD, "none", channel, limits),
            environment(folder),
            folder,
            job,
            stdin,
            limits,
        )


def child_command(folder: Path | str, route: str, channel: int, limits: Limits, **more) -> list:
    """Return the command that starts the child, whose scripts are in ``folder``."""
    _compile()
    settings = {"route": route, "channel": channel, "limits": asdict(limits), "uid": None} | more
    settings["site"] = site_packages()
    flags = ["-s", "-P", "-S", "-B", "-X", "utf8"]  # -S: no .pth files, and 4 ms less
    return [interpreter(), *flags, f"{folder}/start.py", repr(settings)]


def environment(folder: str) -> dict[str, str]:
    """Return all variables that a program sees; ``folder`` is where it may write."""
    return {
        "HOME": folder,
        "TMPDIR": folder,
        "PYTHONHASHSEED": "0",  # a program that prints a set gives the same verdict every time
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def interpreter() -> str:
    """Return the real file of this interpreter, not a virtual environment's link to it."""
    return os.path.realpath(sys._base_executable)


def site_packages() -> list[str]:
    """Return the folders of installed packages here, which programs may import too (numpy)."""
    names = ("site-packages", "dist-packages")
    return [path for path in sys.path if path.endswith(names) and os.path.isdir(path)]


@functools.cache
def _compile() -> None:
    """Write the child's bytecode, which it may not write itself; without, it starts slower."""
    compileall.compile_dir(CHILD, quiet=2)


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
