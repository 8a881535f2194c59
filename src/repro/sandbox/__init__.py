"""Where programs run: `runner` gives the function that runs one, in the strongest sandbox here.

Both sandboxes (see `routes`) give a program one process with threads, no network, no environment,
no other process to see or signal, and of the host's files only its interpreter and packages, to
read. They bound its time, memory, threads, files and output. What they leave open is in
docs/evaluation.md. Before the first use of one, a program that tries to escape is run in it.
"""

import functools
import os
import tempfile
from collections.abc import Callable

from repro.sandbox import routes
from repro.sandbox.conversation import Limits, NotStarted, Outcome

Runner = Callable[[dict, str, Limits], Outcome]
SANDBOXES = ("auto", "bubblewrap", "namespaces", "none")
ROUTES: dict[str, Runner] = {name: functools.partial(routes.run, name) for name in SANDBOXES[1:]}


class SandboxUnavailable(RuntimeError):
    """No sandbox that was asked for works on this machine; says why, and what to install."""


def runner(name: str) -> Runner:
    """Return the function that runs programs in the sandbox ``name``; errors as of `describe`."""
    return ROUTES[describe(name)]


def describe(name: str) -> str:
    """Return which route ``runner(name)`` takes: "auto" is the first that works, never "none".

    Raises:
        ValueError: a name that is none of ``SANDBOXES``.
        SandboxUnavailable: it does not work, or does not hold, on this machine.
    """
    if name not in SANDBOXES:
        raise ValueError(f"sandbox: {name!r} is unknown, choose from {', '.join(SANDBOXES)}")
    if name == "none":
        return name
    reasons = {}
    for route in ("bubblewrap", "namespaces") if name == "auto" else [name]:
        reasons[route] = failure(route)
        if not reasons[route]:
            return route
    details = "; ".join(f"{route}: {reason}" for route, reason in reasons.items())
    raise SandboxUnavailable(
        f"no sandbox for programs ({details}). Needed is the right to make namespaces, which "
        "containers often lack, and the package bubblewrap (as root also util-linux) or Linux "
        "5.12. The sandbox 'none' runs programs without protection, for where none can do harm"
    )


@functools.cache
def failure(route: str) -> str:
    """Return why a route cannot be trusted here, "" where it can. Asked once per process."""
    with tempfile.NamedTemporaryFile() as canary:
        os.chmod(canary.name, 0o644)
        files = [canary.name, __file__, "/etc/passwd", "/proc/self/stat"]
        job = {
            "program": _ESCAPES,
            "variables": {"files": files, "shown": list(routes.host_paths())},
            "expressions": ["escapes()"],
        }
        try:
            outcome = ROUTES[route](job, "", Limits(cpu_s=5, wall_s=60, processes=8))
        except (NotStarted, OSError) as error:
            return str(error)
    if outcome.stdout == b'""\n':
        return ""
    found = outcome.stdout.decode().strip()
    return f"a program inside found {found}" if found else "the check's program did not end"


# Run as a program: the names of what must fail and did not, or must work and does not.
_ESCAPES = """
import ctypes, os, socket, threading

def escapes():
    prctl, end = ctypes.CDLL(None).prctl, threading.Event()
    must_fail = {f"read:{path}": (open, path) for path in files} | {
        "fork": (os.fork,),
        "signal": (os.kill, -1, 0),
        "socket": (socket.socket,),
        "root": (os.setuid, 0),
        "memfd": (os.memfd_create, "x"),
        # The kernel does not limit those of a user that it takes for root.
        "threads": (lambda: [threading.Thread(target=end.wait).start() for _ in range(16)],),
    }
    names = "HOME TMPDIR PYTHONHASHSEED OMP_NUM_THREADS OPENBLAS_NUM_THREADS PWD LC_CTYPE"
    must_hold = {
        "is-root": os.getuid() != 0,
        "orphan": prctl(1, 0, 0, 0, 0) == -1,
        "write": os.statvfs("/").f_flag & os.ST_RDONLY,
        "no-filter": prctl(21, 0, 0, 0, 0) == 2 and prctl(39, 0, 0, 0, 0) == 1,
        "environment": not os.environ.keys() - {*names.split()},
        **{f"unreadable:{path}": os.access(path, os.R_OK) for path in shown},
    }
    with open("file", "w") as file:  # and this must work
        file.write("x")
    found = [name for name, attempt in must_fail.items() if works(*attempt)]
    end.set()
    return " ".join(found + [name for name, holds in must_hold.items() if not holds])

def works(function, *arguments):
    try:
        function(*arguments)
    except (OSError, RuntimeError):
        return False
    return True
"""
