"""What is right key by key and wrong together, or wrong on this disk: said before any job."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from repro import methods, tinyworld
from repro.benchmarks import declared
from repro.config import layout
from repro.config.words import choices, shown
from repro.files import model_folder
from repro.tinyworld.problems import PROBLEMS

PINS = ("release", "window")  # of LiveCodeBench on the hub
COMMIT = re.compile("[0-9a-f]{40}")
PLACES = ("results", "work")  # nothing is written anywhere else
SQLITE = "sqlite:///"


def check(config: dict) -> None:
    """Refuse settings that do not go together.

    Args:
        config: a configuration that its models take.

    Raises:
        ValueError: one message names key, value and what is allowed.
    """
    _check_places(config)
    _check_methods(config)
    for name, backbone in config["backbones"].items():
        _check_backbone(name, backbone)
        _check_thinking(config, name, backbone)
    _check_ablations(config)
    _check_benchmarks(config)
    _check_sources(config)
    _check_training(config["training"])
    _check_rollouts(config["training"], config["gpus"])
    layout.check(config)
    _check_lengths(config)


def check_data(config: dict, wanted: Sequence[dict], read: bool = True) -> None:
    """Refuse local files of problems that are not there or damaged, before the first job.

    Args:
        config: a configuration that its models take.
        wanted: what decides each data file that the experiment needs, see `settings.data_settings`.
        read: whether to read local files to their end; without it they must be there only.

    Raises:
        ValueError: one message names key, value and what is allowed, or file, line and field.
    """
    for what in wanted:
        _check_problems(config, what, read)


def _check_sources(config: dict) -> None:
    """Refuse keys of another data source."""
    source = config["data_source"]
    if (source == "directory") != (config["data_dir"] is not None):
        raise ValueError(
            f"data_dir = {shown(config['data_dir'])} does not go with data_source = {source!r}; "
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
                f"benchmarks.{name}.file = {benchmark['file']!r} goes with data_source directory "
                "only, and not with path; allowed: null"
            )
        for key in PINS:
            on_hub = name == "lcb" and source == "hub" and not benchmark["path"]
            if benchmark[key] and not on_hub:
                raise ValueError(
                    f"benchmarks.{name}.{key} = {shown(benchmark[key])} goes with lcb and "
                    "data_source hub only; allowed: null"
                )
        _check_window(name, benchmark["window"])


def _check_places(config: dict) -> None:
    """Refuse to write outside of `PLACES`, also where a link leads out of them."""
    places = {"results_dir": config["results_dir"]}
    if config["tracking_uri"].startswith(SQLITE):
        places["tracking_uri"] = config["tracking_uri"].removeprefix(SQLITE)
    for key, place in places.items():
        roots = PLACES[:1] if key == "results_dir" else PLACES
        try:
            inside = any(Path(place).resolve().is_relative_to(Path(r).resolve()) for r in roots)
        except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
            raise ValueError(f"{key} = {config[key]!r}: {error}") from None
        if not inside:
            raise ValueError(
                f"{key} = {config[key]!r} leads out of {' and '.join(roots)}; allowed: a place "
                f"below {' or '.join(roots)}, which may themselves be links"
            )
    if Path(config["results_dir"]).exists() and not Path(config["results_dir"]).is_dir():
        raise ValueError(f"results_dir = {config['results_dir']!r} is a file; allowed: a folder")


def _check_methods(config: dict) -> None:
    plain = [methods.ORIGINAL, *methods.ALGORITHMS]
    with_repro = [f"{algorithm}{methods.REPRO}" for algorithm in methods.ALGORITHMS]
    allowed = [*plain, *with_repro]
    for method in config["methods"]:
        if method not in allowed:
            raise ValueError(f"methods: {method!r} does not exist; {choices(method, allowed)}")
    for method in config["objective"]["methods"]:
        if method not in allowed:
            message = f"objective.methods: {method!r} does not exist"
            raise ValueError(f"{message}; {choices(method, allowed)}")
        if method not in config["methods"]:
            message = f"objective.methods: {method!r} is not among methods"
            raise ValueError(f"{message}; {choices(method, config['methods'])}")
    method = config["ablations"]["method"]
    if method not in with_repro:
        raise ValueError(f"ablations.method = {method!r}; {choices(method, with_repro)}")


def _check_training(training: dict) -> None:
    rollouts = training["prompts_per_step"] * training["num_generations"]
    if training["save_every"] % training["updates_per_generation"]:
        raise ValueError(
            f"training.save_every = {training['save_every']} is no multiple of "
            f"updates_per_generation = {training['updates_per_generation']}; a run can be resumed "
            "only between two generations; allowed: multiples of "
            f"{training['updates_per_generation']}"
        )
    if rollouts % training["micro_batch_size"]:
        raise ValueError(
            f"training.micro_batch_size = {training['micro_batch_size']} does not divide the "
            f"{rollouts} rollouts of a step (prompts_per_step x num_generations); allowed: "
            f"divisors of {rollouts}"
        )


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


def _check_lengths(config: dict) -> None:
    """Refuse more tokens than a model's context holds, where it is known before any job."""
    training, evaluation = config["training"], config["evaluation"]
    trained = any(methods.parse(method).algorithm for method in config["methods"])
    trained = trained or any(config["ablations"][key] for key in methods.ABLATED)
    for name, backbone in config["backbones"].items():
        context = None
        if backbone["source"] == "tinyworld":
            context = tinyworld.CONTEXT
        elif backbone["source"] == "directory":
            context = model_folder.read_size(backbone["path"], "max_position_embeddings")
        if context is None:
            continue
        longest = training["max_prompt_tokens"] + training["max_completion_tokens"]
        if trained and longest > context:
            raise ValueError(
                f"training.max_prompt_tokens = {training['max_prompt_tokens']} and "
                f"max_completion_tokens = {training['max_completion_tokens']} are {longest} tokens "
                f"together; allowed: {context}, the context of backbone {name}"
            )
        if evaluation["max_new_tokens"] >= context:
            raise ValueError(
                f"evaluation.max_new_tokens = {evaluation['max_new_tokens']} leaves no room for a "
                f"prompt; allowed: less than {context}, the context of backbone {name}"
            )


