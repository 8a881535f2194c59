"""The settings of the process reward and the two variants, `paper` and `reference`."""

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator

from repro.methods import RULES

VARIANTS = {
    # The published method.
    "paper": {"ema": 1.0, "initial_score": "zero", "separator": "\n\n"},
    # What the co-author's training code computes: the stability score is computed and then dropped.
    "reference": {"ema": 0.01, "initial_score": "zero", "separator": [".\n", "?\n", "\n\n"]},
}

# Of all settings: unknown keys are refused, and values are taken as they are: "8" is no number.
STRICT = ConfigDict(
    extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
)
# In an Annotated type: a key that came later than the first results. At its default it is left out
# of what decides a run, so that runs from before it stay what they are.
ADDED_LATER = "added later"
Alpha = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Segments = Annotated[int, Field(ge=1, le=100_000)] | Literal["all"]
Text = Annotated[str, Field(min_length=1)]


class ProcessRewardSettings(BaseModel):
    """RePro's process reward, for every method with +repro."""

    model_config = STRICT

    rule: Annotated[Literal[*RULES] | Callable, ADDED_LATER] = "repro"
    """What is rewarded: RePro, one of its controls and rivals, or what a function returns; see
    process_reward/rules."""
    variant: Literal["paper", "reference"] = "paper"
    """paper follows the published text, reference the co-author's code."""
    alpha: Alpha = Field(0.1, description="Weight of the process advantage in the total advantage.")
    w: Share = 0.1
    """Weight of the stability score in the score; the magnitude score has 1 - w."""
    k: Segments = 10
    """Number of segments, ranked by the entropy of their first token, that are cut at, or all."""
    ema: Annotated[float, Field(gt=0, le=1)] | None = None
    """Weight of the new value in the moving average of J that stability is taken from; null for the
    variant's own (paper 1.0, which is no average; reference 0.01)."""
    initial_score: Literal["empty_prefix", "zero"] | None = None
    """Score before the first cut: zero, so that r_1 = S_1, or that of the empty thought; null for
    the variant's own (zero in both)."""
    separator: Text | Annotated[list[Text], Field(min_length=1)] | None = None
    """A text that separates segments, found in decoded text, or a list of texts that a token must
    be; null for the variant's own (paper a blank line)."""
    close_thought: bool = Field(False, description="Close the thought before the probe.")
    answer_only: bool = False
    """Average over the answer's tokens only, without the box around it."""
    lead_in: Annotated[Text | None, ADDED_LATER] = None
    """Text between the cut and the box, which is not averaged over, such as "The answer is "; null
    for none."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.rule == "length" and self.alpha >= 1:
            raise ValueError(
                f"alpha = {self.alpha} does not go with the rule length, by which a long correct "
                "response could earn less than a wrong one; allowed: less than 1"
            )
        return self

    @field_serializer("rule")
    def _write_rule(self, rule: str | Callable) -> str:
        return str(getattr(rule, "__name__", rule))

    @property
    def score_weight(self) -> float:
        """Weight of stability that enters the score: `w`, or 0 in the `reference` variant."""
        return 0.0 if self.variant == "reference" else self.w

    def filled(self) -> Self:
        """Return these settings with the variant's own value wherever none is given."""
        own = VARIANTS[self.variant]
        return self.model_copy(update={key: own[key] for key in own if getattr(self, key) is None})
