"""Every malformed configuration is refused with one message: file, key, value, what is allowed."""

import copy
import functools
import os

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from repro.config.resolved import dump
from repro.files import strict_yaml
from tests.bad_configs import CASES, FILE, SMOKE, message, settings, whole
from tests.paths import ROOT

ALLOWED = (
    "allowed: ",
    "wanted: ",
    "expected ",
    "is missing",
    "needs it",
    "not valid YAML",
    "no such f",
    "MLFLOW",
)


def test_there_are_many_and_no_two_are_the_same():
    assert len(CASES) >= 200
    assert len({case.title for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.title)[1:-1])
def test_a_malformed_configuration_is_refused_in_one_message(case, tmp_path):
    said = message(case, tmp_path)
    assert said is not None
    assert said.startswith(str(tmp_path / FILE))
    for word in case.words:
        assert word in said
    assert "\n" not in said
    assert len(said) < 700
    assert any(word in said for word in ALLOWED) or "line " in said


def test_what_they_are_made_from_is_accepted(tmp_path):
    for content in (SMOKE.encode(), b"\xef\xbb\xbf" + SMOKE.encode()):
        assert message(whole("as it is", content), tmp_path) is None


@pytest.mark.parametrize("name", ["missing.yaml", "folder.yaml", "loop.yaml", "secret.yaml"])
def test_a_configuration_that_cannot_be_read_is_named(name, tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "secret.yaml").touch(mode=0)
    if name == "secret.yaml" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    with pytest.raises(ValueError, match=rf"{name}: .+"):
        strict_yaml.read(tmp_path / name)


def test_a_link_may_not_lead_results_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = yaml.safe_load(SMOKE)
    for folder in ("disk/results", "disk/other"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "results").symlink_to("disk/results")  # on another disk: as one likes
    settings.resolve(config, FILE)
    smoke = tmp_path / "disk/results/smoke"
    for make, said in (
        (lambda: smoke.symlink_to("../other"), " leads out of results;"),
        (lambda: smoke.symlink_to("smoke"), ""),
        (smoke.touch, " is a file; allowed: a folder"),
    ):
        make()
        with pytest.raises(ValueError, match=f"results_dir = 'results/smoke'{said}"):
            settings.resolve(config, FILE)
        smoke.unlink()


# What a mutation puts in the place of a value: everything that YAML can hold, and near misses.
TEXTS = st.one_of(
    st.sampled_from(["", " ", "1e-4", "0", "null", "..", "/", "a/b", "{x}", "-x", "$(id)", "é\n"]),
    st.text(max_size=8),
)
NUMBERS = st.one_of(
    st.integers(-3, 3), st.integers(), st.floats(), st.sampled_from([2**31, 2**64, 10**400, 0.5])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.binary(max_size=2), st.dates()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(TEXTS, st.integers(), st.booleans(), st.none()), inner, max_size=3
        ),
    ),
    max_leaves=4,
)
MUTATIONS = ("value", "delete", "sibling", "nest", "repeat", "near")


def _places(value):
    """Every mapping entry and list item of a configuration, as (container, key)."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, item in list(inner):
        yield value, name
        if isinstance(item, dict | list):
            yield from _places(item)


def _mutate(draw, config) -> None:
    container, name = draw(st.sampled_from(list(_places(config))))
    how, value = draw(st.sampled_from(MUTATIONS)), draw(VALUES)
    if how == "delete":
        del container[name]
    elif how == "sibling" and isinstance(container, dict):
        container[draw(st.one_of(TEXTS, st.integers()))] = value
    elif how == "nest":
        container[name] = draw(st.sampled_from([{name: container[name]}, [container[name]]]))
    elif how == "repeat" and isinstance(container, list):
        container.append(container[name])
    elif (
        how == "near"
        and isinstance(container[name], int | float)
        and abs(container[name]) < 1e300  # an integer beyond is no float
    ):
        container[name] = draw(st.sampled_from([-1, 0.1, 2, 1e9])) * container[name]
    else:
        container[name] = value


BASES = [
    settings.read(ROOT / f"config/{name}.yaml").model_dump()
    for name in ("config", "smoke", "paper")
]


def _resolves_or_says_why(data) -> None:
    config = copy.deepcopy(data.draw(st.sampled_from(BASES)))
    for _ in range(data.draw(st.integers(1, 3))):
        _mutate(data.draw, config)
    keys = {str(key) for mapping, key in _places(config) if isinstance(mapping, dict)}
    try:
        resolved = settings.resolve(config, FILE)
    except ValueError as error:
        said = str(error)
        assert said.startswith(f"{FILE}: ")
        assert "\n" not in said
        assert len(said) < 20_000
        known = keys | {"name", "backbones", "benchmarks", "source"}
        assert any(ascii(key)[1:-1] in said or key in said for key in known), said
        return
    assert settings.resolve(resolved.model_dump(), FILE) == resolved
    for run in settings.all_runs(resolved):
        assert dump(settings.run_settings(resolved, *run))


often = functools.partial(given_settings, deadline=None, suppress_health_check=list(HealthCheck))


@given(st.data())
@often(max_examples=60)
def test_a_mutated_configuration_resolves_or_is_refused(data):
    _resolves_or_says_why(data)


@pytest.mark.long
@given(st.data())
@often(max_examples=2000)
def test_thousands_of_mutated_configurations_resolve_or_are_refused(data):
    _resolves_or_says_why(data)
