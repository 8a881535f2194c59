"""What does not fit into a GPU's memory, while rollouts are sampled and while they are learnt from.

An activation is counted in bytes a token. Of a Qwen2 or Qwen3 layer in bfloat16 autocast with
float32 weights autograd keeps 32 H + 8 I + 8 A (H the width, I that of the MLP, A that of queries
and keys together): 4 to 14 % more than its saved tensors on a CPU. With gradient checkpointing it
keeps a layer's input (4 H) and makes one layer at a time anew, with the gradients of it; meanwhile
in the forward autocast holds its bfloat16 copies of the weights. Logits are made in tiles and left
out, as is a library's own memory: `memory_share` leaves room.
"""

import math

from repro import settings
from repro.cost import model
from repro.cost.assumptions import Assumptions
from repro.cost.model import ALONE, FLOAT32, Device, Shape, Spread

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


def update_bytes(
    run: dict, shape: Shape, assume: Assumptions, over: Spread = ALONE
) -> tuple[float, float]:
    """Bytes at the peak of an update: weights, AdamW and gradients; with batch and activations.

    The second is with vLLM's share of the memory, unless it sleeps. Scoring a micro-batch keeps
    less than learning from it: its cache and the states of one layer.

    Args:
        run: the run's resolved settings.
        shape: of the backbone.
        assume: as `assumptions.read` returns them.
        over: the processes. Where they share the weights, those of a layer are gathered to learn
            and all of them to score; see `unit_bytes`.
    """
    training, engine = run["training"], model.rollout_engine(run)
    width = _width(run, assume)
    held = model.training_bytes(run, shape, over) + model.gradient_bytes(run, shape, over)
    tokens = training["micro_batch_size"] * width
    total = held + _batch_bytes(run, width, over)
    checkpointing = training["gradient_checkpointing"]
    learning = activation_bytes(shape, tokens, checkpointing, copies=not over.shares_weights)
    learning += unit_bytes(shape) if over.shares_weights else 0
    gathered = BFLOAT16 * shape.parameters if over.shares_weights else 0
    total += max(learning, gathered)
    if engine and not engine["sleep"]:
        total += engine["gpu_memory"] * assume["memory"]
    return held, total


def unit_bytes(shape: Shape) -> float:
    """Bytes at the peak of a backward pass over shared weights, beside a process's own part.

    Of the largest unit, a layer or an embedding, the weights and gradients in bfloat16 and the sum
    of the gradients over processes in float32; each unit frees them after every micro-batch. The
    output matrix stays gathered from forward to backward.
    """
    matrix = shape.vocabulary * shape.hidden_size
    layer = (shape.parameters - (1 if shape.tied else 2) * matrix) / shape.layers
    return (2 * BFLOAT16 + FLOAT32) * max(layer, matrix) + BFLOAT16 * matrix


def _width(run: dict, assume: Assumptions) -> float:
    """Tokens of a padded prompt and response."""
    name, limit = run["backbone"], run["training"]["max_completion_tokens"]
    return assume[f"prompt_tokens.{name}"] + limit * assume[f"longest_share.{name}"]


def _batch_bytes(run: dict, width: float, over: Spread) -> float:
    """Bytes of a step's batch on a device, which stays until the next one is there."""
    training = run["training"]
    rows = training["prompts_per_step"] * training["num_generations"] / over.processes
    return rows * width * BATCH


def notes(config: dict, assume: Assumptions) -> list[str]:
    """Say what does not fit on a job's GPUs; no two notes are the same.

    Args:
        config: a resolved configuration.
        assume: as `assumptions.read` returns them.
    """
    device, found, over = model.device(assume, config["gpus"]), [], model.spread(config)
    together = model.device(assume, config["gpus"], config["evaluation"]["tensor_parallel"])
    if math.isinf(device.memory):
        return []
    for run in settings.all_runs(config):
        shape = model.shape(run.backbone, config["backbones"][run.backbone], config["results_dir"])
        chosen = settings.run_settings(config, run.backbone, run.method, run.seed)
        if chosen["algorithm"]:
            found += _of_training(chosen, shape, device, assume, over)
        evaluation = config["evaluation"]
        fit = model.responses_that_fit(evaluation, run.backbone, shape, together, assume)
        padded = evaluation["engine"] != "vllm"
        found += _of_cache(f"generate {run.backbone}", padded, evaluation["batch_size"], fit)
    return list(dict.fromkeys(f"OUT OF MEMORY: {note}" for note in found))


def _of_training(
    run: dict, shape: Shape, device: Device, assume: Assumptions, over: Spread
) -> list[str]:
    training, engine = run["training"], model.rollout_engine(run)
    what = f"train {run['backbone']}{' with critic' if run['algorithm'] == 'ppo' else ''}"
    there = f"{_giga(device.memory)} are there"
    held, updating = update_bytes(run, shape, assume, over)
    if held > device.memory:
        return [
            f"{what}: weights, gradients and optimizer alone take {_giga(held)}, {there}. It needs "
            "more GPUs that share them (gpus, training.parallel.strategy = fsdp)."
        ]
    found = []
    if updating > device.memory:
        found.append(
            f"{what}: an update takes {_giga(updating)} with micro_batch_size = "
            f"{training['micro_batch_size']}, {there}."
        )
    if engine:
        holds = model.training_bytes(run, shape, over)
        holds += _batch_bytes(run, _width(run, assume), over)
        share = engine["gpu_memory"] * assume["memory"]
        if holds + share > device.memory:
            found.append(
                f"{what}: while sampling, training holds {_giga(holds)} and vLLM {_giga(share)}, "
                f"{there}."
            )
    rollouts = training["prompts_per_step"] * training["num_generations"] // over.processes
    fit = model.rollouts_that_fit(run, shape, device, assume, over)
    return found + _of_cache(what, not engine, rollouts, fit)


def _of_cache(what: str, padded: bool, wanted: int, fit: float) -> list[str]:
    """Say that responses do not fit; transformers samples all that are wanted at once."""
    if fit < 1:
        return [f"{what}: no room for the cache of a single response."]
    if padded and fit < wanted:
        return [
            f"{what}: {wanted:,} responses are sampled at once, the cache of {int(fit):,} fits; "
            f"counted as {math.ceil(wanted / fit):,} rounds."
        ]
    return []


def _giga(size: float) -> str:
    return f"{size / 1e9:.0f} GB"
