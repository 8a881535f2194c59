"""How long work takes and how much it writes: formulas over stated numbers (`numbers.yml`).

A pass over T tokens of a decoder with N parameters in matrices costs 2·N·T FLOP, and its causal
attention 2·L·d·T² (L layers, d = heads x head_dim); a backward pass costs two of them, and gradient
checkpointing one more (Kaplan et al. 2020; Chowdhery et al. 2022, appendix B). Sampling a token
reads all weights and the cache of every response once. Optimizer steps, logits and data loading are
left out.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from repro import layout, methods
from repro.cost.assumptions import NUMBERS, Assumptions, choices, numbers

# tinyworld.tokenizer.train: 512 entries and the special tokens, rounded up to a multiple of 64.
TINY_VOCABULARY = 576
FLOAT32 = 4  # bytes
ADAMW = 2 * FLOAT32  # bytes a parameter: two moments
CHECKPOINTS_KEPT = 2  # save_total_limit of training.train


@dataclass(frozen=True)
class Shape:
    """The sizes of a decoder, with the names of `numbers.yml`."""

    layers: int
    hidden_size: int
    heads: int
    key_value_heads: int
    head_dim: int
    intermediate_size: int
    vocabulary: int
    tied: bool  # the output matrix is the embedding
    qkv_bias: bool
    qk_norm: bool

    @property
    def parameters(self) -> int:
        """Number of parameters, exact for Qwen2, Qwen3 and Hunyuan."""
        queries, keys = self.heads * self.head_dim, self.key_value_heads * self.head_dim
        layer = self.hidden_size * (2 * queries + 2 * keys + 3 * self.intermediate_size + 2)
        layer += self.qkv_bias * (queries + 2 * keys) + self.qk_norm * 2 * self.head_dim
        embeddings = (1 if self.tied else 2) * self.vocabulary * self.hidden_size
        return embeddings + self.layers * layer + self.hidden_size

    @property
    def multiplied(self) -> int:
        """Parameters that every token is multiplied with: an untied embedding is looked up."""
        return self.parameters - (0 if self.tied else self.vocabulary * self.hidden_size)

    @property
    def cache(self) -> int:
        """Numbers that one token leaves in the key-value cache."""
        return 2 * self.layers * self.key_value_heads * self.head_dim

    def attention(self, context: float) -> float:
        """FLOP of one token's attention to `context` others."""
        return 4 * self.layers * self.heads * self.head_dim * context


@dataclass(frozen=True)
class Device:
    """One GPU or CPU core, what it reaches: FLOP/s, bytes/s, bytes, s; see `numbers.yml`."""

    flops: float
    bandwidth: float
    memory: float  # infinite where it is not checked
    layer_seconds: float
    number_bytes: int  # of weights and cache while sampling


@dataclass(frozen=True)
class Spread:
    """How a training is spread over processes, a device each; see `training.parallel`."""

    processes: int = 1
    strategy: str = "ddp"

    @property
    def shares_weights(self) -> bool:
        """Whether a process holds a part of the weights only."""
        return self.strategy in ("fsdp", "zero3")


ALONE = Spread()


def spread(config: dict) -> Spread:
    """Return how a configuration's trainings are spread."""
    return Spread(layout.processes(config), config["training"]["parallel"]["strategy"])


def device(assume: Assumptions, gpus: int, split: int = 1) -> Device:
    """Return what one device reaches, or `split` of them over which a model is split."""
    speed = split * (assume["parallel_efficiency"] if split > 1 else 1)
    return Device(
        flops=assume["flops"] * assume["efficiency"] * speed,
        bandwidth=assume["bandwidth"] * assume["bandwidth_share"] * speed,
        memory=assume["memory"] * assume["memory_share"] * split if gpus else math.inf,
        layer_seconds=assume["layer_seconds"],
        number_bytes=2 if gpus else FLOAT32,
    )


def shape(name: str, backbone: dict, results_dir: str) -> Shape:
    """Return the sizes of a backbone, without loading or downloading anything.

    Raises:
        ValueError: a model of the hub that is neither in `numbers.yml` nor downloaded.
    """
    if backbone["source"] == "tinyworld":
        return Shape(
            **{key: backbone[key] for key in ("layers", "hidden_size", "heads", "key_value_heads")},
            head_dim=backbone["hidden_size"] // backbone["heads"],
            intermediate_size=2 * backbone["hidden_size"],
            vocabulary=TINY_VOCABULARY,
            tied=True,
            qkv_bias=backbone["architecture"] == "qwen2",
            qk_norm=backbone["architecture"] == "qwen3",
        )
    models = numbers()["models"]
    if backbone.get("repo") in models:
        return Shape(**models[backbone["repo"]])
    file = Path(backbone.get("path") or f"{results_dir}/backbones/{name}") / "config.json"
    if not file.is_file():
        raise ValueError(
            f"backbones.{name}.repo = {backbone['repo']!r}: its size is not known; "
            f"{choices(backbone['repo'], models)}, or download it (`snakemake fetch`): {file}, or "
            f"add its sizes to {NUMBERS}"
        )
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    return Shape(
        layers=found["num_hidden_layers"],
        hidden_size=found["hidden_size"],
        heads=found["num_attention_heads"],
        key_value_heads=found["num_key_value_heads"],
        head_dim=found.get("head_dim") or found["hidden_size"] // found["num_attention_heads"],
        intermediate_size=found["intermediate_size"],
        vocabulary=found["vocab_size"],
        tied=found.get("tie_word_embeddings", False),
        qkv_bias=found["model_type"] == "qwen2",
        qk_norm=found["model_type"] == "qwen3",
    )


