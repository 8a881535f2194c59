"""How long work takes, how much it holds and writes: formulas over stated numbers (`numbers.yml`).

A pass over T tokens of a decoder with N parameters in matrices costs 2·N·T FLOP, and its causal
attention 2·L·d·T² (L layers, d = heads x head_dim); a backward pass costs two of them, and gradient
checkpointing one more (Kaplan et al. 2020; Chowdhery et al. 2022, appendix B). Sampling a token
reads all weights and the cache of every response once. Optimizer steps, logits and data loading are
left out.

An activation is counted in bytes a token. Of a Qwen2 or Qwen3 layer in bfloat16 autocast with
float32 weights autograd keeps 32 H + 8 I + 8 A (H the width, I that of the MLP, A that of queries
and keys together): 4 to 14 % more than its saved tensors on a CPU. With gradient checkpointing it
keeps a layer's input (4 H) and computes one layer at a time again, with the gradients of it;
meanwhile autocast holds bfloat16 copies of the weights. Logits are made in tiles and left out, as
is a library's own memory: `memory_share` leaves room.
"""

import math
from dataclasses import dataclass

BFLOAT16, FLOAT32 = 2, 4  # bytes
ADAMW = 2 * FLOAT32  # bytes a parameter: two moments
CHECKPOINTS_KEPT = 2  # save_total_limit of training.train
# Of a token of a step's batch: two int64 (token and mask), four float32 (advantage, reference's
# log-probability, value, return), and what the shuffle copies.
BATCH = 32


@dataclass(frozen=True)
class Shape:
    """What a decoder's sizes come to: parameters, and what a token takes."""

    layers: int
    parameters: int  # exact for Qwen2, Qwen3 and Hunyuan
    multiplied: int  # those that every token is multiplied with; an untied embedding is looked up
    matrix: int  # those of an embedding
    cache: int  # numbers that a token leaves in the key-value cache
    attention: int  # FLOP of a token's attention to one other
    width: int  # numbers that go into a layer
    kept: int  # bytes that autograd keeps of a layer

    def unit_bytes(self) -> float:
        """Bytes at the peak of a backward pass over shared weights, beside a process's own part.

        Of the largest unit, a layer or an embedding, the weights and gradients in bfloat16 and the
        sum of the gradients over processes in float32; each unit frees them after every
        micro-batch. The output matrix stays gathered from forward to backward.
        """
        unit = max((self.multiplied - self.matrix) / self.layers, self.matrix)
        return (2 * BFLOAT16 + FLOAT32) * unit + BFLOAT16 * self.matrix

    def activation_bytes(self, tokens: float, checkpointing: bool, copies: int) -> float:
        """Bytes at the peak of forward and backward, with `copies` bfloat16 weights beside them."""
        if not checkpointing:
            return (self.layers + 1) * self.kept * tokens + BFLOAT16 * copies
        inputs = self.layers * FLOAT32 * self.width * tokens
        return inputs + max(2 * self.kept * tokens, BFLOAT16 * copies)


def measure(sizes: dict) -> Shape:
    """Return what the sizes in a model's config.json come to."""
    layers, width = sizes["num_hidden_layers"], sizes["hidden_size"]
    head = sizes.get("head_dim") or width // sizes["num_attention_heads"]
    queries, keys = sizes["num_attention_heads"] * head, sizes["num_key_value_heads"] * head
    mlp, matrix = sizes["intermediate_size"], sizes["vocab_size"] * width
    layer = width * (2 * queries + 2 * keys + 3 * mlp + 2)
    if sizes["model_type"] == "qwen2":  # with biases
        layer += queries + 2 * keys
    if sizes["model_type"] in ("qwen3", "hunyuan_v1_dense"):  # they normalise queries and keys
        layer += 2 * head
    multiplied = matrix + layers * layer + width
    return Shape(
        layers=layers,
        parameters=multiplied + (0 if sizes.get("tie_word_embeddings") else matrix),
        multiplied=multiplied,
        matrix=matrix,
        cache=2 * layers * keys,
        attention=4 * layers * queries,
        width=width,
        kept=32 * width + 8 * mlp + 8 * (queries + keys),
    )


