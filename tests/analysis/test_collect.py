"""Runs' files become tidy frames; whatever is wrong with a file is said with its path."""

import json
import re
from pathlib import Path

import pytest
from tests.analysis.small_runs import present

from repro.report import collect

PROBLEMS = [
    {"correct": [1, 0], "tokens": [100, 300], "backtracking": [1, 3], "truncated": [0, 1]},
    {"correct": [1, 1], "tokens": [50, 50], "backtracking": [0, 0], "verification": [2, 0]},
]


def test_scores_have_a_row_per_problem_averaged_over_its_samples(make_run):
    runs = [make_run("original", {"aime24": PROBLEMS, "mbpp": PROBLEMS[:1]})]
    frame = collect.scores(runs, present(runs))
    assert frame["benchmark"].tolist() == ["aime24", "aime24", "mbpp"]
    columns = ["doc_id", "accuracy", "tokens", "truncated", "backtracking", "verification"]
    assert frame[columns].values.tolist() == [
        [0, 0.5, 200, 0.5, 2, 0],
        [1, 1.0, 50, 0, 0, 1],
        [0, 0.5, 200, 0.5, 2, 0],
    ]


def test_responses_have_a_row_per_sample(make_run):
    judged = PROBLEMS[0] | {"math_verify": [1, 1]}
    runs = [make_run("grpo", {"aime24": [judged, PROBLEMS[1]], "mbpp": PROBLEMS[:1]}, seed=3)]
    frame = collect.read_scores(runs, present(runs)).responses
    columns = ["seed", "benchmark", "doc_id", "sample", "correct", "math_verify", "tokens"]
    nan = pytest.approx(float("nan"), nan_ok=True)
    assert frame[columns].values.tolist() == [
        [3, "aime24", 0, 0, 1, 1, 100],
        [3, "aime24", 0, 1, 0, 1, 300],
        [3, "aime24", 1, 0, 1, nan, 50],
        [3, "aime24", 1, 1, 1, nan, 50],
        [3, "mbpp", 0, 0, 1, 1, 100],  # programs have one scorer
        [3, "mbpp", 0, 1, 0, 0, 300],
    ]


def test_a_mean_with_an_unknown_sample_is_unknown(make_run):
    runs = [make_run("grpo", {"aime24": [PROBLEMS[0] | {"tokens": [float("nan"), 300]}]})]
    problem = collect.scores(runs, ["aime24"]).iloc[0]
    assert problem["tokens"] != problem["tokens"] and problem["accuracy"] == 0.5


def test_missing_score_file_is_named(make_run):
    runs = [
        make_run("original", {"aime24": PROBLEMS, "lmb": PROBLEMS}),
        make_run("grpo", {"aime24": PROBLEMS}),
    ]
    missing = Path(runs[1].path, "scores", "lmb.json")
    with pytest.raises(ValueError, match=re.escape(f"{missing}: no such file")):
        collect.scores(runs, present(runs))


def test_scores_left_behind_by_an_earlier_configuration_are_not_read(make_run):
    run = make_run("grpo", {"aime24": PROBLEMS, "lcb": PROBLEMS})
    assert set(collect.scores([run], ["aime24"])["benchmark"]) == {"aime24"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"benchmark": "aime24", "probl', "not valid JSON"),
        ("[]", "expected a JSON object"),
        ('{"benchmark": "aime24"}', "problems"),
        ('{"benchmark": "aime24", "problems": []}', "no problems"),
        ('{"benchmark": "aime24", "problems": [{"doc_id": 0, "correct": [1]}]}', "tokens"),
        ('{"benchmark": "aime24", "problems": [{"doc_id": 0, "correct": []}]}', "no samples"),
    ],
)
def test_damaged_score_file_is_named(make_run, content, message):
    run = make_run("grpo", {"aime24": PROBLEMS})
    path = Path(run.path, "scores", "aime24.json")
    path.write_text(content)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}.*{message}"):
        collect.scores([run], present([run]))


def test_score_file_of_another_benchmark_is_refused(make_run):
    run = make_run("grpo", {"aime24": PROBLEMS})
    path = Path(run.path, "scores", "aime24.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"benchmark": "lcb"}))
    with pytest.raises(ValueError, match=r"aime24\.json: holds the benchmark 'lcb'"):
        collect.scores([run], present([run]))


def test_unknown_benchmark_is_refused_with_the_known_ones(make_run):
    run = make_run("grpo", {"aime24": PROBLEMS})
    with pytest.raises(ValueError, match=r"benchmarks: \['aime99'\]; allowed: aime24, aime25"):
        collect.scores([run], ["aime24", "aime99"])
    with pytest.raises(ValueError, match="benchmarks: none given"):
        collect.scores([run], [])


def test_training_keeps_the_log_and_leaves_out_original(make_run):
    rows = [{"step": 1, "accuracy": 0.5}, {"step": 2, "accuracy": 0.75}]
    frame = collect.training([make_run("original"), make_run("grpo", training=rows, seed=3)])
    assert frame.to_dict("records") == [
        {"backbone": "tiny", "method": "grpo", "seed": 3, **row} for row in rows
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [(None, "no such file"), ([], "no rows"), ([{"step": 4}, {"step": 4}], "step 4 .*twice")],
)
def test_bad_training_log_is_named(make_run, rows, message):
    run = make_run("grpo", training=rows)
    path = re.escape(f"{run.path}/training.jsonl")
    with pytest.raises(ValueError, match=f"{path}: {message}"):
        collect.training([run])


def test_process_reward_value_comes_from_the_settings(make_run):
    run = make_run("grpo+repro", process_reward={"alpha": 0.1})
    assert collect.process_reward_value(run, "alpha") == 0.1
    with pytest.raises(ValueError, match=r"settings\.json: no number under process_reward\.w"):
        collect.process_reward_value(run, "w")


def test_the_same_run_twice_is_refused(make_run):
    run = make_run("grpo", {"aime24": PROBLEMS})
    with pytest.raises(ValueError, match="tiny/grpo/0 is given twice"):
        collect.scores([run, run], present([run]))


def unscored(run: dict, benchmark: str) -> None:
    """Make a benchmark one that no sandbox could run."""
    path = Path(run.path, "scores", f"{benchmark}.json")
    content = {"not_scored": "install bubblewrap", "problems": [], "aggregates": {}}
    path.write_text(json.dumps(json.loads(path.read_text()) | content))


def test_benchmarks_that_could_not_be_scored_are_named_gaps(make_run):
    runs = [make_run(method, {"aime24": PROBLEMS, "mbpp": PROBLEMS, "lcb": PROBLEMS})
            for method in ("original", "grpo")]  # fmt: skip
    assert collect.gaps(runs, present(runs)) == ""
    for run in runs:
        unscored(run, "mbpp")
        unscored(run, "lcb")
    assert set(collect.scores(runs, present(runs))["benchmark"]) == {"aime24"}
    assert collect.gaps(runs, present(runs)) == "MBPP, LCB not scored: install bubblewrap"


def test_nothing_scored_at_all_is_said(make_run):
    run = make_run("original", {"mbpp": PROBLEMS})
    unscored(run, "mbpp")
    with pytest.raises(ValueError, match="programs need a sandbox"):
        collect.scores([run], ["mbpp"])
