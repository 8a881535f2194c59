"""Verdicts on runs made so that they are known, and the files that say them."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from tests.analysis.worlds import (
    NOTE,
    evaluate,
    log,
    markdown,
    noisy_problems,
    pair,
    unscored,
    verdict,
)

from repro.benchmarks import declared
from repro.report import claims, names, verdicts
from repro.report.claims import BACKTRACKING
from repro.report.verdicts import INCONCLUSIVE, NOT_SUPPORTED, NOT_TESTED, SUPPORTED

ALGORITHMS = ("ppo", "reinforce_pp", "reinforce_pp_baseline", "grpo")
BOTH_DOMAINS = ["aime24", "gpqa"]
GRPO = ["grpo+repro"]
UNKNOWN = "the numbers of some responses are unknown, or the baseline has no reasoning tokens"


def four_algorithms(make_run, gains: dict[str, tuple[float, float]], **how):
    """Runs of all algorithms; gains in and out of domain, by algorithm."""
    runs = []
    for number, algorithm in enumerate(ALGORITHMS):
        gain = gains.get(algorithm, (0.25, 0.25))
        plain = {name: noisy_problems(0.4, seed=number, **how) for name in BOTH_DOMAINS}
        ours = {
            name: noisy_problems(0.4 + g, seed=10 + number, **how)
            for name, g in zip(BOTH_DOMAINS, gain, strict=True)
        }
        runs += [make_run(algorithm, plain), make_run(f"{algorithm}+repro", ours)]
    return runs


@pytest.mark.parametrize(
    ("gains", "wanted"),
    [
        ({}, SUPPORTED),
        ({"ppo": (0.0, 0.25)}, INCONCLUSIVE),
        ({"grpo": (0.25, -0.25)}, NOT_SUPPORTED),
    ],
)
def test_accuracy(make_run, gains, wanted):
    frame = evaluate("accuracy", four_algorithms(make_run, gains, noise=0.1), BOTH_DOMAINS)
    assert len(frame) == 8
    assert verdict(frame) == wanted
    for algorithm, gain in gains.items():
        of = frame[frame["runs"].str.contains(f"/{algorithm}+repro/", regex=False)]
        assert of["effect"].tolist() == pytest.approx([100 * g for g in gain], abs=6)


def test_an_algorithm_without_runs_is_named_and_not_supported_by_the_others(make_run):
    runs = four_algorithms(make_run, {}, noise=0.1)
    some = [run for run in runs if run.method not in ("ppo", "reinforce_pp+repro")]
    frame = evaluate("accuracy", some, BOTH_DOMAINS)
    missing = frame[frame["verdict"] == NOT_TESTED]
    assert set(missing["remark"]) == {"no run of PPO", "no run of RF++ + RePro"}
    assert missing[["effect", "low", "high"]].isna().all(axis=None)
    assert (missing["runs"] == "").all()
    judged, reason = verdicts.overall(frame)
    assert judged == INCONCLUSIVE
    assert reason.startswith("parts: 4 supported, 4 not tested (no run of PPO")
    assert frame["runs"].iloc[-1] == "tiny/grpo+repro/0 tiny/grpo/0"
    assert frame["part"].iloc[-1] == "tiny, GRPO + RePro vs GRPO, out-of-domain"
    assert frame["remark"].iloc[-1] == "over GPQA-D; without MBPP, LCB: no scores"


def test_benchmarks_that_are_not_scored_are_left_out_of_their_pool(make_run):
    runs = four_algorithms(make_run, {})
    for run in runs:
        unscored(run, "mbpp", "no sandbox")
    frame = evaluate("accuracy", runs, ["mbpp", *BOTH_DOMAINS])
    assert set(frame["remark"][1::2]) == {"over GPQA-D; without MBPP, LCB: no scores"}
    assert verdict(frame) == SUPPORTED
    frame = evaluate("accuracy", runs, ["mbpp", "aime24"])
    assert set(frame["remark"][1::2]) == {"no scores of GPQA-D, MBPP, LCB"}
    assert set(frame["verdict"][1::2]) == {NOT_TESTED}


@pytest.mark.parametrize("broken", ["unknown", "silent"])
def test_unknown_tokens_and_none_cost_the_claims_about_tokens_only(make_run, broken):
    plain, ours = noisy_problems(0.4), noisy_problems(0.7)
    for row in ours[3:4] if broken == "unknown" else plain:
        row["tokens"] = [float("nan") if broken == "unknown" else 0] * 4
    runs = pair(make_run, plain, ours, log(100, 95), log(100, 90))
    assert evaluate("accuracy", runs, methods=GRPO)["verdict"].iloc[0] == SUPPORTED
    row = evaluate("tokens", runs, methods=GRPO).iloc[2]
    assert (row["verdict"], row["remark"]) == (NOT_TESTED, UNKNOWN)
    assert np.isnan(row["effect"])


@pytest.mark.parametrize("n", [1, 9])
def test_few_problems_are_inconclusive_whatever_they_show(make_run, n):
    frame = evaluate("accuracy", pair(make_run, noisy_problems(0.2, n=n), noisy_problems(0.8, n=n)))
    tested = frame[frame["verdict"] != NOT_TESTED]
    assert tested["verdict"].tolist() == [INCONCLUSIVE]
    assert tested["effect"].item() > 40
    assert tested["remark"].item().startswith(f"{n} problems, fewer than 10")


def test_seeds_that_disagree_take_the_verdict_away(make_run):
    alone = pair(make_run, noisy_problems(0.4), noisy_problems(0.9))
    both = alone + pair(make_run, noisy_problems(0.4), noisy_problems(0.1), seed=1)
    part = "tiny, GRPO + RePro vs GRPO, in-domain"
    one = evaluate("accuracy", alone).set_index("part").loc[part]
    two = evaluate("accuracy", both).set_index("part").loc[part]
    assert (one["verdict"], one["seeds"]) == (SUPPORTED, 1)
    assert (two["verdict"], two["seeds"]) == (INCONCLUSIVE, 2)
    assert two["high"] - two["low"] > 100  # one degree of freedom


def test_only_shared_seeds_are_compared(make_run):
    scores = {"aime24": noisy_problems()}
    runs = [make_run("grpo", scores, seed=seed) for seed in (0, 1, 2)]
    runs += [make_run("grpo+repro", scores, seed=seed) for seed in (1, 2, 3)]
    frame = evaluate("accuracy", runs)
    part = frame[frame["seeds"] > 0].iloc[0]
    assert part["runs"] == "tiny/grpo+repro/1 tiny/grpo+repro/2 tiny/grpo/1 tiny/grpo/2"
    apart = [run for run in runs if (run.method, run.seed) in {("grpo", 0), ("grpo+repro", 3)}]
    assert "no seed that all have" in set(evaluate("accuracy", apart)["remark"])


def shorter(make_run, percent, end=80.0, seeds=(0,), benchmarks=declared.PAPER):
    """GRPO with RePro: percent by benchmark or -10, logs that end at ``end``, GRPO's at 95."""
    runs = []
    for seed in seeds:
        plain = {b: noisy_problems(tokens=100, seed=seed, noise=0.02) for b in benchmarks}
        ours = {
            b: noisy_problems(tokens=100 + percent.get(b, -10), seed=seed + 50, noise=0.02)
            for b in benchmarks
        }
        runs.append(make_run("grpo", plain, log(100, 95, seed=seed), seed=seed))
        runs.append(make_run("grpo+repro", ours, log(100, end, seed=seed + 9), seed=seed))
    return runs


