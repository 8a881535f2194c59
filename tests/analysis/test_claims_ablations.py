"""Claims 5 to 7: the ablations of w, alpha and k."""

import numpy as np
import pytest
from tests.analysis.worlds import SEEDS, evaluate, log, noisy_problems, of_clauses, verdict

from repro.report import claim_parts
from repro.report.claim_parts import Data
from repro.report.verdicts import INCONCLUSIVE, NO_EFFECT, NOT_SUPPORTED, NOT_TESTED, SUPPORTED

DEFAULTS = {"alpha": 0.05, "w": 0.1, "k": 20}


def ablation(make_run, key, accuracies, plain=0.3, seeds=SEEDS, n=200, cuts=None, **how):
    """GRPO with RePro at every value, the default among them, and GRPO alone."""
    runs = []
    for seed in seeds:
        for number, (value, accuracy) in enumerate([(None, plain), *accuracies.items()]):
            scores = {"aime24": noisy_problems(accuracy, seed=10 * seed + number, noise=0.05, n=n)}
            method = "grpo" if value is None else "grpo+repro"
            if value not in (None, DEFAULTS[key]):
                method += f"~{key}={value}"
            settings = None if value is None else DEFAULTS | {key: value}
            points = None if value is None else (cuts or {}).get(value, value)
            rows = log(9, 9, cut_points=points)
            runs.append(make_run(method, scores, rows, setting=settings, seed=seed, **how))
    return runs


@pytest.mark.parametrize(
    ("accuracies", "wanted", "seeds"),
    [
        ({0.0: 0.6, 0.1: 0.55, 0.5: 0.45}, [SUPPORTED, SUPPORTED], SEEDS),
        ({0.0: 0.6, 0.1: 0.55, 0.5: 0.45}, [INCONCLUSIVE, INCONCLUSIVE], (0,)),
        ({0.0: 0.6, 0.1: 0.55, 0.5: 0.3}, [INCONCLUSIVE, SUPPORTED], SEEDS),  # no better at 0.5
        ({0.0: 0.6, 0.1: 0.55, 0.5: 0.2}, [NOT_SUPPORTED, SUPPORTED], SEEDS),  # worse
        ({0.0: 0.5, 0.1: 0.5, 0.5: 0.5}, [SUPPORTED, INCONCLUSIVE], SEEDS),  # w does not matter
        ({0.0: 0.4, 0.1: 0.5, 0.5: 0.6}, [SUPPORTED, NOT_SUPPORTED], SEEDS),  # larger w is better
    ],
)
def test_w(make_run, accuracies, wanted, seeds):
    frame = evaluate("w", ablation(make_run, "w", accuracies, seeds=seeds))
    assert of_clauses(frame) == wanted
    assert frame["seeds"].tolist() == [len(seeds)] * 4
    assert frame["part"].tolist() == [
        "tiny, GRPO + RePro (w = 0.0) vs GRPO, in-domain",
        "tiny, GRPO + RePro vs GRPO, in-domain",
        "tiny, GRPO + RePro (w = 0.5) vs GRPO, in-domain",
        "tiny, GRPO + RePro, w = 0, 0.1, 0.5, in-domain: slope times the range",
    ]
    gains = [100 * (accuracy - 0.3) for accuracy in accuracies.values()]
    assert frame["effect"].tolist()[:3] == pytest.approx(gains, abs=3)
    slope = (-0.2 * gains[0] - 0.1 * gains[1] + 0.3 * gains[2]) / 0.14  # x - mean: -.2, -.1, .3
    assert frame["effect"].iloc[-1] == pytest.approx(0.5 * slope, abs=4)


@pytest.mark.parametrize(
    ("accuracies", "wanted"),
    [
        ({0.02: 0.5, 0.05: 0.5, 0.2: 0.5}, SUPPORTED),
        ({0.02: 0.5, 0.05: 0.5, 0.2: 0.51}, INCONCLUSIVE),
        ({0.02: 0.5, 0.05: 0.4, 0.2: 0.5}, NOT_SUPPORTED),
    ],
)
def test_alpha(make_run, accuracies, wanted):
    frame = evaluate("alpha", ablation(make_run, "alpha", accuracies, n=2000))
    assert of_clauses(frame) == [SUPPORTED, wanted]
    a, b, c = (100 * accuracy for accuracy in accuracies.values())
    apart = frame.iloc[3:]
    assert apart["effect"].tolist() == pytest.approx([b - a, c - a, c - b], abs=0.6)
    assert "grpo/0" not in apart["runs"].iloc[0].split()
    assert apart["remark"].str.match(r"sd between values \d+\.\d\d points").all()
    assert apart["part"].iloc[1].endswith("= 0.02, 0.2, in-domain: second minus first")
    # One value that does not beat the baseline is enough for the other clause.
    same = ablation(make_run, "alpha", accuracies, plain=0.5, backbone="other")
    assert of_clauses(evaluate("alpha", same))[0] in (INCONCLUSIVE, NOT_SUPPORTED, NO_EFFECT)


