"""From a configuration to what each job is given; everything wrong is said here, before any job."""

import itertools
import json
from pathlib import Path
from typing import NamedTuple

from snakemake.utils import update_config

from repro import methods
from repro.benchmarks import declared
from repro.config import checks
from repro.config.backbones import Backbone
from repro.config.models import Experiment, Sampling, Training
from repro.config.resolved import DataSettings, Generation, Judging, RunSettings, whole
from repro.config.words import check_plain, validate
from repro.files import strict_yaml
from repro.records import experiment as records

JUDGED = ("original", "grpo", "grpo+repro")  # objective.methods where it is null


class Run(NamedTuple):
    """The unit of everything: one backbone, one method, one seed."""

    backbone: str
    method: str
    seed: int

    @property
    def path(self) -> str:
        """Where the run lies below `results_dir/runs`."""
        return f"{self.backbone}/{self.method}/{self.seed}"


def read(*files: str | Path) -> Experiment:
    """Return the experiment of configuration files, as `snakemake --configfile A B` reads them.

    Raises:
        ValueError: a file is not there, is no YAML, or something in it is wrong.
    """
    config = strict_yaml.read(files[0])
    for file in files[1:]:
        update_config(config, strict_yaml.read(file))
    return resolve(config, " + ".join(map(str, files)))


def resolve(config: dict, source: str, read_data: bool = True) -> Experiment:
    """Return the experiment that a configuration, as read from YAML, describes.

    Local files of problems are read to their end if `read_data`; otherwise they must be there.

    Raises:
        ValueError: something is wrong; one message names `source`, key, value and what is allowed.
    """
    try:
        check_plain(config)
        experiment = _complete(validate(config, Experiment))
        checks.check(experiment)
        wanted = [data_settings(experiment, name) for name in data_names(experiment)]
        checks.check_data(experiment, wanted, read_data)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    return experiment


def _complete(experiment: Experiment) -> Experiment:
    """Take the subset, and fill in what depends on other settings."""
    found = {"note": " ".join(experiment.note.split())}  # one line in tables and below figures
    more = experiment.more_seeds.backbones or []  # of the whole: a subset may lack them
    checks.check_known("more_seeds.backbones", more, experiment.backbones, "does not exist")
    for group, names in experiment.subset:
        if names:
            every = getattr(experiment, group)
            checks.check_known(f"subset.{group}", names, every, "does not exist")
            found[group] = {name: value for name, value in every.items() if name in names}
    if experiment.objective.methods is None:
        judged = [name for name in JUDGED if name in experiment.methods]
        found["objective"] = experiment.objective.model_copy(update={"methods": judged})
    return experiment.model_copy(update=found)


def ablation_runs(experiment: Experiment, key: str) -> list[Run]:
    """Return the runs of one ablation: every value, and the plain algorithm as the baseline.

    The value that `process_reward` already has is the default run of the main table: it is shared,
    never trained twice.
    """
    ablations, default = experiment.ablations, getattr(experiment.process_reward, key)
    if not getattr(ablations, key):
        return []
    names = [methods.plain_algorithm(ablations.method)]
    for value in sorted({*getattr(ablations, key), default}):
        ablation = "" if value == default else f"~{key}={repr(value).removesuffix('.0')}"
        names.append(ablations.method + ablation)
    backbones = ablations.backbones or list(experiment.backbones)
    return [Run(b, name, s) for b in backbones for name in names for s in experiment.seeds]


def main_runs(experiment: Experiment) -> list[Run]:
    """Return the runs of the main table, in the table's order."""
    more, runs = experiment.more_seeds, []
    for backbone, method in itertools.product(experiment.backbones, experiment.methods):
        wanted = backbone in (more.backbones or [backbone]) and method in (more.methods or [method])
        seeds = [*experiment.seeds, *(more.seeds if wanted else ())]
        runs += [Run(backbone, method, seed) for seed in dict.fromkeys(seeds)]
    return runs


def objective_runs(experiment: Experiment) -> list[Run]:
    """Return the runs of the main table whose responses the model itself judges."""
    return [run for run in main_runs(experiment) if run.method in experiment.objective.methods]


def all_runs(experiment: Experiment) -> list[Run]:
    """Return every run of the experiment once."""
    ablations = (ablation_runs(experiment, key) for key in methods.ABLATED)
    return list(dict.fromkeys(itertools.chain(main_runs(experiment), *ablations)))


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
    process_reward = whole(experiment.process_reward) if parts.repro else None
    if parts.ablated:
        process_reward[parts.ablated] = json.loads(parts.value)
    return RunSettings(
        backbone=backbone,
        method=method,
        algorithm=parts.algorithm,
        seed=seed,
        training=_decisive(experiment.training, parts.algorithm) if parts.algorithm else None,
        process_reward=process_reward,
        backbone_settings=whole(experiment.backbones[backbone]),
    )


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
    judged = whole(experiment.process_reward, "alpha", "k")
    if experiment.backbones[backbone].trust_remote_code:
        judged["trust_remote_code"] = True
    return Judging(**judged)


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
        asked = declared.read_protocol(experiment.evaluation.protocol).get(name)
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
    names = [*experiment.benchmarks, *experiment.decontaminate, *validated]
    names = list(dict.fromkeys(names))
    trains = any(methods.parse(run.method).algorithm for run in all_runs(experiment))
    return names + (["train"] if trains else [])
