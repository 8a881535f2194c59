"""What is right section by section and wrong together, or wrong on this disk, before any job."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from repro import methods, tinyworld
from repro.benchmarks import declared
from repro.config.backbones import Backbone
from repro.config.models import Evaluation, Experiment, Rollouts
from repro.config.resolved import DataSettings
from repro.config.tracking_uri import SQLITE
from repro.config.words import choices, shown
from repro.files import model_folder
from repro.tinyworld.problems import PROBLEMS

PINS = ("release", "window")  # of LiveCodeBench on the hub
PLACES = ("results", "work")  # nothing is written anywhere else


def check(experiment: Experiment) -> None:
    """Refuse settings that do not go together.

    Raises:
        ValueError: one message names key, value and what is allowed.
    """
    _check_places(experiment)
    _check_names(experiment)
    for name, backbone in experiment.backbones.items():
        _check_backbone(name, backbone, experiment)
    _check_ablations(experiment)
    _check_sources(experiment)
    _check_rollouts(experiment)
    _check_processes(experiment)
    _check_split("evaluation", experiment.evaluation, experiment)
    _check_split("training.rollouts", experiment.training.rollouts, experiment)
    _check_lengths(experiment)


def check_known(key: str, names: Iterable[str], known: Iterable[str], lacks: str) -> None:
    """Refuse a name that is not among those known; `lacks` says what is wrong with it."""
    known = list(known)
    for name in names:
        if name not in known:
            raise ValueError(f"{key}: {name!r} {lacks}; {choices(name, known)}")


def _check_places(experiment: Experiment) -> None:
    """Refuse to write outside of `PLACES`, also where a link leads out of them."""
    results_dir, uri = experiment.results_dir, experiment.tracking_uri
    places = [("results_dir", results_dir, results_dir, PLACES[:1])]
    if uri.startswith(SQLITE):
        places.append(("tracking_uri", uri, uri.removeprefix(SQLITE), PLACES))
    for key, value, place, roots in places:
        try:
            inside = any(Path(place).resolve().is_relative_to(Path(r).resolve()) for r in roots)
        except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
            raise ValueError(f"{key} = {value!r}: {error}") from None
        if not inside:
            raise ValueError(
                f"{key} = {value!r} leads out of {' and '.join(roots)}; allowed: a place "
                f"below {' or '.join(roots)}, which may themselves be links"
            )
    if Path(results_dir).exists() and not Path(results_dir).is_dir():
        raise ValueError(f"results_dir = {results_dir!r} is a file; allowed: a folder")


def _check_names(experiment: Experiment) -> None:
    """Refuse methods, backbones and benchmarks that do not exist, or not where they are named."""
    with_repro = [f"{algorithm}{methods.REPRO}" for algorithm in methods.ALGORITHMS]
    every = [methods.ORIGINAL, *methods.ALGORITHMS, *with_repro]
    known, objective = declared.benchmarks(), experiment.objective
    mathematics = [name for name in known if known[name].in_domain]
    ablated, backbones = experiment.ablations.backbones or [], experiment.backbones
    check_known("methods", experiment.methods, every, "does not exist")
    check_known("objective.methods", objective.methods, experiment.methods, "is not among methods")
    check_known("ablations.method", [experiment.ablations.method], with_repro, "is not allowed")
    check_known("ablations.backbones", ablated, backbones, "is not among backbones")
    check_known("decontaminate", experiment.decontaminate, known, "does not exist")
    check_known("objective.benchmarks", objective.benchmarks, mathematics, "is not allowed")
    for name in experiment.benchmarks:
        if name not in known:
            raise ValueError(f"unknown key {f'benchmarks.{name}'!r}; {choices(name, known)}")


def _check_backbone(name: str, backbone: Backbone, experiment: Experiment) -> None:
    """Refuse files that cannot be used, and what needs thoughts where the model has none."""
    template, with_repro = backbone.chat_template, [m for m in _methods(experiment) if m.repro]
    if template is not None:
        try:
            Path(template).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or "not a text in UTF-8"
            message = f"backbones.{name}.chat_template = {template!r}: {said}"
            raise ValueError(f"{message}; allowed: a file with a Jinja template") from None
    if backbone.source == "directory":
        try:
            model_folder.check(backbone.path, template is not None, backbone.trust_remote_code)
        except ValueError as error:
            raise ValueError(f"backbones.{name}.path = {error}") from None
    if backbone.thinking == "none" and with_repro:
        raise ValueError(
            f"backbones.{name}.thinking = 'none' does not go with "
            f"{with_repro[0].algorithm}{methods.REPRO}, which needs thoughts; allowed: required"
        )


def _check_ablations(experiment: Experiment) -> None:
    for key in methods.ABLATED:
        values = getattr(experiment.ablations, key)
        for value in values:
            if float(f"{value:g}") != value:  # the run's name holds it
                raise ValueError(
                    f"ablations.{key} = {values}: {value!r} has too many digits; allowed: numbers "
                    "of at most six"
                )
        if set(values) == {getattr(experiment.process_reward, key)}:
            raise ValueError(
                f"ablations.{key} = {values} holds nothing but process_reward.{key}, which there "
                "is nothing to compare with; allowed: [], or another value"
            )


def _check_sources(experiment: Experiment) -> None:
    """Refuse keys of another data source."""
    source = experiment.data_source
    if (source == "directory") != (experiment.data_dir is not None):
        raise ValueError(
            f"data_dir = {shown(experiment.data_dir)} does not go with data_source = {source!r}; "
            "allowed: a folder with directory, null with tinyworld and hub"
        )
    if source == "tinyworld" and experiment.decontaminate:
        raise ValueError(
            f"decontaminate = {experiment.decontaminate} does not go with data_source = "
            "'tinyworld'; allowed: [], because generated problems never overlap"
        )
    for name, benchmark in experiment.benchmarks.items():
        if benchmark.file and (source != "directory" or benchmark.path):
            raise ValueError(
                f"benchmarks.{name}.file = {benchmark.file!r} goes with data_source directory "
                "only, and not with path; allowed: null"
            )
        for key in PINS:
            on_hub = name == "lcb" and source == "hub" and not benchmark.path
            if getattr(benchmark, key) and not on_hub:
                raise ValueError(
                    f"benchmarks.{name}.{key} = {shown(getattr(benchmark, key))} goes with lcb and "
                    "data_source hub only; allowed: null"
                )


def _check_rollouts(experiment: Experiment) -> None:
    """Refuse what vLLM cannot do beside a trainer."""
    if experiment.training.rollouts.engine != "vllm":
        return
    if not experiment.gpus:  # its CPU build packs the weights and then takes no new ones
        raise ValueError(
            "training.rollouts.engine = 'vllm' does not go with gpus = 0; allowed: transformers, "
            "or at least one GPU"
        )
    if experiment.training.dtype != "bfloat16":  # TRL leaves the engine's precision to vLLM
        raise ValueError(
            f"training.dtype = {experiment.training.dtype!r} does not go with "
            "training.rollouts.engine = 'vllm', which samples in bfloat16; allowed: bfloat16"
        )


def _check_processes(experiment: Experiment) -> None:
    """Refuse processes that cannot share a training, or not in the way that is stated."""
    training, gpus, count = experiment.training, experiment.gpus, experiment.processes
    strategy, split = training.parallel.strategy, training.rollouts.tensor_parallel
    rollouts, micro = training.responses_per_step, training.micro_batch_size
    if gpus and count != gpus:
        raise ValueError(
            f"training.parallel.processes = {count} does not go with gpus = {gpus}; allowed: null "
            f"or {gpus}, because a process takes a GPU"
        )
    if rollouts % (micro * count):
        raise ValueError(
            f"training.micro_batch_size = {micro} on each of {count} processes does not divide the "
            f"{rollouts} rollouts of a step (prompts_per_step x num_generations); allowed: a "
            f"divisor of {rollouts} as their product"
        )
    if strategy != "ddp" and gpus < 2:
        raise ValueError(
            f"training.parallel.strategy = {strategy!r} does not go with gpus = {gpus}; allowed: "
            "ddp, or at least two GPUs to share the model"
        )
    if strategy.startswith("zero") and any(m.algorithm == "ppo" for m in _methods(experiment)):
        raise ValueError(
            f"training.parallel.strategy = {strategy!r} does not go with ppo, whose critic it does "
            "not train; allowed: ddp, fsdp"
        )
    if count % split:
        raise ValueError(
            f"training.rollouts.tensor_parallel = {split} does not divide the {count} processes of "
            f"a training; allowed: divisors of {count}"
        )


def _check_split(key: str, chosen: Evaluation | Rollouts, experiment: Experiment) -> None:
    """Refuse to split a model that its engine cannot, or over a number its heads do not allow."""
    split, gpus = chosen.tensor_parallel, experiment.gpus
    if split > 1 and (chosen.engine != "vllm" or not gpus):
        raise ValueError(
            f"{key}.tensor_parallel = {split} does not go with {key}.engine = {chosen.engine!r} "
            f"and gpus = {gpus}; allowed: 1, or vllm on GPUs"
        )
    for name, backbone in experiment.backbones.items():
        heads = getattr(backbone, "heads", None)  # of one on the hub vLLM says it
        if backbone.source == "directory":
            heads = model_folder.heads(backbone.path)
        if heads and heads % split:
            raise ValueError(
                f"{key}.tensor_parallel = {split} does not divide the {heads} attention heads of "
                f"backbones.{name}; allowed: divisors of {heads}"
            )


def _check_lengths(experiment: Experiment) -> None:
    """Refuse more tokens than a model's context holds, where it is known before any job."""
    training, new = experiment.training, experiment.evaluation.max_new_tokens
    trained = any(method.algorithm for method in _methods(experiment))
    longest = training.max_prompt_tokens + training.max_completion_tokens
    for name, backbone in experiment.backbones.items():
        context = tinyworld.CONTEXT if backbone.source == "tinyworld" else None
        if backbone.source == "directory":
            context = model_folder.context(backbone.path)
        if context and trained and longest > context:
            raise ValueError(
                f"training.max_prompt_tokens = {training.max_prompt_tokens} and "
                f"max_completion_tokens = {training.max_completion_tokens} are {longest} tokens "
                f"together; allowed: {context}, the context of backbone {name}"
            )
        if context and new >= context:
            raise ValueError(
                f"evaluation.max_new_tokens = {new} leaves no room for a prompt; allowed: less "
                f"than {context}, the context of backbone {name}"
            )


