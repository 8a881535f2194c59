"""Where programs run: `runner` gives the function that runs one, in the strongest sandbox here.

Both sandboxes give a program one process with threads, no network, no environment, no other process
to see or signal, and of the host's files only its interpreter and packages, to read. They bound its
time, memory, threads, files and output. What they leave open is in docs/evaluation.md. Before the
first use of one, a program that tries to escape is run in it. The routes are:

- "bubblewrap": bwrap makes mount, process, network, IPC and host name namespaces, and one of users
  where the caller is not root; its root has the interpreter, packages and child's scripts, to read.
- "namespaces": the process makes the same itself (``confinement.enter``). It needs Linux 5.12, root
  or user namespaces for everyone, and x86_64. On both it then gives up all rights (``shut``).
- "none": a plain subprocess with limits, which stop an accident such as an endless loop. NOT A
  SANDBOX: the program has the caller's rights, and as root ignores some limits.
"""

import functools
import os
import secrets
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path, PurePath

# Python writes their bytecode now; without it the child, which may not write it, starts slower.
from repro.sandbox.child import confinement, program_child  # noqa: F401
from repro.sandbox.conversation import Limits, NotStarted, Outcome, converse, variables

Runner = Callable[[dict, str, Limits], Outcome]
_CHECK = tomllib.loads(Path(__file__).with_name("self_check.toml").read_text(encoding="utf-8"))
WORKDIR = "/sandbox"  # not /tmp: an interpreter may be installed below that
_CHILD, _CHILD_INSIDE = Path(__file__).with_name("child"), "/child"
_SHOWN = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/dev/null", "/dev/zero", "/dev/urandom")
# No user has such a number, and systemd gives them to no container either.
FIRST_SPARE_UID, _SPARE_UIDS = 1_900_000_000, 100_000_000
# The real file of the interpreter, not a virtual environment's link to it.
INTERPRETER = os.path.realpath(sys._base_executable)


def _run(route: str, job: dict, stdin: str, limits: Limits) -> Outcome:
    """Run one job on a route; arguments and errors as of ``conversation.converse``."""
    settings = {"route": route, "limits": asdict(limits), "site": _site_packages()}
    settings |= {"paths": host_paths(), "uid": None if route == "none" else _spare_uid()}
    before, scripts, workdir = [], _CHILD, nullcontext(WORKDIR)
    if route == "bubblewrap":
        before, scripts = _bwrap(settings["uid"]), _CHILD_INSIDE
    elif route == "none":
        # The kernel limits the user's total, not the program's own: all that run go on top.
        running = Path("/proc/loadavg").read_text().split()[3].partition("/")[2]
        settings["limits"]["processes"] += int(running)
        workdir = tempfile.TemporaryDirectory(prefix="repro-", ignore_cleanup_errors=True)
    # -S: no .pth files, and 4 ms less. -B: the child's bytecode is there already.
    before += [INTERPRETER, "-s", "-P", "-S", "-B", "-X", "utf8", f"{scripts}/start.py"]
    with workdir as folder:
        return converse(before, settings | {"folder": folder}, job, stdin, limits)


ROUTES: dict[str, Runner] = {
    name: functools.partial(_run, name) for name in ("bubblewrap", "namespaces", "none")
}


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
        must_fail = _CHECK["must_fail"] | {f"read:{file}": f"open({file!r})" for file in files}
        shown = {f"unreadable:{path}": f"os.access({path!r}, 4)" for path in host_paths()}
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


def _bwrap(uid: int | None) -> list[str]:
    bwrap = _find("bwrap", "bubblewrap")
    if uid is None:
        command = [bwrap, "--unshare-pid", "--as-pid-1", "--cap-drop", "ALL", "--unshare-user"]
        command += ["--uid", str(confinement.NOBODY), "--gid", str(confinement.NOBODY)]
    else:
        # bwrap gives up the right to signal the user that the program becomes; so that it dies
        # with the caller all the same, these two go before.
        command = [_find("setpriv", "util-linux"), "--pdeathsig", "KILL", "--"]
        command += [_find("unshare", "util-linux"), "--pid", "--fork", "--kill-child=KILL", "--"]
        command += [bwrap, "--cap-drop", "ALL"]
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    # For confinement.shut; --disable-userns would refuse its mount, and it denies them itself.
    command += ["--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP"]
    command += ["--unshare-net", "--unshare-ipc", "--unshare-uts", "--hostname", "sandbox"]
    command += ["--die-with-parent", "--new-session"]
    folders = {str(above) for path in host_paths() for above in PurePath(path).parents} - {"/"}
    for folder in sorted(folders):  # left to bwrap, they would be open to root only
        command += ["--dir", folder]
    for path, source in host_paths().items():
        command += ["--dev-bind" if path.startswith("/dev/") else "--ro-bind", source, path]
    command += ["--ro-bind", str(_CHILD), _CHILD_INSIDE, "--dir", WORKDIR]
    return [*command, "--remount-ro", "/", "--chdir", "/", "--"]


def _find(program: str, package: str) -> str:
    if path := shutil.which(program):
        return path
    raise NotStarted(f"there is no {program}: install the package {package}")


def _site_packages() -> list[str]:
    names = ("site-packages", "dist-packages")
    return [path for path in sys.path if path.endswith(names) and os.path.isdir(path)]


@functools.cache
def host_paths() -> dict[str, str]:
    """Return what a program sees of the host, each within no other, and what it really is."""
    prefix = sys.base_prefix
    wanted = {*_SHOWN, f"{prefix}/lib", f"{prefix}/lib64", INTERPRETER, *_site_packages()}
    paths: dict[str, str] = {}
    for path in sorted(filter(os.path.exists, wanted)):
        if not any(path.startswith(f"{outer}/") for outer in paths):
            paths[path] = os.path.realpath(path)
    return paths


def _spare_uid() -> int | None:
    """Return a user number for one program; None for who is not root, or of a namespace only."""
    if os.uname().machine != "x86_64":
        raise NotStarted(f"the system call filter knows x86_64 only, this is {os.uname().machine}")
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, count = map(int, line.split())
        spare = first <= FIRST_SPARE_UID and first + count >= FIRST_SPARE_UID + _SPARE_UIDS
        if spare and os.geteuid() == 0:
            return FIRST_SPARE_UID + secrets.randbelow(_SPARE_UIDS)
    return None