@pytest.mark.parametrize(
    ("percent", "end", "wanted", "seeds"),
    [
        ({}, 80.0, SUPPORTED, (0,)),
        ({}, 80.0, SUPPORTED, (0, 1, 2)),
        ({"mbpp": 0}, 80.0, INCONCLUSIVE, (0,)),
        ({"mbpp": 5}, 80.0, NOT_SUPPORTED, (0,)),
        ({"mbpp": 5}, 80.0, NOT_SUPPORTED, (0, 1, 2)),
        ({}, 95.0, INCONCLUSIVE, (0,)),  # shorter, but not shorter than without RePro
        ({}, 130.0, NOT_SUPPORTED, (0,)),
    ],
)
def test_tokens(make_run, percent, end, wanted, seeds):
    runs = shorter(make_run, percent, end, seeds)
    frame = evaluate("tokens", runs, declared.PAPER, methods=GRPO)
    assert len(frame) == 2 + 7
    assert verdict(frame) == wanted
    by_part = frame.set_index("part")
    assert by_part["effect"].iloc[0] == pytest.approx(end - 100, abs=0.3 * abs(end - 100) + 1.5)
    assert set(by_part["of"].iloc[:2]) == {"steps"}
    assert by_part["n"].iloc[0] == 10  # a quarter of 40
    for benchmark in declared.PAPER:
        title = names.BENCHMARKS[benchmark]
        effect = by_part.loc[f"tiny, GRPO + RePro vs GRPO, {title}", "effect"]
        assert effect == pytest.approx(percent.get(benchmark, -10), abs=1.5)


