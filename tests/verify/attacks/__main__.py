"""Run every attack on one route and print what came of it as JSON.

A process of its own, so that it can be another user's and that an attack which reaches it shows.
"""

import importlib.util
import json
import os
import signal
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tests.verify.attacks import cheats, measures, probes, runaways

from repro import sandbox
from repro.sandbox import Limits, NotStarted, conversation, routes
from repro.verify import programs

ROOT = Path(__file__).parents[3]
SMALL = Limits(
    cpu_s=3,
    wall_s=60,
    memory_bytes=256 << 20,
    disk_bytes=16 << 20,
    files=64,
    open_files=64,
    processes=16,
)
LIMITS = {
    "probes": SMALL,
    "measures": SMALL,
    "cheats": replace(SMALL, cpu_s=2),
    "payloads": Limits(cpu_s=3, wall_s=60),
    "busy": replace(SMALL, cpu_s=1),
    "idle": replace(SMALL, wall_s=1),
    "greedy": replace(SMALL, cpu_s=1),
    "scripts": Limits(cpu_s=3, wall_s=60),
    "idle scripts": Limits(cpu_s=3, wall_s=1),
    "right": Limits(cpu_s=10, wall_s=60),
}
SQUARE = {"test_list": cheats.TESTS, "test_setup_code": ""}
CASES = json.dumps(
    [
        {"input": "1 2\n", "output": "3\n", "testtype": "stdin"},
        {"input": "10 20\n", "output": "30\n", "testtype": "stdin"},
    ]
)
ADD = {"public_test_cases": CASES, "private_test_cases": "[]", "metadata": "{}"}
ENVIRONMENT_CANARY = "REPRO_CANARY"


def attacks() -> dict[str, dict[str, str]]:
    """Return the source of every program: group -> name -> source."""
    scripts = {name: source for name, (source, _) in runaways.SCRIPTS.items()}
    idle = {name for name, source in scripts.items() if "1000)" in source or "1000," in source}
    return {
        "probes": probes.PROBES,
        "measures": {name: source for name, (source, _) in measures.MEASURES.items()},
        "cheats": cheats.CHEATS,
        "payloads": cheats.PAYLOADS,
        "busy": runaways.BUSY,
        "idle": runaways.IDLE,
        "greedy": runaways.GREEDY,
        "scripts": {name: source for name, source in scripts.items() if name not in idle},
        "idle scripts": {name: source for name, source in scripts.items() if name in idle},
        "right": runaways.RIGHT,
    }


class Machine:
    """What there is to be stolen, reached or destroyed, and whether it was."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.signals: list[int] = []
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: self.signals.append(received))
        os.environ[ENVIRONMENT_CANARY] = "secret"
        self.canary, self.victim = folder / "canary", folder / "victim"
        self.victim.mkdir()
        self.kept = [self.canary, self.victim / "file", folder / "victim.file"]
        for path in self.kept:
            path.write_text("secret")
        folder.chmod(0o755)
        self.listeners = [socket.create_server(("127.0.0.1", 0))]
        for address in (f"\0{folder.name}", str(folder / "socket")):
            self.listeners.append(socket.socket(socket.AF_UNIX))
            self.listeners[-1].bind(address)
            self.listeners[-1].listen()
        for listener in self.listeners:
            stack.enter_context(listener)
        allowed = {folder: [] for folder in ("/tmp", "/etc", "/home", "/proc", "/sys", "/run")}
        folders = {str(above) for path in routes.host_paths() for above in Path(path).parents}
        for above in folders:
            shown = {"/sandbox", "/child"}
            shown |= {*routes.host_paths(), *folders}
            allowed[above] = [Path(path).name for path in shown if str(Path(path).parent) == above]
        files = [self.canary, ROOT / "README.md", Path(__file__)]
        if os.access(Path.home(), os.W_OK):
            files.append(Path.home() / f".{folder.name}")
            files[-1].write_text("secret")
            stack.callback(files[-1].unlink)
        names = (
            "/etc/passwd",
            "/etc/shadow",
            "/etc/hostname",
            "/proc/self/environ",
            "/proc/1/cmdline",
        )
        variables = conversation.variables("/")
        self.description = {
            "files": [*map(str, files), *names, f"/proc/{os.getpid()}/environ"],
            "folders": allowed,
            "variables": [*variables, "PWD", "LC_CTYPE"],
            "writable": [str(path) for path in self.kept],
            "victim": str(self.victim),
            "port": self.listeners[0].getsockname()[1],
            "abstract": f"\0{folder.name}",
            "unix": str(folder / "socket"),
            "pid": os.getpid(),
            "parent": os.getppid(),
            "interpreter": routes.interpreter(),
        }

    def harm(self) -> list[str]:
        """Return what was reached or destroyed so far."""
        found = [f"signal {number}" for number in self.signals]
        found += [f"deleted {path}" for path in self.kept if not path.exists()]
        for listener in self.listeners:
            listener.setblocking(False)
            try:
                listener.accept()
                found.append(f"connection to {listener.getsockname()}")
            except BlockingIOError:
                pass
        return found


def processes(token: str) -> list[str]:
    """Return the processes that have the token in their command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().decode("utf-8", "replace")
                if token in command:
                    found.append(f"{folder.name} {command[:200]}")
            except OSError:  # ended meanwhile
                continue
    return found


