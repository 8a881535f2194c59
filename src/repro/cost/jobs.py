"""From a configuration to what the formulas of `model` take; nothing is loaded or downloaded."""

import json
import math
from pathlib import Path

from repro.benchmarks.declared import sources
from repro.config import settings
from repro.config.backbones import Backbone
from repro.config.models import Experiment
from repro.config.words import choices
from repro.cost.assumptions import NUMBERS, Assumptions, kind_of, numbers
from repro.cost.model import FLOAT32, Device, Sampler, Shape, Training
from repro.tinyworld.problems import PROBLEMS

# tinyworld.tokenizer.train: 512 entries and the special tokens, rounded up to a multiple of 64.
TINY_VOCABULARY = 576


def read_shape(name: str, backbone: Backbone, results_dir: str) -> Shape:
    """Return the sizes of a backbone.

    Raises:
        ValueError: a model of the hub that is neither in `numbers.yml` nor downloaded.
    """
    if backbone.source == "tinyworld":
        return Shape(
            layers=backbone.layers,
            hidden_size=backbone.hidden_size,
            heads=backbone.heads,
            key_value_heads=backbone.key_value_heads,
            head_dim=backbone.hidden_size // backbone.heads,
            intermediate_size=2 * backbone.hidden_size,
            vocabulary=TINY_VOCABULARY,
            tied=True,
            qkv_bias=backbone.architecture == "qwen2",
            qk_norm=backbone.architecture == "qwen3",
        )
    models, on_hub = numbers()["models"], backbone.source == "hub"
    if on_hub and backbone.repo in models:
        return Shape(**models[backbone.repo])
    file = Path(f"{results_dir}/backbones/{name}" if on_hub else backbone.path) / "config.json"
    if not file.is_file():
        raise ValueError(
            f"backbones.{name}.repo = {backbone.repo!r}: its size is not known; "
            f"{choices(backbone.repo, list(models))}, or download it (`snakemake fetch`): "
            f"{file}, or add its sizes to {NUMBERS}"
        )
    found = json.loads(file.read_text(encoding="utf-8"))
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


def read_device(assume: Assumptions, gpus: int, split: int = 1) -> Device:
    """Return what one device reaches, or `split` of them over which a model is split."""
    speed = split * (assume["parallel_efficiency"] if split > 1 else 1)
    return Device(
        flops=assume["flops"] * assume["efficiency"] * speed,
        bandwidth=assume["bandwidth"] * assume["bandwidth_share"] * speed,
        memory=assume["memory"] * assume["memory_share"] * split if gpus else math.inf,
        layer_seconds=assume["layer_seconds"],
        number_bytes=2 if gpus else FLOAT32,
    )


def read_sampler(config: Experiment, backbone: str, stage: str, assume: Assumptions) -> Sampler:
    """Return what samples responses: in stage `train` rollouts, in `generate` the evaluation's."""
    if stage == "train":
        how, split = config.training, 1
        engine, limit = how.rollouts.engine, how.max_completion_tokens
    else:
        how, split = config.evaluation, config.evaluation.tensor_parallel
        engine, limit = how.engine, how.max_new_tokens
    chosen, kind = config.backbones[backbone], kind_of(config.backbones[backbone])
    return Sampler(
        shape=read_shape(backbone, chosen, config.results_dir),
        device=read_device(assume, config.gpus, split),
        prompt=assume[f"prompt_tokens.{kind}"],
        mean=limit * assume[f"{stage}_share.{kind}"],
        longest=limit * assume[f"longest_share.{kind}"],
        scheduling=assume["continuous_step_seconds"] if engine == "vllm" else None,
    )


def read_training(config: Experiment, run: settings.Run, assume: Assumptions) -> Training:
    """Return what decides the costs of a run that is trained."""
    chosen = settings.run_settings(config, *run)
    training, processes = chosen.training, config.processes
    sampler = read_sampler(config, run.backbone, "train", assume)
    vllm = training.rollouts if training.rollouts.engine == "vllm" else None
    held = sampler.weights / vllm.tensor_parallel + assume["engine_bytes"] if vllm else 0
    probes = chosen.process_reward.k + 2 if chosen.process_reward else 0
    return Training(
        sampler=sampler,
        vllm_bytes=vllm.gpu_memory * assume["memory"] if vllm else 0,
        vllm_held=held,
        vllm_sleeps=bool(vllm) and vllm.sleep,
        processes=processes,
        strategy=config.training.parallel.strategy,
        efficiency=assume["parallel_efficiency"] if processes > 1 else 1,
        rows=training.responses_per_step / processes,
        micro_batch=training.micro_batch_size,
        steps=training.steps,
        save_every=training.save_every,
        updates=training.updates_per_generation,
        learners=2 if chosen.algorithm == "ppo" else 1,
        reference=training.kl_coef > 0,
        checkpointing=training.gradient_checkpointing,
        probe_tokens=probes * assume["probe_tokens"],
    )


def count_problems(config: Experiment, name: str, assume: Assumptions) -> int:
    """Return how many problems of a benchmark are evaluated."""
    data = settings.data_settings(config, name)
    if data.source == "tinyworld":
        return data.problems or PROBLEMS[name]
    if data.source == "directory":
        with open(data.file, encoding="utf-8") as file:
            there = sum(1 for line in file if line.strip())
    else:
        pinned = sources()[name]
        files = pinned.get("files", [pinned])
        if name == "lcb":  # release vN is the first N files
            files = files[: int((data.release or pinned["release"]).removeprefix("v"))]
        there = sum(file["rows"] for file in files)
        there = min(there, int(assume["lcb_problems"])) if name == "lcb" else there
    return min(there, data.problems or there)


def split_batches(config: Experiment, name: str, assume: Assumptions) -> list[int]:
    """Return the responses of each batch of a benchmark: whole problems with all their samples."""
    problems, samples = count_problems(config, name, assume), config.benchmarks[name].samples
    at_once = max(1, config.evaluation.batch_size // samples)
    return [samples * min(at_once, problems - done) for done in range(0, problems, at_once)]