def test_a_short_training_is_inconclusive_and_none_is_not_tested(make_run):
    run = make_run("grpo+repro", {"aime24": noisy_problems()}, log(100, 10, steps=3))
    first = evaluate("tokens", [run], methods=GRPO).iloc[0]
    assert (first["verdict"], first["n"]) == (INCONCLUSIVE, 1)
    frame = evaluate("tokens", [make_run("original", {"aime24": noisy_problems()})], methods=GRPO)
    assert frame["remark"].iloc[0] == "no training log of GRPO + RePro"
    assert verdict(frame) == NOT_TESTED


@pytest.mark.parametrize(
    ("backtracking", "wanted"), [(0.5, SUPPORTED), (1.0, INCONCLUSIVE), (2.0, NOT_SUPPORTED)]
)
def test_backtracking_is_counted_per_token(make_run, backtracking, wanted):
    ours = noisy_problems(tokens=50, backtracking=backtracking / 2, seed=1, noise=0.1)
    responses, logs = noisy_problems(seed=2, noise=0.1), (log(9, 9), log(9, 9))
    frame = evaluate("backtracking", pair(make_run, responses, ours, *logs))
    during, after = frame.to_dict("records")
    assert (during["verdict"], after["verdict"]) == (INCONCLUSIVE, wanted)
    assert after["effect"] == pytest.approx(10 * (backtracking - 1), abs=1)


@pytest.mark.parametrize(
    ("share", "wanted"), [(0.3, SUPPORTED), (0.5, INCONCLUSIVE), (0.7, NOT_SUPPORTED)]
)
def test_backtracking_during_training_is_the_share_of_responses(make_run, share, wanted):
    def logged(share, seed):
        noise = np.random.default_rng(seed).normal(scale=0.02, size=40)
        return [row | {BACKTRACKING: share + n} for row, n in zip(log(9, 9), noise, strict=True)]

    responses = noisy_problems()
    runs = pair(make_run, responses, responses, logged(0.5, 1), logged(share, 2))
    during = evaluate("backtracking", runs).iloc[0]
    assert during["verdict"] == wanted
    assert (during["effect"], during["unit"]) == (
        pytest.approx(100 * (share - 0.5), abs=2),
        "points",
    )
    assert "responses that backtrack" in during["part"]


ABOUT = "A verdict is about the runs that it names"


def test_the_files_agree_and_say_whose_numbers_these_are(make_run, tmp_path):
    ours, last = noisy_problems(0.6, 80, 0.5), log(100, 80, seed=1)
    runs = pair(make_run, noisy_problems(0.4), ours, log(100, 95), last)
    judged = verdicts.write_claims(runs, ["aime24"], tmp_path / "claims", NOTE)
    written = {path.name: path.read_text() for path in (tmp_path / "claims").iterdir()}
    assert set(written) == {"claims.md", "claims.csv", "claims.json"}
    for text in written.values():
        assert NOTE in text
        assert ABOUT in text
    untested = dict.fromkeys(("objective", "w", "alpha", "k", "case-study"), "not tested")
    tested = {"accuracy": "inconclusive", "tokens": "inconclusive", "backtracking": "inconclusive"}
    assert judged.set_index("id")["verdict"].to_dict() == untested | tested
    table = pd.read_csv(tmp_path / "claims/claims.csv")
    content = json.loads((tmp_path / "claims/claims.json").read_text())
    assert content["rule"] == {"level": 0.95, "problems_at_least": 10, "steps_at_least": 4}
    assert [c["verdict"] for c in content["claims"]] == judged["verdict"].tolist()
    parts = [part for claim in content["claims"] for part in claim["parts"]]
    for part, row in zip(parts, table.to_dict("records"), strict=True):
        assert (part["part"], part["verdict"]) == (row["part"], row["verdict"])
        if part["verdict"] == "not tested":
            assert part["effect"] is None
            assert pd.isna(row["effect"])
        else:
            assert part["effect"] == pytest.approx(row["effect"], rel=1e-5)
            assert part["runs"] == row["runs"] != ""
    text = markdown(tmp_path / "claims/claims.md")
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1
    for claim in claims.CLAIMS:
        assert f"| {claim.text} |" in text
    [of_claim] = [one.text for one in claims.CLAIMS if one.id == "backtracking"]
    assert f"| {of_claim} | inconclusive | parts: 1 supported, 1 inconclusive |" in text
    part = "| | tiny, GRPO + RePro vs GRPO, all | over AIME24; without"
    assert part in text and "| < 0 | 40 problems | 1 |" in text
    assert "with 95 % intervals over problems" in text