def users() -> dict[str, int]:
    """Return the processes of the users that programs run as, and of this one."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name != str(os.getpid()):
            try:
                uid = folder.stat().st_uid
            except OSError:
                continue
            if uid >= routes.FIRST_SPARE_UID or uid == os.geteuid() != 0:
                found[folder.name] = uid
    return found


def attack(group: str, name: str, source: str, token: int, run, host: dict) -> dict:
    """Run one program; ``file_bytes`` marks its processes, as nothing else has that number."""
    limits = replace(LIMITS[group], file_bytes=token)
    outcomes, start = [], time.monotonic()

    def record(job: dict, stdin: str, limits: Limits):
        outcomes.append(run(job, stdin, limits))
        return outcomes[-1]

    result = {}
    if group in ("probes", "measures"):
        job = {"program": source, "variables": {"host": host}, "expressions": ["attack()"]}
        values = programs.plain_values(record(job, "", limits), 1)
        result["value"] = values[0] if values else None
        result["raw"] = outcomes[0].stdout.decode()[:500]
        result["most"] = measures.MEASURES[name][1](limits) if group == "measures" else None
    else:
        doc, verify = (
            (ADD, programs.verify_lcb) if "scripts" in group else (SQUARE, programs.verify_mbpp)
        )
        result["passed"] = verify(f"</think>\n```python\n{source}\n```", doc, record, limits)
    result["seconds"] = round(time.monotonic() - start, 2)  # to look at, not to judge by
    result["timed_out"] = outcomes[-1].timed_out
    result["left"] = processes(f"'file_bytes': {token},")
    return result


def main(route: str) -> None:
    """Run all on ``route``; on "none", only the probes that do no harm there."""
    run = sandbox.ROUTES[route]
    try:
        run({"program": "", "expressions": []}, "", Limits())
    except NotStarted as error:
        print(json.dumps({"unavailable": str(error)}))
        return
    groups = attacks()
    if route == "none":
        groups = {"probes": {name: probes.PROBES[name] for name in probes.NEED_NO_RIGHTS}}
    jobs = [(group, name, source) for group in groups for name, source in groups[group].items()]
    first_token = 1_000_000 + os.getpid() % 9000 * 1000
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="repro-attacks-")))
        machine = Machine(folder, stack)
        before = users()
        with ThreadPoolExecutor(4) as threads:
            results = threads.map(
                lambda job: attack(*job[1], first_token + job[0], run, machine.description),
                enumerate(jobs),
            )
            results = list(results)
        report = {
            "self_check": "" if route == "none" else sandbox.failure(route),
            "harm": machine.harm(),
            "users": [f"{pid}: {uid}" for pid, uid in users().items() if pid not in before],
            "numpy": importlib.util.find_spec("numpy") is not None,
            "results": {group: {} for group in groups},
        }
    for (group, name, _), result in zip(jobs, results, strict=True):
        report["results"][group][name] = result
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1])
