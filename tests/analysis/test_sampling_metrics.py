"""Budgets, votes and stability over several responses: by hand, and over all subsets."""

import itertools
import json
import math
import statistics
from collections import Counter

import pandas as pd
import pytest
from tests.analysis.drawn import bars, legend, says
from tests.analysis.worlds import NOTE, markdown, measured

from repro.commands.cli import main
from repro.files import jsonl
from repro.measure.intervals import pass_at_k
from repro.measure.sampling_metrics import TAUS, majority_at_k, measure
from repro.report import figures, tables


def problem(correct, answer, length=None, truncated=None) -> dict:
    n = len(correct)
    found = {"doc_id": 0, "correct": correct, "answer": answer, "length": length or [9] * n}
    return found | {"truncated": truncated or [0] * n}


BY_HAND = problem([1, 1, 0, 0], [0, 0, 2, None], [10, 30, 20, 40], [0, 0, 0, 1])


def test_every_metric_by_hand():
    assert measure(BY_HAND, [9, 10, 29, 30, 40], [2, 3], True) == pytest.approx(
        {
            "accuracy_within_9": 0,
            "accuracy_within_10": 0.25,  # the first is complete with its 10th token
            "accuracy_within_29": 0.25,
            "accuracy_within_30": 0.5,
            "accuracy_within_40": 0.5,
            "unanswered": 0.25,
            "truncation": 0.25,
            # Of six pairs one has both right, two a right and a silent one, two a tie.
            "maj_at_2": (1 + 2 + 2 / 2) / 6,
            "pass_at_2": 5 / 6,
            "g_pass_0.5_at_2": 5 / 6,
            "g_pass_0.75_at_2": 1 / 6,
            "g_pass_1.0_at_2": 1 / 6,
            "mg_pass_at_2": 1 / 6,
            # Of four triples: both right ones are in two, one in the others, with a tie.
            "maj_at_3": (2 + 2 * 0.5) / 4,
            "pass_at_3": 1,
            "g_pass_0.5_at_3": 2 / 4,
            "g_pass_0.75_at_3": 0,
            "g_pass_1.0_at_3": 0,
            "mg_pass_at_3": 0,
        }
    )


CASES = [
    BY_HAND,
    problem([0, 0, 0], [0, 0, None]),  # never right
    problem([1, 1, 1], [0, 0, 0]),
    problem([0, 0, 0], [None, None, None]),  # nobody votes
    problem([1, 0, 0, 0, 0, 0], [0, 1, 2, 3, None, None]),  # all tie
    problem([1, 0, 1, 0, 1, 0, 0], [0, 1, 0, 1, 0, 1, 6]),  # two that tie
    problem([0, 1, 0, 0, 1, 0, 1, 0], ["A", "B", "A", None, "B", "C", "B", "A"]),
]


def vote(chosen: list[tuple]) -> float:
    """The probability that a vote of (verdict, answer) pairs is right."""
    groups = Counter("right" if hit else answer for hit, answer in chosen if answer is not None)
    ahead = [one for one, count in groups.items() if count == max(groups.values())]
    return ("right" in ahead) / max(len(ahead), 1)


@pytest.mark.parametrize("case", CASES)
def test_formulas_equal_the_mean_over_all_subsets(case):
    pairs = list(zip(case["correct"], case["answer"], strict=True))
    n = len(pairs)
    for k in range(2, n + 1):
        subsets = list(itertools.combinations(pairs, k))
        hits = [sum(hit for hit, _ in of) for of in subsets]
        found = measure(case, [9], [k], True)
        assert found[f"maj_at_{k}"] == pytest.approx(statistics.fmean(map(vote, subsets)))
        assert found[f"pass_at_{k}"] == pytest.approx(statistics.fmean(h > 0 for h in hits))
        for tau in TAUS:
            share = statistics.fmean(h >= math.ceil(tau * k) for h in hits)
            assert found[f"g_pass_{tau}_at_{k}"] == pytest.approx(share)
        above = range(math.ceil(k / 2) + 1, k + 1)
        mean = 2 / k * sum(statistics.fmean(h >= i for h in hits) for i in above)
        assert found[f"mg_pass_at_{k}"] == pytest.approx(mean)


def test_a_vote_of_all_of_many_is_exact_and_fast():
    correct, answers = [1] * 20 + [0] * 44, [0] * 20 + list(range(20, 64))
    assert majority_at_k(correct, answers, 64) == 1
    assert majority_at_k(correct, answers, 1) == pytest.approx(20 / 64)
    assert 0.9 < majority_at_k(correct, answers, 32) < 1
    assert pass_at_k([correct], 32) == pytest.approx(1)


def test_an_earlier_score_file_and_programs_lack_only_what_they_cannot_have():
    old = {name: BY_HAND[name] for name in ("doc_id", "correct", "truncated")}
    g_pass = [f"g_pass_{tau}_at_2" for tau in TAUS]
    assert [*measure(old, [9], [2], True)] == ["truncation", "pass_at_2", *g_pass, "mg_pass_at_2"]
    assert "maj_at_2" not in measure(BY_HAND, [9], [2], voted=False)
    assert measure(BY_HAND, [9], [2], voted=False)["unanswered"] == 0.25


@pytest.fixture
def files(tmp_path):
    """Score files of a benchmark with four samples, of one of programs, and of one unscored."""
    content = {"aime24": [BY_HAND, BY_HAND | {"doc_id": 1}], "mbpp": [BY_HAND], "lcb": []}
    for name, problems in content.items():
        jsonl.write_json(tmp_path / f"{name}.json", {"benchmark": name, "problems": problems})
    return tmp_path


