"""From a configuration to the resolved settings of every run; everything wrong is said here, first.

A configuration is validated by `config.models`, which fill in its defaults, and cross-checked.
Every later step reads only the small resolved settings made here.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from repro import methods
from repro.config import checks, tracking_uri
from repro.config.models import Experiment
from repro.config.words import check_plain, choices, describe, shown
from repro.files import model_folder

# Of `evaluation`: generations do not depend on them.
NOT_GENERATION = ("sandbox", "code_timeout_s", "tensor_parallel")
JUDGED = ("original", "grpo", "grpo+repro")  # objective.methods where it is null


@dataclass(frozen=True)
class Run:
    """The unit of everything: one backbone, one method, one seed."""

    backbone: str
    method: str
    seed: int

    @property
    def path(self) -> str:
        """Where the run lies below `results_dir/runs`."""
        return f"{self.backbone}/{self.method}/{self.seed}"


def resolve(config: dict, source: str, read_data: bool = True) -> dict:
    """Return the configuration with every default filled in.

    Args:
        config: the configuration as read from YAML.
        source: the file's name, for messages.
        read_data: whether to read local problem files to their end; without it they must be there.

    Raises:
        ValueError: something is wrong; one message names file, key, value and what is allowed.
    """
    try:
        if isinstance(config, dict) and isinstance(config.get("tracking_uri"), str):
            tracking_uri.check(config["tracking_uri"])  # first: other messages quote values
        config = _validated(config)
        _take_subset(config)
        _fill_in(config)
        checks.check(config)
        wanted = [data_settings(config, name) for name in data_names(config)]
        checks.check_data(config, wanted, read_data)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    return config


def _validated(config: object) -> dict:
    """Return a configuration with the defaults of its models."""
    if not isinstance(config, dict):
        raise ValueError(f"{shown(config)} is not allowed; allowed: a mapping of settings")
    check_plain(config)
    try:
        return Experiment.model_validate(config).model_dump(mode="json")
    except ValidationError as error:
        raise ValueError(describe(error, Experiment)) from None


def ablation_runs(config: dict, key: str) -> list[Run]:
    """Return the runs of one ablation: every value, and the plain algorithm as the baseline.

    The value that `process_reward` already has is the default run of the main table: it is shared,
    never trained twice.
    """
    ablations = config["ablations"]
    if not ablations[key]:
        return []
    values = sorted({*ablations[key], config["process_reward"][key]})
    default = config["process_reward"][key]
    method = ablations["method"]
    names = [methods.plain_algorithm(method)]
    names += [method if value == default else f"{method}~{key}={value:g}" for value in values]
    backbones = ablations["backbones"] or list(config["backbones"])
    return [Run(b, name, s) for b in backbones for name in names for s in config["seeds"]]


def main_runs(config: dict) -> list[Run]:
    """Return the runs of the main table, in the table's order."""
    return [
        Run(backbone, method, seed)
        for backbone in config["backbones"]
        for method in config["methods"]
        for seed in config["seeds"]
    ]


def objective_runs(config: dict) -> list[Run]:
    """Return the runs of the main table whose responses the model itself judges."""
    return [run for run in main_runs(config) if run.method in config["objective"]["methods"]]


def case_study_run(config: dict) -> str | None:
    """Return the path of the run that the case study shows: the first with RePro, if any has it."""
    runs = sorted(objective_runs(config), key=lambda run: not methods.parse(run.method).repro)
    return runs[0].path if runs else None


def all_runs(config: dict) -> list[Run]:
    """Return every run of the experiment once."""
    runs = main_runs(config)
    for key in methods.ABLATED:
        runs += ablation_runs(config, key)
    return list(dict.fromkeys(runs))


def experiment_record(config: dict) -> dict:
    """Return what the analysis has to know, as `records.experiment` reads it."""
    groups = {"all": all_runs(config), "main": main_runs(config)}
    groups |= {"objective": objective_runs(config)}
    groups |= {key: ablation_runs(config, key) for key in methods.ABLATED}
    return {
        "name": config["name"],
        "note": config["note"],
        "benchmarks": sorted(config["benchmarks"]),
        "runs": {group: [f"runs/{run.path}" for run in runs] for group, runs in groups.items()},
    }


def run_settings(config: dict, backbone: str, method: str, seed: int) -> dict:
    """Return all that decides one run's weights, no more: what changes here is trained again."""
    parts = methods.parse(method)
    process_reward = dict(config["process_reward"]) if parts.repro else None
    if parts.ablated:
        process_reward[parts.ablated] = json.loads(parts.value)
    unused = ["parallel"] if parts.algorithm == "ppo" else ["parallel", "critic", "lam"]
    if config["training"]["rollouts"]["engine"] == "transformers":
        unused.append("rollouts")  # vLLM's settings
    training = {key: v for key, v in config["training"].items() if key not in unused}
    if "critic" in training:
        training["critic"] = dict(training["critic"])
        share = training["critic"].pop("gpu_memory")
        if share and "rollouts" in training:
            training["rollouts"] = {**training["rollouts"], "gpu_memory": share}
    return {
        "backbone": backbone,
        "method": method,
        "algorithm": parts.algorithm,
        "seed": seed,
        "training": training if parts.algorithm else None,
        "process_reward": process_reward,
        "backbone_settings": _stated(config["backbones"][backbone]),
    }


