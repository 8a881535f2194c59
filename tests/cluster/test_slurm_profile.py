"""Snakemake takes resources and groups of rules that do not exist, and says nothing."""

import re

import yaml

from tests.paths import ROOT


def test_every_rule_that_the_profile_names_exists():
    profile = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    files = [ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]
    rules = {name for file in files for name in re.findall(r"^rule (\w+):", file.read_text(), re.M)}
    assert profile["set-resources"].keys() | profile["groups"].keys() <= rules
    assert profile["groups"].keys() <= profile["set-resources"].keys()
