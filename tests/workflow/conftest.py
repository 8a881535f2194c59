"""Call the real workflow in a directory of its own, or look at the smoke experiment."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import SMOKE, workflow_call


@pytest.fixture(scope="session")
def snakemake():
    """Return a function that calls Snakemake in a directory and returns the finished process."""

    def call(directory: Path, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(**workflow_call(directory, *arguments), capture_output=True)

    return call


@pytest.fixture(scope="session")
def done(smoke_experiment):
    """Return the directory in which the smoke experiment is finished."""
    directory, process = smoke_experiment
    assert process.wait() == 0, (directory / "said").read_text()
    return directory


@pytest.fixture(scope="session")
def results(done):
    """Return the results of the smoke experiment."""
    return done / "results/smoke"


@pytest.fixture
def config() -> dict:
    """Return the configuration of the smoke experiment, to change."""
    return yaml.safe_load(SMOKE.read_text())


@pytest.fixture
def planned(done, snakemake, tmp_path):
    """Return a function from a changed configuration to the jobs of a dry run, {rule: jobs}."""

    def plan(config: dict, *arguments: str) -> dict[str, int]:
        file = tmp_path / "changed.yaml"
        file.write_text(yaml.safe_dump(config))
        dry = snakemake(done, "--dry-run", *arguments, "--configfile", str(file))
        said = dry.stdout + dry.stderr
        assert dry.returncode == 0, said
        table = re.search(r"─{5,}\n(.*?)\n\s*total\s+\d+", said, re.DOTALL)
        if table is None:
            assert "Nothing to be done" in said
            return {}
        rows = re.findall(r"^\s*([a-z ]+?)\s+(\d+)\s*$", table[1], re.MULTILINE)
        return {rule.replace(" ", "_"): int(jobs) for rule, jobs in rows}

    return plan
