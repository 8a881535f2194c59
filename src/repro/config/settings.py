"""From a configuration to what each job is given; everything wrong is said here, before any job."""

from pathlib import Path

from snakemake.utils import update_config

from repro import methods
from repro.benchmarks import declared
from repro.config import checks
from repro.config.backbones import Backbone
from repro.config.models import Experiment, Sampling, Training
from repro.config.resolved import DataSettings, Generation, Judging, Run, RunSettings, whole
from repro.config.words import validate
from repro.files import strict_yaml
from repro.records import experiment as records

JUDGED = ("original", "grpo", "grpo+repro")  # objective.methods where it is null


def read(*files: str | Path) -> Experiment:
    """Return the experiment of configuration files, as `snakemake --configfile A B` reads them.

    ValueError: a file is not there, is no YAML, or something in it is wrong.
    """
    return resolve(merge(*files), " + ".join(map(str, files)))


def merge(*files: str | Path) -> dict:
    """Return what configuration files say together; ValueError: one is not there, or no YAML."""
    config = strict_yaml.read(files[0])
    for file in files[1:]:
        update_config(config, strict_yaml.read(file))
    return config


def resolve(config: dict, source: str, read_data: bool = True) -> Experiment:
    """Return the experiment that a configuration, as read from YAML, describes.

    Local models, templates and files of problems are looked at if `read_data`.
    ValueError: something is wrong; one message names `source`, key, value and what is allowed.
    """
    try:
        experiment = _complete(validate(config, Experiment))
        checks.check(experiment, main_runs(experiment), all_runs(experiment), read_data)
        for run in main_runs(experiment):  # whose names may hold a setting
            run_settings(experiment, *run)
        wanted = [data_settings(experiment, name) for name in data_names(experiment)]
        checks.check_data(experiment, wanted, read_data)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    return experiment


def _complete(experiment: Experiment) -> Experiment:
    """Take the subset, and the note as one line."""
    checks.check_runs(experiment)  # of the whole, because a subset may lack what they name
    found = {"note": " ".join(experiment.note.split())}  # in tables and below figures
    for group, names in experiment.subset:
        if names:
            every = getattr(experiment, group)
            checks.check_known(f"subset.{group}", names, every, "does not exist")
            found[group] = {name: value for name, value in every.items() if name in names}
    return experiment.model_copy(update=found)


def ablation_runs(experiment: Experiment, key: str) -> list[Run]:
    """Return the runs of one ablation: every value, and the plain algorithm as the baseline.

    The value that `process_reward` already has is the default run of the main table: it is shared,
    never trained twice.
    """
    ablations, default = experiment.ablations, getattr(experiment.process_reward, key)
    if not getattr(ablations, key):
        return []
    names, runs = [methods.plain_algorithm(ablations.method)], []
    for value in sorted({*getattr(ablations, key), default}, key=methods.as_number):
        ablation = "" if value == default else f"~{key}={str(value).removesuffix('.0')}"
        names.append(ablations.method + ablation)
    main = main_runs(experiment)
    for backbone in ablations.backbones or experiment.backbones:
        same = [run.seed for run in main if run[:2] == (backbone, ablations.method)]
        runs += [Run(backbone, name, s) for name in names for s in ablations.seeds or same]
    return runs


def main_runs(experiment: Experiment) -> list[Run]:
    """Return the runs of the main table in its order: backbones, methods as blocks name them."""
    seeds: dict[str, dict[str, set[int]]] = {name: {} for name in experiment.backbones}
    for block in experiment.grid:
        for backbone in set(block.backbones or seeds) & set(seeds):  # a subset lacks the others
            for method in block.methods:
                seeds[backbone].setdefault(method, set()).update(block.seeds)
    return [Run(b, m, s) for b, of in seeds.items() for m in of for s in sorted(of[m])]


def objective_runs(experiment: Experiment) -> list[Run]:
    """Return the runs of the main table whose responses the model itself judges."""
    chosen, seeds = experiment.objective.methods, experiment.objective.seeds
    chosen = JUDGED if chosen is None else chosen
    runs = [run for run in main_runs(experiment) if run.method in chosen]
    return [run for run in runs if run.seed in (seeds or [run.seed])]


def all_runs(experiment: Experiment) -> list[Run]:
    """Return every run of the experiment once."""
    ablated = [run for key in methods.ABLATED for run in ablation_runs(experiment, key)]
    return list(dict.fromkeys(main_runs(experiment) + ablated))


