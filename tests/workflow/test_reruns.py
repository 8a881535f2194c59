"""What is made again after a change, and what is not: the jobs that Snakemake plans, by name."""

import shutil
import subprocess

import pytest
import yaml

from tests.paths import ROOT
from tests.workflow.conftest import CONFIG


@pytest.fixture
def checkout(tmp_path):
    """Return a copy of the repository, to change."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(("key", "value"), [("alpha", 0.7), ("w", 0.5), ("k", 5)])
def test_one_more_value_of_an_ablation_runs_exactly_its_own_jobs(planned, tmp_path, key, value):
    config = yaml.safe_load(CONFIG.read_text())
    config["ablations"][key].append(value)
    file = tmp_path / "more.yaml"
    file.write_text(yaml.safe_dump(config))
    own = {"experiment": 1, "train": 1, "generate": 1, "score": 1, "figure": 1}
    assert planned(f"ablation_{key}", "--configfile", str(file)) == own | {f"ablation_{key}": 1}


def test_captions_and_the_style_of_figures_rerun_no_experiment(planned, checkout):
    call = ("--configfile", str(CONFIG), "--snakefile", str(checkout / "Snakefile"))
    assert planned(*call) == {}
    for caption in (checkout / "workflow/report").glob("*.rst"):
        caption.write_text("Another caption.\n")
    style = checkout / "src/repro/report/figures/style.py"
    style.write_text(style.read_text().replace("#0072B2", "#FF0000"))
    assert planned(*call) == {}
    after = {"figure": 7, "overview": 1, "track_summary": 1, "all": 1}
    assert planned(*call, "--forcerun", "figure") == after


def test_only_what_a_setting_decides_is_made_again(planned, tmp_path):
    """The sandbox's limit decides verdicts, never weights or responses."""
    config = yaml.safe_load(CONFIG.read_text())
    config["evaluation"]["code_timeout_s"] = 5
    file = tmp_path / "slower.yaml"
    file.write_text(yaml.safe_dump(config))
    jobs = planned("--configfile", str(file))
    assert jobs["score"] == 5
    assert not {"backbone", "data", "training_data", "train", "generate"} & jobs.keys()


@pytest.mark.parametrize(("key", "value"), [("alpha", 0.7), ("k", 5)])
def test_only_runs_that_are_trained_with_the_process_reward_are_judged_again(
    planned, tmp_path, key, value
):
    """Of `original`, `grpo` and `grpo+repro`, whose responses are judged, only the last changes."""
    config = yaml.safe_load(CONFIG.read_text())
    config["process_reward"][key] = value
    file = tmp_path / "other.yaml"
    file.write_text(yaml.safe_dump(config))
    assert planned("--configfile", str(file))["objective"] == 1
