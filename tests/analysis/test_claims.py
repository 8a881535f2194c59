"""Verdicts on runs made so that they are known, and the files that say them."""

import json

import numpy as np
import pandas as pd
import pytest
from tests.analysis import worlds
from tests.analysis.worlds import SEEDS, evaluate, log, noisy_problems, of_clauses, pair, verdict

from repro.benchmarks.declared import PAPER
from repro.report import claims, power, verdicts
from repro.report.claim_parts import Data
from repro.report.verdicts import INCONCLUSIVE, NO_EFFECT, NOT_SUPPORTED, NOT_TESTED, SUPPORTED

ALGORITHMS = ("ppo", "reinforce_pp", "reinforce_pp_baseline", "grpo")
BOTH_DOMAINS = ["aime24", "gpqa"]
GRPO = ["grpo+repro"]
ONE_SEED = "1 seed, fewer than 3"


def four_algorithms(make_run, gains=None, seeds=SEEDS, noise=0.1, usual=0.25, **how):
    """Runs of all algorithms at each seed; gains in and out of domain, by algorithm."""
    runs = []
    for seed in seeds:
        for number, algorithm in enumerate(ALGORITHMS):
            gain, first = (gains or {}).get(algorithm, (usual, usual)), 100 * seed + number
            plain = {b: noisy_problems(0.4, seed=first, noise=noise) for b in BOTH_DOMAINS}
            ours = {
                b: noisy_problems(0.4 + g, seed=first + 50, noise=noise)
                for b, g in zip(BOTH_DOMAINS, gain, strict=True)
            }
            runs.append(make_run(algorithm, plain, seed=seed, **how))
            runs.append(make_run(f"{algorithm}+repro", ours, seed=seed, **how))
    return runs


@pytest.mark.parametrize(
    ("gains", "usual", "wanted"),
    [
        ({}, 0.25, [SUPPORTED] * 3),
        ({"ppo": (0.0, 0.25)}, 0.25, [SUPPORTED, SUPPORTED, INCONCLUSIVE]),  # they differ
        ({"grpo": (0.25, -0.25)}, 0.25, [SUPPORTED, SUPPORTED, NOT_SUPPORTED]),
        ({}, -0.25, [NOT_SUPPORTED] * 3),
        ({}, 0.01, [INCONCLUSIVE] * 3),
    ],
)
def test_accuracy_is_judged_on_the_mean_and_on_each_algorithm(make_run, gains, usual, wanted):
    frame = evaluate("accuracy", four_algorithms(make_run, gains, usual=usual), BOTH_DOMAINS)
    assert of_clauses(frame) == wanted
    assert verdict(frame) == min(wanted, key=(NOT_SUPPORTED, INCONCLUSIVE, SUPPORTED).index)
    mean, each = frame.iloc[:2], frame.iloc[2:]
    assert mean["effect"].tolist() == pytest.approx(each.groupby("pool")["effect"].mean().tolist())
    for algorithm, gain in gains.items():
        of = each[each["runs"].str.contains(f"/{algorithm}+repro/", regex=False)]
        assert of["effect"].tolist() == pytest.approx([100 * g for g in gain], abs=6)


def test_one_seed_decides_nothing_about_methods_and_is_shown(make_run):
    frame = evaluate("accuracy", four_algorithms(make_run, seeds=[0]), BOTH_DOMAINS)
    assert set(frame["verdict"]) == {INCONCLUSIVE}
    assert frame["remark"].str.startswith(ONE_SEED).all()
    assert (frame["low"] > 5).all() and (frame["effect"] < frame["high"]).all()
    (_, _, each) = verdicts.overall(frame)[1]
    assert each["reason"].startswith(f"parts: 8 inconclusive ({ONE_SEED})")


def test_a_backbone_with_enough_seeds_is_judged_without_the_others(make_run):
    runs = four_algorithms(make_run) + four_algorithms(
        make_run, {"ppo": (-0.3, -0.3)}, seeds=[0], backbone="other"
    )
    runs = [run for run in runs if (run.backbone, run.method) != ("other", "grpo")]
    frame = evaluate("accuracy", runs, BOTH_DOMAINS)
    assert of_clauses(frame) == [SUPPORTED] * 3
    assert "not counted: other, too few seeds" in verdicts.overall(frame)[1][0]["reason"]