def call(folder, *options, names=("aime24", "mbpp", "lcb")) -> int:
    scores = [str(folder / f"{name}.json") for name in names]
    budgets = [] if "--budgets" in options else ["--budgets", "40", "20"]
    output = str(folder / "out.jsonl")
    return main(["sampling", "--scores", *scores, *budgets, *options, "--output", output])


def test_the_command_measures_every_problem_and_prints_means(files, capsys):
    assert call(files) == 0
    rows = jsonl.read(files / "out.jsonl")
    keys = [(row["benchmark"], row["doc_id"]) for row in rows]
    assert keys == [("aime24", 0), ("aime24", 1), ("mbpp", 0)]
    assert rows[1].items() >= {"maj_at_4": 1, "pass_at_4": 1, "accuracy_within_20": 0.25}.items()
    assert [*rows[0]][2:5] == ["accuracy_within_20", "accuracy_within_40", "unanswered"]
    assert "maj_at_2" in rows[0] and "maj_at_2" not in rows[2]
    printed = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    assert printed["accuracy_within_40"] == ["50.0", "50.0"]
    assert printed["maj_at_2"] == ["66.7", "NaN"]
    assert call(files, names=["lcb"]) == 0  # no sandbox could run it
    assert jsonl.read(files / "out.jsonl") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--budgets", "0"], "budgets.0 = 0: Input should be greater than or equal to 1"),
        (["--budgets", "9", "9"], "budgets: [9, 9] holds a value twice"),
        (["--at-k", "1"], "at_k.0 = 1: Input should be greater than or equal to 2"),
        (["--at-k", "2", "5"], "at_k = [2, 5]; allowed: at most 4, the samples of a problem"),
    ],
)
def test_what_no_file_allows_is_refused_in_one_message(files, options, said, capsys):
    assert call(files, *options) == 1
    assert capsys.readouterr().err.startswith(f"error: {said}")
    assert not (files / "out.jsonl").exists()


def test_no_score_file_is_named(files, capsys):
    (files / "mbpp.json").write_text(json.dumps({"a": 1}))
    assert call(files) == 1
    assert capsys.readouterr().err.startswith(f"error: {files}/mbpp.json: not a score file")


SCORES = [BY_HAND | {"tokens": BY_HAND["length"], "backtracking": [0] * 4}]
SCORES += [SCORES[0] | {"correct": [1, 1, 1, 1]}]
METHODS = ("original", "grpo", "grpo+repro", "ppo")


@pytest.fixture
def runs(make_run):
    """Four methods; GRPO has two seeds, the second of which solves one problem less."""
    made = [(method, 0, SCORES) for method in METHODS] + [("grpo", 1, SCORES[:1] * 2)]
    runs = [make_run(of, dict.fromkeys(("aime24", "mbpp"), how), seed=s) for of, s, how in made]
    return measured(runs, [20, 40])


def test_the_table_has_a_row_a_metric_and_method(runs, tmp_path):
    tables.write_tables(runs, ["aime24", "mbpp"], tmp_path, NOTE)
    frame = pd.read_csv(tmp_path / "sampling.csv").set_index(["metric", "method", "benchmark"])
    # Of (0.25, 1/4) and (0.5, 1) of the two problems, the mean over seeds.
    assert frame.loc[("accuracy_within_40", "original", "all"), "mean"] == 75
    assert frame.loc[("accuracy_within_40", "grpo", "all"), ["mean", "by_seed"]].tolist() == [
        62.5,
        "75 50",
    ]
    assert frame.loc[("accuracy_within_20", "grpo+repro", "aime24"), "mean"] == (25 + 50) / 2
    assert ("maj_at_2", "grpo", "mbpp") not in frame.index  # nor what is made of it and others
    assert ("maj_at_2", "grpo", "all") not in frame.index
    text = markdown(tmp_path / "sampling.md")
    assert "| tiny | accuracy within 20 | Original | 37.5 ± 12.5 | 37.5 ± 12.5 |" in text
    assert "| | G-Pass 0.75@4 | Original | 50.0 ± 50.0 |" in text
    assert "| | maj@2 | Original | 83.3 ± 16.7 | - | 83.3 ± 16.7 | - | - |" in text
    assert "not of programs, MBPP, LCB, which have no answer to vote on" in text


def test_the_figure_has_each_algorithm_with_and_without_repro_and_the_backbone(runs):
    figure = figures.draw("accuracy_within_budget", runs, ["aime24", "mbpp"], NOTE)
    assert [axis.get_title() for axis in figure.axes] == ["GRPO", "PPO"]
    drawn = bars(figure.axes[0])
    assert [*drawn] == ["Original", "GRPO", "GRPO + RePro"]
    assert drawn["GRPO + RePro"][:2] == ([20, 40], [37.5, 75])
    assert drawn["GRPO"][1] == [(37.5 + 25) / 2, 62.5]
    assert [*bars(figure.axes[1])] == ["Original", "PPO"]
    assert legend(figure) == ["GRPO", "GRPO + RePro", "PPO", "Original"]
    assert says(figure, "if responses were cut off: those that are longer count as wrong")


def test_without_lengths_the_figure_says_what_to_do(make_run):
    run = make_run("grpo", {"aime24": SCORES})
    row = {"benchmark": "aime24", "doc_id": 0, "truncation": 0.0}
    for rows in ([], [row]):
        jsonl.write(run.path / "sampling.jsonl", rows)
        with pytest.raises(ValueError, match="responses have to be scored again"):
            figures.draw("accuracy_within_budget", [run], ["aime24"], NOTE)