def _check_backbone(name: str, backbone: dict) -> None:
    source = backbone["source"]
    template = backbone["chat_template"]
    if template is not None:
        try:
            Path(template).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or "not a text in UTF-8"
            message = f"backbones.{name}.chat_template = {template!r}: {said}"
            raise ValueError(f"{message}; allowed: a file with a Jinja template") from None
    for key, divisor in (("hidden_size", "heads"), ("heads", "key_value_heads")):
        if source == "tinyworld" and backbone[key] % backbone[divisor]:
            raise ValueError(
                f"backbones.{name}.{key} = {backbone[key]} is no multiple of "
                f"{divisor} = {backbone[divisor]}; allowed: multiples of it"
            )
    _check_code(name, backbone)
    if source == "directory":
        try:
            model_folder.check(
                backbone["path"],
                has_template=template is not None,
                trust_remote_code=backbone["trust_remote_code"],
            )
        except ValueError as error:
            raise ValueError(f"backbones.{name}.path = {error}") from None


def _check_thinking(config: dict, name: str, backbone: dict) -> None:
    """Refuse what needs thoughts where the model has none."""
    if backbone["thinking"] == "required":
        return
    judged = [*config["methods"], *config["objective"]["methods"]]
    ablated = [config["ablations"]["method"] for key in methods.ABLATED if config["ablations"][key]]
    with_repro = [method for method in (*judged, *ablated) if methods.parse(method).repro]
    if backbone["source"] == "tinyworld" or with_repro:
        because = f"with {with_repro[0]}, which needs thoughts" if with_repro else "with tinyworld"
        raise ValueError(
            f"backbones.{name}.thinking = 'none' does not go {because}; allowed: required"
        )


def _check_code(name: str, backbone: dict) -> None:
    """Refuse to run code that comes with a model and can change, or where there is none."""
    if not backbone["trust_remote_code"]:
        return
    if backbone["source"] == "tinyworld":
        raise ValueError(
            f"backbones.{name}.trust_remote_code = true does not go with source tinyworld; "
            "allowed: false, or source hub or directory"
        )
    if backbone["source"] == "hub" and not COMMIT.fullmatch(backbone["revision"]):
        raise ValueError(
            f"backbones.{name}.revision = {backbone['revision']!r} does not go with "
            "trust_remote_code, because a branch or tag can change what runs; allowed: the whole "
            "hash of a commit, 40 digits"
        )


def _check_ablations(config: dict) -> None:
    ablations = config["ablations"]
    for name in ablations["backbones"] or []:
        if name not in config["backbones"]:
            known = choices(name, list(config["backbones"]))
            raise ValueError(f"ablations.backbones: unknown backbone {name!r}; {known}")
    for key in methods.ABLATED:
        for value in ablations[key]:
            if float(f"{value:g}") != value:  # the run's name holds it
                raise ValueError(
                    f"ablations.{key} = {ablations[key]}: {value!r} has too many digits; allowed: "
                    "numbers of at most six"
                )
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


def _check_window(name: str, window: list[str] | None) -> None:
    try:
        dates = [date.fromisoformat(day) for day in window or ()]
    except ValueError:
        dates = None
    if dates is None or dates != sorted(dates):
        raise ValueError(
            f"benchmarks.{name}.window = {shown(window)}; allowed: two dates, the earlier one first"
        )


def _check_problems(config: dict, what: dict, read: bool) -> None:
    """Refuse a benchmark, or `train`, whose problems the data source does not have."""
    name, source = what["name"], what["source"]
    if source != "directory":
        there = declared.sources() if source == "hub" else PROBLEMS
        if name not in there:
            lacks = "has no pins in sources.yml" if source == "hub" else "is not generated"
            raise ValueError(
                f"benchmarks.{name} {lacks}, which data_source = {source!r} needs; allowed: "
                f"{', '.join(key for key in there if key != declared.TRAIN)}, or a file of your "
                f"own as benchmarks.{name}.path"
            )
        return
    file, own = what["file"], config["benchmarks"].get(name, {}).get("path")
    where = f"benchmarks.{name}.path = {own!r}" if own else f"data_dir = {config['data_dir']!r}"
    lacks = ": no such file" if own else f" has no {Path(file).name}"
    try:
        lacks = "" if Path(file).is_file() else lacks
    except OSError as error:
        lacks = f": {error.strerror}"
    if lacks:
        raise ValueError(f"{where}{lacks}; wanted: {file}, one JSON object a line, for {name}")
    if not read:
        return
    try:
        count = declared.check_file(file, name)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if (what["problems"] or 0) > count:
        raise ValueError(
            f"benchmarks.{name}.problems = {what['problems']}; allowed: null or at most {count}, "
            f"the problems in {file}"
        )