def test_how_runs_vary_is_estimated_over_all_ablations_together(make_run):
    """Two values at three seeds say it with 2 degrees of freedom, four methods with 6."""
    arms = {"grpo+repro": {}, "grpo+repro~w=0.5": {"w": 0.5}}
    others = {"grpo+repro~alpha=0.2": {"alpha": 0.2}, "grpo+repro~k=4": {"k": 4}}
    accuracy, runs, of_others = np.empty((4, 3)), [], []
    for i, (method, setting) in enumerate((arms | others).items()):
        for seed in SEEDS:
            scores = noisy_problems(0.5 + 0.02 * (-1) ** (i + seed), seed=10 * seed + i, noise=0.2)
            accuracy[i, seed] = 100 * np.mean([problem["correct"] for problem in scores])
            run = make_run(method, {"aime24": scores}, [], DEFAULTS | setting, seed=seed)
            (runs if method in arms else of_others).append(run)
    for chosen, freedom in ((runs, 2), (runs + of_others, 6)):
        of = accuracy[: freedom // 2 + 1]
        around = of - of.mean(axis=0) - of.mean(axis=1)[:, None] + of.mean()
        [part] = claim_parts.over_values(Data(chosen, ["aime24"]), "w", claim_parts.SLOPE)
        assert part.spread.variance == pytest.approx(2 * (around**2).sum() / freedom)
        assert part.spread.freedom == freedom


LOG_CURVE = {1: 0.30, 2: 0.40, 4: 0.50, "all": 0.60}  # the same with every doubling


@pytest.mark.parametrize(
    ("accuracies", "cuts", "wanted"),
    [
        (LOG_CURVE, {"all": 8}, [SUPPORTED, SUPPORTED]),
        ({1: 0.30, 2: 0.35, 3: 0.40, 4: 0.45}, {}, [SUPPORTED, INCONCLUSIVE]),  # a straight line
        ({1: 0.30, 2: 0.32, 3: 0.45, 4: 0.70}, {}, [SUPPORTED, NOT_SUPPORTED]),
        ({1: 0.60, 2: 0.60, 3: 0.55, 4: 0.30}, {}, [NOT_SUPPORTED, SUPPORTED]),
        # No thought has more than eight segments: 16 is 8 again, and says nothing of more.
        ({4: 0.40, 8: 0.50, 16: 0.50}, {16: 8.1}, [SUPPORTED, NOT_TESTED]),
        ({8: 0.40, 16: 0.50}, {16: 8.1}, [NOT_TESTED, NOT_TESTED]),
    ],
)
def test_k_counts_as_the_cut_points_of_a_response(make_run, accuracies, cuts, wanted):
    frame = evaluate("k", ablation(make_run, "k", accuracies, cuts=cuts))
    assert of_clauses(frame) == wanted
    if accuracies is LOG_CURVE:
        # By least squares on 1, 2, 4, 8: slope 250 / 57.5 a cut point over a range of 7.
        x, y = [-2.75, -1.75, 0.25, 4.25], [30, 40, 50, 60]
        slope = 7 * sum(a * b for a, b in zip(x, y, strict=True)) / sum(a * a for a in x)
        assert frame["effect"].iloc[0] == pytest.approx(slope, abs=3)
        assert frame["effect"].iloc[1] < -10 and frame["unit"].iloc[1] == "points"
    if NOT_TESTED in wanted:
        remarks = frame.loc[frame["verdict"] == NOT_TESTED, "remark"]
        said = "8, 8.1 cut points a response: some values differ by less than 10 %"
        assert remarks.iloc[0].endswith(said)


def test_without_an_ablation_nothing_is_tested(make_run):
    main = ablation(make_run, "w", {0.1: 0.5})
    for key in DEFAULTS:
        frame = evaluate(key, main)
        assert verdict(frame) == NOT_TESTED
        assert set(frame["remark"]) == {f"no run of a method ALGORITHM+repro~{key}=VALUE"}