def test_the_mean_is_of_the_algorithms_that_are_there_and_have_seeds(make_run):
    runs = four_algorithms(make_run)
    left_out = [("ppo", s) for s in SEEDS] + [("reinforce_pp+repro", s) for s in SEEDS[1:]]
    some = [run for run in runs if (run.method, run.seed) not in left_out]
    frame = evaluate("accuracy", some, BOTH_DOMAINS)
    assert of_clauses(frame) == [SUPPORTED] * 3
    assert frame["part"][1].endswith("mean of RF++ Baseline, GRPO, out-of-domain")
    without = "; without PPO + RePro, RF++ + RePro: fewer than 3 seeds"
    assert frame["remark"][1] == f"over GPQA-D; without MBPP, LCB: no scores{without}"
    alone = frame.set_index("part")["remark"]
    assert alone["tiny, PPO + RePro vs PPO, in-domain"] == "no run of PPO"
    assert alone["tiny, RF++ + RePro vs RF++, in-domain"].startswith(ONE_SEED)
    assert frame["runs"].iloc[-1].split()[:2] == ["tiny/grpo+repro/0", "tiny/grpo+repro/1"]
    alone = evaluate("accuracy", [run for run in some if "grpo" in run.method], BOTH_DOMAINS)
    assert of_clauses(alone) == [SUPPORTED] * 3


def test_benchmarks_that_are_not_scored_are_left_out_of_their_pool(make_run):
    runs = four_algorithms(make_run)
    for run in runs:
        worlds.unscored(run, "mbpp", "no sandbox")
    frame = evaluate("accuracy", runs, ["mbpp", *BOTH_DOMAINS])
    assert frame["remark"][1] == "over GPQA-D; without MBPP, LCB: no scores"
    assert verdict(frame) == SUPPORTED
    frame = evaluate("accuracy", runs, ["mbpp", "aime24"])
    assert frame["remark"][1] == "no scores of GPQA-D, MBPP, LCB"
    assert of_clauses(frame) == [SUPPORTED, NOT_TESTED, INCONCLUSIVE]
    assert verdict(frame) == INCONCLUSIVE


@pytest.mark.parametrize("broken", ["unknown", "silent"])
def test_unknown_tokens_and_none_cost_the_claims_about_tokens_only(make_run, broken):
    plain, ours = noisy_problems(0.4), noisy_problems(0.7)
    for row in ours[3:4] if broken == "unknown" else plain:
        row["tokens"] = [float("nan") if broken == "unknown" else 0] * 4
    runs = [
        run
        for seed in SEEDS
        for run in pair(make_run, plain, ours, log(100, 95), log(100, 90), seed=seed)
    ]
    assert evaluate("accuracy", runs, methods=GRPO)["verdict"].iloc[0] == SUPPORTED
    row = evaluate("tokens", runs, methods=GRPO).set_index("clause").iloc[2]
    unknown = "some numbers are unknown, or the baseline has no reasoning tokens"
    assert (row["verdict"], row["remark"]) == (NOT_TESTED, unknown)
    assert np.isnan(row["effect"])


def gaining(make_run, gains, n=40, **how):
    """GRPO and GRPO with RePro at as many seeds as there are gains."""
    return [
        run
        for seed, gain in enumerate(gains)
        for run in pair(
            make_run, noisy_problems(0.3, n=n), noisy_problems(0.3 + gain, n=n), seed=seed, **how
        )
    ]


@pytest.mark.parametrize("n", [1, 9])
def test_few_problems_are_inconclusive_whatever_they_show(make_run, n):
    tested = evaluate("accuracy", gaining(make_run, [0.5] * 3, n=n), methods=GRPO).iloc[0]
    assert tested["verdict"] == INCONCLUSIVE
    assert tested["effect"] > 40
    assert tested["remark"].startswith(f"{n} problem{'s' * (n > 1)}, fewer than 10")


def test_a_small_effect_is_none_even_where_it_is_sure(make_run):
    sure = gaining(make_run, [0.5 / 100] * 3, n=4000)
    row = evaluate("accuracy", sure, methods=GRPO).iloc[0]
    assert 0 < row["low"] < row["effect"] < row["high"] < 1 == row["smallest"]
    assert row["verdict"] == NO_EFFECT


def test_only_shared_seeds_are_compared(make_run):
    scores = {"aime24": noisy_problems()}
    runs = [make_run("grpo", scores, seed=seed) for seed in (0, 1, 2)]
    runs += [make_run("grpo+repro", scores, seed=seed) for seed in (1, 2, 3)]
    part = evaluate("accuracy", runs, methods=GRPO).iloc[0]
    assert part["runs"] == "tiny/grpo+repro/1 tiny/grpo+repro/2 tiny/grpo/1 tiny/grpo/2"
    apart = [run for run in runs if (run.method, run.seed) in {("grpo", 0), ("grpo+repro", 3)}]
    assert "no seed that all have" in set(evaluate("accuracy", apart)["remark"])


