"""What is right section by section and wrong together, or wrong on this disk, before any job."""

import math
import os
from collections.abc import Iterable, Sequence
from typing import NoReturn

from repro import methods, tinyworld
from repro.benchmarks import declared
from repro.config.backbones import Backbone
from repro.config.models import Experiment
from repro.config.resolved import DataSettings, Run
from repro.config.words import choices, shown
from repro.files import model_folder
from repro.tinyworld.problems import PROBLEMS

PINS = ("release", "window")  # of LiveCodeBench on the hub


def check_runs(experiment: Experiment) -> None:
    """Refuse backbones and methods that no run can have, by ValueError."""
    with_repro = [f"{algorithm}{methods.REPRO}" for algorithm in methods.ALGORITHMS]
    plain = [methods.ORIGINAL, *methods.ALGORITHMS]
    for number, block in enumerate(experiment.grid):
        key, named = f"grid.{number}", block.backbones or []
        check_known(f"{key}.backbones", named, experiment.backbones, "does not exist")
        for base in (name.partition("~")[0] for name in block.methods):
            algorithm = base.partition("+")[0]
            known = algorithm in methods.ALGORITHMS
            ruled = [f"{algorithm}+{rule}" for rule in methods.RULES if known]
            check_known(f"{key}.methods", [base], [*plain, *ruled], "does not exist")
    check_known("ablations.method", [experiment.ablations.method], with_repro, "is not allowed")


def check(experiment: Experiment, main: Sequence[Run], every: Sequence[Run], read: bool) -> None:
    """Refuse, by ValueError, settings that do not go together; `main` are the main table's runs.

    Models and templates on the disk are looked at if `read`.
    """
    _check_names(experiment, main)
    for name, backbone in experiment.backbones.items():
        _check_backbone(name, backbone, every, experiment.process_reward.close_thought, read)
    _check_ablations(experiment, main)
    _check_w(experiment, every)
    _check_sources(experiment)
    _check_processes(experiment, every)
    _check_sizes(experiment, every)


def check_known(key: str, names: Iterable[str], known: Iterable[str], lacks: str) -> None:
    """Refuse a name that is not among those known; `lacks` says what is wrong with it."""
    for name in names:
        if name not in known:
            raise ValueError(f"{key}: {name!r} {lacks}; {choices(name, known)}")


def _refuse(setting: str, wrong: str, allowed: str) -> NoReturn:
    raise ValueError(f"{setting} {wrong}; allowed: {allowed}")


def _check_names(experiment: Experiment, main: Sequence[Run]) -> None:
    known, objective = declared.benchmarks(), experiment.objective
    mathematics = [name for name in known if known[name].in_domain]
    ablated, backbones = experiment.ablations.backbones or [], experiment.backbones
    for name in backbones:
        if all(run.backbone != name for run in main):
            allowed = "blocks that name it or have backbones: null, or a subset without it"
            _refuse(f"grid: {name!r}", "is a backbone without a block", allowed)
    _, there, seeds = (dict.fromkeys(column) for column in zip(*main, strict=True))
    check_known("objective.methods", objective.methods or [], there, "is not in the grid")
    check_known("objective.seeds", objective.seeds or [], seeds, "is not in the grid")
    check_known("ablations.backbones", ablated, backbones, "is not among backbones")
    check_known("benchmarks", experiment.benchmarks, known, "does not exist")
    evaluation, protocols = experiment.evaluation, declared.protocols()
    check_known("evaluation.protocol", [evaluation.protocol], protocols, "does not exist")
    if validation := experiment.training.validation:
        key = "training.validation"
        check_known(f"{key}.benchmarks", validation.benchmarks, known, "does not exist")
        check_known(f"{key}.protocol", [validation.protocol], protocols, "does not exist")
        both = [name for name in validation.benchmarks if name in experiment.benchmarks]
        if both and experiment.training.evaluate == "best-validation":
            wrong = f"chooses by {', '.join(both)}, which the tables report"
            allowed = f"last, a step, or {key}.benchmarks that are not evaluated"
            _refuse("training.evaluate = 'best-validation'", wrong, allowed)
    check_known("objective.benchmarks", objective.benchmarks, mathematics, "is not allowed")


