"""From a configuration to the resolved settings of every run; everything wrong is said here, first.

A configuration is checked against `workflow/schemas/config.schema.yaml`, filled with its defaults
and cross-checked. Every later step reads only the small resolved settings made here.
"""

import copy
import json
from dataclasses import dataclass
from pathlib import Path

from repro import methods, model_folder
from repro.benchmarks import declared
from repro.schema import check_schema, choices
from repro.tinyworld.problems import PROBLEMS

BACKBONE_KEYS = {  # by source
    "tinyworld": (
        *("architecture", "hidden_size", "layers", "heads", "key_value_heads"),
        *("steps", "batch_size", "learning_rate", "seed"),
    ),
    "hub": ("repo", "revision"),
    "directory": ("path",),
}
CHECKED_BYTES = 16 << 20  # larger files of your own are checked by the jobs that read them
PINS = ("release", "window")  # of LiveCodeBench on the hub
SCORING_KEYS = ("sandbox", "code_timeout_s")  # of `evaluation`: generations do not depend on them
PROMPT_KEYS = ("chat_template", "prompt")  # of every backbone


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


def resolve(config: dict, schema: dict, source: str) -> dict:
    """Return the configuration with every default filled in.

    Args:
        config: the configuration as read from YAML.
        schema: the JSON schema.
        source: the file's name, for messages.

    Raises:
        ValueError: something is wrong; one message names file, key, value and what is allowed.
    """
    config = copy.deepcopy(config)
    try:
        check_schema(config, schema)
        _take_subset(config)
        _cross_check(config)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    return config


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


def run_settings(config: dict, backbone: str, method: str, seed: int) -> dict:
    """Return all that decides one run's weights, no more: what changes here is trained again."""
    parts = methods.parse(method)
    process_reward = dict(config["process_reward"]) if parts.repro else None
    if parts.ablated:
        process_reward[parts.ablated] = json.loads(parts.value)
    unused = [] if parts.algorithm == "ppo" else ["critic", "lam"]
    if config["training"]["rollouts"]["engine"] == "transformers":
        unused.append("rollouts")  # vLLM's settings
    training = {key: v for key, v in config["training"].items() if key not in unused}
    return {
        "backbone": backbone,
        "method": method,
        "algorithm": parts.algorithm,
        "seed": seed,
        "training": training if parts.algorithm else None,
        "process_reward": process_reward,
        "backbone_settings": config["backbones"][backbone],
    }


def backbone_settings(config: dict, name: str) -> dict:
    """Return what decides a backbone's model directory."""
    return {key: v for key, v in config["backbones"][name].items() if key != "prompt"}


def backbone_files(config: dict, name: str) -> list[Path]:
    """Return the files that a backbone is made from; none where it is built or downloaded."""
    backbone = config["backbones"][name]
    return model_folder.files(backbone["path"]) if backbone["source"] == "directory" else []


def data_settings(config: dict, name: str) -> dict:
    """Return what decides one data file: a benchmark's, or `train`."""
    benchmark = config["benchmarks"].get(name, {})
    source = data_source(config, name)
    settings = {"name": name, "source": source, "problems": benchmark.get("problems")}
    if source == "directory":
        return {**settings, "file": str(data_file(config, name))}
    if source == "hub":
        return {**settings, **{key: benchmark.get(key) for key in PINS}}
    return {**settings, "seed": config["data_seed"]}


