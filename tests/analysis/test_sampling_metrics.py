"""Budgets, votes and stability over several responses: by hand, and over all subsets."""

import itertools
import math
import statistics
from collections import Counter

import pandas as pd
import pytest
from tests.analysis.drawn import bars, legend, says
from tests.analysis.worlds import NOTE, markdown

from repro.commands.cli import main
from repro.files import jsonl
from repro.measure.sampling_metrics import TAUS, majority_at_k, measure_samples
from repro.report import figures, tables


def problem(correct, answer, length=None, truncated=None) -> dict:
    n = len(correct)
    found = {"doc_id": 0, "correct": correct, "answer": answer, "length": length or [9] * n}
    return found | {"truncated": truncated or [0] * n}


def measure(problem, budgets=(), at_k=(), sandbox=None) -> dict:
    """Measure a score file of a single problem."""
    score = {"sandbox": sandbox, "problems": [problem]}
    return measure_samples(score, budgets, at_k).loc[0].to_dict()


BY_HAND = problem([1, 1, 0, 0], [0, 0, 2, None], [10, 30, 20, 40], [0, 0, 0, 1])


def test_every_metric_by_hand():
    assert measure(BY_HAND, [40, 9, 10, 29, 30], [2, 3]) == pytest.approx(
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
        found = measure(case, at_k=[k])
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
    pass_at_32 = 1 - math.comb(44, 32) / math.comb(64, 32)
    found = measure(problem(correct, answers), at_k=[32])
    assert found["pass_at_32"] == pytest.approx(pass_at_32, rel=1e-14)


def test_an_earlier_score_file_and_programs_lack_only_what_they_cannot_have():
    old = {name: BY_HAND[name] for name in ("doc_id", "correct", "truncated")}
    g_pass = [f"g_pass_{tau}_at_2" for tau in TAUS]
    assert [*measure(old, [9], [2])] == ["truncation", "pass_at_2", *g_pass, "mg_pass_at_2"]
    of_programs = measure(BY_HAND, [9], [2], sandbox="none")
    assert "maj_at_2" not in of_programs
    assert of_programs["unanswered"] == 0.25


@pytest.fixture
def files(tmp_path):
    """Score files with four samples a problem: of mathematics, of programs, and of none scored."""
    content = {"aime24": [BY_HAND, BY_HAND | {"doc_id": 1}], "mbpp": [BY_HAND], "lcb": []}
    for name, problems in content.items():
        sandbox = None if name == "aime24" else "none"
        jsonl.write_json(tmp_path / f"{name}.json", {"sandbox": sandbox, "problems": problems})
    return [str(tmp_path / f"{name}.json") for name in content]


def test_the_command_prints_the_means_of_score_files(files, capsys):
    assert main(["sampling", "--scores", *files, "--budgets", "40", "20"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == files
    printed = {line.split()[0]: line.split()[1:] for line in lines}
    assert [*printed][:3] == ["accuracy_within_20", "accuracy_within_40", "unanswered"]
    assert printed["accuracy_within_40"] == ["50.0", "50.0", "NaN"]
    assert printed["maj_at_2"] == ["66.7", "NaN", "NaN"]
    assert {"pass_at_4", "g_pass_0.5_at_4"} <= printed.keys()
    assert main(["sampling", "--scores", files[0], "--at-k", "3"]) == 0
    out = capsys.readouterr().out
    assert "maj_at_3" in out
    assert not any(name in out for name in ("at_1", "at_2", "at_4", "within"))
    assert main(["sampling", "--scores", files[0], "--at-k", "1", "3", "5"]) == 1
    assert f"{files[0]}: at_k = [1, 5]; allowed: 2 to the" in capsys.readouterr().err
    assert main(["sampling", "--scores", files[2]]) == 0  # no sandbox could run it


def test_no_score_file_is_named(files, capsys):
    jsonl.write_json(files[1], {"a": 1})
    assert main(["sampling", "--scores", *files]) == 1
    assert capsys.readouterr().err.startswith(f"error: {files[1]}: not a score file")


SCORES = [BY_HAND | {"tokens": BY_HAND["length"], "backtracking": [0] * 4}]
SCORES += [SCORES[0] | {"correct": [1, 1, 1, 1]}]
METHODS = ("original", "grpo", "grpo+repro", "ppo")


@pytest.fixture
def runs(make_run):
    """Four methods; GRPO has two seeds, the second of which solves one problem less."""
    made = [(method, 0, SCORES) for method in METHODS] + [("grpo", 1, SCORES[:1] * 2)]
    return [make_run(of, dict.fromkeys(("aime24", "mbpp"), how), seed=s) for of, s, how in made]


def test_the_table_has_a_row_a_metric_and_method(runs, tmp_path):
    tables.write_tables(runs, ["aime24", "mbpp"], tmp_path, NOTE, cutoffs=[[20, 40]])
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
    assert "not of programs, which have no answer to vote on" in text


def test_the_figure_has_each_algorithm_with_and_without_repro_and_the_backbone(runs):
    figure = figures.draw("accuracy_within_budget", runs, ["aime24", "mbpp"], NOTE, 20, 40)
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
    file = run.path / "scores/aime24.json"
    score = jsonl.read_json(file)
    for problem in score["problems"]:
        del problem["answer"], problem["length"]
    jsonl.write_json(file, score)
    with pytest.raises(ValueError, match="responses have to be scored again"):
        figures.draw("accuracy_within_budget", [run], ["aime24"], NOTE, 20)