def pass_seconds(model: Shape, on: Device, rows: float, width: float, micro_batch: float) -> float:
    """Seconds of one forward over `rows` sequences of `width` tokens, a micro-batch at a time."""
    flop = rows * width * (2 * model.multiplied + model.attention(width / 2))
    return flop / on.flops + rows / micro_batch * model.layers * on.layer_seconds


def query_seconds(
    model: Shape, on: Device, rows: float, tokens: float, context: float, micro_batch: float
) -> float:
    """Seconds to ask the caches of `rows` responses: `tokens` of probes see `context` others."""
    flop = rows * tokens * (2 * model.multiplied + model.attention(context))
    return flop / on.flops + rows / micro_batch * model.layers * on.layer_seconds


def token_seconds(
    model: Shape, on: Device, rows: float, context: float, step_seconds: float
) -> float:
    """Seconds to sample one token more for each of `rows` responses with `context` tokens."""
    flop = rows * (2 * model.multiplied + model.attention(context))
    read = on.number_bytes * (model.parameters + rows * context * model.cache)
    return step_seconds + max(flop / on.flops, read / on.bandwidth)


def rows_that_fit(model: Shape, on: Device, free: float, tokens: float) -> float:
    """Sequences of `tokens` tokens whose cache fits into `free` bytes; below 1 where none."""
    return free / (on.number_bytes * model.cache * tokens)


def padded_seconds(
    model: Shape, on: Device, rows: int, prompt: float, longest: float, fit: float
) -> float:
    """Seconds to sample a batch with transformers, which ends with its longest response.

    A batch whose cache does not fit is counted as several.
    """
    rounds = max(1, math.ceil(rows / max(1.0, fit)))
    at_once, step = rows / rounds, model.layers * on.layer_seconds
    token = token_seconds(model, on, at_once, prompt + longest / 2, step)
    return rounds * (longest * token + pass_seconds(model, on, at_once, prompt, at_once))


def continuous_seconds(
    model: Shape,
    on: Device,
    rows: int,
    lengths: tuple[float, float, float],
    fit: float,
    step_seconds: float,
) -> float:
    """Seconds to sample a batch with continuous batching; lengths: prompt, mean, longest."""
    prompt, mean, longest = lengths
    at_once = min(rows, max(1.0, fit))
    steps = max(longest, rows * mean / at_once)
    token = token_seconds(model, on, rows * mean / steps, prompt + mean / 2, step_seconds)
    return steps * token + pass_seconds(model, on, rows, prompt, at_once)


def training_bytes(run: dict, model: Shape, over: Spread = ALONE) -> float:
    """Bytes on a device while rollouts are sampled: weights, AdamW, the reference's weights.

    All in float32; gradients are freed by then.
    """
    learners = 2 if run["algorithm"] == "ppo" else 1
    reference = run["training"]["kl_coef"] > 0
    weights = (learners + reference) * FLOAT32 / (over.processes if over.shares_weights else 1)
    optimizer = learners * ADAMW / (over.processes if over.strategy != "ddp" else 1)
    return model.parameters * (weights + optimizer)


def gradient_bytes(run: dict, model: Shape, over: Spread) -> float:
    """Bytes of the gradients on a device."""
    learners = 2 if run["algorithm"] == "ppo" else 1
    shared = over.processes if over.strategy != "ddp" else 1
    return learners * FLOAT32 * model.parameters / shared


def rollouts_that_fit(
    run: dict, model: Shape, on: Device, assume: Assumptions, over: Spread = ALONE
) -> float:
    """Rollouts whose cache fits beside what training holds, or into vLLM's share of the memory."""
    training, name = run["training"], run["backbone"]
    by_vllm, prompt = rollout_engine(run), assume[f"prompt_tokens.{name}"]
    kind = "train_share" if by_vllm else "longest_share"
    width = training["max_completion_tokens"] * assume[f"{kind}.{name}"]
    if not by_vllm:
        free = on.memory - training_bytes(run, model, over)
        return rows_that_fit(model, on, free, prompt + width)
    weights = on.number_bytes * model.parameters / by_vllm["tensor_parallel"]
    taken = weights + assume["engine_bytes"]
    free = by_vllm["gpu_memory"] * assume["memory"] - taken
    return rows_that_fit(model, on, free, prompt + width)


def rollout_engine(run: dict) -> dict | None:
    """Return the settings of vLLM, None where transformers samples the rollouts."""
    return run["training"].get("rollouts")  # as `settings.run_settings` leaves them


