"""From a configuration to what the formulas of `model` take; nothing is loaded or downloaded."""

import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from repro.benchmarks.declared import sources
from repro.config import settings
from repro.config.backbones import Backbone
from repro.config.models import Experiment
from repro.config.words import choices
from repro.cost import model
from repro.files import jsonl
from repro.tinyworld.problems import PROBLEMS

NUMBERS = Path(__file__).with_name("numbers.yml")
NO_GPU = "cpu-core"  # the hardware of jobs that take no GPU
# tinyworld.tokenizer.train: 512 entries and the special tokens, rounded up to a multiple of 64.
TINY_VOCABULARY = 576
TAKEN = (  # of a training's settings, as they are
    *("steps", "save_every", "micro_batch_size", "updates_per_generation"),
    "gradient_checkpointing",
)

Assumptions = Mapping[str, float]  # by name; those of a kind of backbone are `NAME.KIND`


@functools.cache
def numbers() -> dict:
    """Return the content of `numbers.yml`."""
    return yaml.safe_load(NUMBERS.read_text(encoding="utf-8"))


def kind_of(backbone: Backbone) -> str:
    """Return which lengths are assumed of a backbone's texts."""
    return "tinyworld" if backbone.source == "tinyworld" else "hub"  # or a real one on the disk


def read_assumptions(config: Experiment, hardware: str, changes: Sequence[str]) -> Assumptions:
    """Return the assumptions that apply to a resolved configuration.

    Args:
        config: a resolved configuration.
        hardware: a name in `numbers.yml`.
        changes: other values, `NAME=VALUE` each; without its kind a name means those of all kinds.

    Raises:
        ValueError: hardware that does not exist or go with `gpus`, or an unusable change.
    """
    known = [name for name in numbers()["hardware"] if (name == NO_GPU) == (config.gpus == 0)]
    if hardware not in known:
        message = f"--hardware {hardware} does not go with gpus = {config.gpus}"
        raise ValueError(f"{message}; {choices(hardware, known)}")
    found = dict(numbers()["hardware"][hardware])
    kinds = {"", *map(kind_of, config.backbones.values())}
    for name, (value, _) in numbers()["assumptions"].items():
        if name.partition(".")[2] in kinds:
            found[name] = value
    for change in changes:
        name, _, text = change.rpartition("=")
        try:
            value = float(text)
        except ValueError:
            value = 0
        if not name or not 0 < value < math.inf:
            raise ValueError(f"--set {change}: expected NAME=VALUE with a number above 0")
        meant = [one for one in found if name in (one, one.partition(".")[0])]
        if not meant:
            raise ValueError(f"--set {change}: no such assumption; {choices(name, found)}")
        found |= dict.fromkeys(meant, value)
    return found


def read_shape(name: str, backbone: Backbone, results_dir: str) -> model.Shape:
    """Return what a backbone's sizes come to.

    Raises:
        ValueError: a model of the hub that is neither in `numbers.yml` nor downloaded.
    """
    if backbone.source == "tinyworld":
        sizes = {
            "model_type": backbone.architecture,
            "num_hidden_layers": backbone.layers,
            "num_attention_heads": backbone.heads,
            "num_key_value_heads": backbone.key_value_heads,
            "hidden_size": backbone.hidden_size,
            "intermediate_size": 2 * backbone.hidden_size,
            "vocab_size": TINY_VOCABULARY,
            "tie_word_embeddings": True,
        }
        return model.measure(sizes)
    known, on_hub = numbers()["models"], backbone.source == "hub"
    if on_hub and backbone.repo in known:
        return model.measure(known[backbone.repo])
    file = Path(f"{results_dir}/backbones/{name}" if on_hub else backbone.path) / "config.json"
    if not file.is_file():
        raise ValueError(
            f"backbones.{name}.repo = {backbone.repo!r}: its size is not known; "
            f"{choices(backbone.repo, known)}, or download it (`snakemake fetch`): {file}, or add "
            f"its sizes to {NUMBERS}"
        )
    return model.measure(jsonl.read_json(file))


