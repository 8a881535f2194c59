"""Every setting of an experiment: its type, bounds, default and meaning, stated once.

A new key is a line here: its type, and in Field its default, bounds and description, which goes
below the field where it is longer. In `Annotated[TYPE, ADDED_LATER]` it retrains nothing at its
default. Then `python config/reference.py > config/reference.md`.
"""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from repro.config import bounds
from repro.config.backbones import Backbone
from repro.process_reward.settings import ADDED_LATER, Alpha, ProcessRewardSettings, Segments, Share

Rule = Literal["train", "generate", "objective", "score"]  # of those that take long


class Benchmark(bounds.Model):
    """One benchmark of the evaluation."""

    samples: int = Field(4, ge=1, description="Responses for each problem, the n of avg@n.")
    problems: int | None = Field(None, ge=1, description="How many to generate or read; null: all.")
    file: bounds.File | None = Field(None, description="File in data_dir; null: {benchmark}.jsonl.")
    path: bounds.Path | None = None
    """JSONL file of your own, relative to the working directory; null for that of data_source."""
    release: Literal["v1", "v2", "v3", "v4", "v5", "v6"] | None = None
    """Of LiveCodeBench on the hub; v1 to v6 hold 400 to 1055 problems; null: see sources.yml."""
    window: bounds.Window | None = None
    """Of LiveCodeBench too: first and last contest date, "YYYY-MM-DD"; null: see sources.yml."""


class Subset(bounds.Model):
    """A part of the experiment, for a second file of a few lines, where lists are stated again."""

    backbones: bounds.Names | None = Field(None, description="Backbones to take; null for all.")
    benchmarks: bounds.Names | None = Field(None, description="Benchmarks to take; null for all.")


class Block(bounds.Model):
    """Runs of the main table: each of some backbones by each of some methods with each seed."""

    backbones: bounds.Names | None = Field(None, description="Of these backbones; null for all.")
    methods: bounds.Names
    """original (the untrained backbone), an algorithm, or one with RePro such as grpo+repro."""
    seeds: bounds.Seeds = [0]
    """Each trained method is run once for each seed; original is evaluated once for each."""


class Rollouts(bounds.Model):
    """What samples the rollouts."""

    engine: Literal["transformers", "vllm"] = "transformers"
    """transformers samples all rollouts of a step at once, with the model that is trained; vllm
    (GPUs only) keeps an engine beside it, which gets the new weights before each generation."""
    gpu_memory: float = Field(0.3, gt=0, lt=1)
    """With vllm, its share of the GPU's memory: copy of the weights, workspace and cache."""
    tensor_parallel: int = Field(1, ge=1, description="With vllm, processes that share an engine.")
    sleep: bool = Field(True, description="With vllm, give that memory back between generations.")
    correction: Annotated[Literal["none", "token", "sequence"], ADDED_LATER] = "sequence"
    """With vllm, what is weighted by the ratio of the trainer's probability to the sampler's: each
    token, a whole response (TRL's default), or nothing, as in the paper's runs."""
    correction_by: Annotated[Literal["truncate", "mask"], ADDED_LATER] = "mask"
    """Above the bound a ratio is cut to it, or what it weights is left out of the loss."""
    correction_bound: Annotated[float, ADDED_LATER] = Field(3.0, gt=0, description="That bound.")


class ValueLearning(bounds.Model):
    """How PPO's value model learns; the defaults are those of the co-author's script."""

    learning_rate: float = Field(1e-5, gt=0, description="Constant after the warm-up.")
    warmup_steps: int = Field(0, ge=0, description="Steps of linear warm-up.")
    value_clip: float = Field(0.5, gt=0, description="How far a value may move after sampling.")


class Critic(ValueLearning):
    """PPO's value model, which starts as a copy of the backbone and has its own optimizer."""

    gpu_memory: float | None = Field(None, gt=0, lt=1)
    """With vllm, its share of the GPU's memory beside a critic; null for that of rollouts."""