def shorter(make_run, percent, end=80.0, before=110.0):
    """GRPO with RePro: percent by benchmark or -10, logs that end at ``end``, GRPO's at 95."""
    runs = []
    for seed in SEEDS:
        first, plain, ours = (
            {b: noisy_problems(tokens=n.get(b, n[""]), seed=seed + i, noise=0.02) for b in PAPER}
            for i, n in ((0, {"": before}), (20, {"": 100}), (50, {"": 90} | percent))
        )
        runs.append(make_run("original", first, seed=seed))
        runs.append(make_run("grpo", plain, log(100, 95, seed=seed), seed=seed))
        runs.append(make_run("grpo+repro", ours, log(100, end, seed=seed + 9), seed=seed))
    return runs


@pytest.mark.parametrize(
    ("percent", "end", "before", "wanted"),
    [
        ({}, 80.0, 110, [SUPPORTED] * 3),
        ({"mbpp": 100}, 80.0, 110, [SUPPORTED] * 3),  # single benchmarks describe
        ({"": 105}, 80.0, 110, [SUPPORTED, NOT_SUPPORTED, SUPPORTED]),
        ({}, 95.0, 90, [NO_EFFECT, SUPPORTED, NO_EFFECT]),
        ({}, 130.0, 80, [NOT_SUPPORTED, SUPPORTED, NOT_SUPPORTED]),
    ],
)
def test_tokens(make_run, percent, end, before, wanted):
    frame = evaluate("tokens", shorter(make_run, percent, end, before), PAPER, methods=GRPO)
    assert of_clauses(frame) == wanted
    tests = frame[frame["verdict"] != verdicts.DESCRIBED]
    assert tests["of"].tolist() == ["seeds", "problems", "problems"]
    assert tests["n"].tolist() == [3, 7 * 40, 7 * 40]
    # The last quarter: 1/8 of the way before the end.
    change = 100 * ((100 + 7 / 8 * (end - 100)) / (100 - 7 / 8 * 5) - 1)
    assert tests["effect"].iloc[0] == pytest.approx(change, abs=1)
    described = frame[frame["verdict"] == verdicts.DESCRIBED].set_index("pool")["effect"]
    for benchmark in PAPER:
        wanted = percent.get(benchmark, percent.get("", 90)) - 100
        assert described[benchmark] == pytest.approx(wanted, abs=1.5)


def test_training_without_a_log_is_not_tested(make_run):
    runs = [make_run("original", {"aime24": noisy_problems()})]
    frame = evaluate("tokens", runs, methods=GRPO)
    assert frame["remark"].iloc[0] == "no training log of GRPO + RePro, GRPO"
    assert verdict(frame) == NOT_TESTED


@pytest.mark.parametrize(
    ("rate", "share", "wanted"),
    [
        (0.5, 0.3, [SUPPORTED, SUPPORTED]),
        (1.0, 0.5, [NO_EFFECT, NO_EFFECT]),
        (2.0, 0.7, [NOT_SUPPORTED, NOT_SUPPORTED]),
    ],
)
def test_backtracking_by_token_by_response_and_in_training(make_run, rate, share, wanted):
    runs = []
    for seed in SEEDS:
        plain = noisy_problems(seed=seed, noise=0.01)
        ours = noisy_problems(tokens=50, backtracking=rate / 2, seed=seed + 9, noise=0.01)
        for row in ours[: 20 if rate < 1 else 0]:
            row["backtracking"] = [0] * 4
        shares = [log(9, 9, seed=seed, backtracking_responses=x) for x in (0.5, share)]
        runs += pair(make_run, plain, ours, *shares, seed=seed)
    frame = evaluate("backtracking", runs)
    during, by_response, by_token = frame.to_dict("records")
    assert [during["verdict"], by_token["verdict"]] == wanted[:1] * 2
    assert of_clauses(frame) == wanted
    assert during["effect"] == pytest.approx(100 * (share - 0.5))
    assert during["unit"] == by_response["unit"] == "points (responses that backtrack)"
    assert by_response["effect"] == (-50 if rate < 1 else 0)
    gone = 0.5 if rate < 1 else 1.0
    assert by_token["effect"] == pytest.approx(10 * (gone * rate - 1), abs=0.5)
    assert by_token["smallest"] == pytest.approx(1, abs=0.05)  # a tenth of 10 per 1,000 tokens


