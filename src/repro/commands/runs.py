"""Commands of a run: train it, sample its responses, score them, and look into them."""

import argparse
from contextlib import nullcontext
from pathlib import Path

from repro.commands.options import MANY, WORK, read_settings, takes
from repro.config.resolved import Generation, Judging, RunSettings, ScoreSettings, stated
from repro.config.words import validate
from repro.files import digests
from repro.records import provenance
from repro.records.experiment import RunFolder
from repro.verify import thinking


@takes(
    *("--settings", "--backbone", "--data", "--output"),
    sync_after={"type": float, "default": 0, "help": "seconds until MLflow gets the first metrics"},
)
def train(options: argparse.Namespace) -> None:
    """Train one run by reinforcement learning; logged where MLFLOW_TRACKING_URI says, if at all."""
    from repro.tracking import live
    from repro.training import launched, train

    launched.end_with_launcher()
    layout = launched.layout()
    run = read_settings(options.settings, RunSettings)
    validated = run.training.validation.benchmarks if run.training.validation else []
    problems = {name: Path(options.data).with_name(f"{name}.jsonl") for name in validated}
    inputs = {
        "backbone": digests.of_model(options.backbone),
        "data": digests.of_content(options.data),
        **{name: digests.of_content(file) for name, file in problems.items()},
    }
    decisive = stated(run)
    decisive["training"].pop("evaluate", None)  # another choice goes on from the last checkpoint
    # Only as many processes as wrote a checkpoint can go on from it: each has its random state.
    name = digests.of_values([decisive, inputs, *[layout] * bool(layout)])
    work, output = WORK / "training" / name, Path(options.output)
    logged = live.sync_while_training(run, work, options.sync_after)
    with logged if launched.is_first() else nullcontext():
        train.train_run(run, options.backbone, options.data, work, output)
    if launched.is_first():
        provenance.write(
            output / "provenance.json",
            "train",
            stated(run),
            {"backbone": options.backbone, "data": options.data, **problems},
            {"model": output / "model", "training": output / "training.jsonl"},
            options.started,
            **layout,
        )


@takes(
    *("--settings", "--run", "--model", "--data", "--output"),
    tensor_parallel={"type": int, "default": 1, "help": "GPUs over which vLLM splits the model"},
)
def generate(options: argparse.Namespace) -> None:
    """Sample responses to every benchmark of one run."""
    from repro.evaluation import generate

    run = read_settings(options.run, RunSettings)
    generation = read_settings(options.settings, Generation)
    work = WORK / "generations" / digests.of_values(stated(run))  # runs may have the same weights
    generate.generate_responses(
        *(generation, run.backbone_settings, options.model, options.data, work, options.output),
        tensor_parallel=options.tensor_parallel,
    )
    outputs = {name: Path(options.output) / f"{name}.jsonl" for name in generation.benchmarks}
    sources = {name: Path(options.data) / f"{name}.jsonl" for name in generation.benchmarks}
    started = options.started.timestamp()
    provenance.write(
        provenance.beside(options.output),
        "generate",
        {"evaluation": stated(generation), "run": stated(run)},
        {"model": options.model, **sources},
        outputs,
        options.started,
        # By an earlier call, perhaps of other code: found under work/.
        finished_before=[n for n, file in outputs.items() if file.stat().st_mtime < started],
    )


@takes(
    benchmark=MANY | {"help": "name of the benchmark"},
    generations=MANY | {"help": "file of responses; docs/evaluation.md has its format"},
    data=MANY | {"help": "file of problems"},
    output=MANY | {"help": "file to write the scores to"},
    samples={"nargs": "+", "type": int, "help": "responses that every problem must have"},
    sandbox={"default": "auto", "help": "for programs: auto, bubblewrap, namespaces, none"},
    timeout={"type": float, "help": "CPU seconds of a program on one test, of MBPP on all"},
    protocol={"default": "compact", "help": "how the problems were asked: compact, opencompass"},
    thinking={
        "choices": (*thinking.STATED, thinking.AUTO),
        "default": thinking.AUTO,
        "help": "whether the model thinks before it answers and closes its thought with </think>; "
        "auto finds it out from the responses, or refuses",
    },
    threads={"type": int, "default": 1, "help": "programs or comparisons at a time"},
    provenance={"help": "file that records what the scores were made from"},
)
def score(options: argparse.Namespace) -> None:
    """Score files of generations: avg@n, tokens, truncation and backtracking, with intervals."""
    from repro.evaluation import score

    files = (options.benchmark, options.generations, options.data, options.output)
    samples = options.samples or [None] * len(options.benchmark)
    if len({len(given) for given in (*files, samples)}) > 1:
        raise ValueError(
            "--benchmark, --generations, --data, --output and --samples must have as many values"
        )
    shared = {name: getattr(options, name) for name in ("sandbox", "protocol", "thinking")}
    wrong = []
    for benchmark, generations, problems, output, n in zip(*files, samples, strict=True):
        settings = {**shared, "samples": n, "code_timeout_s": options.timeout}
        how = validate(settings, ScoreSettings, "score")
        wrong += score.score_file(benchmark, generations, problems, output, how, options.threads)
    if options.provenance:
        settings = {**shared, "samples": samples, "timeout_s": options.timeout}
        sources = {
            f"{kind} of {name}": file
            for kind, column in (("generations", options.generations), ("data", options.data))
            for name, file in zip(options.benchmark, column, strict=True)
        }
        outputs = dict(zip(options.benchmark, options.output, strict=True))
        provenance.write(options.provenance, "score", settings, sources, outputs, options.started)
    if wrong:  # reported after everything that can be scored is scored and written
        shown = wrong[:20] + [f"and {len(wrong) - 20} more"] * (len(wrong) > 20)
        raise ValueError("\n".join(shown))


@takes(
    *("--settings", "--run", "--output"),
    **dict.fromkeys(("benchmark", "data"), MANY),
    problems={"type": int, "required": True, "help": "of each benchmark"},
)
def judge(options: argparse.Namespace) -> None:
    """Judge a run's responses by the model itself: J and process reward at every segment."""
    from repro.explain import responses

    judging, run = read_settings(options.settings, Judging), RunFolder(Path(options.run))
    data = dict(zip(options.benchmark, options.data, strict=True))
    responses.write_objectives(judging, run, data, options.output, options.problems)


@takes("--settings", "--run", "--benchmark", "--data", "--note", "--output")
def case_study(options: argparse.Namespace) -> None:
    """Show the process reward along one of a run's own responses, as PNG, PDF and HTML."""
    from repro.explain import responses

    judging, run = read_settings(options.settings, Judging), RunFolder(Path(options.run))
    asked = options.benchmark, options.data
    responses.write_case_study(judging, run, *asked, options.output, options.note)