def experiment_record(experiment: Experiment) -> records.Experiment:
    """Return what the analysis has to know."""
    groups = {"all": all_runs(experiment), "main": main_runs(experiment)}
    groups |= {"objective": objective_runs(experiment)}
    groups |= {key: ablation_runs(experiment, key) for key in methods.ABLATED}
    return records.Experiment(
        name=experiment.name,
        note=experiment.note,
        benchmarks=sorted(experiment.benchmarks),
        runs={group: [f"runs/{run.path}" for run in runs] for group, runs in groups.items()},
    )


def run_settings(experiment: Experiment, backbone: str, method: str, seed: int) -> RunSettings:
    """Return all that decides one run's weights: what changes here is trained again."""
    parts = methods.parse(method)
    process_reward = whole(experiment.process_reward) if parts.rule else None
    if parts.rule and not parts.repro:  # runs of RePro stay what they are
        process_reward["rule"] = parts.rule
    if parts.ablated:
        process_reward[parts.ablated] = parts.setting()
    given = {
        "backbone": backbone,
        "method": method,
        "algorithm": parts.algorithm,
        "seed": seed,
        "training": _decisive(experiment.training, parts.algorithm) if parts.algorithm else None,
        "process_reward": process_reward,
        "backbone_settings": whole(experiment.backbones[backbone]),
    }
    return validate(given, RunSettings, f"method {method!r}")


def _decisive(training: Training, algorithm: str) -> dict:
    """Return the settings of a training that an algorithm and its sampler read."""
    found = whole(training, "parallel", *(("critic", "lam") if algorithm != "ppo" else ()))
    share = found["critic"].pop("gpu_memory") if "critic" in found else None
    if share:
        found["rollouts"]["gpu_memory"] = share
    if training.rollouts.engine == "transformers":
        del found["rollouts"]  # vLLM's settings
    return found


def objective_settings(experiment: Experiment, backbone: str) -> Judging:
    """Return how a run's responses are judged by the model itself."""
    judged, of = whole(experiment.process_reward, "alpha", "k"), experiment.backbones[backbone]
    own = {key: value for key, value in whole(of).items() if key in Judging.model_fields}
    return Judging(**judged | own)


def backbone_settings(experiment: Experiment, name: str) -> Backbone:
    """Return what decides a backbone's model directory."""
    backbone = experiment.backbones[name]
    asked = () if backbone.source == "tinyworld" else ("prompt",)  # it learns from its prompts
    return type(backbone)(**whole(backbone, "thinking", *asked))


def data_settings(experiment: Experiment, name: str) -> DataSettings:
    """Return what decides one data file: a benchmark's, or `train`."""
    benchmark, source = experiment.benchmarks.get(name), experiment.data_source
    own = benchmark.path if benchmark else None
    found = {"name": name, "problems": benchmark.problems if benchmark else None}
    if own or source == "directory":
        file = own or Path(experiment.data_dir, (benchmark and benchmark.file) or f"{name}.jsonl")
        return DataSettings(**found, source="directory", file=str(file))
    if source == "hub":
        found |= {key: getattr(benchmark, key, None) for key in checks.PINS}
        asked = declared.protocols()[experiment.evaluation.protocol].get(name)
        narrowed = any(found[key] for key in checks.PINS)  # a stated release wins
        if asked and asked.data != name and not narrowed:
            found["dataset"] = asked.data
        return DataSettings(**found, source=source)
    return DataSettings(**found, source=source, seed=experiment.data_seed)


def generation_settings(experiment: Experiment, seed: int) -> Generation:
    """Return what decides the responses of a run; its seed is added to that of the evaluation.

    Because runs of `original` have the same weights and must not draw the same responses.
    """
    evaluation = whole(experiment.evaluation)
    sampling = {key: evaluation[key] for key in evaluation if key in Sampling.model_fields}
    samples = {name: {"samples": one.samples} for name, one in experiment.benchmarks.items()}
    return Generation(**sampling | {"seed": sampling["seed"] + seed, "benchmarks": samples})


def data_names(experiment: Experiment) -> list[str]:
    """Return the names of all data files that the experiment needs, `train` the last."""
    validation = experiment.training.validation
    validated = validation.benchmarks if validation else []
    trains = any(run.method != methods.ORIGINAL for run in all_runs(experiment))
    return [*dict.fromkeys([*experiment.benchmarks, *validated]), *["train"] * trains]