@dataclass(frozen=True)
class Sampler:
    """A backbone on a device, what that reaches, and the lengths of texts in tokens."""

    shape: Shape
    flops: float  # FLOP/s
    bandwidth: float  # bytes/s
    memory: float  # bytes; infinite where it is not checked
    layer_seconds: float  # that a layer takes however little it has to compute
    number_bytes: int  # of weights and cache while sampling
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
        return self.number_bytes * self.shape.parameters

    def count_fitting(self, free: float) -> float:
        """Responses whose cache fits into `free` bytes; below 1 where not even one does."""
        width = self.padded if self.scheduling is None else self.prompt + self.mean
        return free / (self.number_bytes * self.shape.cache * width)

    def fit_alone(self) -> float:
        """Responses whose cache fits beside the weights alone."""
        return self.count_fitting(self.memory - self.weights)

    def pass_seconds(self, rows: float, width: float, micro_batch: float) -> float:
        """Seconds of a forward over `rows` sequences of `width` tokens, a micro-batch at a time."""
        return self.query_seconds(rows, width, width / 2, micro_batch)

    def query_seconds(self, rows: float, tokens: float, context: float, micro: float) -> float:
        """Seconds to ask the caches of `rows` responses: `tokens` of probes see `context` others.

        `micro` responses are asked at a time.
        """
        flop = rows * tokens * (2 * self.shape.multiplied + self.shape.attention * context)
        return flop / self.flops + rows / micro * self.shape.layers * self.layer_seconds

    def token_seconds(self, rows: float, context: float, waiting: float) -> float:
        """Seconds to sample one token more for each of `rows` responses with `context` tokens."""
        flop = rows * (2 * self.shape.multiplied + self.shape.attention * context)
        read = self.number_bytes * (self.shape.parameters + rows * context * self.shape.cache)
        return waiting + max(flop / self.flops, read / self.bandwidth)

    def sampling_seconds(self, rows: float, fit: float) -> float:
        """Seconds to sample `rows` responses, of which the cache holds `fit` at a time.

        transformers ends a batch with its longest response; one that does not fit is counted as
        several. vLLM fills every place that becomes free (continuous batching).
        """
        fit = max(1.0, fit)
        if self.scheduling is None:
            rounds = max(1, math.ceil(rows / fit))
            at_once, waiting = rows / rounds, self.shape.layers * self.layer_seconds
            token = self.token_seconds(at_once, self.prompt + self.longest / 2, waiting)
            first = self.pass_seconds(at_once, self.prompt, at_once)
            return rounds * (self.longest * token + first)
        at_once = min(rows, fit)
        steps = max(self.longest, rows * self.mean / at_once)
        under_way = rows * self.mean / steps
        token = self.token_seconds(under_way, self.prompt + self.mean / 2, self.scheduling)
        return steps * token + self.pass_seconds(rows, self.prompt, at_once)


