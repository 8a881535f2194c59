"""Every setting of an experiment: its type, bounds, default and meaning, stated once.

`config/reference.md` is written from these models by `python -m repro.config.reference`. Settings
are immutable; unknown keys are refused at every level; YAML's own types are taken as they are, so
that `"8"` is no number and 8.0 no whole number.
"""

from typing import Annotated, Literal

from pydantic import Field

from repro.config.backbones import Backbone
from repro.config.bounds import (
    DATE,
    FILE,
    RESULTS,
    STORE,
    Count,
    Discount,
    Fraction,
    Model,
    Name,
    Names,
    NotNegative,
    Path,
    Positive,
    Seed,
    Segments,
    Text,
    Unique,
    Weight,
    Whole,
)


class Reserved(Model):
    """What a scheduler reserves for a job, beside its GPUs."""

    mem_mb: Count | None = None
    """Memory of the machine, not of the GPU, in MB."""
    runtime: Count | None = None
    """Minutes after which the scheduler ends the job."""


class Resources(Model):
    """Reservations of the rules; --set-resources, on the command line or in a profile, wins."""

    train: Reserved = Reserved()
    """A training."""
    generate: Reserved = Reserved()
    """A generation."""
    objective: Reserved = Reserved()
    """Judging a run's own responses."""
    score: Reserved = Reserved()
    """Scoring."""


class Benchmark(Model):
    """One benchmark of the evaluation."""

    samples: Count = 4
    """Responses sampled for each problem, the n of avg@n."""
    problems: Count | None = None
    """Number of generated problems, or of problems read from the file; null for all."""
    file: Annotated[str, Field(max_length=200, pattern=FILE)] | None = None
    """Name of the file in data_dir; {benchmark}.jsonl where null."""
    path: Path | None = None
    """JSONL file of your own to read the problems from, whatever data_source is, relative to the
    working directory; null for those of data_source."""
    release: Literal["v1", "v2", "v3", "v4", "v5", "v6"] | None = None
    """Of LiveCodeBench with data_source hub, the release; v1 to v6 hold 400 to 1055 problems; null
    for that of src/repro/benchmarks/sources.yml."""
    window: (
        Annotated[list[Annotated[str, Field(pattern=DATE)]], Field(min_length=2, max_length=2)]
        | None
    ) = None
    """Of LiveCodeBench with data_source hub, first and last contest date of the problems taken,
    each as "YYYY-MM-DD"; null for those of src/repro/benchmarks/sources.yml."""


class Subset(Model):
    """A part of the experiment, for a second configuration file of a few lines."""

    backbones: Names | None = None
    """Names of backbones to take; null takes all."""
    benchmarks: Names | None = None
    """Names of benchmarks to take; null takes all."""


class Rollouts(Model):
    """What samples the rollouts."""

    engine: Literal["transformers", "vllm"] = "transformers"
    """transformers samples all rollouts of a step at once, with the model that is trained; vllm
    (GPUs only, its package installed) keeps an engine beside it in the same process, which gets the
    new weights before each generation."""
    gpu_memory: Fraction = 0.3
    """With vllm, its share of the GPU's memory, for its copy of the weights, its workspace and its
    cache."""
    tensor_parallel: Count = 1
    """With vllm, how many processes of the training share one engine, over whose GPUs its weights
    and its cache are split."""
    sleep: bool = True
    """With vllm, give that memory back while rollouts are scored and learnt from."""


class Critic(Model):
    """PPO's value model, which starts as a copy of the backbone."""

    learning_rate: Positive = 1e-5
    """Learning rate of the critic's own optimizer, constant after its warm-up."""
    warmup_steps: Whole = 0
    """Steps of linear warm-up of the critic's learning rate."""
    value_clip: Positive = 0.5
    """How far a value may move from the one at sampling time."""
    gpu_memory: Fraction | None = None
    """With vllm, its share of the GPU's memory beside a critic, which needs room as well; null for
    that of rollouts."""


class Parallel(Model):
    """How a training is spread over processes.

    It decides no result but for rounding and, where transformers samples, for which random numbers
    are drawn; changing it trains nothing again.
    """

    strategy: Literal["ddp", "fsdp", "zero2", "zero3"] = "ddp"
    """What each process holds: ddp everything, fsdp (PyTorch) and zero3 (DeepSpeed) a part of
    weights, gradients and optimizer, zero2 all weights and a part of the rest. Each is a file in
    config/accelerate."""
    processes: Count | None = None
    """Number of processes; null for one on each GPU, or one on CPU cores."""


