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


def test_a_rule_is_given_its_cores_in_one_way():
    """Slurm would reserve `cpus_per_task`, and the command be told of the threads."""
    profile = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    told = {entry.split("=")[0] for entry in profile["set-threads"]}
    assert told == {"score"}
    assert not [rule for rule in told if "cpus_per_task" in profile["set-resources"].get(rule, {})]