class Validation(bounds.Model):
    """Problems that a training's model answers along the way, always the same ones."""

    every: int = Field(ge=1)
    """Steps between two validations; one comes before the first step and one after the last."""
    benchmarks: bounds.Names = Field(description="Benchmarks whose problems are asked.")
    samples: int = Field(4, ge=1, description="Responses for each problem.")
    problems: int | None = Field(None, ge=1, description="First of each benchmark; null for all.")
    protocol: str = Field("compact", description="How they are asked, as evaluation.protocol.")
    temperature: float = Field(0.6, ge=0, description="Sampling temperature; 0 is greedy.")
    top_p: float = Field(0.95, gt=0, le=1, description="Nucleus.")
    seed: bounds.Seed = Field(0, description="Seed of the sampling, the same at every step.")


class Keep(bounds.Model):
    """Models that are kept along the way, as folders that transformers loads."""

    every: int = Field(ge=1, description="Steps between two models that are kept.")


class Parallel(bounds.Model):
    """How a training is spread over processes.

    It decides no result but for rounding and, where transformers samples, for which random numbers
    are drawn; changing it trains nothing again.
    """

    strategy: Literal["ddp", "fsdp", "zero2", "zero3"] = "ddp"
    """What each process holds: ddp everything, fsdp (PyTorch) and zero3 (DeepSpeed) a part of
    weights, gradients and optimizer, zero2 all weights and a part of the rest. Each is a file in
    config/accelerate."""
    processes: int | None = Field(None, ge=1, description="Null: one on each GPU, or one on CPU.")


class Training(bounds.Model):
    """Reinforcement learning, the same for every algorithm."""

    steps: int = Field(500, ge=1, description="Number of RL steps.")
    prompts_per_step: int = Field(256, ge=1, description="Prompts in a step.")
    num_generations: int = Field(8, ge=2, description="Rollouts of a prompt, which form a group.")
    micro_batch_size: int = Field(8, ge=1, description="Rollouts in a pass of a device.")
    updates_per_generation: int = Field(1, ge=1, description="Optimizer steps per rollout batch.")
    learning_rate: float = Field(1e-6, gt=0, description="Constant after the warm-up.")
    warmup_steps: int = Field(20, ge=0, description="Steps of linear warm-up.")
    weight_decay: float = Field(0.01, ge=0, description="AdamW's weight decay.")
    max_grad_norm: float = Field(1.0, gt=0, description="Gradients are clipped to this norm.")
    temperature: float = Field(1.0, gt=0, description="Sampling temperature of the rollouts.")
    top_p: float = Field(1.0, gt=0, le=1, description="Nucleus of the rollouts.")
    max_prompt_tokens: int = Field(2048, ge=1, description="Longer prompts are left out.")
    max_completion_tokens: int = Field(16384, ge=1, description="Rollouts are cut at this length.")
    rollouts: Rollouts = Rollouts()
    clip_low: float = Field(0.2, gt=0, lt=1, description="Lower clip range of the ratio.")
    clip_high: float = Field(0.28, gt=0, description="Upper clip range of the ratio.")
    dual_clip: float = Field(3.0, gt=1, description="Bound of the ratio at negative advantages.")
    kl_coef: float = Field(0.001, ge=0, description="Weight of the KL (k3) to the backbone.")
    gamma: float = Field(1.0, gt=0, le=1, description="Discount per token of all rewards.")
    lam: float = Field(1.0, gt=0, le=1, description="Lambda of PPO's advantage estimate (GAE).")
    critic: Critic = Critic()
    parallel: Parallel = Parallel()
    save_every: int = Field(25, ge=1, description="Steps between two checkpoints.")
    validation: Annotated[Validation | None, ADDED_LATER] = None
    """What is asked along the way; null for nothing."""
    keep: Annotated[Keep | None, ADDED_LATER] = None
    """Which models are kept beside the last one; null for none."""
    evaluate: Annotated[Literal["last", "best-validation"] | int, ADDED_LATER] = "last"
    """Which model the tables take: last, the step of one that is kept, or best-validation, the most
    accurate of those that are kept and validated."""
    gradient_checkpointing: bool = Field(True, description="Recompute activations, not keep them.")
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Precision of the computation; the trained weights stay float32."""

    @property
    def responses_per_step(self) -> int:
        """How many rollouts a step learns from."""
        return self.prompts_per_step * self.num_generations

    @model_validator(mode="after")
    def _check(self) -> Self:
        updates = self.updates_per_generation
        if self.save_every % updates:
            raise ValueError(
                f"save_every = {self.save_every} is no multiple of updates_per_generation = "
                f"{updates}, but a run resumes only between generations; allowed: multiples of it"
            )
        chosen, corrected = self.evaluate, self.rollouts.correction != "none"
        kept = range(self.keep.every, self.steps, self.keep.every) if self.keep else ()
        if isinstance(chosen, int) and chosen != self.steps and chosen not in kept:
            allowed = f"last, {self.steps}, or below it a multiple of keep.every"
            raise ValueError(f"evaluate = {chosen} is not kept; allowed: {allowed}")
        if chosen == "best-validation":
            if not self.keep or not self.validation:
                raise ValueError(f"evaluate = {chosen!r} needs validation and keep; allowed: last")
            if math.lcm(self.keep.every, self.validation.every) >= self.steps:
                raise ValueError(
                    f"evaluate = {chosen!r}: no kept step is validated; allowed: a keep.every that "
                    f"is a multiple of validation.every = {self.validation.every}"
                )
        if self.rollouts.engine == "vllm" and corrected and self.top_p < 1:
            raise ValueError(
                f"top_p = {self.top_p} does not go with rollouts.correction = "
                f"{self.rollouts.correction!r}, which would correct for the nucleus; allowed: 1, "
                "or the correction none"
            )
        return self


class ProcessReward(bounds.Model, ProcessRewardSettings):
    """RePro's process reward, for every method with +repro, and what its rivals share with it."""

    rule: Annotated[Literal["repro"], ADDED_LATER] = "repro"
    """A method of the grid says another rule by its name, as grpo+length does."""