def objective_settings(config: dict, backbone: str) -> dict:
    """Return how a run's responses are judged by the model itself.

    They are judged at every segment, and nothing is trained: `k` and `alpha` decide nothing here.
    """
    judged = {key: v for key, v in config["process_reward"].items() if key not in ("alpha", "k")}
    trusted = config["backbones"][backbone]["trust_remote_code"]
    return judged | ({"trust_remote_code": True} if trusted else {})


def backbone_settings(config: dict, name: str) -> dict:
    """Return what decides a backbone's model directory."""
    asked = ("prompt", "thinking")  # of the model, not what it is made from
    return {key: v for key, v in _stated(config["backbones"][name]).items() if key not in asked}


def backbone_files(config: dict, name: str) -> list[Path]:
    """Return the files that a backbone is made from; none where it is built or downloaded."""
    backbone = config["backbones"][name]
    if backbone["source"] != "directory":
        return []
    return model_folder.files(backbone["path"], backbone["trust_remote_code"])


def data_settings(config: dict, name: str) -> dict:
    """Return what decides one data file: a benchmark's, or `train`."""
    benchmark = config["benchmarks"].get(name, {})
    source = data_source(config, name)
    settings = {"name": name, "source": source, "problems": benchmark.get("problems")}
    if source == "directory":
        return {**settings, "file": str(data_file(config, name))}
    if source == "hub":
        return {**settings, **{key: benchmark.get(key) for key in checks.PINS}}
    return {**settings, "seed": config["data_seed"]}


def generation_settings(config: dict, seed: int) -> dict:
    """Return what decides the generations of a run with this seed.

    The run's seed is added to that of the evaluation: runs of `original` have the same weights and
    must not draw the same responses.
    """
    keys = config["evaluation"].keys() - NOT_GENERATION
    return {
        **{key: config["evaluation"][key] for key in sorted(keys)},
        "seed": config["evaluation"]["seed"] + seed,
        "benchmarks": samples(config),
    }


def samples(config: dict) -> dict:
    """Return the n of avg@n of each benchmark."""
    return {name: {"samples": b["samples"]} for name, b in config["benchmarks"].items()}


def data_source(config: dict, name: str) -> str:
    """Return where a benchmark's problems, or those of `train`, come from."""
    return "directory" if config["benchmarks"].get(name, {}).get("path") else config["data_source"]


def data_file(config: dict, name: str) -> Path:
    """Return the file that holds a benchmark or the training set, in `data_dir` or your own."""
    benchmark = config["benchmarks"].get(name, {})
    if benchmark.get("path"):
        return Path(benchmark["path"])
    return Path(config["data_dir"]) / (benchmark.get("file") or f"{name}.jsonl")


def data_names(config: dict) -> list[str]:
    """Return the names of all data files that the experiment needs, `train` the last."""
    names = list(dict.fromkeys([*config["benchmarks"], *config["decontaminate"]]))
    trains = any(methods.parse(run.method).algorithm for run in all_runs(config))
    return names + (["train"] if trains else [])


def hub_names(config: dict) -> list[str]:
    """Return the names of those data files that are downloaded."""
    return [name for name in data_names(config) if data_source(config, name) == "hub"]


def dump(settings: dict) -> str:
    """Return settings as canonical JSON, so that equal settings are equal text."""
    return json.dumps(settings, sort_keys=True)


_ADDED_LATER = {"trust_remote_code": False, "thinking": "required"}


def _stated(backbone: dict) -> dict:
    """Return a backbone's settings without the keys of `_ADDED_LATER` that have their default.

    So the settings of runs that were made before those keys were there stay what they were.
    """
    return {k: v for k, v in backbone.items() if k not in _ADDED_LATER or v != _ADDED_LATER[k]}


def _fill_in(config: dict) -> None:
    """Fill in what depends on other settings."""
    config["note"] = " ".join(config["note"].split())  # one line in tables and below figures
    if config["objective"]["methods"] is None:
        config["objective"]["methods"] = [name for name in JUDGED if name in config["methods"]]


def _take_subset(config: dict) -> None:
    for group, names in config["subset"].items():
        for name in names or ():
            if name not in config[group]:
                message = f"subset.{group}: {name!r} does not exist"
                raise ValueError(f"{message}; {choices(name, list(config[group]))}")
        if names:
            config[group] = {key: value for key, value in config[group].items() if key in names}
