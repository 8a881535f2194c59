"""Names of methods: parsed, labelled, refused."""

import pytest

from repro import methods


def test_names_are_split():
    assert methods.parse("original") == (None, False, None, None)
    assert methods.parse("grpo") == ("grpo", False, None, None)
    assert methods.parse("grpo+repro") == ("grpo", True, None, None)
    assert methods.parse("grpo+repro~k=4") == ("grpo", True, "k", "4")


def test_names_are_labelled():
    assert methods.label("original") == "Original"
    assert methods.label("reinforce_pp+repro") == "RF++ + RePro"
    assert methods.label("grpo+repro~k=16") == "GRPO + RePro (k = 16)"
    assert methods.label("grpo+repro~k=all") == "GRPO + RePro (k = all)"


@pytest.mark.parametrize(("value", "setting"), [("4", 4), ("0.3", 0.3), ("all", "all")])
def test_values_are_those_of_settings_and_can_be_compared(value, setting):
    assert methods.parse(f"grpo+repro~k={value}").setting() == setting
    assert methods.as_text(methods.as_number(setting)) == value
    assert methods.as_number(setting) <= methods.as_number("all")


def test_what_repro_was_added_to():
    assert methods.plain_algorithm("grpo+repro~k=16") == "grpo"
    assert methods.plain_algorithm("grpo") is None


@pytest.mark.parametrize(
    "name",
    ["", "grop", "original+repro", "original~k=4", "grpo~k=4", "grpo+repro~k", "grpo+repro~z=1"],
)
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="allowed: original"):
        methods.parse(name)
