"""Every malformed configuration is refused with one message: file, key, value, what is allowed."""

import copy

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from repro.config import settings
from repro.config.resolved import dump
from repro.files import strict_yaml
from tests.bad_configs import CASES, FILE, SMOKE
from tests.paths import ROOT

ALLOWED = (
    *("allowed: ", "wanted: ", "should ", "expected ", "is missing", "not valid YAML"),
    "no such folder",
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.title)[1:-1][:80])
def test_a_malformed_configuration_is_refused_in_one_message(case, tmp_path):
    file = tmp_path / FILE
    file.write_bytes(case.content)
    with pytest.raises(ValueError) as refused:
        settings.read(file)
    said = str(refused.value)
    assert said.startswith(str(file))
    for word in case.words:
        assert word in said
    assert "\n" not in said
    assert len(said) < 700
    assert any(word in said for word in ALLOWED) or "line " in said


def test_a_mark_at_the_beginning_of_a_file_is_accepted(tmp_path):
    (tmp_path / FILE).write_bytes(b"\xef\xbb\xbf" + SMOKE.encode())
    settings.read(tmp_path / FILE)


@pytest.mark.parametrize("name", ["missing.yaml", "folder.yaml", "loop.yaml"])
def test_a_configuration_that_cannot_be_read_is_named(name, tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    with pytest.raises(ValueError, match=rf"{name}: .+"):
        strict_yaml.read(tmp_path / name)


# What a mutation puts in the place of a value: everything that YAML can hold, and near misses.
TEXTS = st.one_of(
    st.sampled_from(["", " ", "1e-4", "0", "null", "..", "/", "a/b", "{x}", "-x", "$(id)", "é\n"]),
    st.text(max_size=8),
)
EXTREMES = st.sampled_from([2**31, 2**64, 10**400, 0.5])
NUMBERS = st.integers(-3, 3) | st.integers() | st.floats() | EXTREMES
KEYS = TEXTS | st.integers() | st.booleans() | st.none()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.binary(max_size=2) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
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
    elif how == "near" and isinstance(old := container[name], int | float) and abs(old) < 1e300:
        container[name] *= draw(st.sampled_from([-1, 0.1, 2, 1e9]))
    else:
        container[name] = value


BASES = [
    settings.read(ROOT / f"config/{name}.yaml").model_dump()
    for name in ("config", "smoke", "paper")
]


@pytest.mark.parametrize("examples", [60, pytest.param(2000, marks=pytest.mark.long)])
def test_a_mutated_configuration_resolves_or_is_refused(examples):
    @given(st.data())
    @given_settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    def resolves_or_says_why(data):
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

    resolves_or_says_why()