class Training(Model):
    """Reinforcement learning, the same for every algorithm."""

    steps: Count = 500
    """Number of RL steps."""
    prompts_per_step: Count = 256
    """Prompts in a step."""
    num_generations: Annotated[int, Field(ge=2)] = 8
    """Rollouts of each prompt; they form one group."""
    micro_batch_size: Count = 8
    """Rollouts in one forward-backward pass of a device."""
    updates_per_generation: Count = 1
    """Optimizer steps made with each batch of rollouts."""
    learning_rate: Positive = 1e-6
    """Learning rate of the policy, constant after the warm-up."""
    warmup_steps: Whole = 20
    """Steps of linear warm-up."""
    weight_decay: NotNegative = 0.01
    """AdamW's weight decay."""
    max_grad_norm: Positive = 1.0
    """Gradients are clipped to this norm."""
    temperature: Positive = 1.0
    """Sampling temperature of the rollouts."""
    top_p: Discount = 1.0
    """Nucleus of the rollouts."""
    max_prompt_tokens: Count = 2048
    """Problems with a longer prompt are left out; how many is printed."""
    max_completion_tokens: Count = 16384
    """Rollouts are cut at this length."""
    rollouts: Rollouts = Rollouts()
    """What samples the rollouts."""
    clip_low: Fraction = 0.2
    """Lower clip range of the probability ratio."""
    clip_high: Positive = 0.28
    """Upper clip range of the probability ratio."""
    dual_clip: Annotated[float, Field(gt=1)] = 3.0
    """Bound of the ratio where the advantage is negative (dual clip)."""
    kl_coef: NotNegative = 0.001
    """Coefficient of the k3 estimate of KL to the backbone, in the loss."""
    gamma: Discount = 1.0
    """Discount per token, of rewards and process rewards alike."""
    lam: Discount = 1.0
    """Lambda of the generalised advantage estimate (PPO)."""
    critic: Critic = Critic()
    """PPO's value model."""
    parallel: Parallel = Parallel()
    """How a training is spread over processes."""
    save_every: Count = 25
    """Steps between two checkpoints."""
    gradient_checkpointing: bool = True
    """Compute activations again in the backward pass instead of keeping them."""
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Precision of the computation; the trained weights stay float32."""


class ProcessReward(Model):
    """RePro's process reward, for every method with +repro."""

    variant: Literal["paper", "reference"] = "paper"
    """paper follows the published text, reference the co-author's code."""
    alpha: NotNegative = 0.05
    """Weight of the process advantage in the total advantage."""
    w: Weight = 0.1
    """Weight of the stability score in the score; the magnitude score has 1 - w."""
    k: Segments = 20
    """Number of segments, ranked by the entropy of their first token, that are cut at."""
    ema: Discount | None = None
    """Weight of the new value in the moving average of J that stability is taken from; null for the
    variant's own (paper 1.0, which is no average; reference 0.01)."""
    initial_score: Literal["empty_prefix", "zero"] | None = None
    """Score before the first cut: that of the empty thought, or zero; null for the variant's own
    (paper empty_prefix, reference zero)."""
    separator: Text | Annotated[list[Text], Field(min_length=1), Unique] | None = None
    """A text that separates segments, found in decoded text, or a list of texts that a token must
    be; null for the variant's own (paper a blank line)."""
    close_thought: bool = False
    """Close the thought before the probe."""
    answer_only: bool = False
    """Average over the answer's tokens only, without the box around it."""


class Ablations(Model):
    """One value is changed at a time; the value of process_reward itself is always included."""

    backbones: Names | None = None
    """Backbones to ablate on; null for all of them."""
    method: str = "grpo+repro"
    """The method whose process reward is changed."""
    alpha: Annotated[list[NotNegative], Unique] = []
    """Values of alpha."""
    w: Annotated[list[Weight], Unique] = []
    """Values of w."""
    k: Annotated[list[Segments], Unique] = []
    """Values of k."""


class Objective(Model):
    """Runs whose responses the model itself judges, for the figure of -J and two claims."""

    methods: Annotated[list[str], Unique] | None = None
    """Methods of the main table, each one of methods; null for those of original, grpo and
    grpo+repro that are among them."""
    benchmarks: Annotated[list[str], Unique] = ["aime24", "aime25", "math500"]
    """Mathematics benchmarks whose responses are judged, of those that are evaluated."""
    problems: Count = 30
    """Problems of each benchmark, one response each."""