def _check_backbone(
    name: str, backbone: Backbone, runs: Sequence[Run], close_thought: bool, read: bool
) -> None:
    """Refuse files that cannot be used, and what needs tags where the model has none."""
    key, template = f"backbones.{name}", backbone.chat_template
    of = [methods.parse(run.method) for run in runs if run.backbone == name]
    if read and template is not None and not os.path.isfile(template):
        _refuse(f"{key}.chat_template = {template!r}", "is no file", "a file with a Jinja template")
    if read and backbone.source == "directory":
        try:
            model_folder.check(backbone.path, template is not None, backbone.trust_remote_code)
        except ValueError as error:
            raise ValueError(f"{key}.path = {error}") from None
    if backbone.thinking == "none" and close_thought and any(one.rule for one in of):
        wrong = "does not go with process_reward.close_thought: there is no tag to close with"
        _refuse(f"{key}.thinking = 'none'", wrong, "required")


def _check_ablations(experiment: Experiment, main: Sequence[Run]) -> None:
    ablations = experiment.ablations
    there = {run.backbone for run in main if run.method == ablations.method}
    without = [name for name in ablations.backbones or experiment.backbones if name not in there]
    for key in methods.ABLATED:
        values = getattr(ablations, key)
        if values and without and not ablations.seeds:
            wrong = f"means those of {ablations.method} in the grid, where {without[0]} has none"
            _refuse("ablations.seeds = null", wrong, "seeds, or ablations.backbones without it")
        if set(values) == {getattr(experiment.process_reward, key)}:
            wrong = f"holds process_reward.{key} alone, which there is nothing to compare with"
            _refuse(f"ablations.{key} = {values}", wrong, "[], or another value")


def _check_w(experiment: Experiment, runs: Sequence[Run]) -> None:
    """Refuse a value of w where nothing reads it: the training would be a copy of another."""
    variant = experiment.process_reward.variant
    for name in dict.fromkeys(run.method for run in runs):
        method = methods.parse(name)
        if method.ablated == "w" and (variant == "reference" or method.rule not in methods.READ_W):
            wrong = f"{method.rule} does not read w with process_reward.variant = {variant!r}"
            _refuse(f"method {name!r}, of grid or ablations.w:", wrong, "alpha, k")


def _check_sources(experiment: Experiment) -> None:
    source, folder = experiment.data_source, experiment.data_dir
    wrong = f"does not go with data_source = {source!r}"
    if (source == "directory") != (folder is not None):
        allowed = "a folder with directory, null with tinyworld and hub"
        _refuse(f"data_dir = {shown(folder)}", wrong, allowed)
    for name, benchmark in experiment.benchmarks.items():
        if benchmark.file and (source != "directory" or benchmark.path):
            wrong = "goes with data_source directory only, and not with path"
            _refuse(f"benchmarks.{name}.file = {benchmark.file!r}", wrong, "null")
        for key in PINS:
            value = getattr(benchmark, key)
            if value and (name != "lcb" or source != "hub" or benchmark.path):
                wrong = "goes with lcb and data_source hub only"
                _refuse(f"benchmarks.{name}.{key} = {shown(value)}", wrong, "null")


def _check_processes(experiment: Experiment, runs: Sequence[Run]) -> None:
    """Refuse an engine that cannot sample for a training, and processes that cannot share it."""
    training, gpus, count = experiment.training, experiment.gpus, experiment.processes
    strategy, split = training.parallel.strategy, training.rollouts.tensor_parallel
    rollouts, micro = training.responses_per_step, training.micro_batch_size
    vllm, key = training.rollouts.engine == "vllm", "training.rollouts.engine = 'vllm'"
    if vllm and not gpus:  # its CPU build packs the weights and then takes no new ones
        _refuse(key, "does not go with gpus = 0", "transformers, or at least one GPU")
    if vllm and training.dtype != "bfloat16":  # TRL leaves the engine's precision to vLLM
        wrong = f"does not go with {key}, which samples in bfloat16"
        _refuse(f"training.dtype = {training.dtype!r}", wrong, "bfloat16")
    if gpus and count != gpus:
        allowed = f"null or {gpus}, because a process takes a GPU"
        wrong = f"does not go with gpus = {gpus}"
        _refuse(f"training.parallel.processes = {count}", wrong, allowed)
    if rollouts % (micro * count):
        wrong = f"on each of {count} processes does not divide the {rollouts} rollouts of a step"
        allowed = f"a divisor of {rollouts} (prompts_per_step x num_generations) as their product"
        _refuse(f"training.micro_batch_size = {micro}", wrong, allowed)
    setting = f"training.parallel.strategy = {strategy!r}"
    if strategy != "ddp" and gpus < 2:
        allowed = "ddp, or at least two GPUs to share the model"
        _refuse(setting, f"does not go with gpus = {gpus}", allowed)
    critics = any(methods.parse(run.method).algorithm == "ppo" for run in runs)
    if strategy.startswith("zero") and critics:
        _refuse(setting, "does not go with ppo, whose critic it does not train", "ddp, fsdp")
    if count % split:
        wrong = f"does not divide the {count} processes of a training"
        setting = f"training.rollouts.tensor_parallel = {split}"
        _refuse(setting, wrong, f"divisors of {count}")


