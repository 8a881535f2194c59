"""Settings of the models to start from."""

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from repro.config.bounds import Model, Path, Repository, Revision, Seed, WithProblem
from repro.process_reward.settings import ADDED_LATER, Text


class Prompt(Model):
    """How a model is asked, in training and evaluation."""

    system: Text | None = Field(None, description="System prompt; null for none.")
    math: WithProblem | None = None
    """Message for mathematics with {problem}; null: DeepSeek-R1's instruction after the problem."""


class _Backbone(Model):
    chat_template: Text | None = None
    """Jinja file, relative to the working directory; null for the tokenizer's chat template."""
    prompt: Prompt = Prompt()


class _FromElsewhere(_Backbone):
    trust_remote_code: Annotated[bool, ADDED_LATER] = False
    """Whether Python files that come with the model are taken and run, with all of your rights;
    source hub then needs the whole hash of a commit."""
    thinking: Annotated[Literal["required", "none"], ADDED_LATER] = "required"
    """Whether the model thinks before it answers: required reads what follows </think> as the
    answer, none the whole response, as of instruct models."""


class TinyBackbone(_Backbone):
    """A backbone that is built here by supervised training on the tiny world."""

    trust_remote_code: ClassVar[bool] = False
    thinking: ClassVar[str] = "required"
    source: Literal["tinyworld"] = Field(description="Where the model comes from.")
    architecture: Literal["qwen2", "qwen3"] = Field(description="The architecture of the model.")
    hidden_size: int = Field(ge=16, description="Width of the residual stream.")
    layers: int = Field(ge=1, description="Number of transformer blocks.")
    heads: int = Field(ge=1, description="Number of attention heads.")
    key_value_heads: int = Field(ge=1, description="Number of key-value heads.")
    steps: int = Field(ge=1, description="Steps of the supervised training.")
    batch_size: int = Field(ge=1, description="Examples in a step of the supervised training.")
    learning_rate: float = Field(gt=0, description="Its peak learning rate.")
    seed: Seed = Field(description="Seed of the supervised training and its examples.")
    vocabulary: Annotated[int | None, ADDED_LATER] = Field(None, ge=1024, le=1_000_000)
    """Size of the embedding, to stand in for a large model's; null for what its tokens need."""

    def sizes(self, tokens: int) -> dict:
        """Return its sizes as config.json has them, for a tokenizer with so many tokens."""
        sizes = {
            "model_type": self.architecture,
            "vocab_size": self.vocabulary or -(-tokens // 64) * 64,
            "hidden_size": self.hidden_size,
            "intermediate_size": 2 * self.hidden_size,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.key_value_heads,
            "tie_word_embeddings": True,
        }
        of_head = {"head_dim": self.hidden_size // self.heads}
        return sizes | (of_head if self.architecture == "qwen3" else {})

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key, divisor in (("hidden_size", "heads"), ("heads", "key_value_heads")):
            size, of = getattr(self, key), getattr(self, divisor)
            if size % of:
                wrong = f"{key} = {size} is no multiple of {divisor} = {of}"
                raise ValueError(f"{wrong}; allowed: multiples of it")
        return self


class HubBackbone(_FromElsewhere):
    """A backbone that is downloaded."""

    source: Literal["hub"] = Field(description="Where the model comes from.")
    repo: Repository = Field(description="The repository of the model.")
    revision: Revision = Field(description="The commit, tag or branch to download.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.trust_remote_code and not re.fullmatch("[0-9a-f]{40}", self.revision):
            raise ValueError(
                f"revision = {self.revision!r} does not go with trust_remote_code, because a "
                "branch or tag can change what runs; allowed: the whole hash of a commit, 40 digits"
            )
        return self


class DirectoryBackbone(_FromElsewhere):
    """A backbone that lies on the disk."""

    source: Literal["directory"] = Field(description="Where the model comes from.")
    path: Path
    """The folder of a transformers model, relative to the working directory; config.json, tokenizer
    and safetensors weights are read, nothing is written."""


class _Gguf(_FromElsewhere):
    trust_remote_code: ClassVar[bool] = False
    end: Text | None = None
    """The token that ends a response, where the file names another one."""


class GgufBackbone(_Gguf):
    """A backbone in a GGUF file, which is turned into a model folder in float32."""

    source: Literal["gguf"] = Field(description="Where the model comes from.")
    path: Path = Field(description="The file, relative to the working directory.")


class PackageBackbone(_Gguf):
    """A backbone in a GGUF file that a Python package ships; none of the package's code runs."""

    source: Literal["package"] = Field(description="Where the model comes from.")
    package: Text = Field(description="The name of the package.")
    version: Text = Field(description="Its version.")
    file: Text = Field(description="The path of the GGUF file in the package.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="The SHA-256 of that file.")


Backbone = Annotated[
    TinyBackbone | HubBackbone | DirectoryBackbone | GgufBackbone | PackageBackbone,
    Field(discriminator="source"),
]
