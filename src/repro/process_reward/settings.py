"""The settings of the process reward and the two variants, `paper` and `reference`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

VARIANTS = {
    # The published method.
    "paper": {"ema": 1.0, "initial_score": "empty_prefix", "separator": "\n\n"},
    # What the co-author's training code computes: the stability score is computed and then dropped.
    "reference": {"ema": 0.01, "initial_score": "zero", "separator": [".\n", "?\n", "\n\n"]},
}
INITIAL_SCORES = ("empty_prefix", "zero")


@dataclass(frozen=True)
class ProcessRewardSettings:
    r"""Settings of the process reward; what the variant decides is filled in where it is None.

    Attributes:
        variant: `paper` or `reference`.
        alpha: weight of the process advantage in the total advantage.
        w: weight of the stability score in the score; `reference` ignores it (`score_weight` is 0).
        k: number of segments kept as cut points, those with the highest entropy at their first
            token.
        ema: weight on the new value in the average of J that the stability score sees; 1 is no
            average.
        initial_score: score before the first cut: `empty_prefix` (that of the empty thought,
            stability 1/2) or `zero`.
        separator: a string: the paragraph break, found in decoded text wherever tokens split or
            merge it; a list of strings: a break is a token that decodes to exactly one of them.
        close_thought: the probe closes a thought first (`</think>` and a blank line) where prompt
            or response have opened one.
        answer_only: the objective averages the answer's tokens only, not those of `\boxed{` and
            `}`.

    Raises:
        ValueError: a value out of range; the message names key, value and what is allowed.
    """

    variant: str = "paper"
    alpha: float = 0.05
    w: float = 0.1
    k: int = 20
    ema: float = None
    initial_score: str = None
    separator: str | tuple[str, ...] = None
    close_thought: bool = False
    answer_only: bool = False

    def __post_init__(self) -> None:
        if self.variant not in tuple(VARIANTS):
            raise ValueError(
                f"process_reward.variant: {self.variant!r}; allowed: {', '.join(VARIANTS)}"
            )
        for key, value in VARIANTS[self.variant].items():
            if getattr(self, key) is None:
                object.__setattr__(self, key, value)
        if isinstance(self.separator, list):
            object.__setattr__(self, "separator", tuple(self.separator))
        _check(self)

    @property
    def score_weight(self) -> float:
        """Weight of stability that enters the score: `w`, or 0 in the `reference` variant."""
        return 0.0 if self.variant == "reference" else self.w


def resolve(settings: Mapping) -> ProcessRewardSettings:
    """Make settings of a mapping; what is missing or null in it has the default.

    Raises:
        ValueError: an unknown key or a value out of range; the message names key, value and what is
            allowed.
    """
    allowed = [field.name for field in fields(ProcessRewardSettings)]
    for key in settings:
        if key not in allowed:
            raise ValueError(f"process_reward.{key}: unknown key; allowed: {', '.join(allowed)}")
    given = {key: value for key, value in settings.items() if value is not None}
    return ProcessRewardSettings(**given)


def _check(s: ProcessRewardSettings) -> None:
    def number(value: object) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    texts = (s.separator,) if isinstance(s.separator, str) else s.separator
    separator_is_valid = (
        isinstance(texts, tuple) and texts and all(isinstance(t, str) and t for t in texts)
    )
    is_integer = isinstance(s.k, int) and not isinstance(s.k, bool)
    for key, valid, expected in (
        ("alpha", number(s.alpha) and 0 <= s.alpha < float("inf"), "a number >= 0"),
        ("w", number(s.w) and 0 <= s.w <= 1, "a number in [0, 1]"),
        ("k", is_integer and s.k >= 1, "an integer >= 1"),
        ("ema", number(s.ema) and 0 < s.ema <= 1, "a number in (0, 1]"),
        ("initial_score", s.initial_score in INITIAL_SCORES, f"one of {', '.join(INITIAL_SCORES)}"),
        ("separator", separator_is_valid, "a non-empty string, or a list of them (tokens)"),
        ("close_thought", isinstance(s.close_thought, bool), "true or false"),
        ("answer_only", isinstance(s.answer_only, bool), "true or false"),
    ):
        if not valid:
            raise ValueError(f"process_reward.{key}: {getattr(s, key)!r}; expected {expected}")
