"""One command a step, `python -m repro STEP`; every step reads only the files it is given."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from repro import digests, jsonl

WORK = Path("work")  # checkpoints, caches, logs: undeclared in the workflow, safe to delete


def main(arguments: list[str] | None = None) -> int:
    """Run one step; return 0, or 1 with one message on stderr where the input is wrong."""
    options = parser().parse_args(arguments)
    try:
        options.step(options)
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of all steps."""
    top = argparse.ArgumentParser(prog="python -m repro", description=__doc__)
    steps = top.add_subparsers(required=True, metavar="STEP")

    def step(function, *options: str) -> argparse.ArgumentParser:
        name = function.__name__
        sub = steps.add_parser(name, help=function.__doc__, description=function.__doc__)
        for option in options:
            sub.add_argument(f"--{option}", required=True)
        sub.set_defaults(step=function)
        return sub

    step(data, "settings", "output")
    step(backbone, "settings", "name", "output")
    step(store, "experiment", "tracking-uri")
    step(train, "settings", "backbone", "data", "output", "experiment", "tracking-uri")
    step(generate, "settings", "run", "model", "data", "output")
    score_step = step(score, "settings")
    score_step.add_argument("--benchmark", nargs="+", required=True)
    score_step.add_argument("--generations", nargs="+", required=True)
    score_step.add_argument("--data", nargs="+", required=True)
    score_step.add_argument("--output", nargs="+", required=True)
    tables_step = step(tables, "output")
    figure_step = step(figure, "output")
    figure_step.add_argument("name")
    for sub in (tables_step, figure_step):
        sub.add_argument("--note", default="", help="a sentence that stands beside the numbers")
    for sub in (tables_step, figure_step):
        sub.add_argument("--runs", nargs="+", required=True, help="run directories")
    track_step = step(track, "settings", "run", "experiment", "tracking-uri")
    for sub in (tables_step, figure_step, track_step):
        sub.add_argument("--benchmarks", nargs="+", required=True, help="those to read")
    step(show, "results")
    explain_step = step(explain, "model", "question", "answer", "output")
    explain_step.add_argument("--thought", help="text of a response; without it one is sampled")
    explain_step.add_argument("--seed", type=int, default=0, help="of the sampling")
    explain_step.add_argument("--max-new-tokens", type=int, default=2048, help="of the sampling")
    explain_step.add_argument("--variant", default="paper", help="paper or reference")
    explain_step.add_argument("--w", type=float, default=0.1, help="weight of stability")
    explain_step.add_argument("--k", type=int, help="segments kept; all of them by default")
    explain_step.add_argument("--answer-only", action="store_true", help="J without the box")
    explain_step.add_argument("--close-thought", action="store_true", help="</think>, then the box")
    conformance_step = step(conformance)
    conformance_step.add_argument("file", help="vectors: `advantages` and `scores`")
    return top


def data(options) -> None:
    """Write one benchmark's problems, or the training problems, as JSONL."""
    from repro.tinyworld import problems

    what = read_settings(options.settings)
    if what["source"] == "directory":
        rows = jsonl.read(what["file"])[: what["problems"]]
    else:
        count = what["problems"] or problems.PROBLEMS[what["name"]]
        rows = problems.generate(what["name"], count, what["seed"])
    jsonl.write(options.output, rows)


def backbone(options) -> None:
    """Build a tiny backbone, or download one, into a model directory."""
    what = read_settings(options.settings)
    if what["source"] == "hub":
        from huggingface_hub import snapshot_download

        weights = ["*.json", "*.safetensors", "*.txt", "*.jinja", "*.model"]
        snapshot_download(
            what["repo"],
            revision=what["revision"],
            local_dir=options.output,
            allow_patterns=weights,
        )
    else:
        from repro.tinyworld.backbone import build

        build(what, options.name, options.output, WORK / "backbones" / digests.of_values(what))


def store(options) -> None:
    """Create MLflow's store, or bring it up to date, before any job writes to it."""
    from repro import tracking

    tracking.migrate(options.tracking_uri, options.experiment)


