"""How long work takes, how much it holds and writes: formulas over stated numbers (`numbers.yml`).

A pass over T tokens of a decoder with N parameters in matrices costs 2·N·T FLOP, and its causal
attention 2·L·d·T² (L layers, d = heads x head_dim); a backward pass costs two of them, and gradient
checkpointing one more (Kaplan et al. 2020; Chowdhery et al. 2022, appendix B). Sampling a token
reads all weights and the cache of every response once. Optimizer steps, checkpoints, logits,
bfloat16 copies of weights, data loading and a library's own memory are left out.

Of a Qwen2 or Qwen3 layer in bfloat16 autocast with float32 weights autograd keeps 32 H + 8 I + 8 A
bytes a token (H the width, I that of the MLP, A that of queries and keys together): 4 to 14 % more
than its saved tensors on a CPU. With gradient checkpointing it keeps a layer's input (4 H) and
computes one layer at a time again, with its gradients.
"""

from dataclasses import dataclass

from repro.config.models import Training as TrainingSettings

FLOAT32 = 4  # bytes
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
    cache: int  # numbers that a token leaves in the key-value cache
    attention: int  # FLOP of a token's attention to one other
    width: int  # numbers that go into a layer
    kept: int  # bytes that autograd keeps of a layer

    def activation_bytes(self, tokens: float, checkpointing: bool) -> float:
        """Bytes of activations and their gradients at the peak of forward and backward."""
        if not checkpointing:
            return (self.layers + 1) * self.kept * tokens
        return (self.layers * FLOAT32 * self.width + 2 * self.kept) * tokens


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
    waiting: float  # seconds that a token takes however little there is to compute
    number_bytes: int  # of weights and cache while sampling
    prompt: float
    longest: float
    padded: bool  # transformers pads a batch to its longest response, vLLM does not
    sampled: float  # mean of a response that is computed and cached, padding included

    def count_fitting(self, free: float) -> float:
        """Responses whose cache fits into `free` bytes; below 1 where not even one does."""
        return free / (self.number_bytes * self.shape.cache * (self.prompt + self.sampled))

    def pass_seconds(self, rows: float, tokens: float, context: float) -> float:
        """Seconds of a forward over `tokens` of each of `rows`, which see `context` on average."""
        flop = rows * tokens * (2 * self.shape.multiplied + self.shape.attention * context)
        return flop / self.flops

    def sampling_seconds(self, rows: float, fit: float) -> float:
        """Seconds to sample `rows` responses, of which the cache holds `fit` at a time.

        Every place that becomes free is filled, and the longest response ends the whole. A token of
        all that are under way takes its FLOP or the reading of weights and cache.
        """
        tokens = max(self.longest, rows * self.sampled / min(rows, max(1.0, fit)))
        under_way, context = rows * self.sampled / tokens, self.prompt + self.sampled / 2
        read = self.number_bytes * (self.shape.parameters + under_way * context * self.shape.cache)
        token = max(self.pass_seconds(under_way, 1, context), read / self.bandwidth)
        prompts = self.pass_seconds(rows, self.prompt, self.prompt / 2)
        return prompts + tokens * (self.waiting + token)


@dataclass(frozen=True)
class Training:
    """What decides the costs of a training, for each of its processes, which has a device."""

    sampler: Sampler
    settings: TrainingSettings
    sharing_weights: int  # processes over which the weights are split
    sharing_optimizer: int  # the same of optimizer and gradients
    vllm_bytes: float  # vLLM's share of the memory; 0: transformers samples the rollouts
    vllm_held: float  # bytes of that share that are no cache: weights and more
    rows: float  # rollouts of a step
    learners: int  # models that learn: the policy, and PPO's critic
    probe_tokens: float  # that RePro asks of each response; 0 without it

    def held_bytes(self) -> float:
        """Bytes of weights, AdamW and the reference's weights on a device, all in float32."""
        weights = (self.learners + (self.settings.kl_coef > 0)) * FLOAT32 / self.sharing_weights
        optimizer = self.learners * ADAMW / self.sharing_optimizer
        return self.sampler.shape.parameters * (weights + optimizer)

    def peak_bytes(self) -> float:
        """Bytes on a device at the peak, of sampling or of an update, without the cache."""
        shape, chosen = self.sampler.shape, self.settings
        width = self.sampler.prompt + self.sampler.longest  # in a padded batch
        update = self.learners * FLOAT32 * shape.parameters / self.sharing_optimizer  # gradients
        tokens = chosen.micro_batch_size * width
        update += shape.activation_bytes(tokens, chosen.gradient_checkpointing)
        if self.vllm_bytes and not chosen.rollouts.sleep:
            update += self.vllm_bytes
        return self.held_bytes() + self.rows * width * BATCH + max(update, self.vllm_bytes)

    def count_fitting(self) -> float:
        """Rollouts whose cache fits beside what is held, or into vLLM's share of the memory."""
        if self.vllm_bytes:
            return self.sampler.count_fitting(self.vllm_bytes - self.vllm_held)
        return self.sampler.count_fitting(self.sampler.memory - self.held_bytes())

    def step_seconds(self) -> float:
        """Seconds of one optimizer step, its share of the rollouts included.

        A generation: the rollouts; a forward of the reference where KL has a weight, of PPO's
        critic, and, where old log-probabilities are wanted or sampling leaves no cache to RePro, of
        the policy; RePro's probes. An update: forward and backward of policy and critic. Every pass
        is counted at the longest response, an upper bound.
        """
        on, fit = self.sampler, self.count_fitting()
        width = on.prompt + on.longest
        one_pass = on.pass_seconds(self.rows, width, width / 2)
        no_cache = self.vllm_bytes or fit < self.rows
        forwards = (self.settings.kl_coef > 0) + (self.learners == 2)
        if self.settings.updates_per_generation > 1 or (self.probe_tokens and no_cache):
            forwards += 1
        query = on.pass_seconds(self.rows, self.probe_tokens, on.prompt + on.longest / 2)
        generation = on.sampling_seconds(self.rows, fit) + forwards * one_pass + query
        update = self.learners * (4 if self.settings.gradient_checkpointing else 3) * one_pass
        return generation / self.settings.updates_per_generation + update

    def run_bytes(self) -> int:
        """Bytes that are left: weights, and checkpoints under work/, with FSDP's second copy."""
        copied = FLOAT32 * (self.sharing_weights > 1)
        checkpoints = CHECKPOINTS_KEPT * (self.learners * (FLOAT32 + ADAMW) + copied)
        return (FLOAT32 + checkpoints) * self.sampler.shape.parameters