def _check_sizes(experiment: Experiment, runs: Sequence[Run]) -> None:
    """Refuse splits and lengths that models do not allow, where that is known before any job."""
    training, evaluation = experiment.training, experiment.evaluation
    prompt, response = training.max_prompt_tokens, training.max_completion_tokens
    trained = any(run.method != methods.ORIGINAL for run in runs)
    sizes = {name: _sizes(backbone) for name, backbone in experiment.backbones.items()}
    for key, chosen in (("evaluation", evaluation), ("training.rollouts", training.rollouts)):
        setting = f"{key}.tensor_parallel = {chosen.tensor_parallel}"
        if chosen.tensor_parallel > 1 and (chosen.engine != "vllm" or not experiment.gpus):
            engine = f"{key}.engine = {chosen.engine!r} and gpus = {experiment.gpus}"
            _refuse(setting, f"does not go with {engine}", "1, or vllm on GPUs")
        for name, (heads, _) in sizes.items():
            if heads % chosen.tensor_parallel:
                wrong = f"does not divide the {heads} attention heads of backbones.{name}"
                _refuse(setting, wrong, f"divisors of {heads}")
    if evaluation.seed_by == "batch" and evaluation.tensor_parallel > 1:  # its own processes draw
        setting = f"evaluation.tensor_parallel = {evaluation.tensor_parallel}"
        _refuse("evaluation.seed_by = 'batch'", f"does not go with {setting}", "request, or null")
    for name, (_, context) in sizes.items():
        allowed = f"{context}, the context of backbone {name}"
        if trained and prompt + response > context:
            both = f"and max_completion_tokens = {response} are {prompt + response} tokens together"
            _refuse(f"training.max_prompt_tokens = {prompt}", both, allowed)
        if evaluation.max_new_tokens >= context:
            setting = f"evaluation.max_new_tokens = {evaluation.max_new_tokens}"
            _refuse(setting, "leaves no room for a prompt", f"less than {allowed}")
    samples = max(benchmark.samples for benchmark in experiment.benchmarks.values())
    for key, most in (("budgets", evaluation.max_new_tokens), ("at_k", samples)):
        if max(values := getattr(evaluation, key), default=0) > most:
            _refuse(f"evaluation.{key} = {values}", "exceeds the responses", f"at most {most}")


def _sizes(backbone: Backbone) -> tuple[int, float]:
    """Return a model's attention heads and context; 0 and infinity where only a job can say it."""
    if backbone.source == "tinyworld":
        return backbone.heads, tinyworld.CONTEXT
    if backbone.source != "directory":
        return 0, math.inf
    heads = model_folder.read_size(backbone.path, "num_attention_heads")
    context = model_folder.read_size(backbone.path, "max_position_embeddings")
    return heads or 0, context or math.inf


def check_data(experiment: Experiment, wanted: Sequence[DataSettings], read: bool = True) -> None:
    """Refuse problems that the data source does not have, and files of problems that are damaged.

    Of the data files that are wanted, local ones are read to their end if `read`. ValueError: one
    message names key and value, or file, line and field.
    """
    for data in wanted:
        if data.source == "directory":
            if read:
                _check_file(experiment, data)
            continue
        known = declared.sources() if data.source == "hub" else PROBLEMS
        if (data.dataset or data.name) not in known:
            lacks = "has no pins in sources.yml" if data.source == "hub" else "is not generated"
            allowed = ", ".join(key for key in known if key != declared.TRAIN)
            raise ValueError(
                f"benchmarks.{data.name} {lacks}, which data_source = {data.source!r} needs; "
                f"allowed: {allowed}, or a file of your own as benchmarks.{data.name}.path"
            )


def _check_file(experiment: Experiment, data: DataSettings) -> None:
    name, benchmark = data.name, experiment.benchmarks.get(data.name)
    where = f"data_dir = {experiment.data_dir!r}"
    if benchmark and benchmark.path:
        where = f"benchmarks.{name}.path = {benchmark.path!r}"
    try:
        count = declared.check_file(data.file, name)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if (data.problems or 0) > count:
        allowed = f"null or at most {count}, the problems in {data.file}"
        raise ValueError(f"benchmarks.{name}.problems = {data.problems}; allowed: {allowed}")