def train(options) -> None:
    """Train one run by reinforcement learning."""
    from repro import provenance, tracking
    from repro.training import train as training

    started = datetime.now(UTC)
    run = read_settings(options.settings)
    inputs = {
        "backbone": digests.of_model(options.backbone),
        "data": digests.of_file(options.data),
    }
    work, output = WORK / "training" / digests.of_values([run, inputs]), Path(options.output)
    with tracking.Writer(options.tracking_uri, options.experiment, run, work) as writer:
        training.run(run, options.backbone, options.data, work, output, writer.add)
        for row in jsonl.read(output / "training.jsonl"):
            writer.add(row)  # what a killed job did not come to log; the rest is skipped
    provenance.write(output / "provenance.json", run, inputs, started)


def generate(options) -> None:
    """Sample responses to every benchmark of one run."""
    from repro.evaluation import generate as generation

    how, run = read_settings(options.settings), read_settings(options.run)
    how["seed"] += run["seed"]  # the seeds of `original` must not draw the same responses
    generation.run(how, options.model, options.data, WORK / "generations", options.output)


def score(options) -> None:
    """Score generations: avg@n, tokens and backtracking of each benchmark."""
    from repro.evaluation import score as scoring

    how = read_settings(options.settings)
    files = (options.benchmark, options.generations, options.data, options.output)
    for benchmark, generations, problems, output in zip(*files, strict=True):
        scoring.run(benchmark, generations, problems, output, how)


def tables(options) -> None:
    """Make the main table and the table of effects."""
    from repro.analysis import tables as made

    made.run(run_records(options.runs), options.benchmarks, options.output, options.note)


def figure(options) -> None:
    """Draw one figure, as PNG and PDF."""
    from repro.analysis import figures

    runs = run_records(options.runs)
    figures.run(options.name, runs, options.benchmarks, options.output, options.note)


def track(options) -> None:
    """Log the evaluation of one run to MLflow."""
    from repro import tracking

    tracking.log_scores(
        options.tracking_uri,
        options.experiment,
        Path(options.run),
        options.benchmarks,
        read_settings(options.settings),
    )


def show(options) -> None:
    """Print the main table and say where everything is."""
    from repro.analysis import tables as made

    made.show(options.results)


def explain(options) -> None:
    """Show the process reward along one response's thought, as PNG and HTML."""
    from repro.explain import page, transcript
    from repro.explain.explanation import explain as scored
    from repro.process_reward.settings import resolve

    names = ("variant", "w", "k", "answer_only", "close_thought")
    settings = {name: getattr(options, name) for name in names}
    resolve(settings)  # a wrong value is told before the model is loaded
    model, tokenizer, response = transcript.load(
        options.model,
        options.question,
        options.answer,
        options.thought,
        seed=options.seed,
        max_new_tokens=options.max_new_tokens,
    )
    explanation = scored(model, tokenizer, response, settings)
    for path in page.write(explanation, options.output):
        print(path)


def conformance(options) -> None:
    """Compare scores and estimators with vectors computed elsewhere."""
    from repro.conformance import TOLERANCE, largest_errors

    failures = 0
    for name, (error, cases) in largest_errors(options.file).items():
        failures += error > TOLERANCE
        verdict = "ok" if error <= TOLERANCE else "FAILED"
        print(f"{name:<44} {cases:>3} cases   largest error {error:8.2e}   {verdict}")
    print(f"{failures} failures at a tolerance of {TOLERANCE:g}")
    if failures:
        raise ValueError(f"{options.file}: {failures} quantities differ by more than {TOLERANCE:g}")


def read_settings(text: str) -> dict:
    """Return settings given as a JSON file or as JSON itself."""
    source = text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")
    try:
        return json.loads(source)
    except json.JSONDecodeError as error:
        raise ValueError(f"settings {text[:60]!r} are not valid JSON: {error}") from None


def run_records(directories: list[str]) -> list[dict]:
    """Return backbone, method, seed and path of run directories `.../backbone/method/seed`."""
    records = []
    for directory in map(Path, directories):
        backbone_name, method, seed = directory.parts[-3:]
        records.append(
            {
                "backbone": backbone_name,
                "method": method,
                "seed": int(seed),
                "path": str(directory),
            }
        )
    return records
