"""Bad input ends before any job, in one message without a traceback."""

import pytest
import yaml

from tests.paths import ROOT

CASES = {
    "unknown key": ({"training": {"lerning_rate": 1}}, ["training.lerning_rate", "learning_rate"]),
    "negative alpha": ({"process_reward": {"alpha": -0.1}}, ["process_reward.alpha", "at least 0"]),
    "k = 0": ({"process_reward": {"k": 0}}, ["process_reward.k = 0", "at least 1"]),
    "no such method": ({"methods": ["grop"]}, ["'grop'", "did you mean 'grpo'?", "ppo+repro"]),
    "no data file": (
        {"data_source": "directory", "data_dir": "nowhere"},
        ["nowhere/aime24.jsonl"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_before_any_job(case, snakemake, tmp_path):
    change, words = CASES[case]
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    for key, value in change.items():
        if isinstance(value, dict):
            config[key].update(value)
        else:
            config[key] = value
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(config))
    done = snakemake(tmp_path, "--configfile", str(file))
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said
    assert "bad.yaml" in said
    for word in words:
        assert word in said
    assert not (tmp_path / "results").exists()