def test_the_files_agree_and_say_whose_numbers_these_are(make_run, tmp_path):
    runs = []
    for seed in SEEDS:
        ours = noisy_problems(0.6, 80, 0.5, seed=seed, noise=0.01)
        logs = log(100, 95, seed=seed), log(100, 80, seed=seed + 9)
        runs += pair(make_run, noisy_problems(0.4), ours, *logs, seed=seed)
    shown = verdicts.write_claims(runs, ["aime24"], tmp_path / "claims", worlds.NOTE)
    written = {path.name: path.read_text() for path in (tmp_path / "claims").iterdir()}
    assert set(written) == {"claims.md", "claims.csv", "claims.json"}
    defined = f"The claims are as defined on {claims.DEFINED}, SHA-256 {claims.digest()}."
    for text in written.values():
        for said in (worlds.NOTE, "A verdict is about the runs that it names", defined):
            assert said in text
    content = json.loads(written["claims.json"])
    assert (content["sha256"], content["defined"]) == (claims.digest(), claims.DEFINED)
    assert content["rule"]["seeds_at_least"] == 3
    judged = {claim["id"]: claim["verdict"] for claim in content["claims"]}
    assert judged == dict.fromkeys(("objective", "w", "alpha", "k", "case-study"), NOT_TESTED) | {
        "accuracy": INCONCLUSIVE,  # nothing is scored out of domain
        "tokens": INCONCLUSIVE,  # of the original there is no run
        "backtracking": NO_EFFECT,
    }
    said = "Of the paper's 8 claims on 3 seeds: 0 supported, 0 not supported, 1 no relevant effect"
    assert verdicts.headline(content["claims"]) == f"{said}, 2 inconclusive, 5 not tested."
    parts = [part for *_, part in verdicts._parts(content["claims"])]
    table = pd.read_csv(tmp_path / "claims/claims.csv")
    for part, row in zip(parts, table.to_dict("records"), strict=True):
        assert (part["part"], part["verdict"]) == (row["part"], row["verdict"])
        assert (part["effect"] is None) == pd.isna(row["effect"])
        if part["effect"] is not None:
            assert part["effect"] == pytest.approx(row["effect"], rel=1e-5)
            assert part["runs"] == row["runs"] != ""
    text = worlds.markdown(tmp_path / "claims/claims.md")
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1
    for claim, *_ in claims.CLAIMS.values():
        assert f"| {claim} |" in text
    assert f"| {claims.CLAIMS['backtracking'][0]} | no relevant effect | During" in text
    assert "| At evaluation, by response and by token. | no relevant effect | parts: 1 sup" in text
    assert "| 40 problems | 3 |" in text and "with 95 % intervals over problems" in text
    assert len(shown) == sum(len(clauses) for _, *clauses in claims.CLAIMS.values())
    needed = power.write_power(Data(runs, ["aime24"]))
    assert "tiny, GRPO + RePro vs GRPO, last quarter of training" in needed


def test_a_change_of_the_definitions_changes_their_date():
    """Whoever changes what is tested sets `claims.DEFINED` to the day and enters both here."""
    digest = "a127ed8eced035ac55476f3a44bc4505d19a29d7fc4ec25d0453790c68c2317b"
    assert (claims.DEFINED, claims.digest()) == ("2026-11-29", digest)


def test_power_is_that_of_telling_an_effect_from_its_threshold(monkeypatch):
    row = {"claim": "alpha", "part": "a part", "unit": "points", "verdict": INCONCLUSIVE}
    row |= {"effect": -2.0, "low": -3.0, "high": -1.0, "threshold": 1.0, "smallest": 1.0}
    frame = pd.DataFrame([row | {"seeds": 8, "few_seeds": False, "seed_sd": 1.0}])
    monkeypatch.setattr(verdicts, "evaluate", lambda data: frame)
    assert power.write_power(None).split()[-2:] == ["10", "-"]  # of 1 beyond it, and of 0


def test_seeds_for_a_power_of_80_percent():
    # A paired t test with d = 0.5 needs 34 pairs, and with d = 1 ten (Cohen, 1988).
    assert [power.seeds_needed(*of) for of in ((0.5, 1), (2, 2), (-1, 1))] == [34, 10, 10]
    assert power.seeds_needed(100, 1) == 3 and np.isnan(power.seeds_needed(0, 1))
