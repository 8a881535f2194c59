"""Call the real workflow in a directory of its own, as `make` does, or in a copy to change."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.paths import ROOT

SMOKE = ROOT / "config/smoke.yaml"
PARTS = ("Snakefile", "config", "environment.yml", "pyproject.toml", "src", "tests", "workflow")


def copy_repository(folder: Path) -> Path:
    """Copy what the workflow needs of the repository, to change it."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    folder.mkdir(exist_ok=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, folder)
    return folder


@pytest.fixture(scope="session")
def snakemake():
    """Return a function that calls Snakemake in a directory and returns the finished process."""

    def call(directory: Path, *arguments: str) -> subprocess.CompletedProcess:
        command = [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
            *("--workflow-profile", str(ROOT / "workflow/profiles/default")),
            *("--directory", str(directory), "--cores", "2"),
            *("--max-jobs-per-timespan", "100/1s", *arguments),  # exits after a second, not ten
        ]
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path}
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    return call


@pytest.fixture(scope="session")
def done(snakemake, tmp_path_factory):
    """Return a directory in which the smoke experiment is finished; it takes minutes."""
    directory = tmp_path_factory.mktemp("smoke")
    process = snakemake(directory, "--configfile", str(SMOKE))
    assert process.returncode == 0, process.stdout + process.stderr
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
