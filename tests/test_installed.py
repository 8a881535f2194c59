"""The package where it was installed without its repository, as by `pip install`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT


def files(package: Path) -> set[str]:
    found = (file for file in package.rglob("*") if file.is_file())
    return {str(f.relative_to(package)) for f in found if "__pycache__" not in f.parts}


def test_every_file_of_the_package_is_installed(installed):
    assert files(installed / "repro") == files(ROOT / "src/repro")


@pytest.mark.parametrize("command", ["check", "cost"])
def test_a_configuration_is_read_without_the_repository(installed, tmp_path, command):
    call = [sys.executable, "-m", "repro", command, "--config", str(ROOT / "config/smoke.yaml")]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "smoke" in done.stdout