SCORES = {"aime24": noisy_problems()}


def objective_rows(fall: float, labelled: float, n=20, seed=0, **more):
    """Responses whose -J falls with rank correlation about -fall; labelled: their extra reward."""
    rng, rows = np.random.default_rng(seed), []
    for doc_id, sample in itertools.product(range(n), range(2)):
        positions = np.arange(0, 50, 5)
        values = fall * np.arange(10) + rng.normal(0, 4, 10) - 100
        points = [[int(p), p / 45, float(v)] for p, v in zip(positions, values, strict=True)]
        segments = [[None, rng.normal(0.1, 0.1)] for _ in range(5)]
        segments += [
            [label, rng.normal(0.1, 0.1) + labelled] for label in ("backtracking", "verification")
        ]
        row = {"benchmark": "aime24", "doc_id": doc_id, "sample": sample, "correct": 1}
        rows.append(row | {"points": points, "segments": segments} | more)
    return rows


@pytest.fixture
def judge(make_run):
    """Return a function from a claim and the rows of each seed to the claim's parts."""

    def judged(name, *seeds_rows):
        runs = [
            make_run("original", SCORES, backbone=name, seed=seed, objective=rows)
            for seed, rows in enumerate(seeds_rows)
        ]
        return evaluate(name, runs)

    return judged


@pytest.mark.parametrize(
    ("size", "wanted", "seeds"),
    [(-1.0, NOT_SUPPORTED, 1), (0.0, INCONCLUSIVE, 1), (1.0, SUPPORTED, 1), (1.0, SUPPORTED, 2)]
    + [(0.0, INCONCLUSIVE, 3), (-1.0, NOT_SUPPORTED, 3)],
)
def test_objective_and_case_study(judge, size, wanted, seeds):
    rows = [objective_rows(size, -0.1 * size, seed=seed + 1) for seed in range(seeds)]
    for name in ("objective", "case-study"):
        frame = judge(name, *rows)
        assert verdict(frame) == wanted
        assert (frame["n"].item(), frame["seeds"].item()) == (20, seeds)
    assert frame["effect"].item() == pytest.approx(-0.1 * size, abs=0.05)


@pytest.mark.parametrize(
    ("objective", "correlation"),
    [
        ([-3.0, -2.0, -1.0], -1),
        ([-1.0, -2.0, -2.0], 0.8660254),  # ties share their rank
        ([0.0, 0.0, 0.0], 0),  # what is constant does not fall
        ([-3.0, -2.0], None),  # two are always in order
    ],
)
def test_correlation_of_a_response(judge, objective, correlation):
    points = [[i, i / 3, value] for i, value in enumerate(objective)]
    rows = [row | {"points": points} for row in objective_rows(0, 0, n=2)]
    effect = judge("objective", rows)["effect"].item()
    assert np.isnan(effect) if correlation is None else effect == pytest.approx(correlation)


def test_wrong_responses_are_not_averaged(judge):
    rows = objective_rows(1.0, 0.0) + objective_rows(-1.0, 0.0, n=40, correct=0)
    frame = judge("objective", rows)
    assert frame["n"].item() == 20
    assert frame["effect"].item() < -0.3


def test_seeds_need_not_have_the_same_correct_problems(judge):
    rows = objective_rows(1.0, 0.0, n=20)
    frame = judge("objective", rows[:30], rows[10:])  # problems 0 to 14 and 5 to 19
    assert (frame["n"].item(), frame["seeds"].item()) == (20, 2)
    assert verdict(frame) == SUPPORTED


def test_without_objectives_or_segments_nothing_is_tested(judge):
    frame = judge("objective", None)
    assert (verdict(frame), frame["remark"].item()) == (NOT_TESTED, "no run has an objective.jsonl")
    bare = [row | {"segments": []} for row in objective_rows(1, 0)]
    frame = judge("case-study", bare)
    assert verdict(frame) == NOT_TESTED
    assert frame["remark"].item().startswith("none of the 40 responses in objective.jsonl")
