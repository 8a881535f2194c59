"""The package where it was installed without its repository, as by `pip install`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT


def files(package: Path) -> set[str]:
    found = (file for file in package.rglob("*") if file.is_file())
    return {str(f.relative_to(package)) for f in found if "__pycache__" not in f.parts}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the folder that pip installed the package into."""
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


def test_every_file_of_the_package_is_installed(installed):
    assert files(installed / "repro") == files(ROOT / "src/repro")


@pytest.mark.parametrize("command", ["check", "cost"])
def test_a_configuration_is_read_without_the_repository(installed, tmp_path, command):
    call = [sys.executable, "-m", "repro", command, "--config", str(ROOT / "config/smoke.yaml")]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "smoke" in done.stdout