class Ablations(bounds.Model):
    """One value is changed at a time; the value of process_reward itself is always included."""

    backbones: bounds.Names | None = Field(None, description="Null ablates on all backbones.")
    method: str = Field("grpo+repro", description="The method whose process reward is changed.")
    seeds: bounds.Seeds | None = None
    """Null for those that the method has in the grid on the same backbone."""
    alpha: Annotated[list[Alpha], bounds.Unique] = Field([], description="Values of alpha.")
    w: Annotated[list[Share], bounds.Unique] = Field([], description="Values of w.")
    k: Annotated[list[Segments], bounds.Unique] = Field([], description="Values of k, or all.")


class Objective(bounds.Model):
    """Runs whose responses the model itself judges, for the figure of -J and two claims."""

    methods: Annotated[list[str], bounds.Unique] | None = None
    """Methods of the grid; null for those of original, grpo and grpo+repro that are in it."""
    seeds: bounds.Seeds | None = Field(None, description="Of their seeds; null for all.")
    benchmarks: Annotated[list[str], bounds.Unique] = ["aime24", "aime25", "math500"]
    """Mathematics benchmarks whose responses are judged, of those that are evaluated."""
    problems: int = Field(30, ge=1, description="Problems of a benchmark, one response each.")


class Sampling(bounds.Model):
    """How responses to the benchmarks are sampled."""

    protocol: Annotated[str, ADDED_LATER] = "compact"
    """How the benchmarks are asked and judged, a file of src/repro/benchmarks/protocols:
    opencompass, as the paper's authors do, or compact."""
    engine: Literal["transformers", "vllm"] = Field("transformers", description="What generates.")
    temperature: float = Field(0.6, ge=0, description="Sampling temperature; 0 is greedy.")
    top_p: float = Field(0.95, gt=0, le=1, description="Nucleus.")
    top_k: int | None = Field(None, ge=1, description="Most likely tokens to draw from; null: all.")
    max_new_tokens: int = Field(16384, ge=1, description="Responses are cut at this length.")
    batch_size: int = Field(64, ge=1)
    """Responses generated at once, whole problems only; also how many a killed job can lose. With a
    seed for each request vllm is asked for all at once, and loses those it has begun."""
    seed: bounds.Seed = Field(0, description="Seed of the sampling.")
    seed_by: Annotated[Literal["request", "batch"] | None, ADDED_LATER] = None
    """What has a seed of its own: a request (vllm's default), which is the same in any batch, or a
    batch (transformers' only way), which vllm samples faster."""

    @property
    def has_seeds(self) -> bool:
        """Whether each request has a seed, and so the same responses in any batch."""
        return self.engine == "vllm" and self.seed_by != "batch"

    @model_validator(mode="after")
    def _check_seeds(self) -> Self:
        if self.seed_by == "request" and self.engine != "vllm":
            raise ValueError(
                f"seed_by = 'request' does not go with engine = {self.engine!r}, which draws a "
                "batch from one random state; allowed: batch, or null"
            )
        return self


