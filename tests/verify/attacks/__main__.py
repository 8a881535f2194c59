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
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from tests.verify import attacks

from repro import sandbox
from repro.sandbox import Limits, NotStarted, conversation
from repro.verify import programs

ROOT = Path(__file__).parents[3]
SMALL = Limits(3, 60, 256 << 20, disk_bytes=16 << 20, files=64, open_files=64, processes=16)
LARGE = Limits(cpu_s=3, wall_s=60)
IDLE = {source: source for source in attacks.SCRIPTS if "1000" in source}
# Group: its limits, and the programs by name.
GROUPS: dict[str, tuple[Limits, dict[str, str]]] = {
    "probes": (SMALL, attacks.PROBES),
    "measures": (
        SMALL,
        {name: measure["expression"] for name, measure in attacks.MEASURES.items()},
    ),
    "cheats": (replace(SMALL, cpu_s=2), attacks.CHEATS),
    "payloads": (LARGE, attacks.PAYLOADS),
    "busy": (replace(SMALL, cpu_s=1), attacks.BUSY),
    "idle": (replace(SMALL, wall_s=1), attacks.IDLE),
    "greedy": (replace(SMALL, cpu_s=1), attacks.GREEDY),
    "scripts": (LARGE, {source: source for source in attacks.SCRIPTS.keys() - IDLE}),
    "idle scripts": (replace(LARGE, wall_s=1), IDLE),
    "right": (replace(LARGE, cpu_s=10), attacks.RIGHT),
}
SQUARE = {"test_list": attacks.TESTS, "test_setup_code": ""}
CASES = [{"input": "1 2\n", "output": "3\n"}, {"input": "10 20\n", "output": "30\n"}]
CASES = json.dumps([case | {"testtype": "stdin"} for case in CASES])
ADD = {"public_test_cases": CASES, "private_test_cases": "[]", "metadata": "{}"}


class Machine:
    """What there is to be stolen, reached or destroyed, and whether it was."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.signals: list[int] = []
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: self.signals.append(received))
        os.environ["REPRO_CANARY"] = "secret"
        (folder / "victim").mkdir()
        self.kept = [folder / "canary", folder / "victim/file", folder / "victim.file"]
        for path in self.kept:
            path.write_text("secret")
        folder.chmod(0o755)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.listeners = [tcp]
        for address in (f"\0{folder.name}", str(folder / "socket")):
            self.listeners.append(stack.enter_context(socket.socket(socket.AF_UNIX)))
            self.listeners[-1].bind(address)
            self.listeners[-1].listen()
        paths = sandbox.host_paths()
        folders = {str(above) for path in paths for above in Path(path).parents}
        allowed = {folder: [] for folder in ("/tmp", "/etc", "/home", "/proc", "/sys", "/run")}
        for path in map(Path, {"/sandbox", "/child", *paths, *folders}):
            allowed.setdefault(str(path.parent), []).append(path.name)
        files = [self.kept[0], ROOT / "README.md", Path(__file__)]
        if os.access(Path.home(), os.W_OK):
            files.append(Path.home() / f".{folder.name}")
            files[-1].write_text("secret")
            stack.callback(files[-1].unlink)
        system = ("/etc/passwd", "/etc/shadow", "/etc/hostname", "/proc/self/environ")
        self.description = {
            "files": [*map(str, files), *system, "/proc/1/cmdline", f"/proc/{os.getpid()}/environ"],
            "folders": allowed,
            "variables": [*conversation.variables("/"), "PWD", "LC_CTYPE"],
            "writable": [str(path) for path in self.kept],
            "victim": str(folder / "victim"),
            "port": tcp.getsockname()[1],
            "abstract": f"\0{folder.name}",
            "unix": str(folder / "socket"),
            "pid": os.getpid(),
            "parent": os.getppid(),
            "interpreter": sandbox.INTERPRETER,
        }

    def harm(self) -> list[str]:
        """Return what was reached or destroyed so far."""
        found = [f"signal {number}" for number in self.signals]
        found += [f"deleted {path}" for path in self.kept if not path.exists()]
        for listener in self.listeners:
            listener.setblocking(False)
            with suppress(BlockingIOError):
                listener.accept()
                found.append(f"connection to {listener.getsockname()}")
        return found


def left_behind(token: int | None) -> list[str]:
    """Return the processes whose files are limited by the token; None: all of programs' users."""
    found = []
    for folder in set(Path("/proc").glob("[0-9]*")) - {Path(f"/proc/{os.getpid()}")}:
        with suppress(OSError):  # ended meanwhile
            uid = folder.stat().st_uid
            command = (folder / "cmdline").read_bytes().decode("utf-8", "replace")
            of_users = uid >= sandbox.FIRST_SPARE_UID or uid == os.geteuid() != 0
            if f"'file_bytes': {token}," in command or token is None and of_users:
                found.append(f"{folder.name} {command[:200]}")
    return found


def attack(group: str, name: str, source: str, token: int, run, host: dict) -> dict:
    """Run one program; ``file_bytes`` marks its processes, as nothing else has that number."""
    limits = replace(GROUPS[group][0], file_bytes=token)
    outcomes, result = [], {}

    def record(job: dict, stdin: str, limits: Limits):
        outcomes.append(run(job, stdin, limits))
        return outcomes[-1]

    if group in ("probes", "measures"):
        program = attacks.PRELUDE if group == "probes" else attacks.MEASURE
        job = {"program": program, "variables": {"host": host}, "expressions": [f"({source})"]}
        values = programs.plain_values(record(job, "", limits), 1)
        result["value"] = values[0] if values else None
        if group == "measures":
            most = attacks.MEASURES[name]
            bound = sum(getattr(limits, limit) for limit in most["limits"])
            result["most"] = bound / most["unit"]
    else:
        verify = programs.verify_lcb if "scripts" in group else programs.verify_mbpp
        doc = ADD if "scripts" in group else SQUARE
        result["passed"] = verify(f"</think>\n```python\n{source}\n```", doc, record, limits)
    return result | {"timed_out": outcomes[-1].timed_out, "left": left_behind(token)}


def main(route: str) -> None:
    """Run all on ``route``; on "none", only the probes that do no harm there."""
    run = sandbox.ROUTES[route]
    try:
        run({"program": "", "expressions": []}, "", Limits())
    except NotStarted as error:
        print(json.dumps({"unavailable": str(error)}))
        return
    jobs = [(group, name, source) for group in GROUPS for name, source in GROUPS[group][1].items()]
    if route == "none":
        jobs = [job for job in jobs if job[0] == "probes" and job[1] in attacks.NEED_NO_RIGHTS]
    first_token = 1_000_000 + os.getpid() % 9000 * 1000
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="repro-attacks-")))
        machine = Machine(folder, stack)
        before = left_behind(None)
        with ThreadPoolExecutor(4) as threads:
            futures = [
                threads.submit(attack, *job, first_token + number, run, machine.description)
                for number, job in enumerate(jobs)
            ]
        report = {
            "self_check": "" if route == "none" else sandbox.failure(route),
            "harm": machine.harm(),
            "users": [process for process in left_behind(None) if process not in before],
            "numpy": importlib.util.find_spec("numpy") is not None,
            "results": {group: {} for group in GROUPS},
        }
    for (group, name, _), future in zip(jobs, futures, strict=True):
        report["results"][group][name] = future.result()
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1])
