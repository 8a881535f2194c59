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


@pytest.mark.parametrize(
    "rows",
    [[], [{"step": 4}], log(1, 2) * 2, [*log(1, 2), {"step": 99, "accuracy": None}]],
)
def test_bad_training_log_is_named(make_run, rows):
    run = make_run("grpo", training=rows)
    said = rf"{re.escape(str(run.path))}/training\.jsonl: wanted one row .*, with reasoning_tokens"
    with pytest.raises(ValueError, match=said):
        collect.read_training([run])
