"""Settings of the models to start from."""

from typing import Annotated, Literal

from pydantic import Field

from repro.config.bounds import (
    PROBLEM,
    REPOSITORY,
    REVISION,
    Count,
    Model,
    Path,
    Positive,
    Seed,
    Text,
)


class Prompt(Model):
    """How a model is asked, in training and evaluation."""

    system: Text | None = None
    """System prompt; null for none."""
    math: Annotated[str, Field(pattern=PROBLEM)] | None = None
    """The user's message for mathematics, with {problem} in it; null for DeepSeek-R1's instruction
    after the problem."""


class _Backbone(Model):
    trust_remote_code: bool = False
    """Whether Python files that come with the model are taken and run, with all of your rights;
    source hub then needs the whole hash of a commit. Not with source tinyworld."""
    thinking: Literal["required", "none"] = "required"
    """Whether the model thinks before it answers: required reads what follows </think> as the
    answer, none the whole response, as of instruct models."""
    chat_template: Text | None = None
    """File with a Jinja chat template, relative to the working directory; null for the tokenizer's
    own."""
    prompt: Prompt = Prompt()
    """How this model is asked, in training and evaluation."""


class TinyBackbone(_Backbone):
    """A backbone that is built here by supervised training on the tiny world."""

    source: Literal["tinyworld"]
    """Where the model comes from."""
    architecture: Literal["qwen2", "qwen3"]
    """The architecture of the model."""
    hidden_size: Annotated[int, Field(ge=16)]
    """Width of the residual stream."""
    layers: Count
    """Number of transformer blocks."""
    heads: Count
    """Number of attention heads."""
    key_value_heads: Count
    """Number of key-value heads."""
    steps: Count
    """Steps of the supervised training."""
    batch_size: Count
    """Examples in a step of the supervised training."""
    learning_rate: Positive
    """Peak learning rate of the supervised training."""
    seed: Seed
    """Seed of the supervised training and its examples."""


class HubBackbone(_Backbone):
    """A backbone that is downloaded."""

    source: Literal["hub"]
    """Where the model comes from."""
    repo: Annotated[str, Field(pattern=REPOSITORY)]
    """The repository of the model."""
    revision: Annotated[str, Field(pattern=REVISION)]
    """The commit, tag or branch to download."""


class DirectoryBackbone(_Backbone):
    """A backbone that lies on the disk."""

    source: Literal["directory"]
    """Where the model comes from."""
    path: Path
    """The folder of a transformers model, relative to the working directory; config.json, tokenizer
    and safetensors weights are read, nothing is written."""


Backbone = Annotated[TinyBackbone | HubBackbone | DirectoryBackbone, Field(discriminator="source")]
