"""What is made again after a change, and what is not: the jobs that Snakemake plans, by name."""

import pytest

from tests.workflow.conftest import copy_repository

# Of the smoke experiment: five runs, one of them untrained, three whose responses are judged.
EVALUATED = {"generate": 5, "score": 5, "objective": 3}
MADE_FROM_SEEDS = {"data", "backbone", "original", "train", *EVALUATED}


def test_more_values_of_ablations_run_exactly_their_own_jobs(planned, config):
    for key, value in (("alpha", 0.7), ("w", 0.5), ("k", 5)):
        config["ablations"][key].append(value)
    own = {"experiment": 1, "train": 3, "generate": 3, "score": 3, "figure": 3, "ablations": 1}
    assert planned(config, "ablations") == own


def test_captions_and_the_style_of_figures_rerun_no_experiment(planned, config, tmp_path):
    copy = copy_repository(tmp_path / "copy")
    for caption in (copy / "workflow/report").glob("*.rst"):
        caption.write_text("Another caption.\n")
    style = copy / "src/repro/report/figures/style.py"
    style.write_text(style.read_text().replace("#0072B2", "#FF0000"))
    call = ("--snakefile", str(copy / "Snakefile"))
    assert planned(config, *call) == {}
    drawn = {"figure": 8, "overview": 1, "track_summary": 1, "all": 1}
    assert planned(config, *call, "--forcerun", "figure") == drawn


def test_only_what_a_setting_decides_is_made_again(planned, config):
    """The sandbox's limit decides verdicts, never weights or responses."""
    config["evaluation"]["code_timeout_s"] = 5
    jobs = planned(config)
    assert jobs["score"] == 5
    assert not {"backbone", "data", "train", "generate"} & jobs.keys()


def test_only_runs_that_are_trained_with_the_process_reward_are_judged_again(planned, config):
    """Of `original`, `grpo` and `grpo+repro`, whose responses are judged, only the last changes."""
    config["process_reward"] |= {"alpha": 0.7, "k": 5}
    assert planned(config)["objective"] == 1


def test_other_budgets_score_nothing_again(planned, config):
    config["evaluation"]["budgets"] = [48]
    shown = {"write_tables": 1, "figure": 1, "track": 5, "overview": 1, "track_summary": 1}
    assert planned(config) == shown | {"all": 1}


@pytest.mark.long
@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        ("grid", {"original": 1, "train": 4} | EVALUATED),
        ("data_seed", {"data": 8, "train": 4} | EVALUATED),
        ("backbone", {"backbone": 1, "original": 1, "train": 4} | EVALUATED),
        ("evaluation", EVALUATED),
    ],
)
def test_a_seed_has_exactly_that_made_again_which_it_decides(planned, config, seed, expected):
    if seed == "grid":
        config["grid"][0]["seeds"].append(1)
    elif seed == "data_seed":
        config["data_seed"] = 1
    else:
        part = config["backbones"]["tiny-qwen3"] if seed == "backbone" else config["evaluation"]
        part["seed"] = 1
    jobs = planned(config)
    assert {rule: jobs[rule] for rule in MADE_FROM_SEEDS & jobs.keys()} == expected
