"""What tests in several folders share: the smoke experiment, and the package as pip installs it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

# Two torch threads that wait for each other on a busy machine are far slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
SMOKE = ROOT / "config/smoke.yaml"
PARTS = ("Snakefile", "config", "environment.yml", "pyproject.toml", "src", "tests", "workflow")


def pytest_collection_modifyitems(items):
    """The sandbox comes last: its tests look at all of a user's processes, the experiment's too."""
    items.sort(key=lambda item: "tests/verify/" in item.nodeid)


def workflow_call(directory: Path, *arguments: str) -> dict:
    """Return what subprocess takes to call the real workflow in a directory, as `make` does."""
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
        *("--workflow-profile", str(ROOT / "workflow/profiles/default")),
        *("--directory", str(directory), "--cores", "2", *arguments),
    ]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"args": command, "env": {**os.environ, "PATH": path}, "text": True}


def copy_repository(folder: Path) -> Path:
    """Copy what the workflow needs of the repository, to change it."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    folder.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def smoke_experiment(request, tmp_path_factory):
    """Run the smoke experiment beside the first tests, where some of those chosen need it.

    It takes minutes, and the other tests leave one core of two idle.
    """
    if not any("done" in item.fixturenames for item in request.session.items):
        yield None
        return
    directory = tmp_path_factory.mktemp("smoke")
    with open(directory / "said", "w") as said:
        process = subprocess.Popen(
            **workflow_call(directory, "--configfile", str(SMOKE)),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    yield directory, process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Return the folder that pip installed the package into, without the repository."""
    pytest.importorskip("setuptools", "77")  # pip would download it
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"  # setuptools writes into it
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    options = ["--no-build-isolation", "--disable-pip-version-check", "--target", folder / "site"]
    done = subprocess.run([*pip, *options, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "site"
