"""A killed Snakemake's lock is cleared with a word, nobody else's; and a clock that went back."""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.paths import ROOT

WORKFLOW = """
rule all:
    input: "results/first"
    output: "results/second"
    shell: "touch {output}"

rule first:
    output: "results/first"
    shell: "touch {output}"
"""


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "Snakefile").write_text(WORKFLOW)
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/log").mkdir()
    (tmp_path / ".snakemake/locks/0.output.lock").write_text("done\n")
    set_host(tmp_path, platform.node())
    return tmp_path


def set_host(directory: Path, name: str) -> None:
    log = directory / ".snakemake/log/2026-01-01T000000.000000.snakemake.log"
    log.write_text(f"SNAKEMAKE\n  Host: {name}\n")


def clear(directory: Path, *flags: str) -> tuple[int, str, bool]:
    """Call the script; return its status, what it said, and whether a lock is left."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    script, environment = ROOT / "workflow/before_call.py", {**os.environ, "PATH": path}
    command = [sys.executable, script, *flags]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout, any(directory.glob(".snakemake/locks/*"))


def test_a_lock_whose_snakemake_is_gone_is_cleared_with_a_word(directory):
    status, said, locked = clear(directory)
    assert (status, locked) == (0, False)
    assert "is gone; its lock is cleared" in said
    assert clear(directory) == (0, "", False)


def test_a_snakemake_that_works_there_keeps_its_lock(directory):
    (directory / "snakemake").write_text("import time\ntime.sleep(600)\n")
    other = subprocess.Popen([sys.executable, str(directory / "snakemake")], cwd=directory)
    try:
        status, said, locked = clear(directory)
    finally:
        other.kill()
        other.wait()
    assert (status, locked) == (1, True)
    assert f"process {other.pid}" in said


def test_a_lock_from_another_machine_is_left(directory):
    set_host(directory, "login7")
    status, said, locked = clear(directory)
    assert (status, locked) == (1, True)
    assert "login7" in said


@pytest.mark.long
def test_results_from_the_future_are_dated_now(directory):
    """Snakemake refuses what a job makes from them."""

    def snakemake() -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet"]
        return subprocess.run(command, cwd=directory, capture_output=True, text=True)

    clear(directory)
    first = directory / "results/first"
    first.parent.mkdir()
    first.touch()
    os.utime(first, (time.time() + 3600,) * 2)
    assert "older modification time" in snakemake().stderr
    status, said, _ = clear(directory)
    assert status == 1
    assert "1 results are dated in the future, such as results/first" in said
    assert clear(directory, "--date-now")[0] == 0
    assert abs(first.stat().st_mtime - time.time()) < 60
    assert snakemake().returncode == 0
    assert clear(directory) == (0, "", False)