class Evaluation(Model):
    """Sampling and scoring of the benchmarks."""

    engine: Literal["transformers", "vllm"] = "transformers"
    """What generates; vllm needs its package installed."""
    temperature: NotNegative = 0.6
    """Sampling temperature; 0 is greedy."""
    top_p: Discount = 0.95
    """Nucleus."""
    top_k: Count | None = None
    """Sample from this many most likely tokens; null for all."""
    max_new_tokens: Count = 16384
    """Responses are cut at this length."""
    batch_size: Count = 64
    """Responses generated at once, whole problems only; also how many a killed job can lose."""
    seed: Seed = 0
    """Seed of the sampling."""
    tensor_parallel: Count = 1
    """With vllm, GPUs that a generation takes and over which it splits the model; it decides no
    result but for rounding."""
    sandbox: Literal["auto", "bubblewrap", "namespaces", "none"] = "auto"
    """How answers that are programs are run: auto takes bubblewrap where it works, else namespaces,
    and leaves programs unscored where neither does; none runs them with limits and no sandbox, for
    models you trust."""
    code_timeout_s: Positive = 6
    """CPU seconds of one program on one test; its wall time is three times as long."""


class Experiment(Model):
    """One experiment: which backbones are trained with which methods, how, and how evaluated."""

    name: Name
    """Name of the experiment; also the name of its MLflow experiment."""
    note: Annotated[str, Field(max_length=1000)] = ""
    """A sentence printed in every table and on every figure, for numbers that need one."""
    results_dir: Annotated[str, Field(max_length=200, pattern=RESULTS)] = "results"
    """Where the results go; results/ or a folder below it."""
    data_source: Literal["tinyworld", "directory", "hub"] = "tinyworld"
    """Where problems come from: generated (tinyworld), read from files (directory), or downloaded
    at the revisions of src/repro/benchmarks/sources.yml (hub)."""
    data_dir: Path | None = None
    """With data_source directory, the folder that holds one JSONL file for each benchmark, and
    train.jsonl where a method trains."""
    decontaminate: Annotated[list[str], Unique] = []
    """Training problems that also occur in one of these benchmarks are left out. Independent of
    benchmarks, so that evaluating on one more does not change the training set. Generated problems
    never overlap."""
    data_seed: Seed = 0
    """With data_source tinyworld, the seed of all generated problems."""
    backbones: Annotated[dict[Name, Backbone], Field(min_length=1)]
    """The models to start from, by name."""
    gpus: Whole = 0
    """GPUs that a training takes, with a process on each; a generation takes
    evaluation.tensor_parallel of them, any other job that needs a model one. 0 runs everything on
    CPU cores."""
    resources: Resources = Resources()
    """What a scheduler reserves for a job of a rule beside its GPUs."""
    methods: Names = ["original", "grpo", "grpo+repro"]
    """original (the untrained backbone), an algorithm, or an algorithm with the process reward,
    such as grpo+repro."""
    seeds: Annotated[list[Seed], Field(min_length=1), Unique] = [0]
    """Each trained method is run once for each seed; original is evaluated once for each."""
    benchmarks: Annotated[dict[str, Benchmark], Field(min_length=1)]
    """The benchmarks to evaluate on, by name; each has a file in src/repro/benchmarks."""
    subset: Subset = Subset()
    """A part of the above, for a second configuration file of a few lines; methods and seeds are
    lists and are simply stated again."""
    training: Training = Training()
    """Reinforcement learning, the same for every algorithm."""
    process_reward: ProcessReward = ProcessReward()
    """RePro's process reward, for every method with +repro."""
    ablations: Ablations = Ablations()
    """One value is changed at a time; the value of process_reward itself is always included."""
    objective: Objective = Objective()
    """Runs whose responses the model itself judges at every segment, for the figure of -J over the
    position and the claims about it."""
    evaluation: Evaluation = Evaluation()
    """Sampling and scoring of the benchmarks."""
    tracking_uri: Annotated[str, Field(max_length=500, pattern=STORE)] = (
        "sqlite:///results/mlflow.db"
    )
    """MLflow's store: a SQLite file below results/ or work/ in the working directory, or a server.
    Without user name, password or token, which are read from MLFLOW_TRACKING_USERNAME and
    MLFLOW_TRACKING_PASSWORD, or from MLFLOW_TRACKING_TOKEN, in the environment."""
