"""The choice of a sandbox, its check of itself, and what all runners promise."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from tests.paths import ROOT
from tests.verify.attacks.__main__ import left_behind

from repro import sandbox
from repro.sandbox import Limits, NotStarted, SandboxUnavailable
from repro.sandbox.conversation import converse

ROUTES = ("bubblewrap", "namespaces", "none")


@pytest.fixture(params=ROUTES)
def run(request):
    try:
        return sandbox.runner(request.param)
    except SandboxUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def fresh():
    """Forget what the routes' checks said, before and after."""
    sandbox.failure.cache_clear()
    yield
    sandbox.failure.cache_clear()


@pytest.mark.parametrize(
    ("name", "broken", "chosen"),
    [
        ("none", ["bubblewrap", "namespaces"], "none"),
        ("auto", [], "bubblewrap"),
        ("auto", ["bubblewrap"], "namespaces"),
    ],
)
def test_the_first_that_works_is_taken(monkeypatch, name, broken, chosen):
    monkeypatch.setattr(sandbox, "failure", lambda route: "broken" if route in broken else "")
    assert sandbox.describe(name) == chosen
    assert sandbox.runner(name) is sandbox.ROUTES[chosen]


@pytest.mark.parametrize("name", ["auto", "bubblewrap"])
def test_without_a_sandbox_the_error_says_why_and_what_to_install(monkeypatch, name):
    monkeypatch.setattr(sandbox, "failure", lambda route: f"{route} is broken")
    with pytest.raises(SandboxUnavailable) as raised:
        sandbox.runner(name)
    assert "bubblewrap: bubblewrap is broken" in str(raised.value)
    assert "the package bubblewrap" in str(raised.value)
    assert ("namespaces is broken" in str(raised.value)) is (name == "auto")


def test_missing_bubblewrap_names_the_package(monkeypatch, fresh, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="no bwrap: install the package bubblewrap"):
        sandbox.runner("bubblewrap")


def test_the_check_notices_that_a_route_holds_nothing(monkeypatch, fresh):
    monkeypatch.setitem(sandbox.ROUTES, "bubblewrap", sandbox.ROUTES["none"])
    found = sandbox.failure("bubblewrap")
    for name in ("read:/etc/passwd", "socket", "fork", "signal", "orphan", "no-filter"):
        assert name in found


def test_the_check_runs_once_and_notices_a_route_that_runs_nothing(monkeypatch, fresh):
    calls = []

    def run(job, stdin, limits):
        calls.append(job)
        return sandbox.Outcome(b"", -9, timed_out=False)

    monkeypatch.setitem(sandbox.ROUTES, "bubblewrap", run)
    for _ in range(2):
        assert sandbox.failure("bubblewrap") == "the check's program did not end"
    assert len(calls) == 1


def test_standard_input_and_output(run):
    text = "é😀\ud800" * 500_000  # 5 MB, more than any pipe holds
    program = "import sys\ndata = sys.stdin.buffer.read()\nsys.stdout.buffer.write(data[:3 << 20])"
    outcome = run({"program": program}, text, Limits())
    assert outcome.stdout == text.encode("utf-8", "surrogatepass")[: 3 << 20]
    assert outcome.returncode == 0


def test_standard_streams_have_their_names(run):
    program = (
        "import pathlib\n"
        "with open('/dev/stdin', buffering=1) as file: first = file.read(1)\n"
        "rest = pathlib.Path('/dev/stdin').read_bytes()\n"  # goes on, as with a pipe
        "print(first, rest, file=open('/dev/stdout', 'w'))\n"
        "open('file', 'w').write('x')"
    )
    outcome = run({"program": program}, "a" * 10, Limits())
    assert (outcome.stdout, outcome.returncode) == (b"a b''\n", 0)


@pytest.mark.parametrize(("size", "whole"), [(999, True), (1000, False), (100_000, False)])
def test_output_is_cut_at_the_limit(run, size, whole):
    outcome = run({"program": f"print('x' * {size})"}, "", Limits(output_bytes=1000))
    assert outcome.stdout == (b"x" * size + b"\n")[:1000]
    assert (outcome.returncode == 0, outcome.timed_out) == (whole, False)


