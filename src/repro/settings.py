"""From a configuration to the resolved settings of every run; everything wrong is said here, first.

A configuration is checked against `workflow/schemas/config.schema.yaml`, filled with its defaults
and cross-checked. Every later step reads only the small resolved settings made here.
"""

import copy
import difflib
import json
from dataclasses import dataclass
from pathlib import Path

import jsonschema

from repro import methods

TINYWORLD_KEYS = (
    "architecture",
    "hidden_size",
    "layers",
    "heads",
    "key_value_heads",
    "steps",
    "batch_size",
    "learning_rate",
    "seed",
)
HUB_KEYS = ("repo", "revision")
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
    _fill(config, schema, schema)
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(config), key=_depth)
    if errors:
        raise ValueError(f"{source}: {_message(errors[0])}")
    try:
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
    critic_keys = () if parts.algorithm == "ppo" else ("critic", "lam")
    training = {key: v for key, v in config["training"].items() if key not in critic_keys}
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


def data_settings(config: dict, name: str) -> dict:
    """Return what decides one data file: a benchmark's, or `train`."""
    benchmark = config["benchmarks"].get(name, {})
    source = config["data_source"]
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


def data_file(config: dict, name: str) -> Path:
    """Return the file in `data_dir` that holds a benchmark or the training set."""
    file = config["benchmarks"].get(name, {}).get("file") or f"{name}.jsonl"
    return Path(config["data_dir"]) / file


def data_names(config: dict) -> list[str]:
    """Return the names of all data files that the experiment needs, `train` the last."""
    names = list(dict.fromkeys([*config["benchmarks"], *config["decontaminate"]]))
    trains = any(methods.parse(run.method).algorithm for run in all_runs(config))
    return names + (["train"] if trains else [])


def dump(settings: dict) -> str:
    """Return settings as canonical JSON, so that equal settings are equal text."""
    return json.dumps(settings, sort_keys=True)


def _fill(value, schema: dict, root: dict) -> None:
    """Fill defaults into a mapping, at every level of the schema."""
    if not isinstance(value, dict):
        return  # a wrong type: validation will say so
    schema = _dereference(schema, root)
    for key, sub in schema.get("properties", {}).items():
        if key not in value and "default" in _dereference(sub, root):
            value[key] = copy.deepcopy(_dereference(sub, root)["default"])
        if key in value:
            _fill(value[key], sub, root)
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        for key in value.keys() - schema.get("properties", {}).keys():
            _fill(value[key], others, root)


def _dereference(schema: dict, root: dict) -> dict:
    if "$ref" not in schema:
        return schema
    return root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]


def _depth(error: jsonschema.ValidationError):
    return len(error.absolute_path), list(map(str, error.absolute_path))


def _message(error: jsonschema.ValidationError) -> str:
    """Say one schema error with key, value and what is allowed."""
    key = ".".join(map(str, error.absolute_path))
    rule, wanted, value = error.validator, error.validator_value, error.instance
    if rule == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = sorted(value.keys() - known)[0]
        return f"unknown key {_join(key, unknown)!r}; {_choices(unknown, known)}"
    if rule == "required":
        missing = next(name for name in wanted if name not in value)
        description = error.schema["properties"][missing]["description"]
        return f"key {_join(key, missing)!r} is missing; {description}"
    if isinstance(value, str) and rule == "type" and _is_number(value):
        hint = "YAML reads 1e-4 as text, write 1.0e-4"
        return f"{key} = {value!r} is text, allowed: {wanted}; {hint}"
    allowed = {
        "type": f"a value of type {' or '.join(wanted) if isinstance(wanted, list) else wanted}",
        "enum": " or ".join(map(str, wanted)) if rule == "enum" else "",
        "minimum": f"at least {wanted}",
        "exclusiveMinimum": f"more than {wanted}",
        "maximum": f"at most {wanted}",
        "exclusiveMaximum": f"less than {wanted}",
        "minLength": "a text that is not empty",
        "minItems": "a list that is not empty" if wanted == 1 else f"a list of {wanted}",
        "maxItems": f"a list of {wanted}",
        "minProperties": "a mapping that is not empty",
        "uniqueItems": "a list without duplicates",
        "pattern": f"a text that matches {wanted}",
    }[rule]
    return f"{key} = {json.dumps(value)} is not allowed; allowed: {allowed}"


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else str(name)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _choices(name: str, known: list[str]) -> str:
    """List what is allowed, the nearest first in a hint."""
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}allowed: {', '.join(known)}"


def _cross_check(config: dict) -> None:
    """Refuse what is right key by key and wrong together."""
    plain = [methods.ORIGINAL, *methods.ALGORITHMS]
    allowed = [*plain, *(f"{algorithm}{methods.REPRO}" for algorithm in methods.ALGORITHMS)]
    for method in config["methods"]:
        if method not in allowed:
            raise ValueError(f"methods: {method!r} does not exist; {_choices(method, allowed)}")
    for method in config["objective"]["methods"]:
        if method not in allowed:
            message = f"objective.methods: {method!r} does not exist"
            raise ValueError(f"{message}; {_choices(method, allowed)}")
    if config["ablations"]["method"] not in set(allowed) - set(plain):
        method, allowed = config["ablations"]["method"], sorted(set(allowed) - set(plain))
        raise ValueError(f"ablations.method = {method!r}; {_choices(method, allowed)}")
    for name, backbone in config["backbones"].items():
        _check_backbone(name, backbone)
    _check_ablations(config)
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
    _check_data(config)


def _check_backbone(name: str, backbone: dict) -> None:
    source = backbone["source"]
    wanted = HUB_KEYS if source == "hub" else TINYWORLD_KEYS
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


def _check_ablations(config: dict) -> None:
    ablations = config["ablations"]
    for name in ablations["backbones"] or []:
        if name not in config["backbones"]:
            choices = _choices(name, list(config["backbones"]))
            raise ValueError(f"ablations.backbones: unknown backbone {name!r}; {choices}")


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
        if benchmark["file"] and source != "directory":
            raise ValueError(f"benchmarks.{name}.file goes with data_source directory only")
        for key in PINS:
            if benchmark[key] and (name, source) != ("lcb", "hub"):
                raise ValueError(f"benchmarks.{name}.{key} goes with lcb and data_source hub only")
    if source != "directory":
        return
    for name in data_names(config):
        file = data_file(config, name)
        if not file.is_file():
            raise ValueError(
                f"data_dir = {config['data_dir']!r} has no {file.name}; wanted: {file}, "
                f"one JSON object a line, for {name}"
            )