def generation_settings(config: dict) -> dict:
    """Return what decides generations."""
    keys = config["evaluation"].keys() - SCORING_KEYS
    return {
        **{key: config["evaluation"][key] for key in sorted(keys)},
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


def _take_subset(config: dict) -> None:
    for group, names in config["subset"].items():
        for name in names or ():
            if name not in config[group]:
                message = f"subset.{group}: {name!r} does not exist"
                raise ValueError(f"{message}; {choices(name, list(config[group]))}")
        if names:
            config[group] = {key: value for key, value in config[group].items() if key in names}


def _cross_check(config: dict) -> None:
    """Refuse what is right key by key and wrong together."""
    plain = [methods.ORIGINAL, *methods.ALGORITHMS]
    allowed = [*plain, *(f"{algorithm}{methods.REPRO}" for algorithm in methods.ALGORITHMS)]
    for method in config["methods"]:
        if method not in allowed:
            raise ValueError(f"methods: {method!r} does not exist; {choices(method, allowed)}")
    for method in config["objective"]["methods"]:
        if method not in allowed:
            message = f"objective.methods: {method!r} does not exist"
            raise ValueError(f"{message}; {choices(method, allowed)}")
    if config["ablations"]["method"] not in set(allowed) - set(plain):
        method, allowed = config["ablations"]["method"], sorted(set(allowed) - set(plain))
        raise ValueError(f"ablations.method = {method!r}; {choices(method, allowed)}")
    for name, backbone in config["backbones"].items():
        _check_backbone(name, backbone)
    _check_ablations(config)
    _check_benchmarks(config)
    training = config["training"]
    rollouts = training["prompts_per_step"] * training["num_generations"]
    if training["save_every"] % training["updates_per_generation"]:
        raise ValueError(
            f"training.save_every = {training['save_every']} is no multiple of "
            f"updates_per_generation = {training['updates_per_generation']}; a run can be resumed "
            "only between two generations"
        )
    if rollouts % training["micro_batch_size"]:
        raise ValueError(
            f"training.micro_batch_size = {training['micro_batch_size']} does not divide the "
            f"{rollouts} rollouts of a step (prompts_per_step x num_generations)"
        )
    _check_rollouts(training, config["gpus"])
    _check_data(config)


def _check_rollouts(training: dict, gpus: int) -> None:
    """Refuse what vLLM cannot do beside a trainer."""
    if training["rollouts"]["engine"] != "vllm":
        return
    if not gpus:  # its CPU build packs the weights into another layout and takes no new ones
        raise ValueError(
            "training.rollouts.engine = 'vllm' does not go with gpus = 0; allowed: transformers, "
            "or at least one GPU"
        )
    if training["dtype"] != "bfloat16":  # TRL leaves the engine's precision to vLLM
        raise ValueError(
            f"training.dtype = {training['dtype']!r} does not go with training.rollouts.engine = "
            "'vllm', which samples in bfloat16; allowed: bfloat16"
        )


def _check_backbone(name: str, backbone: dict) -> None:
    source = backbone["source"]
    wanted = BACKBONE_KEYS[source]
    for key in wanted:
        if key not in backbone:
            raise ValueError(f"backbones.{name}.{key} is missing; source {source} needs it")
    template = backbone["chat_template"]
    if template is not None and not Path(template).is_file():
        raise ValueError(f"backbones.{name}.chat_template = {template!r}: no such file")
    for key, divisor in (("hidden_size", "heads"), ("heads", "key_value_heads")):
        if source == "tinyworld" and backbone[key] % backbone[divisor]:
            raise ValueError(
                f"backbones.{name}.{key} = {backbone[key]} is no multiple of "
                f"{divisor} = {backbone[divisor]}"
            )
    for key in backbone.keys() - {"source", *PROMPT_KEYS, *wanted}:
        raise ValueError(
            f"backbones.{name}.{key} does not go with source {source}; allowed: {', '.join(wanted)}"
        )
    if source == "directory":
        try:
            model_folder.check(backbone["path"], has_template=template is not None)
        except ValueError as error:
            raise ValueError(f"backbones.{name}.path = {error}") from None


def _check_ablations(config: dict) -> None:
    ablations = config["ablations"]
    for name in ablations["backbones"] or []:
        if name not in config["backbones"]:
            known = choices(name, list(config["backbones"]))
            raise ValueError(f"ablations.backbones: unknown backbone {name!r}; {known}")
    for key in methods.ABLATED:
        if set(ablations[key]) == {config["process_reward"][key]}:
            raise ValueError(
                f"ablations.{key} = {ablations[key]} holds nothing but process_reward.{key}, which "
                "there is nothing to compare with; allowed: [], or another value"
            )


def _check_benchmarks(config: dict) -> None:
    """Refuse benchmarks that do not exist, or do not fit where they are named."""
    known = declared.benchmarks()
    mathematics = [name for name in known if known[name].in_domain]
    for name in config["benchmarks"]:
        if name not in known:
            raise ValueError(f"unknown key {f'benchmarks.{name}'!r}; {choices(name, list(known))}")
    for key, names, allowed in (
        ("decontaminate", config["decontaminate"], list(known)),
        ("objective.benchmarks", config["objective"]["benchmarks"], mathematics),
    ):
        for name in names:
            if name not in allowed:
                raise ValueError(f"{key}: {name!r} is not allowed; {choices(name, allowed)}")


def _check_data(config: dict) -> None:
    """Refuse keys of another data source; every local file must be there before the first job."""
    source = config["data_source"]
    if (source == "directory") != (config["data_dir"] is not None):
        raise ValueError(
            f"data_dir = {config['data_dir']!r} does not go with data_source = {source!r}; "
            "allowed: a folder with directory, null with tinyworld and hub"
        )
    if source == "tinyworld" and config["decontaminate"]:
        raise ValueError(
            f"decontaminate = {config['decontaminate']} does not go with data_source = "
            "'tinyworld'; allowed: [], because generated problems never overlap"
        )
    for name, benchmark in config["benchmarks"].items():
        if benchmark["file"] and (source != "directory" or benchmark["path"]):
            raise ValueError(
                f"benchmarks.{name}.file goes with data_source directory only, and not with path"
            )
        for key in PINS:
            if benchmark[key] and (name, data_source(config, name)) != ("lcb", "hub"):
                raise ValueError(f"benchmarks.{name}.{key} goes with lcb and data_source hub only")
    for name in data_names(config):
        _check_problems(config, name)


def _check_problems(config: dict, name: str) -> None:
    """Refuse a benchmark, or `train`, whose problems the data source does not have."""
    source = data_source(config, name)
    if source != "directory":
        there = declared.sources() if source == "hub" else PROBLEMS
        if name not in there:
            lacks = "has no pins in sources.yml" if source == "hub" else "is not generated"
            raise ValueError(
                f"benchmarks.{name} {lacks}, which data_source = {source!r} needs; allowed: "
                f"{', '.join(key for key in there if key != 'train')}, or a file of your own as "
                f"benchmarks.{name}.path"
            )
        return
    file, own = data_file(config, name), config["benchmarks"].get(name, {}).get("path")
    if not file.is_file():
        where = f"data_dir = {config['data_dir']!r} has no {file.name}"
        if own:
            where = f"benchmarks.{name}.path = {own!r}: no such file"
        raise ValueError(f"{where}; wanted: {file}, one JSON object a line, for {name}")
    if own and file.stat().st_size <= CHECKED_BYTES:
        declared.read_rows(file, name)
