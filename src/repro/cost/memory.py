"""What does not fit into a GPU's memory, while rollouts are sampled and while they are learnt from.

An activation is counted in bytes a token. Of a Qwen2 or Qwen3 layer in bfloat16 autocast with
float32 weights autograd keeps 32 H + 8 I + 8 A (H the width, I that of the MLP, A that of queries
and keys together): 4 to 14 % more than its saved tensors on a CPU. With gradient checkpointing it
keeps a layer's input (4 H) and makes one layer at a time anew, with the gradients of it; meanwhile
in the forward autocast holds its bfloat16 copies of the weights. Logits are made in tiles and left
out, as is a library's own memory: `memory_share` leaves room.
"""

import math

from repro.cost.model import (
    FLOAT32,
    Sampler,
    Shape,
    Training,
    gradient_bytes,
    rollouts_that_fit,
    training_bytes,
)

BFLOAT16 = 2  # bytes

# Of a token of a step's batch: two int64 (token and mask), four float32 (advantage, reference's
# log-probability, value, return), and what the shuffle copies.
BATCH = 32


def activation_bytes(
    shape: Shape, tokens: float, checkpointing: bool, copies: bool = True
) -> float:
    """Bytes at the peak of a forward and backward pass over `tokens` tokens.

    Args:
        shape: of the model.
        tokens: of a micro-batch.
        checkpointing: whether activations are computed again.
        copies: whether there are bfloat16 copies of all weights at once.
    """
    heads = shape.heads + shape.key_value_heads
    layer = 32 * shape.hidden_size + 8 * shape.intermediate_size + 8 * heads * shape.head_dim
    weights = BFLOAT16 * shape.multiplied if copies else 0
    if not checkpointing:
        return (shape.layers + 1) * layer * tokens + weights
    return shape.layers * FLOAT32 * shape.hidden_size * tokens + max(2 * layer * tokens, weights)


def update_bytes(job: Training) -> tuple[float, float]:
    """Bytes at the peak of an update: weights, AdamW and gradients; with batch and activations.

    The second is with vLLM's share of the memory, unless it sleeps. Scoring a micro-batch keeps
    less than learning from it: its cache and the states of one layer. Where the processes share the
    weights, those of a layer are gathered to learn, see `unit_bytes`, and all of them to score.
    """
    shape, tokens = job.sampler.shape, job.micro_batch * job.sampler.padded
    gradients = gradient_bytes(job)
    learning = activation_bytes(shape, tokens, job.checkpointing, copies=not job.shares_weights)
    learning += unit_bytes(shape) if job.shares_weights else 0
    gathered = BFLOAT16 * shape.parameters if job.shares_weights else 0
    total = rollout_bytes(job) + gradients + max(learning, gathered)
    return training_bytes(job) + gradients, total + (0 if job.vllm_sleeps else job.vllm_bytes)


def unit_bytes(shape: Shape) -> float:
    """Bytes at the peak of a backward pass over shared weights, beside a process's own part.

    Of the largest unit, a layer or an embedding, the weights and gradients in bfloat16 and the sum
    of the gradients over processes in float32; each unit frees them after every micro-batch. The
    output matrix stays gathered from forward to backward.
    """
    matrix = shape.vocabulary * shape.hidden_size
    layer = (shape.parameters - (1 if shape.tied else 2) * matrix) / shape.layers
    return (2 * BFLOAT16 + FLOAT32) * max(layer, matrix) + BFLOAT16 * matrix


def rollout_bytes(job: Training) -> float:
    """Bytes that a training holds while its rollouts are sampled, their cache left out.

    A step's batch stays until the next one is there.
    """
    return training_bytes(job) + job.rows * job.sampler.padded * BATCH


def training_notes(what: str, job: Training) -> list[str]:
    """Say what of a training does not fit on its GPUs; `what` names it."""
    memory, (held, updating), holds = (
        job.sampler.device.memory,
        update_bytes(job),
        rollout_bytes(job),
    )
    there = f"{_giga(memory)} are there"
    if held > memory:
        return [
            f"{what}: weights, gradients and optimizer alone take {_giga(held)}, {there}. It needs "
            "more GPUs that share them (gpus, training.parallel.strategy = fsdp)."
        ]
    found = []
    if updating > memory:
        found.append(
            f"{what}: an update takes {_giga(updating)} with micro_batch_size = {job.micro_batch}, "
            f"{there}."
        )
    if job.vllm_bytes and holds + job.vllm_bytes > memory:
        found.append(
            f"{what}: while sampling, training holds {_giga(holds)} and vLLM "
            f"{_giga(job.vllm_bytes)}, {there}."
        )
    return found + sampling_notes(what, job.sampler, int(job.rows), rollouts_that_fit(job))


def sampling_notes(what: str, sampler: Sampler, wanted: int, fit: float) -> list[str]:
    """Say that responses do not fit; transformers samples all that are wanted at once."""
    if fit < 1:
        return [f"{what}: no room for the cache of a single response."]
    if sampler.scheduling is None and fit < wanted:
        return [
            f"{what}: {wanted:,} responses are sampled at once, the cache of {int(fit):,} fits; "
            f"counted as {math.ceil(wanted / fit):,} rounds."
        ]
    return []


def _giga(size: float) -> str:
    return f"{size / 1e9:.0f} GB"
