"""Every attack on every route, as this user and, where this is root, as one without rights."""

import functools
import json
import os
import shutil
import subprocess
import sys

import pytest
from tests.paths import ROOT
from tests.verify.attacks import probes, runaways
from tests.verify.attacks.__main__ import GROUPS

ANOTHER = "54321"  # nobody's number
BECOME = ["setpriv", "--reuid", ANOTHER, "--regid", ANOTHER, "--clear-groups"]
USERS = ("this user", "another user")
ROUTES = [(route, user) for route in ("bubblewrap", "namespaces") for user in USERS]
NAMES = {group: sorted(programs) for group, (_, programs) in GROUPS.items()}


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


def on_attacks(*groups: str):
    return pytest.mark.parametrize(
        ("group", "name"), [(group, name) for group in groups for name in NAMES[group]]
    )


@on_routes
@on_attacks("probes")
def test_nothing_is_within_reach(report, group, name):
    expected = [None] if name == "call the 32-bit kernel" else [[], False]  # it is killed for that
    assert report["results"][group][name]["value"] in expected


@pytest.mark.parametrize(("route", "user"), [("none", user) for user in USERS])
@pytest.mark.parametrize("name", probes.NEED_NO_RIGHTS)
def test_without_a_sandbox_the_same_attempts_succeed(report, name):
    assert report["results"]["probes"][name]["value"]


@on_routes
@on_attacks("measures")
def test_shares_are_bounded(report, group, name):
    result = report["results"][group][name]
    assert 0 < result["value"] <= result["most"]


@on_routes
@on_attacks("cheats", "payloads", "busy", "idle", "greedy")
def test_no_attack_passes(report, group, name):
    result = report["results"][group][name]
    assert result["passed"] is False
    # Whoever waits is ended by the wall time; whoever works, or breaks the rules, before that.
    assert result["timed_out"] is (group == "idle")


@on_routes
@on_attacks("scripts", "idle scripts")
def test_scripts_pass_where_they_are_right(report, group, name):
    assert report["results"][group][name]["passed"] is runaways.SCRIPTS[name]


@on_routes
@on_attacks("right")
def test_right_programs_pass(report, group, name):
    if name == "numpy" and not report["numpy"]:
        pytest.skip("the interpreter that everyone may start has no numpy")
    assert report["results"][group][name]["passed"] is True


@on_routes
def test_nothing_is_left_and_nothing_was_touched(report):
    programs = [program for group in report["results"].values() for program in group.values()]
    assert [program["left"] for program in programs if program["left"]] == []
    assert (report["users"], report["harm"], report["self_check"]) == ([], [], "")


@pytest.mark.parametrize(("route", "user"), [("none", "this user")])
def test_harm_is_noticed(report):
    assert len(report["harm"]) >= 4  # connections and deleted files