def test_large_jobs_arrive_whole(run):
    job = {
        "program": "# " + "x" * (3 << 20),
        "variables": {"numbers": list(range(500_000)), "text": "é\ud800" * 500_000},
        "expressions": ["sum(numbers), len(text)"],
    }
    outcome = run(job, "", Limits())
    assert json.loads(outcome.stdout) == {
        "tuple": [{"int": f"{sum(range(500_000)):x}"}, {"int": f"{1_000_000:x}"}]
    }


def test_programs_at_once_do_not_share_limits(run):
    """Threads are counted by user: a sandbox's programs must not count each other's."""
    program = (
        "import threading, time\n"
        "def f():\n"
        "    threads = [threading.Thread(target=time.sleep, args=(0.3,)) for _ in range(12)]\n"
        "    for thread in threads: thread.start()\n"
        "    for thread in threads: thread.join()\n"
        "    return len(threads)"
    )
    job = {"program": program, "expressions": ["f()"]}
    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(lambda _: run(job, "", Limits(processes=16)), range(16)))
    assert [outcome.stdout for outcome in outcomes] == [b'{"int":"c"}\n'] * 16


@pytest.mark.parametrize(
    ("program", "answers"),
    [("", b'null\ntrue\n{"int":"-ff"}\n{"error":"ZeroDivisionError"}\n'), ("1/0", b"")],
)
def test_values_of_all_kinds_where_the_module_works(run, program, answers):
    job = {"program": program, "expressions": ["None", "True", "-255", "1/0"]}
    assert run(job, "", Limits()).stdout == answers


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (["sh", "-c", "echo it is closed >&2; exit 3"], "it is closed"),
        (["sh", "-c", "exit 3"], "it ended with status 3 before it was ready"),
    ],
)
def test_a_command_that_does_not_come_up_is_no_verdict(command, complaint):
    with pytest.raises(NotStarted, match=complaint):
        converse(command, {"folder": "/"}, {"program": ""}, "", Limits())


def test_descriptors_do_not_leak(run):
    run({"program": ""}, "", Limits())
    before = len(os.listdir("/proc/self/fd"))
    for job in ({"program": "print(1)"}, {"program": "1/0"}, {"program": "", "expressions": ["1"]}):
        run(job, "", Limits())
    with pytest.raises(NotStarted):
        converse(["false"], {"folder": "/"}, {"program": ""}, "", Limits())
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("route", ["bubblewrap", "namespaces"])
def test_programs_die_with_the_caller(route):
    """Even those that try to survive it; the caller gets no chance to end them."""
    if sandbox.failure(route):
        pytest.skip(sandbox.failure(route))
    token = 5_000_000 + 10 * os.getpid() + list(sandbox.ROUTES).index(route)  # of this run only
    program = (
        "import ctypes, os, signal, time\n"
        "ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\n"
        "for number in range(1, 65):\n"
        "    try: signal.signal(number, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "time.sleep(1000)"
    )
    code = (
        "from repro import sandbox\nfrom repro.sandbox import Limits\n"
        f"limits = Limits(wall_s=1000, file_bytes={token})\n"
        f"sandbox.ROUTES[{route!r}]({{'program': {program!r}}}, '', limits)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    caller = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        assert _eventually(lambda: any(map(_ignores_signals, left_behind(token))))
    finally:
        caller.send_signal(signal.SIGKILL)
        caller.wait()
    assert _eventually(lambda: left_behind(token) == [])


def _ignores_signals(process: str) -> bool:
    """Tell whether the program has come so far: nothing else ignores SIGUSR1."""
    with suppress(OSError):
        status = Path(f"/proc/{process.split()[0]}/status").read_text()
        ignored = int(re.search(r"SigIgn:\s*(\w+)", status)[1], 16)
        return bool(ignored >> (signal.SIGUSR1 - 1) & 1)
    return False


def _eventually(holds) -> bool:
    for _ in range(600):
        if holds():
            return True
        time.sleep(0.05)
    return False
