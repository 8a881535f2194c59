"""The jobs of an experiment, rule by rule, with the time and the disk of each."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from repro import layout, methods, settings
from repro.benchmarks.declared import sources
from repro.cost import model, past
from repro.cost.assumptions import Assumptions
from repro.cost.model import Device, Shape

PROGRAMS = ("mbpp", "lcb")  # benchmarks whose answers are programs


@dataclass(frozen=True)
class Job:
    """One job of the workflow.

    Attributes:
        rule: its rule.
        seconds: on the devices it takes.
        of: what else tells its costs: the backbone, and of a training the kind of method.
        gpus: GPUs it takes; 0 for one CPU core.
        tokens: sampled; for a tiny backbone trained on.
        kept: bytes it leaves in the results.
        work: bytes it leaves under work/, which may be deleted afterwards.
        outputs: its files, where a record of them says how long it took.
        settings: what decides them, as JSON.
        measured: whether the seconds rest on records.
    """

    rule: str
    seconds: float
    of: tuple[str, ...] = ()
    gpus: int = 0
    tokens: float = 0
    kept: float = 0
    work: float = 0
    outputs: tuple[str, ...] = ()
    settings: str | None = None
    measured: bool = False


def plan(config: dict, assume: Assumptions) -> list[Job]:
    """Return what Snakemake plans for target `all` in an empty directory, by the model.

    Args:
        config: a resolved configuration.
        assume: as `assumptions.read` returns them.
    """
    light, device = assume["job_seconds"], model.device(assume, config["gpus"])
    shapes = {
        name: model.shape(name, backbone, config["results_dir"])
        for name, backbone in config["backbones"].items()
    }
    counts = {name: rows(config, name, assume) for name in settings.data_names(config)}
    trains = "train" in counts
    found = [Job("access", light)] if config["data_source"] == "hub" else []
    for name, count in counts.items():
        if trains or name in config["benchmarks"]:  # others are only kept out of the training set
            found.append(_data_job(config, name, count, assume))
    found += [_backbone_job(config, name, shapes[name], device, assume) for name in shapes]
    found.append(Job("store", light))
    for run in settings.all_runs(config):
        shape = shapes[run.backbone]
        chosen = settings.run_settings(config, run.backbone, run.method, run.seed)
        if chosen["algorithm"] is None:
            found.append(Job("original", 0))  # a link
        else:
            found.append(_training_job(config, chosen, shape, device, assume))
        found += _evaluation_jobs(config, run, counts, shape, device, assume)
    for run in settings.objective_runs(config):
        found += _objective_jobs(config, run, counts, shapes[run.backbone], device, assume)
    figures = ["curve"] * 3 * trains + ["evaluation_figure"] * 2
    if any(job.rule == "objective" for job in found):
        figures.append("objective_figure")
        gpus = layout.model_gpus(config)
        found.append(Job("case_study", assume["model_job_seconds"], gpus=gpus))
    figures += ["ablation" for key in methods.ABLATED if config["ablations"][key]]
    return [
        *found,
        *(
            Job(rule, light)
            for rule in ("write_tables", "claims", *figures, "overview", "track_summary")
        ),
        Job("all", 0),
    ]


def rows(config: dict, name: str, assume: Assumptions) -> int:
    """Return how many problems a benchmark, or the training set, has."""
    wanted = config["benchmarks"].get(name, {}).get("problems")
    source = settings.data_source(config, name)
    if source == "tinyworld":
        from repro.tinyworld.problems import PROBLEMS

        return wanted or PROBLEMS[name]
    if source == "directory":
        with open(settings.data_file(config, name), encoding="utf-8") as file:
            there = sum(1 for line in file if line.strip())
        return min(there, wanted or there)
    if name == "lcb":
        return min(int(assume["lcb_problems"]), downloaded(config, name))
    return downloaded(config, name)


def downloaded(config: dict, name: str) -> int:
    """Return how many problems a data set has on the hub, LiveCodeBench in the chosen release."""
    source = sources()[name]
    if "files" not in source:
        return source["rows"]
    files = source["files"]
    if name == "lcb":  # release vN is the first N files
        release = config["benchmarks"].get(name, {}).get("release") or source["release"]
        files = files[: int(release.removeprefix("v"))]
    return sum(file["rows"] for file in files)


def _data_job(config: dict, name: str, count: int, assume: Assumptions) -> Job:
    rule = "training_data" if name == "train" else "data"
    source = settings.data_source(config, name)
    if source == "directory":
        size = settings.data_file(config, name).stat().st_size
        return Job(rule, assume["job_seconds"], kept=size)
    if source == "tinyworld":
        return Job(rule, assume["job_seconds"], kept=count * assume["problem_bytes"])
    each = assume["lcb_problem_bytes" if name == "lcb" else "problem_bytes"]
    download = downloaded(config, name) * each  # it stays in the hub's cache
    seconds = assume["job_seconds"] + download / assume["download_bytes_per_second"]
    return Job(rule, seconds, kept=download + count * each)


def _backbone_job(
    config: dict, name: str, shape: Shape, device: Device, assume: Assumptions
) -> Job:
    backbone = config["backbones"][name]
    job = Job(
        "backbone",
        assume["model_job_seconds"],
        of=(name,),
        outputs=(f"{config['results_dir']}/backbones/{name}",),
        settings=settings.dump(settings.backbone_settings(config, name)),
    )
    if backbone["source"] == "directory":
        return job  # its weights are linked
    if backbone["source"] == "hub":
        size = 2 * shape.parameters  # bfloat16
        download = size / assume["download_bytes_per_second"]
        return replace(job, seconds=job.seconds + download, kept=size)
    batch, width = backbone["batch_size"], assume["supervised_tokens"]
    step = 3 * model.pass_seconds(shape, device, batch, width, batch)  # forward and backward
    return replace(
        job,
        seconds=job.seconds + backbone["steps"] * step,
        tokens=backbone["steps"] * batch * width,
        kept=model.FLOAT32 * shape.parameters,
    )


def _training_job(
    config: dict, run: dict, shape: Shape, device: Device, assume: Assumptions
) -> Job:
    training, name = run["training"], run["backbone"]
    step = model.step_seconds(run, shape, device, assume, model.spread(config))
    saves = math.ceil(training["steps"] / training["save_every"])
    saving = saves * model.checkpoint_seconds(run, shape, assume)
    generations = math.ceil(training["steps"] / training["updates_per_generation"])
    rollouts = training["prompts_per_step"] * training["num_generations"]
    mean = assume[f"train_share.{name}"] * training["max_completion_tokens"]
    kept, work = model.run_bytes(run, shape.parameters)
    return Job(
        "train",
        assume["model_job_seconds"] + training["steps"] * step + saving,
        of=(name, kind(run["method"])),
        gpus=config["gpus"],
        tokens=generations * rollouts * mean,
        kept=kept,
        work=work,
    )


def _evaluation_jobs(
    config: dict,
    run: settings.Run,
    counts: Mapping[str, int],
    shape: Shape,
    device: Device,
    assume: Assumptions,
) -> list[Job]:
    """Generating, scoring and tracking one run."""
    folder, name = f"{config['results_dir']}/runs/{run.path}", run.backbone
    light = assume["job_seconds"]
    gpus = layout.generation_gpus(config)
    together = model.device(assume, gpus, config["evaluation"]["tensor_parallel"])
    sampling = model.evaluation_seconds(
        config["evaluation"], name, batches(config, counts), shape, together, assume
    )
    responses = {key: counts[key] * b["samples"] for key, b in config["benchmarks"].items()}
    scoring = sum(n * assume[_scoring(config, key, name)] for key, n in responses.items())
    total, files = sum(responses.values()), sorted(responses)
    tokens = assume[f"generate_share.{name}"] * config["evaluation"]["max_new_tokens"]
    written = (tokens + assume[f"prompt_tokens.{name}"]) * assume[f"bytes_per_token.{name}"]
    asked = settings.dump(settings.generation_settings(config, run.seed))
    return [
        Job(
            "generate",
            assume["model_job_seconds"] + sampling,
            of=(name,),
            gpus=gpus,
            tokens=total * tokens,
            kept=total * (written + assume["row_bytes"]),
            outputs=tuple(f"{folder}/generations/{key}.jsonl" for key in files),
            settings=asked,
        ),
        Job(
            "score",
            light + scoring,
            outputs=tuple(f"{folder}/scores/{key}.json" for key in files),
        ),
        Job("track", light, outputs=(f"{folder}/mlflow.json",), settings=asked),
    ]


def _objective_jobs(
    config: dict,
    run: settings.Run,
    counts: Mapping[str, int],
    shape: Shape,
    device: Device,
    assume: Assumptions,
) -> list[Job]:
    """Judging the first response to some problems at every segment; no job without mathematics."""
    chosen, name = config["objective"], run.backbone
    judged = [key for key in chosen["benchmarks"] if key in config["benchmarks"]]
    if not judged:
        return []
    responses = sum(min(chosen["problems"], counts[key]) for key in judged)
    mean = assume[f"generate_share.{name}"] * config["evaluation"]["max_new_tokens"]
    prompt, cuts = assume[f"prompt_tokens.{name}"], mean / assume[f"segment_tokens.{name}"]
    seconds = model.pass_seconds(shape, device, 1, prompt + mean, 1)
    seconds += model.query_seconds(shape, device, 1, cuts * assume["probe_tokens"], mean / 2, 1)
    return [
        Job(
            "objective",
            assume["model_job_seconds"] + responses * seconds,
            of=(name,),
            gpus=layout.model_gpus(config),
            kept=responses * cuts * assume["cut_bytes"],
            outputs=(f"{config['results_dir']}/runs/{run.path}/objective.jsonl",),
            settings=settings.dump(settings.objective_settings(config, name)),
        )
    ]


def _scoring(config: dict, benchmark: str, backbone: str) -> str:
    """Name the assumption that says what a response costs to score."""
    if benchmark not in PROGRAMS:
        return "seconds_per_answer"
    many_tests = benchmark == "lcb" and config["data_source"] != "tinyworld"
    return "seconds_per_lcb_program" if many_tests else f"seconds_per_program.{backbone}"


def batches(config: dict, counts: Mapping[str, int]) -> dict[int, int]:
    """Return the batches of one evaluation: responses of a batch -> how many such batches.

    A batch holds whole problems of one benchmark, each with all its samples.
    """
    found = Counter()
    for name, benchmark in config["benchmarks"].items():
        samples = benchmark["samples"]
        at_once = max(1, config["evaluation"]["batch_size"] // samples)
        found[at_once * samples] += counts[name] // at_once
        found[counts[name] % at_once * samples] += 1
    return {responses: n for responses, n in found.items() if responses and n}


def kind(method: str) -> str:
    """Return what tells a training's costs: whether there is a critic, and RePro's scoring."""
    parts = methods.parse(method)
    name = "with critic" if parts.algorithm == "ppo" else "without critic"
    return f"{name} + RePro" if parts.repro else name


def same_backbone(config: dict, run: dict) -> bool:
    """Whether a past run's backbone has the sizes that the configuration's has."""
    now = config["backbones"].get(run["backbone"])
    keys = (
        *("source", "repo", "path", "architecture"),
        *("hidden_size", "layers", "heads", "key_value_heads"),
    )
    return now is not None and all(now.get(k) == run["backbone_settings"].get(k) for k in keys)


def learn_lengths(finished: Sequence[past.Training], assume: Assumptions) -> None:
    """Take the mean length of past rollouts, as a share of their limit, for each backbone."""
    shares = {}
    for one in finished:
        limit = one.run["training"]["max_completion_tokens"]
        shares.setdefault(one.run["backbone"], []).append(one.response_tokens / limit)
    for name, found in shares.items():
        reason = f"mean rollout, as a share of the limit; measured in {len(found)} runs"
        assume.replace(f"train_share.{name}", fmean(found), reason)


def correct(
    planned: Sequence[Job],
    config: dict,
    finished: Sequence[past.Training],
    assume: Assumptions,
) -> list[Job]:
    """Put measured times in the place of the model's.

    A training takes the model's steps times measured / modelled of past steps, each modelled with
    its own settings, on the same backbone with the same kind of method: for equal settings that is
    what was measured. Another job takes the time of its own record, or else the mean of those of
    the same rule and backbone.
    """
    factors = _factors(config, finished, assume)
    start = assume["model_job_seconds"]
    # Without a finished training nothing says on which GPU the other jobs ran.
    recorded = (finished or not config["gpus"]) and not past.records_hold_waiting()
    seen: dict[tuple[str, tuple[str, ...]], list[float]] = {}
    generated, times = None, []  # a run's scoring comes next after its generation
    for job in planned:
        took = past.job_seconds(job.outputs, job.settings) if recorded else None
        if job.rule == "generate":
            generated = took
        if job.rule == "score" and generated is None:
            took = None  # of other responses
        if took is not None:
            seen.setdefault((job.rule, job.of), []).append(took)
        if job.rule == "train" and job.of in factors:
            took = start + (job.seconds - start) * factors[job.of]
        times.append(took)
    corrected = []
    for job, took in zip(planned, times, strict=True):
        if took is None and (job.rule, job.of) in seen:
            took = fmean(seen[job.rule, job.of])
        corrected.append(job if took is None else replace(job, seconds=took, measured=True))
    return corrected


def _factors(
    config: dict, finished: Sequence[past.Training], assume: Assumptions
) -> dict[tuple[str, ...], float]:
    """Measured over modelled seconds of a step, by backbone and kind of method."""
    device, found = model.device(assume, config["gpus"]), {}
    for one in finished:
        name = one.run["backbone"]
        shape = model.shape(name, config["backbones"][name], config["results_dir"])
        modelled = model.step_seconds(one.run, shape, device, assume, one.spread)
        found.setdefault((name, kind(one.run["method"])), []).append(one.step_seconds / modelled)
    return {of: fmean(ratios) for of, ratios in found.items()}
