"""Names of methods: parsed, labelled, refused."""

import pytest

from repro import methods


def test_names_are_split():
    assert methods.parse("original") == (None, None, None, None)
    assert methods.parse("grpo") == ("grpo", None, None, None)
    assert methods.parse("grpo+repro") == ("grpo", "repro", None, None)
    assert methods.parse("grpo+repro~k=4") == ("grpo", "repro", "k", "4")
    assert methods.parse("grpo+length~alpha=0.2") == ("grpo", "length", "alpha", "0.2")
    assert [methods.parse(f"grpo+{rule}").repro for rule in ("repro", "vps")] == [True, False]


def test_names_are_labelled():
    assert methods.label("original") == "Original"
    assert methods.label("reinforce_pp+repro") == "RF++ + RePro"
    assert methods.label("grpo+repro~k=16") == "GRPO + RePro (k = 16)"
    assert methods.label("grpo+repro~k=all") == "GRPO + RePro (k = all)"
    assert methods.label("grpo+length~alpha=0.2") == "GRPO + length penalty (α = 0.2)"


@pytest.mark.parametrize(("value", "setting"), [("4", 4), ("0.3", 0.3), ("all", "all")])
def test_values_are_those_of_settings_and_can_be_compared(value, setting):
    assert methods.parse(f"grpo+repro~k={value}").setting() == setting
    assert methods.as_text(methods.as_number(setting)) == value
    assert methods.as_number(setting) <= methods.as_number("all")


@pytest.mark.parametrize(
    "name",
    ["", "grop", "original+repro", "original~k=4", "grpo~k=4", "grpo+repro~k", "grpo+repro~z=1"]
    + ["grpo+", "+length", "grpo+other", "grpo+vps~alpha=x", "grpo+vps~alpha=-1"],
)
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="allowed: original"):
        methods.parse(name)
