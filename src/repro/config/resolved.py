"""What a job is given: the settings that decide its result and no others, as JSON.

What was left out counts as not set and stays out when settings are read and written again: equal
settings are equal text, in Snakemake's params, in settings.json and in hashes that name folders.
"""

import json
from typing import Literal, NamedTuple

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer

from repro import methods
from repro.config import bounds
from repro.config.backbones import Backbone
from repro.config.models import Sampling, Scoring, Training
from repro.process_reward.settings import ADDED_LATER, ProcessRewardSettings, Segments


class Run(NamedTuple):
    """The unit of everything: one backbone, one method, one seed."""

    backbone: str
    method: str
    seed: int

    @property
    def path(self) -> str:
        """Where the run lies below `results_dir/runs`."""
        return f"{self.backbone}/{self.method}/{self.seed}"


class RunSettings(bounds.Model):
    """All that decides one run's weights: what changes here is trained again."""

    backbone: bounds.Name
    method: str
    algorithm: str | None
    seed: bounds.Seed
    training: Training | None
    process_reward: ProcessRewardSettings | None
    backbone_settings: Backbone

    @model_serializer(mode="wrap")
    def _write(self, write: SerializerFunctionWrapHandler) -> dict:
        """Write an ablated value as in the method's name, 1 and not 1.0."""
        written, parts = write(self), methods.parse(self.method)
        if parts.ablated:
            written["process_reward"][parts.ablated] = parts.setting()
        return written


class Samples(bounds.Model):
    """Of a benchmark, the n of avg@n."""

    samples: int = Field(ge=1)


class Generation(Sampling):
    """What decides the responses of a run; its seed is added to that of the evaluation."""

    seed: int = Field(ge=0)
    benchmarks: dict[str, Samples]


class ScoreSettings(Scoring):
    """How one file of responses is scored."""

    protocol: str = "compact"
    samples: int | None = Field(None, ge=1)
    """Responses that every problem must have; None takes what is there."""
    thinking: Literal["required", "none", "auto"] = "auto"
    """Whether the model thinks before it answers; auto finds it out from the responses."""


class Judging(ProcessRewardSettings):
    """How a model judges its own responses; alpha decides nothing."""

    k: Segments = methods.ALL  # whatever a run was trained with, so that runs compare
    trust_remote_code: bool = False
    thinking: Literal["required", "none"] = "required"


class DataSettings(bounds.Model):
    """What decides one data file: a benchmark's, or `train`."""

    name: str
    source: Literal["tinyworld", "directory", "hub"]
    problems: int | None = None
    file: str | None = None  # with source directory
    dataset: str | None = None  # with source hub, its entry in sources.yml if not called the same
    release: str | None = None  # with source hub, as `window`
    window: bounds.Window | None = None
    seed: bounds.Seed | None = None  # with source tinyworld


def stated(settings: BaseModel) -> dict:
    """Return what settings state, as JSON holds it."""
    return settings.model_dump(mode="json", exclude_unset=True)


def dump(settings: BaseModel) -> str:
    """Return settings as canonical JSON, so that equal settings are equal text."""
    return json.dumps(stated(settings), sort_keys=True)


def whole(settings: BaseModel, *left_out: str) -> dict:
    """Return all that settings and their sections hold, defaults too, as JSON holds it.

    Except for keys that are `left_out`, and keys that were added later at their defaults.
    """
    found = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        is_late = ADDED_LATER in field.metadata and value == field.default
        if name not in left_out and not is_late:
            found[name] = whole(value) if isinstance(value, BaseModel) else value
    return found
