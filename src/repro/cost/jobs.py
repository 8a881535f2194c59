"""From a configuration to what the formulas of `model` take; nothing is loaded or downloaded."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from repro import methods
from repro.benchmarks.declared import sources
from repro.config import settings
from repro.config.models import Experiment
from repro.config.words import choices
from repro.cost import model
from repro.files import jsonl
from repro.tinyworld.problems import PROBLEMS

FILE = Path(__file__).with_name("numbers.yml")
NUMBERS = yaml.safe_load(FILE.read_text(encoding="utf-8"))
NO_GPU = "cpu-core"  # the hardware of jobs that take no GPU
TINY_VOCABULARY = 576  # tinyworld.tokenizer.train: 512 entries and special tokens, at most
# The kind of lengths, by the source of a backbone.
KINDS = {"tinyworld": "tinyworld", **dict.fromkeys(("hub", "directory", "gguf", "package"), "hub")}

Assumptions = Mapping[str, float]  # by name; those of a kind of backbone are `NAME.KIND`


def read_assumptions(config: Experiment, hardware: str, changes: Sequence[str]) -> Assumptions:
    """Return the assumptions that apply to a resolved configuration.

    Of `changes`, `NAME=VALUE` each, a name without its kind means those of all kinds.
    ValueError: hardware that does not exist or go with `gpus`, or an unusable change.
    """
    known = [name for name in NUMBERS["hardware"] if (name == NO_GPU) == (config.gpus == 0)]
    if hardware not in known:
        allowed = choices(hardware, known)
        raise ValueError(f"--hardware {hardware} does not go with gpus = {config.gpus}; {allowed}")
    found = dict(NUMBERS["hardware"][hardware])
    kinds = {"", *(KINDS[backbone.source] for backbone in config.backbones.values())}
    stated = NUMBERS["assumptions"].items()
    found |= {name: value for name, (value, _) in stated if name.partition(".")[2] in kinds}
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


def read_shape(name: str, config: Experiment) -> model.Shape:
    """Return what a backbone's sizes come to; ValueError for one of the hub that is not known."""
    backbone, known = config.backbones[name], NUMBERS["models"]
    if backbone.source == "tinyworld":
        return model.measure(backbone.sizes(TINY_VOCABULARY))
    if backbone.source == "hub" and backbone.repo in known:
        return model.measure(known[backbone.repo])
    made = Path(config.results_dir, "backbones", name)
    file = (Path(backbone.path) if backbone.source == "directory" else made) / "config.json"
    if not file.is_file():
        raise ValueError(
            f"backbones.{name}: its size is not known, because there is no {file}: download it "
            f"(`snakemake fetch`), or add its sizes to {FILE}"
        )
    return model.measure(jsonl.read_json(file))


def read_sampler(config: Experiment, name: str, stage: str, assume: Assumptions) -> model.Sampler:
    """Return what samples responses: in stage `train` rollouts, in `generate` the evaluation's."""
    kind, gpus, split = KINDS[config.backbones[name].source], config.gpus, 1
    if stage == "train":
        chosen, limit = config.training.rollouts, config.training.max_completion_tokens
        sharing = config.processes
    else:
        chosen, limit = config.evaluation, config.evaluation.max_new_tokens
        sharing = split = chosen.tensor_parallel
    shape, padded = read_shape(name, config), chosen.engine == "transformers"
    waiting = shape.layers * assume["layer_seconds"] if padded else assume["step_seconds"]
    longest = limit * assume[f"longest_share.{kind}"]
    kept = assume["parallel_efficiency"] if sharing > 1 else 1
    return model.Sampler(
        shape=shape,
        flops=assume["flops"] * assume["efficiency"] * split * kept,
        bandwidth=assume["bandwidth"] * assume["bandwidth_share"] * split * kept,
        memory=assume["memory"] * assume["memory_share"] * split if gpus else math.inf,
        waiting=waiting / kept,
        number_bytes=2 if gpus else model.FLOAT32,
        prompt=assume[f"prompt_tokens.{kind}"],
        longest=longest,
        padded=padded,
        sampled=longest if padded else limit * assume[f"{stage}_share.{kind}"],
    )


def read_training(config: Experiment, run: settings.Run, assume: Assumptions) -> model.Training:
    """Return what decides the costs of a run that is trained."""
    chosen = settings.run_settings(config, *run)
    training, processes = chosen.training, config.processes
    sampler = read_sampler(config, run.backbone, "train", assume)
    vllm = training.rollouts if training.rollouts.engine == "vllm" else None
    split = config.training.parallel.strategy
    weights = sampler.number_bytes * sampler.shape.parameters
    probes, kind = 0, KINDS[config.backbones[run.backbone].source]
    if chosen.process_reward:
        segments = sampler.sampled / assume[f"segment_tokens.{kind}"]
        probes = min(methods.as_number(chosen.process_reward.k), segments) + 2
    return model.Training(
        sampler=sampler,
        settings=training,
        sharing_weights=processes if split in ("fsdp", "zero3") else 1,
        sharing_optimizer=1 if split == "ddp" else processes,
        vllm_bytes=vllm.gpu_memory * assume["memory"] if vllm else 0,
        vllm_held=weights / vllm.tensor_parallel + assume["engine_bytes"] if vllm else 0,
        rows=training.responses_per_step / processes,
        learners=2 if chosen.algorithm == "ppo" else 1,
        probe_tokens=probes * assume["probe_tokens"],
    )


def count_problems(config: Experiment, name: str, assume: Assumptions) -> int:
    """Return how many problems of a benchmark are evaluated."""
    data = settings.data_settings(config, name)
    if data.source == "tinyworld":
        there = data.problems or PROBLEMS[name]
    elif data.source == "directory":
        there = sum(1 for _ in jsonl.rows(data.file))
    else:
        pins = sources()[data.dataset or name]
        files, most = pins.get("files", [pins]), math.inf
        if "release" in pins:  # release vN is the first N files
            files = files[: int((data.release or pins["release"]).removeprefix("v"))]
            most = int(assume["lcb_problems"])
        there = min(most, sum(file["rows"] for file in files))
    return min(there, data.problems or there)


def split_batches(config: Experiment, name: str, assume: Assumptions) -> list[int]:
    """Return the responses of each batch of a benchmark: whole problems with all their samples."""
    problems, samples = count_problems(config, name, assume), config.benchmarks[name].samples
    how = config.evaluation
    at_once = problems if how.has_seeds else max(1, how.batch_size // samples)
    return [samples * min(at_once, problems - done) for done in range(0, problems, at_once)]
