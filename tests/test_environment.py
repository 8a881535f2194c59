"""One truth for versions: pyproject.toml; the lock and environment.yml must not drift from it."""

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = dict(
    line.split("==")
    for line in (ROOT / "requirements.lock").read_text().lower().replace("_", "-").splitlines()
    if "==" in line
)


def name_and_version(pin: str) -> tuple[str, str]:
    name, version = pin.lower().split("==")
    return name.split("[")[0], version


def test_every_dependency_is_pinned_and_locked():
    extras = PROJECT["optional-dependencies"]
    for pin in [*PROJECT["dependencies"], *extras["pipeline"], *extras["dev"]]:
        name, version = name_and_version(pin)
        assert LOCK[name] == version, f"{name}: pyproject {version}, lock {LOCK[name]}"


def test_conda_environment_pins_the_same_versions():
    packages = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert packages[-1]["pip"] == (ROOT / "requirements.lock").read_text().split()


def test_lock_holds_nothing_that_depends_on_this_machine():
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        assert "/" not in line, line
        assert "+" not in line, line
