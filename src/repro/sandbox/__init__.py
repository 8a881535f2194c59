"""Where programs run: `runner` gives the function that runs one, in the strongest sandbox here.

Both sandboxes (see `routes`) give a program one process with threads, no network, no environment,
no other process to see or signal, and of the host's files only its interpreter and packages, to
read. They bound its time, memory, threads, files and output. What they leave open is in
docs/evaluation.md. Before the first use of one, a program that tries to escape is run in it.
"""

import functools
import os
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

from repro.sandbox import routes
from repro.sandbox.conversation import Limits, NotStarted, Outcome, variables

Runner = Callable[[dict, str, Limits], Outcome]
_STRONGEST_FIRST = ("bubblewrap", "namespaces", "none")
ROUTES: dict[str, Runner] = {name: functools.partial(routes.run, name) for name in _STRONGEST_FIRST}
_CHECK = tomllib.loads(Path(__file__).with_name("self_check.toml").read_text(encoding="utf-8"))


class SandboxUnavailable(RuntimeError):
    """No sandbox that was asked for works on this machine; says why, and what to install."""


def runner(name: str) -> Runner:
    """Return the function that runs programs in the sandbox ``name``; errors as of `describe`."""
    return ROUTES[describe(name)]


def describe(name: str) -> str:
    """Return which route ``runner(name)`` takes: "auto" is the first that works, never "none".

    SandboxUnavailable: it does not work, or does not hold, on this machine.
    """
    if name == "none":
        return name
    reasons = {}
    for route in _STRONGEST_FIRST[:2] if name == "auto" else [name]:
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
        must_fail = _CHECK["must_fail"] | {f"read:{file}": f"open({file!r})" for file in files}
        shown = {f"unreadable:{path}": f"os.access({path!r}, 4)" for path in routes.host_paths()}
        must_hold = _CHECK["must_hold"] | shown
        asked = must_fail | must_hold
        job = {"program": _CHECK["program"], "variables": {"known": [*variables("/")]}}
        job["expressions"] = [*asked.values()]
        try:
            outcome = ROUTES[route](job, "", Limits(cpu_s=5, wall_s=60, processes=8))
        except (NotStarted, OSError) as error:
            return str(error)
    answers = dict(zip(asked, outcome.stdout.splitlines(), strict=False))
    if len(answers) < len(asked):
        return "the check's program did not end"
    found = [name for name in must_fail if not answers[name].startswith(b'{"error"')]
    found += [name for name in must_hold if answers[name] != b"true"]
    return f"a program inside found {' '.join(found)}" if found else ""
