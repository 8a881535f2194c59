"""Claims about accuracy, tokens and backtracking, on runs made so that the verdict is known."""

import json

import numpy as np
import pytest
from tests.analysis.worlds import evaluate, log, noisy_problems, pair, verdict

from repro.benchmarks import declared
from repro.report import names, verdicts
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
        content = {"benchmark": "mbpp", "not_scored": "no sandbox", "problems": []}
        (run.path / "scores/mbpp.json").write_text(json.dumps(content))
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
    frame = evaluate("backtracking", pair(make_run, noisy_problems(seed=2, noise=0.1), ours))
    assert verdict(frame) == wanted
    assert frame["effect"].item() == pytest.approx(10 * (backtracking - 1), abs=1)
