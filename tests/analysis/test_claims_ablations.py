"""Claims 5 to 7: the ablations of w, alpha and k."""

import pytest
from tests.analysis.worlds import evaluate, noisy_problems, verdict

from repro.report.verdicts import INCONCLUSIVE, NOT_SUPPORTED, NOT_TESTED, SUPPORTED

DEFAULTS = {"alpha": 0.05, "w": 0.1, "k": 20}


def ablation(make_run, key, accuracies, plain=0.3, noise=0.05, seeds=(0,), n=200):
    """GRPO with RePro at every value, the default among them, and GRPO alone."""
    runs = []
    for seed in seeds:
        for number, (value, accuracy) in enumerate([(None, plain), *accuracies.items()]):
            scores = {"aime24": noisy_problems(accuracy, seed=10 * seed + number, noise=noise, n=n)}
            method = "grpo" if value is None else "grpo+repro"
            if value not in (None, DEFAULTS[key]):
                method += f"~{key}={value if value == 'all' else f'{value:g}'}"
            settings = None if value is None else DEFAULTS | {key: value}
            runs.append(make_run(method, scores, setting=settings, seed=seed))
    return runs


@pytest.mark.parametrize(
    ("accuracies", "wanted", "seeds"),
    [
        ({0.0: 0.6, 0.1: 0.55, 0.5: 0.45}, SUPPORTED, (0,)),
        ({0.0: 0.6, 0.1: 0.55, 0.5: 0.45}, SUPPORTED, (0, 1, 2)),
        ({0.0: 0.6, 0.1: 0.55, 0.5: 0.3}, INCONCLUSIVE, (0,)),  # no better than GRPO at w = 0.5
        ({0.0: 0.6, 0.1: 0.55, 0.5: 0.2}, NOT_SUPPORTED, (0,)),  # worse
        ({0.0: 0.5, 0.1: 0.5, 0.5: 0.5}, INCONCLUSIVE, (0, 1, 2)),  # w does not matter
        ({0.0: 0.4, 0.1: 0.5, 0.5: 0.6}, NOT_SUPPORTED, (0,)),  # larger w is better
    ],
)
def test_w(make_run, accuracies, wanted, seeds):
    frame = evaluate("w", ablation(make_run, "w", accuracies, seeds=seeds))
    assert verdict(frame) == wanted
    assert frame["seeds"].tolist() == [len(seeds)] * 4
    assert frame["part"].tolist() == [
        "tiny, GRPO + RePro (w = 0) vs GRPO, in-domain",
        "tiny, GRPO + RePro vs GRPO, in-domain",
        "tiny, GRPO + RePro (w = 0.5) vs GRPO, in-domain",
        "tiny, GRPO + RePro, w = 0, 0.1, 0.5, in-domain: slope",
    ]
    gains = [100 * (accuracy - 0.3) for accuracy in accuracies.values()]
    assert frame["effect"].tolist()[:3] == pytest.approx(gains, abs=3)
    slope = (-0.2 * gains[0] - 0.1 * gains[1] + 0.3 * gains[2]) / 0.14  # x - mean: -.2, -.1, .3
    assert frame["effect"].iloc[-1] == pytest.approx(slope, abs=8)


@pytest.mark.parametrize(
    ("accuracies", "wanted"),
    [
        ({0.02: 0.5, 0.05: 0.5, 0.2: 0.505}, SUPPORTED),
        ({0.02: 0.5, 0.05: 0.5, 0.2: 0.53}, INCONCLUSIVE),
        ({0.02: 0.5, 0.05: 0.4, 0.2: 0.5}, NOT_SUPPORTED),
    ],
)
def test_alpha(make_run, accuracies, wanted):
    frame = evaluate("alpha", ablation(make_run, "alpha", accuracies, n=1000))
    assert verdict(frame) == wanted
    spread = 100 * (max(accuracies.values()) - min(accuracies.values()))
    assert frame["effect"].item() == pytest.approx(spread, abs=1)
    assert frame["low"].item() <= frame["effect"].item() <= frame["high"].item()
    assert "grpo/0" not in frame["runs"].item().split()


@pytest.mark.parametrize(
    ("accuracies", "wanted"),
    [
        ({5: 0.30, 10: 0.45, 20: 0.55, 40: 0.57}, SUPPORTED),
        ({5: 0.40, 10: 0.45, 20: 0.50, 40: 0.55}, INCONCLUSIVE),  # the same with every doubling
        ({5: 0.40, 10: 0.42, 20: 0.52, 40: 0.70}, NOT_SUPPORTED),  # more with every doubling
        ({5: 0.60, 10: 0.60, 20: 0.55, 40: 0.40}, NOT_SUPPORTED),  # fewer segments are better
    ],
)
def test_k(make_run, accuracies, wanted):
    frame = evaluate("k", ablation(make_run, "k", accuracies))
    assert verdict(frame) == wanted
    a, b, c, d = (100 * accuracy for accuracy in accuracies.values())
    assert frame["effect"].tolist() == pytest.approx([d - a, (a - b - c + d) / 2], abs=3)
    assert frame["unit"].iloc[1] == "points per doubling of k, change from one to the next"


def test_all_segments_are_the_last_value_which_no_doubling_reaches(make_run):
    frame = evaluate("k", ablation(make_run, "k", {10: 0.4, 20: 0.5, "all": 0.6}))
    gain, curvature = frame.to_dict("records")
    assert gain["part"] == "tiny, GRPO + RePro, k = 10, 20, all, in-domain: last minus first"
    assert gain["effect"] == pytest.approx(20, abs=3)
    assert curvature["remark"] == "needs 3 values of k or more"


def test_without_an_ablation_nothing_is_tested(make_run):
    main = ablation(make_run, "w", {0.1: 0.5})
    for key in DEFAULTS:
        frame = evaluate(key, main)
        assert verdict(frame) == NOT_TESTED
        assert set(frame["remark"]) == {f"no run of a method ALGORITHM+repro~{key}=VALUE"}
