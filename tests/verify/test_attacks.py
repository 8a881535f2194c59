"""Every attack on every route, as this user and, where this is root, as one without rights."""

import functools
import json
import os
import shutil
import subprocess
import sys

import pytest
from tests.paths import ROOT
from tests.verify import attacks

ANOTHER = "54321"  # nobody's number
BECOME = ["setpriv", "--reuid", ANOTHER, "--regid", ANOTHER, "--clear-groups"]
USERS = ("this user", "another user")
ROUTES = [(route, user) for route in ("bubblewrap", "namespaces") for user in USERS]


@functools.cache
def run(route: str, user: str) -> dict:
    """Run all attacks on a route, in a process of its own."""
    command = [sys.executable] if user == "this user" else [*BECOME, other_interpreter()]
    harness = subprocess.run(
        [*command, "-B", "-m", "tests.verify.attacks", route],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=280,
        check=False,
    )
    # An attack that ends the harness, or makes it raise, has got out.
    assert harness.returncode == 0, harness.stderr.decode()[-2000:]
    return json.loads(harness.stdout)


@functools.cache
def other_interpreter() -> str | None:
    """Return an interpreter that a user without rights can start, None where there is none."""
    # setpriv still starts it with root's rights to search folders, so it must see itself too.
    code = "import os, sys; assert sys.version_info >= (3, 11) and os.path.exists(sys.executable)"
    for candidate in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        command = [*BECOME, candidate, "-c", code]
        if shutil.which("setpriv") and subprocess.run(command, capture_output=True).returncode == 0:
            return candidate
    return None


@pytest.fixture
def report(route: str, user: str) -> dict:
    if user != "this user" and (os.geteuid() != 0 or other_interpreter() is None):
        pytest.skip("needs root, setpriv and an interpreter that everyone may start")
    found = run(route, user)
    if "unavailable" in found:
        pytest.skip(f"route {route} is not available to {user}: {found['unavailable']}")
    return found


on_routes = pytest.mark.parametrize(("route", "user"), ROUTES)


def failing(report: dict, group: str, is_right) -> dict[str, dict]:
    """Return the programs of a group, by name, of whose results ``is_right`` does not hold."""
    results = report["results"][group]
    assert results
    return {name: found for name, found in results.items() if not is_right(name, found)}


@on_routes
def test_nothing_is_within_reach(report):
    def is_right(name, found):
        killed = name == "call the 32-bit kernel"
        return found["value"] in ([None] if killed else [[], False])

    assert failing(report, "probes", is_right) == {}


@pytest.mark.parametrize(("route", "user"), [("none", user) for user in USERS])
def test_without_a_sandbox_the_same_attempts_succeed(report):
    assert failing(report, "probes", lambda name, found: found["value"]) == {}
    assert report["results"]["probes"].keys() == {*attacks.NEED_NO_RIGHTS}
    assert len(report["harm"]) >= 4  # connections and deleted files


@on_routes
def test_shares_are_bounded(report):
    bounded = failing(report, "measures", lambda _, found: 0 < found["value"] <= found["most"])
    assert bounded == {}


@on_routes
@pytest.mark.parametrize("group", ["cheats", "payloads", "busy", "idle", "greedy"])
def test_no_attack_passes(report, group):
    # Whoever waits is ended by the wall time; whoever works, or breaks the rules, before that.
    ended = (False, group == "idle")
    failed = failing(report, group, lambda _, found: (found["passed"], found["timed_out"]) == ended)
    assert failed == {}


@on_routes
@pytest.mark.parametrize("group", ["scripts", "idle scripts"])
def test_scripts_pass_where_they_are_right(report, group):
    is_right = attacks.SCRIPTS
    assert failing(report, group, lambda name, found: found["passed"] is is_right[name]) == {}


@on_routes
def test_right_programs_pass(report):
    failed = failing(report, "right", lambda _, found: found["passed"] is True)
    assert failed.keys() <= (set() if report["numpy"] else {"numpy"})


@on_routes
def test_nothing_is_left_and_nothing_was_touched(report):
    for group in report["results"]:
        assert failing(report, group, lambda _, found: not found["left"]) == {}
    assert (report["users"], report["harm"], report["self_check"]) == ([], [], "")