def read_sampler(config: Experiment, name: str, stage: str, assume: Assumptions) -> model.Sampler:
    """Return what samples responses: in stage `train` rollouts, in `generate` the evaluation's."""
    training, chosen = config.training, config.evaluation
    engine, limit, split = {
        "train": (training.rollouts.engine, training.max_completion_tokens, 1),
        "generate": (chosen.engine, chosen.max_new_tokens, chosen.tensor_parallel),
    }[stage]
    backbone, gpus = config.backbones[name], config.gpus
    kind, speed = kind_of(backbone), split * (assume["parallel_efficiency"] if split > 1 else 1)
    return model.Sampler(
        shape=read_shape(name, backbone, config.results_dir),
        flops=assume["flops"] * assume["efficiency"] * speed,
        bandwidth=assume["bandwidth"] * assume["bandwidth_share"] * speed,
        memory=assume["memory"] * assume["memory_share"] * split if gpus else math.inf,
        layer_seconds=assume["layer_seconds"],
        number_bytes=2 if gpus else model.FLOAT32,
        prompt=assume[f"prompt_tokens.{kind}"],
        mean=limit * assume[f"{stage}_share.{kind}"],
        longest=limit * assume[f"longest_share.{kind}"],
        scheduling=assume["continuous_step_seconds"] if engine == "vllm" else None,
    )


def read_training(config: Experiment, run: settings.Run, assume: Assumptions) -> model.Training:
    """Return what decides the costs of a run that is trained."""
    chosen = settings.run_settings(config, *run)
    training, processes = chosen.training, config.processes
    strategy = config.training.parallel.strategy
    sampler = read_sampler(config, run.backbone, "train", assume)
    vllm = training.rollouts if training.rollouts.engine == "vllm" else None
    held = sampler.weights / vllm.tensor_parallel + assume["engine_bytes"] if vllm else 0
    probes = chosen.process_reward.k + 2 if chosen.process_reward else 0
    return model.Training(
        sampler=sampler,
        vllm_bytes=vllm.gpu_memory * assume["memory"] if vllm else 0,
        vllm_held=held,
        vllm_sleeps=bool(vllm) and vllm.sleep,
        processes=processes,
        sharing_weights=processes if strategy in ("fsdp", "zero3") else 1,
        sharing_optimizer=1 if strategy == "ddp" else processes,
        efficiency=assume["parallel_efficiency"] if processes > 1 else 1,
        rows=training.responses_per_step / processes,
        learners=2 if chosen.algorithm == "ppo" else 1,
        reference=training.kl_coef > 0,
        probe_tokens=probes * assume["probe_tokens"],
        **{key: getattr(training, key) for key in TAKEN},
    )


def count_problems(config: Experiment, name: str, assume: Assumptions) -> int:
    """Return how many problems of a benchmark are evaluated."""
    data = settings.data_settings(config, name)
    if data.source == "tinyworld":
        return data.problems or PROBLEMS[name]
    if data.source == "directory":
        there = sum(1 for _ in jsonl.rows(data.file))
    else:
        pins = sources()[name]
        files = pins.get("files", [pins])
        if name == "lcb":  # release vN is the first N files
            files = files[: int((data.release or pins["release"]).removeprefix("v"))]
        there = sum(file["rows"] for file in files)
        there = min(there, int(assume["lcb_problems"])) if name == "lcb" else there
    return min(there, data.problems or there)


def split_batches(config: Experiment, name: str, assume: Assumptions) -> list[int]:
    """Return the responses of each batch of a benchmark: whole problems with all their samples."""
    problems, samples = count_problems(config, name, assume), config.benchmarks[name].samples
    at_once = max(1, config.evaluation.batch_size // samples)
    return [samples * min(at_once, problems - done) for done in range(0, problems, at_once)]
