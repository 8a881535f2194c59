from repro.config.words import validate
from repro.process_reward.settings import ProcessRewardSettings


def resolve(given: dict) -> ProcessRewardSettings:
    return validate(given, ProcessRewardSettings, "process_reward").filled()


def test_variants_fill_what_is_not_given():
    paper, reference = resolve({}), resolve({"variant": "reference", "w": 0.3, "ema": None})
    assert (paper.initial_score, paper.ema, paper.separator) == ("zero", 1.0, "\n\n")
    assert paper.score_weight == paper.w
    assert (reference.initial_score, reference.ema) == ("zero", 0.01)
    assert reference.separator == [".\n", "?\n", "\n\n"]
    assert reference.score_weight == 0, "the stability score is computed, then dropped"
    given = resolve({"variant": "reference", "initial_score": "empty_prefix"})
    assert given.initial_score == "empty_prefix", "a given value wins"
