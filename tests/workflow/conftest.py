"""Run the real workflow in a directory of its own, as `make` does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

CONFIG = ROOT / "config/smoke.yaml"


@pytest.fixture(scope="session")
def snakemake():
    """Return a function that calls Snakemake in a directory and returns the finished process."""

    def call(directory: Path, *arguments: str) -> subprocess.CompletedProcess:
        command = [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
            *("--workflow-profile", str(ROOT / "workflow/profiles/default")),
            *("--directory", str(directory), "--cores", "2", *arguments),
        ]
        bin_dir = Path(sys.executable).parent
        environment = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}"}
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    return call


@pytest.fixture(scope="session")
def done(snakemake, tmp_path_factory):
    """Return a directory in which the smoke experiment is finished; it takes minutes."""
    directory = tmp_path_factory.mktemp("smoke")
    process = snakemake(directory, "--configfile", str(CONFIG))
    assert process.returncode == 0, process.stdout + process.stderr
    return directory


@pytest.fixture(scope="session")
def results(done):
    """Return the results of the smoke experiment."""
    return done / "results/smoke"


@pytest.fixture
def planned(done, snakemake):
    """Return a function from arguments of a dry run to {rule: jobs}."""

    def plan(*arguments: str) -> dict[str, int]:
        dry = snakemake(done, "--dry-run", *arguments)
        said = dry.stdout + dry.stderr
        assert dry.returncode == 0, said
        table = re.search(r"─{5,}\n(.*?)\n\s*total\s+\d+", said, re.DOTALL)
        if table is None:
            assert "Nothing to be done" in said
            return {}
        rows = re.findall(r"^\s*([a-z ]+?)\s+(\d+)\s*$", table[1], re.MULTILINE)
        return {rule.replace(" ", "_"): int(jobs) for rule, jobs in rows}

    return plan