def step_seconds(
    run: dict, model: Shape, on: Device, assume: Assumptions, over: Spread = ALONE
) -> float:
    """Seconds of one optimizer step of a run, its share of the rollouts included.

    Each process takes its part of the rollouts; the longest response is as long as before.

    A generation: the rollouts; the reference's pass where KL has a weight; the values' pass (PPO);
    for RePro the query pass of (k + 2) probes a response, and, where sampling leaves no cache
    behind or old log-probabilities are wanted anyway, a forward. An update: forward and backward of
    the policy and, with PPO, of the critic, which is another model of the same size. All passes
    are over batches padded to the longest response.

    Args:
        run: the run's resolved settings (`settings.run_settings`).
        model: of the backbone.
        on: one device.
        assume: as `assumptions.read` returns them.
        over: the processes.
    """
    training, name = run["training"], run["backbone"]
    rows = training["prompts_per_step"] * training["num_generations"] / over.processes
    prompt, limit = assume[f"prompt_tokens.{name}"], training["max_completion_tokens"]
    longest = limit * assume[f"longest_share.{name}"]
    fit = rollouts_that_fit(run, model, on, assume, over)
    continuous = rollout_engine(run) is not None
    if continuous:
        mean = limit * assume[f"train_share.{name}"]
        step = assume["continuous_step_seconds"]
        sampling = continuous_seconds(model, on, rows, (prompt, mean, longest), fit, step)
    else:
        sampling = padded_seconds(model, on, rows, prompt, longest, fit)
    micro = training["micro_batch_size"]
    one_pass = pass_seconds(model, on, rows, prompt + longest, micro)
    updates = training["updates_per_generation"]
    forwards = (training["kl_coef"] > 0) + (run["algorithm"] == "ppo")
    if updates > 1 or (run["process_reward"] and (continuous or fit < rows)):
        forwards += 1
    query = 0.0
    if run["process_reward"]:
        tokens = (run["process_reward"]["k"] + 2) * assume["probe_tokens"]
        query = query_seconds(model, on, rows, tokens, prompt + longest / 2, micro)
    passes = 4 if training["gradient_checkpointing"] else 3
    learners = 2 if run["algorithm"] == "ppo" else 1
    generation = (sampling + forwards * one_pass + query) / updates
    alone = generation + learners * passes * one_pass
    return alone / (assume["parallel_efficiency"] if over.processes > 1 else 1)


def checkpoint_seconds(run: dict, model: Shape, assume: Assumptions) -> float:
    """Seconds to write a checkpoint, and to read it for the digests of its files."""
    return 2 * checkpoint_bytes(run, model.parameters) / assume["checkpoint_bytes_per_second"]


def responses_that_fit(
    evaluation: dict, backbone: str, model: Shape, on: Device, assume: Assumptions
) -> float:
    """Responses of an evaluation whose cache fits beside the weights; see `rows_that_fit`."""
    kind = "generate_share" if evaluation["engine"] == "vllm" else "longest_share"
    width = evaluation["max_new_tokens"] * assume[f"{kind}.{backbone}"]
    free = on.memory - on.number_bytes * model.parameters
    return rows_that_fit(model, on, free, assume[f"prompt_tokens.{backbone}"] + width)


def evaluation_seconds(
    evaluation: dict,
    backbone: str,
    batches: Mapping[int, int],
    model: Shape,
    on: Device,
    assume: Assumptions,
) -> float:
    """Seconds to sample all responses of one run.

    Args:
        evaluation: the configuration's `evaluation`.
        backbone: its name.
        batches: responses of a batch -> how many such batches.
        model: of the backbone.
        on: one device.
        assume: as `assumptions.read` returns them.
    """
    prompt, limit = assume[f"prompt_tokens.{backbone}"], evaluation["max_new_tokens"]
    longest = limit * assume[f"longest_share.{backbone}"]
    fit = responses_that_fit(evaluation, backbone, model, on, assume)
    if evaluation["engine"] != "vllm":
        return sum(
            n * padded_seconds(model, on, rows, prompt, longest, fit) for rows, n in batches.items()
        )
    lengths = prompt, limit * assume[f"generate_share.{backbone}"], longest
    step = assume["continuous_step_seconds"]
    return sum(
        n * continuous_seconds(model, on, rows, lengths, fit, step) for rows, n in batches.items()
    )


def run_bytes(run: dict, parameters: int) -> tuple[int, int]:
    """Bytes that a trained run leaves: in its results (float32 weights), and in checkpoints."""
    training = run["training"]
    checkpoints = min(CHECKPOINTS_KEPT, math.ceil(training["steps"] / training["save_every"]))
    return FLOAT32 * parameters, checkpoints * checkpoint_bytes(run, parameters)


def checkpoint_bytes(run: dict, parameters: int) -> int:
    """Bytes of one checkpoint: weights and AdamW of the policy, and of PPO's critic."""
    learners = 2 if methods.parse(run["method"]).algorithm == "ppo" else 1
    return learners * (FLOAT32 + ADAMW) * parameters