def _methods(experiment: Experiment) -> list[methods.Method]:
    """Return the methods of the main table and of the ablations, in their parts."""
    ablated = any(getattr(experiment.ablations, key) for key in methods.ABLATED)
    names = [*experiment.methods, *[experiment.ablations.method] * ablated]
    return [methods.parse(name) for name in names]


def check_data(experiment: Experiment, wanted: Sequence[DataSettings], read: bool = True) -> None:
    """Refuse problems that the data source does not have, and files of problems that are damaged.

    Args:
        experiment: its settings go together.
        wanted: what decides each data file that the experiment needs, see `settings`.
        read: whether to read local files to their end; without it they must be there only.

    Raises:
        ValueError: one message names key, value and what is allowed, or file, line and field.
    """
    for data in wanted:
        if data.source == "directory":
            _check_file(experiment, data, read)
            continue
        known = declared.sources() if data.source == "hub" else PROBLEMS
        if data.name not in known:
            lacks = "has no pins in sources.yml" if data.source == "hub" else "is not generated"
            raise ValueError(
                f"benchmarks.{data.name} {lacks}, which data_source = {data.source!r} needs; "
                f"allowed: {', '.join(key for key in known if key != declared.TRAIN)}, or a file "
                f"of your own as benchmarks.{data.name}.path"
            )


def _check_file(experiment: Experiment, data: DataSettings, read: bool) -> None:
    name, file, benchmark = data.name, data.file, experiment.benchmarks.get(data.name)
    own = benchmark.path if benchmark else None
    where = f"benchmarks.{name}.path = {own!r}" if own else f"data_dir = {experiment.data_dir!r}"
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
    if (data.problems or 0) > count:
        raise ValueError(
            f"benchmarks.{name}.problems = {data.problems}; allowed: null or at most {count}, the "
            f"problems in {file}"
        )