class Scoring(bounds.Model):
    """How responses are judged."""

    sandbox: Literal["auto", "bubblewrap", "namespaces", "none"] = "auto"
    """How programs in answers are run: auto takes bubblewrap or else namespaces, and leaves them
    unscored where neither works; none runs them with limits only, for models you trust."""
    code_timeout_s: float | None = Field(None, gt=0)
    """CPU seconds of a program on a test, of MBPP on all (wall: 3 times); null: the protocol's."""


class Evaluation(Scoring, Sampling):
    """Sampling and scoring of the benchmarks."""

    tensor_parallel: int = Field(1, ge=1, description="With vllm, GPUs that share the model.")
    budgets: Annotated[list[Annotated[int, Field(ge=1)]], bounds.Unique] = []
    """Tokens at which responses are cut off for accuracy within a budget, up to max_new_tokens."""
    at_k: Annotated[list[Annotated[int, Field(ge=2)]], bounds.Unique] = []
    """k of maj@k, pass@k and G-Pass@k, where a benchmark has as many samples; none: 2, 4, 8, ..."""


class Experiment(bounds.Model):
    """One experiment: which backbones are trained with which methods, how, and how evaluated."""

    name: bounds.Name = Field(description="Its name, also that of the MLflow experiment.")
    note: bounds.Note = Field("", description="A sentence for every table and figure.")
    results_dir: bounds.Results = Field("results", description="Where the results go.")
    data_source: Literal["tinyworld", "directory", "hub"] = "tinyworld"
    """Where problems are from: generated, data_dir's files, or src/repro/benchmarks/sources.yml."""
    data_dir: bounds.Path | None = None
    """With data_source directory, the folder with a JSONL file a benchmark, and train.jsonl."""
    data_seed: bounds.Seed = Field(0, description="Seed of all generated problems.")
    backbones: dict[bounds.Name, Backbone] = Field(min_length=1)
    """The models to start from, by name."""
    gpus: int = Field(0, ge=0)
    """GPUs that a training takes, with a process on each; a generation takes
    evaluation.tensor_parallel, any other job with a model one. 0 runs everything on CPU cores."""
    resources: dict[Rule, dict[Literal["mem_mb", "runtime"], Annotated[int, Field(ge=1)]]] = {}
    """By rule, what a scheduler reserves for a job beside its GPUs: MB of the machine's memory, and
    minutes; --set-resources, on the command line or in a profile, wins."""
    grid: list[Block] = Field([Block(methods=["original", "grpo", "grpo+repro"])], min_length=1)
    """The runs of the main table; its blocks add up, and a run that several name is made once."""
    benchmarks: dict[bounds.Name, Benchmark] = Field(min_length=1)
    """The benchmarks to evaluate on, by name; each has a file in src/repro/benchmarks."""
    subset: Subset = Subset()
    training: Training = Training()
    process_reward: ProcessReward = ProcessReward()
    ablations: Ablations = Ablations()
    objective: Objective = Objective()
    evaluation: Evaluation = Evaluation()
    tracking_uri: bounds.Store = "sqlite:///results/mlflow.db"
    """MLflow's store: a SQLite file below results/ or work/, or a server. User name and password
    are read from MLFLOW_TRACKING_USERNAME and _PASSWORD, or MLFLOW_TRACKING_TOKEN."""

    @property
    def processes(self) -> int:
        """How many processes a training has: one on each GPU, or as many as were stated."""
        return self.training.parallel.processes or max(1, self.gpus)

    @property
    def generation_gpus(self) -> int:
        """How many GPUs a generation takes."""
        return self.evaluation.tensor_parallel if self.gpus else 0
