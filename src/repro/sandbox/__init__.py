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
from repro.sandbox.conversation import Limits, NotStarted, Outcome, variables

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

    ValueError: a name that is none of ``SANDBOXES``. SandboxUnavailable: it does not work, or does
    not hold, on this machine.
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


# Expressions by name, in the module that `failure` runs: what must raise, and what must be true.
_MUST_FAIL = {
    "fork": "os.fork() or os._exit(0)",
    "signal": "os.kill(-1, 0)",
    "socket": "socket.socket()",
    "root": "os.setuid(0)",
    "memfd": "os.memfd_create('x')",
    # The kernel does not limit those of a user that it takes for root.
    "threads": "[threading.Thread(target=end.wait).start() for _ in range(16)]",
}
_MUST_HOLD = {
    "is-root": "os.getuid() != 0",
    "orphan": "prctl(1, 0, 0, 0, 0) == -1",
    "no-filter": "prctl(21, 0, 0, 0, 0) == 2 and prctl(39, 0, 0, 0, 0) == 1",
    "environment": f"not os.environ.keys() - {{*{[*variables('/')]}, 'PWD', 'LC_CTYPE'}}",
    "write": "bool(os.statvfs('/').f_flag & os.ST_RDONLY)",
    "folder": "open('file', 'w').write('x') == 1",
}


@functools.cache
def failure(route: str) -> str:
    """Return why a route cannot be trusted here, "" where it can. Asked once per process."""
    program = "import ctypes, os, socket, threading\nprctl = ctypes.CDLL(None).prctl"
    with tempfile.NamedTemporaryFile() as canary:
        os.chmod(canary.name, 0o644)
        files = [canary.name, __file__, "/etc/passwd", "/proc/self/stat"]
        must_fail = _MUST_FAIL | {f"read:{file}": f"open({file!r})" for file in files}
        shown = {f"unreadable:{path}": f"os.access({path!r}, 4)" for path in routes.host_paths()}
        asked = must_fail | _MUST_HOLD | shown
        job = {"program": f"{program}\nend = threading.Event()", "expressions": [*asked.values()]}
        try:
            outcome = ROUTES[route](job, "", Limits(cpu_s=5, wall_s=60, processes=8))
        except (NotStarted, OSError) as error:
            return str(error)
    answers = dict(zip(asked, outcome.stdout.splitlines(), strict=False))
    if len(answers) < len(asked):
        return "the check's program did not end"
    found = [name for name in must_fail if not answers[name].startswith(b'{"error"')]
    found += [name for name in _MUST_HOLD | shown if answers[name] != b"true"]
    return f"a program inside found {' '.join(found)}" if found else ""
