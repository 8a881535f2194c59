"""Runs' files become tidy frames; whatever is wrong with a file is said with its path."""

import json
import re

import pytest
from tests.analysis.worlds import ZEROS, log, unscored

from repro.report import collect

PROBLEMS = [
    {"correct": [1, 0], "tokens": [100, 300], "backtracking": [1, 3], "truncated": [0, 1]},
    {"correct": [1, 1], "tokens": [50, 50], "backtracking": [0, 0], "verification": [2, 0]},
]
NAN = pytest.approx(float("nan"), nan_ok=True)


def test_scores_have_a_row_per_problem_averaged_over_its_samples(make_run):
    unknown = PROBLEMS[0] | {"tokens": [float("nan"), 300]}
    # Scores that an earlier configuration left behind are not read.
    run = make_run("original", {"aime24": PROBLEMS, "mbpp": [unknown], "lcb": PROBLEMS})
    frame = collect.read_scores([run], ["mbpp", "aime24"]).problems
    assert frame["benchmark"].tolist() == ["aime24", "aime24", "mbpp"]
    columns = ["doc_id", "accuracy", "tokens", "truncated", "backtracking", "verification"]
    assert frame[columns].values.tolist() == [
        [0, 0.5, 200, 0.5, 2, 0],
        [1, 1.0, 50, 0, 0, 1],
        [0, 0.5, NAN, 0.5, 2, 0],
    ]


def test_responses_have_a_row_per_sample(make_run):
    judged = PROBLEMS[0] | {"math_verify": [1, 1]}
    run = make_run("grpo", {"aime24": [judged, PROBLEMS[1]], "mbpp": PROBLEMS[:1]}, seed=3)
    frame = collect.read_scores([run], ["aime24", "mbpp"]).responses
    columns = ["seed", "benchmark", "doc_id", "correct", "math_verify", "tokens"]
    assert frame[columns].values.tolist() == [
        [3, "aime24", 0, 1, 1, 100],
        [3, "aime24", 0, 0, 1, 300],
        [3, "aime24", 1, 1, NAN, 50],
        [3, "aime24", 1, 1, NAN, 50],
        [3, "mbpp", 0, 1, 1, 100],  # programs have one scorer
        [3, "mbpp", 0, 0, 0, 300],
    ]


UNKNOWN = [dict.fromkeys(("correct", *ZEROS, "tokens"), [float("nan")]) | {"doc_id": 0}]
UNEQUAL = [PROBLEMS[0] | {"doc_id": 0, "verification": [0, 0], "hesitation": [1]}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        ('{"benchmark": "aime24", "probl', "not valid JSON"),
        ("[]", "expected a JSON object"),
        ('{"benchmark": "lcb", "problems": []}', "holds the benchmark 'lcb'"),
        ('{"benchmark": "aime24"}', "not a score file .*problems"),
        ('{"benchmark": "aime24", "problems": []}', "not a score file .*no problems"),
        ('{"benchmark": "aime24", "problems": [{"doc_id": 0, "correct": [1]}]}', "tokens"),
        ('{"benchmark": "aime24", "problems": [{"doc_id": 0, "correct": []}]}', "without samples"),
        (json.dumps({"benchmark": "aime24", "problems": UNEQUAL}), "not a score file"),
        (json.dumps({"benchmark": "aime24", "problems": UNKNOWN}), "a verdict that is neither"),
    ],
)
def test_damaged_score_file_is_named(make_run, content, message):
    run = make_run("grpo", {"lmb": PROBLEMS})
    path = run.path / "scores/aime24.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}.*{message}"):
        collect.read_scores([run], ["lmb", "aime24"], partial=content is not None)


def test_where_nothing_could_be_scored_the_reason_is_said(make_run):
    run = make_run("grpo")
    for benchmark in ("mbpp", "lcb"):
        unscored(run, benchmark, "install bubblewrap")
    said = "none of the 1 runs has scores; MBPP, LCB not scored: install bubblewrap"
    with pytest.raises(ValueError, match=said):
        collect.read_scores([run], ["mbpp", "lcb"])


def test_training_has_a_row_per_step_and_leaves_out_original(make_run):
    rows = log(10, 20, cut_points=5.0)
    runs = [make_run("original"), make_run("grpo", training=rows, seed=3)]
    frame = collect.read_training(runs)
    keys = {"backbone": "tiny", "method": "grpo", "seed": 3}
    assert frame.to_dict("records") == [row | keys for row in rows]
    assert collect.read_training(runs[:1]).empty


@pytest.mark.parametrize(
    "rows",
    [[], [{"step": 4}], log(1, 2) * 2, [*log(1, 2), {"step": 99, "accuracy": None}]],
)
def test_bad_training_log_is_named(make_run, rows):
    run = make_run("grpo", training=rows)
    said = rf"{re.escape(str(run.path))}/training\.jsonl: wanted one row .*, with reasoning_tokens"
    with pytest.raises(ValueError, match=said):
        collect.read_training([run])


RESPONSE = {"benchmark": "aime24", "doc_id": 0, "correct": 1}
RESPONSE |= {"points": [[0, 0, -2.5], [9, 1, 0]], "segments": [[None, 0.1], ["hesitation", -1]]}


def test_objective_has_a_row_per_response_of_the_runs_that_have_the_file(make_run):
    runs = [make_run("original"), make_run("grpo", objective=[RESPONSE | {"tokens": 9}])]
    assert collect.read_objective(runs[:1]).empty
    (row,) = collect.read_objective(runs).to_dict("records")
    assert row == runs[1].keys() | RESPONSE