@dataclass(frozen=True)
class Training:
    """What decides the costs of a training, for each of its processes, which has a device."""

    sampler: Sampler
    vllm_bytes: float  # vLLM's share of the memory; 0: transformers samples the rollouts
    vllm_held: float  # bytes of that share that are no cache: weights and more
    vllm_sleeps: bool  # gives its share back while the trainer learns
    processes: int
    sharing_weights: int  # processes over which the weights are split
    sharing_optimizer: int  # the same of optimizer and gradients
    efficiency: float  # of its speed that a device keeps beside others
    rows: float  # rollouts of a step
    learners: int  # models that learn: the policy, and PPO's critic
    reference: bool  # whether there is a reference model
    probe_tokens: float  # that RePro asks of each response; 0 without it
    steps: int  # this and what follows as in the configuration
    save_every: int
    micro_batch_size: int
    updates_per_generation: int
    gradient_checkpointing: bool

    def held_bytes(self) -> float:
        """Bytes of weights, AdamW and the reference's weights on a device, all in float32."""
        weights = (self.learners + self.reference) * FLOAT32 / self.sharing_weights
        optimizer = self.learners * ADAMW / self.sharing_optimizer
        return self.sampler.shape.parameters * (weights + optimizer)

    def gradient_bytes(self) -> float:
        """Bytes of the gradients on a device; while rollouts are sampled there are none."""
        return self.learners * FLOAT32 * self.sampler.shape.parameters / self.sharing_optimizer

    def rollout_bytes(self) -> float:
        """Bytes held while rollouts are sampled, with the batch of the last ones."""
        return self.held_bytes() + self.rows * self.sampler.padded * BATCH

    def update_bytes(self) -> float:
        """Bytes at the peak of an update, with vLLM's share of the memory unless it sleeps.

        Scoring a micro-batch keeps less than learning from it: its cache and the states of one
        layer. Where the processes share the weights, those of a layer are gathered to learn, see
        `unit_bytes`, and all of them to score.
        """
        shape, checkpointing = self.sampler.shape, self.gradient_checkpointing
        tokens = self.micro_batch_size * self.sampler.padded
        if self.sharing_weights == 1:
            learning = shape.activation_bytes(tokens, checkpointing, shape.multiplied)
        else:
            learning = shape.activation_bytes(tokens, checkpointing, 0) + shape.unit_bytes()
            learning = max(learning, BFLOAT16 * shape.parameters)
        engine = 0 if self.vllm_sleeps else self.vllm_bytes
        return self.rollout_bytes() + self.gradient_bytes() + learning + engine

    def peak_bytes(self) -> float:
        """Bytes on a device at the peak, without the cache of responses."""
        return max(self.update_bytes(), self.rollout_bytes() + self.vllm_bytes)

    def count_fitting(self) -> float:
        """Rollouts whose cache fits beside what is held, or into vLLM's share of the memory."""
        if self.vllm_bytes:
            return self.sampler.count_fitting(self.vllm_bytes - self.vllm_held)
        return self.sampler.count_fitting(self.sampler.memory - self.held_bytes())

    def step_seconds(self) -> float:
        """Seconds of one optimizer step, its share of the rollouts included.

        A generation: the rollouts, of which each process takes its part; a forward of the reference
        where KL has a weight, and of PPO's critic; for RePro the query pass of (k + 2) probes a
        response, and, where sampling leaves no cache behind or old log-probabilities are wanted
        anyway, a forward. An update: forward and backward of the policy and of the critic, which is
        as large. Every pass is counted at the longest response, which is an upper bound: the
        trainer leaves out columns that are padding in all rows of a micro-batch.
        """
        on, micro, fit = self.sampler, self.micro_batch_size, self.count_fitting()
        generation = on.sampling_seconds(self.rows, fit)
        one_pass = on.pass_seconds(self.rows, on.padded, micro)
        forwards = self.reference + (self.learners - 1)
        no_cache = self.vllm_bytes or fit < self.rows
        if self.updates_per_generation > 1 or (self.probe_tokens and no_cache):
            forwards += 1
        if self.probe_tokens:
            context = on.prompt + on.longest / 2
            generation += on.query_seconds(self.rows, self.probe_tokens, context, micro)
        update = self.learners * (4 if self.gradient_checkpointing else 3) * one_pass
        shared = (generation + forwards * one_pass) / self.updates_per_generation
        return (shared + update) / self.efficiency

    def checkpoint_bytes(self) -> int:
        """Bytes of one checkpoint: weights and AdamW of the policy, and of PPO's critic."""
        return self.learners * (FLOAT32 + ADAMW) * self.sampler.shape.parameters

    def run_bytes(self) -> int:
        """Bytes that are left: float32 weights, and the last checkpoints under work/."""
        checkpoints = min(CHECKPOINTS_KEPT, math.ceil(self.steps / self.save_every))
        return FLOAT32 * self.sampler.shape.parameters + checkpoints * self.checkpoint_bytes()
