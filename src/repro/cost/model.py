"""How long work takes and how much it writes: formulas over stated numbers (`numbers.yml`).

A pass over T tokens of a decoder with N parameters in matrices costs 2·N·T FLOP, and its causal
attention 2·L·d·T² (L layers, d = heads x head_dim); a backward pass costs two of them, and gradient
checkpointing one more (Kaplan et al. 2020; Chowdhery et al. 2022, appendix B). Sampling a token
reads all weights and the cache of every response once. Optimizer steps, logits and data loading are
left out.
"""

import math
from dataclasses import dataclass

from repro.cost.assumptions import Assumptions

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
class Sampler:
    """A backbone that samples responses on a device, and their lengths in tokens."""

    shape: Shape
    device: Device
    prompt: float
    mean: float
    longest: float
    scheduling: float | None  # vLLM's seconds a token; None: transformers samples, which pads

    @property
    def padded(self) -> float:
        """Tokens of a prompt and response in a padded batch."""
        return self.prompt + self.longest

    @property
    def weights(self) -> float:
        """Bytes of the weights while sampling."""
        return self.device.number_bytes * self.shape.parameters

    @property
    def fit_alone(self) -> float:
        """Responses whose cache fits beside the weights alone."""
        return self.count_fitting(self.device.memory - self.weights)

    def count_fitting(self, free: float) -> float:
        """Responses whose cache fits into `free` bytes; below 1 where not even one does."""
        width = self.padded if self.scheduling is None else self.prompt + self.mean
        return free / (self.device.number_bytes * self.shape.cache * width)


@dataclass(frozen=True)
class Training:
    """What decides the costs of a training, for each of its processes, which has a device."""

    sampler: Sampler
    vllm_bytes: float  # vLLM's share of the memory; 0: transformers samples the rollouts
    vllm_held: float  # bytes of that share that are no cache: weights and more
    vllm_sleeps: bool  # gives its share back while the trainer learns
    processes: int
    strategy: str  # how they share the model, see `training.parallel`
    efficiency: float  # of its speed that a device keeps beside others
    rows: float  # rollouts of a step
    micro_batch: int
    steps: int
    save_every: int
    updates: int  # for each generation
    learners: int  # models that learn: the policy, and PPO's critic
    reference: bool  # whether there is a reference model
    checkpointing: bool  # of gradients
    probe_tokens: float  # that RePro asks of each response; 0 without it

    @property
    def shares_weights(self) -> bool:
        """Whether a process holds a part of the weights only."""
        return self.strategy in ("fsdp", "zero3")

    @property
    def sharing(self) -> int:
        """Processes that share gradients and optimizer."""
        return 1 if self.strategy == "ddp" else self.processes


def pass_seconds(model: Shape, on: Device, rows: float, width: float, micro_batch: float) -> float:
    """Seconds of one forward over `rows` sequences of `width` tokens, a micro-batch at a time."""
    return query_seconds(model, on, rows, width, width / 2, micro_batch)


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


def sampling_seconds(sampler: Sampler, rows: float, fit: float) -> float:
    """Seconds to sample `rows` responses, of which the cache holds `fit` at a time.

    transformers ends a batch with its longest response; one that does not fit is counted as
    several. vLLM fills every place that becomes free (continuous batching).
    """
    model, on, fit = sampler.shape, sampler.device, max(1.0, fit)
    if sampler.scheduling is None:
        rounds = max(1, math.ceil(rows / fit))
        at_once, steps = rows / rounds, sampler.longest
        context, waiting = sampler.prompt + steps / 2, model.layers * on.layer_seconds
        token = token_seconds(model, on, at_once, context, waiting)
        first = pass_seconds(model, on, at_once, sampler.prompt, at_once)
        return rounds * (steps * token + first)
    at_once = min(rows, fit)
    steps = max(sampler.longest, rows * sampler.mean / at_once)
    context, under_way = sampler.prompt + sampler.mean / 2, rows * sampler.mean / steps
    token = token_seconds(model, on, under_way, context, sampler.scheduling)
    return steps * token + pass_seconds(model, on, rows, sampler.prompt, at_once)


def training_bytes(job: Training) -> float:
    """Bytes on a device while rollouts are sampled: weights, AdamW, the reference's weights.

    All in float32; gradients are freed by then.
    """
    models = (job.learners + job.reference) / (job.processes if job.shares_weights else 1)
    optimizer = job.learners * ADAMW / job.sharing
    return job.sampler.shape.parameters * (models * FLOAT32 + optimizer)


def gradient_bytes(job: Training) -> float:
    """Bytes of the gradients on a device."""
    return job.learners * FLOAT32 * job.sampler.shape.parameters / job.sharing


def rollouts_that_fit(job: Training) -> float:
    """Rollouts whose cache fits beside what training holds, or into vLLM's share of the memory."""
    beside = job.sampler.device.memory - training_bytes(job)
    free = job.vllm_bytes - job.vllm_held if job.vllm_bytes else beside
    return job.sampler.count_fitting(free)


def step_seconds(job: Training) -> float:
    """Seconds of one optimizer step, its share of the rollouts included.

    Each process takes its part of the rollouts; the longest response is as long as before.

    A generation: the rollouts; the reference's pass where KL has a weight; the values' pass (PPO);
    for RePro the query pass of (k + 2) probes a response, and, where sampling leaves no cache
    behind or old log-probabilities are wanted anyway, a forward. An update: forward and backward of
    the policy and, with PPO, of the critic, which is another model of the same size. All passes
    are counted at the longest response of the batch. That is an upper bound: the trainer computes
    no column that is padding in all rows of a micro-batch.
    """
    sampler, fit = job.sampler, rollouts_that_fit(job)
    model, on, micro = sampler.shape, sampler.device, job.micro_batch
    generation = sampling_seconds(sampler, job.rows, fit)
    one_pass = pass_seconds(model, on, job.rows, sampler.padded, micro)
    forwards = job.reference + (job.learners - 1)
    if job.updates > 1 or (job.probe_tokens and (job.vllm_bytes or fit < job.rows)):
        forwards += 1
    if job.probe_tokens:
        context = sampler.prompt + sampler.longest / 2
        generation += query_seconds(model, on, job.rows, job.probe_tokens, context, micro)
    passes = 4 if job.checkpointing else 3
    update = job.learners * passes * one_pass
    return ((generation + forwards * one_pass) / job.updates + update) / job.efficiency


def checkpoint_bytes(job: Training) -> int:
    """Bytes of one checkpoint: weights and AdamW of the policy, and of PPO's critic."""
    return job.learners * (FLOAT32 + ADAMW) * job.sampler.shape.parameters


def checkpoint_seconds(job: Training, assume: Assumptions) -> float:
    """Seconds to write a checkpoint, and to read it for the digests of its files."""
    return 2 * checkpoint_bytes(job) / assume["checkpoint_bytes_per_second"]


def run_bytes(job: Training) -> int:
    """Bytes that a training leaves: float32 weights, and its last checkpoints under work/."""
    checkpoints = min(CHECKPOINTS_KEPT, math.ceil(job.steps / job.save_every))
    return FLOAT32 * job.sampler.shape.parameters + checkpoints * checkpoint_bytes(job)
