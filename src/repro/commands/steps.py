"""What the other commands do; every step reads only the files it is given."""

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from repro.files import digests

WORK = Path("work")  # checkpoints, caches, logs: undeclared in the workflow, safe to delete


def cost(options) -> None:
    """Say what an experiment will cost, before anything runs."""
    from repro.config import config_files
    from repro.cost import estimate

    config = config_files.read(*options.config)
    found = estimate.estimate(config, options.hardware, options.set)
    print(json.dumps(asdict(found), indent=1) if options.json else estimate.write_text(found))


def check(options) -> None:
    """Say what is wrong with a configuration, as the workflow does before its first job."""
    from repro.config import config_files, settings

    runs = settings.all_runs(config_files.read(*options.config))
    print(f"{' + '.join(options.config)}: nothing is wrong; {len(runs)} runs")


def store(options) -> None:
    """Create MLflow's store before any job writes to it; MLFLOW_TRACKING_URI says where."""
    from repro.tracking import sync

    _report_unlogged(sync.create_store)


def train(options) -> None:
    """Train one run by reinforcement learning; logged where MLFLOW_TRACKING_URI says, if at all."""
    from repro.records import provenance
    from repro.tracking import sync
    from repro.training import launched
    from repro.training import train as training

    launched.end_with_launcher()
    started, layout = datetime.now(UTC), launched.layout()
    run = read_settings(options.settings)
    inputs = {
        "backbone": digests.of_model(options.backbone),
        "data": digests.of_file(options.data),
    }
    # As many processes go on from a checkpoint as wrote it: each has a random state of its own.
    name = digests.of_values([run, inputs, layout] if layout else [run, inputs])
    work, output = WORK / "training" / name, Path(options.output)
    with sync.sync_while_training(run, work) if launched.is_first() else nullcontext():
        training.run(run, options.backbone, options.data, work, output)
    if launched.is_first():
        provenance.write(
            output / "provenance.json",
            "train",
            run,
            {"backbone": options.backbone, "data": options.data},
            {"model": output / "model", "training": output / "training.jsonl"},
            started,
            **layout,
        )


def generate(options) -> None:
    """Sample responses to every benchmark of one run."""
    from repro.evaluation import generate as generation
    from repro.records import provenance

    started, run = datetime.now(UTC), read_settings(options.run)
    how = read_settings(options.settings)
    work = WORK / "generations" / digests.of_values(run)  # runs may have the same weights
    generation.run(
        *(how, options.model, options.data, work, options.output),
        prompt=run["backbone_settings"]["prompt"],
        trust_remote_code=run["backbone_settings"].get("trust_remote_code", False),
        tensor_parallel=options.tensor_parallel,
    )
    names = [*how["benchmarks"]]
    outputs = {name: Path(options.output) / f"{name}.jsonl" for name in names}
    sources = {name: Path(options.data) / f"{name}.jsonl" for name in names}
    before = [name for name in names if outputs[name].stat().st_mtime < started.timestamp()]
    provenance.write(
        provenance.beside(options.output),
        "generate",
        {"evaluation": how, "run": run},
        {"model": options.model, **sources},
        outputs,
        started,
        finished_before=before,  # by an earlier call, perhaps of other code: found under work/
    )


def score(options) -> None:
    """Score files of generations: avg@n, tokens, truncation and backtracking, with intervals."""
    from repro.evaluation import score as scoring
    from repro.records import provenance

    started = datetime.now(UTC)
    files = (options.benchmark, options.generations, options.data, options.output)
    samples = options.samples or [None] * len(options.benchmark)
    if len({len(given) for given in (*files, samples)}) > 1:
        raise ValueError(
            "--benchmark, --generations, --data, --output and --samples must have as many values"
        )
    wrong = []
    for benchmark, generations, problems, output, n in zip(*files, samples, strict=True):
        wrong += scoring.run(
            *(benchmark, generations, problems, output),
            samples=n,
            sandbox_name=options.sandbox,
            timeout_s=options.timeout,
            thinks=options.thinking,
            threads=options.threads,
        )
    if options.provenance:
        settings = {"samples": samples, "sandbox": options.sandbox, "timeout_s": options.timeout}
        settings["thinking"] = options.thinking
        sources = {
            f"{what} of {name}": file
            for what, column in (("generations", options.generations), ("data", options.data))
            for name, file in zip(options.benchmark, column, strict=True)
        }
        outputs = dict(zip(options.benchmark, options.output, strict=True))
        provenance.write(options.provenance, "score", settings, sources, outputs, started)
    if wrong:  # said after everything that can be scored is scored and written
        shown = wrong[:20] + [f"and {len(wrong) - 20} more"] * (len(wrong) > 20)
        raise ValueError("\n".join(shown))


def objective(options) -> None:
    """Judge a run's responses by the model itself: J and process reward at every segment."""
    from repro.explain import responses

    columns = (options.benchmark, options.generations, options.scores, options.data)
    files = {
        name: {"generations": generations, "scores": scores, "data": problems}
        for name, generations, scores, problems in zip(*columns, strict=True)
    }
    settings = read_settings(options.settings)
    trusted = settings.pop("trust_remote_code", False)
    responses.write_objectives(
        settings, options.model, files, options.output, options.problems, trusted
    )


def claims(options) -> None:
    """Test the paper's claims on the runs: supported, not supported or inconclusive."""
    from repro.report import claims as tested

    runs = run_records(options.runs)
    verdicts = tested.run(options.claims, runs, options.benchmarks, options.output, options.note)
    print(verdicts.to_string(index=False))


def tables(options) -> None:
    """Make the tables: main, RePro's gain, against the original, tokens, backtracking."""
    from repro.report import tables

    tables.write_tables(
        run_records(options.runs),
        options.benchmarks,
        options.output,
        options.note,
        paper=options.published,
        partial=options.partial,
    )


def figure(options) -> None:
    """Draw one figure, as PNG and PDF."""
    from repro.report import figures

    runs = run_records(options.runs)
    figures.write_figure(options.name, runs, options.benchmarks, options.output, options.note)


def overview(options) -> None:
    """Write the first page of the report, and its tables as pages of their own."""
    from repro.report import overview

    overview.write_pages(
        run_records(options.runs),
        options.benchmarks,
        options.tables,
        options.output,
        note=options.note,
        name=options.name,
        figures=options.figures,
    )


def track(options) -> None:
    """Send a finished run to MLflow; mlflow.json in its folder says where it is found."""
    from repro.tracking import sync

    evaluation = read_settings(options.settings)
    run = (Path(options.run), evaluation, options.data, options.note)
    _report_unlogged(sync.sync_run, *run)


def track_summary(options) -> None:
    """Put the experiment's tables and figures into an MLflow run of their own."""
    from repro.tracking import sync

    _report_unlogged(sync.sync_summary, options.files, Path(options.output), options.note)


def _report_unlogged(send: Callable, *arguments) -> None:
    """Report in one line that MLflow is out of reach: no experiment ends because of it."""
    from repro.tracking import sync

    try:
        send(*arguments)
    except sync.NotLogged as why:
        print(f"{why}; `make upload` sends what is missing", file=sys.stderr)


def upload(options) -> None:
    """Send to MLflow what it does not have of an experiment's finished runs, tables and figures."""
    from repro.config import config_files
    from repro.tracking import sync

    try:
        sync.sync_experiment(config_files.read(*options.config))
    except sync.NotLogged as why:
        raise ValueError(str(why)) from None


def show(options) -> None:
    """Print the main table and say where everything is."""
    from repro.report import tables

    tables.show(options.results)


def compare(options) -> None:
    """Say where two folders of results differ, times and places aside."""
    from repro.records import compare_results

    found = compare_results.compare(options.first, options.second)
    print(compare_results.table(found))
    if any(kind.differences for kind in found.values()):
        raise ValueError(f"{options.first} and {options.second} differ")


def case_study(options) -> None:
    """Show the process reward along one of a run's own responses, as PNG, PDF and HTML."""
    from repro import methods
    from repro.explain import responses

    (run,), settings = run_records([options.run]), read_settings(options.settings)
    trusted = settings.pop("trust_remote_code", False)
    responses.write_case_study(
        settings,
        Path(options.run) / "model",
        options.benchmark,
        {
            "generations": f"{options.run}/generations/{options.benchmark}.jsonl",
            "scores": f"{options.run}/scores/{options.benchmark}.json",
            "data": options.data,
        },
        options.output,
        name=f"{run['backbone']}, {methods.label(run['method'])}, seed {run['seed']}",
        note=options.note,
        trust_remote_code=trusted,
    )


def explain(options) -> None:
    """Show the process reward along one response's thought, as PNG and HTML."""
    from repro.explain import explanation, page, transcript
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
        trust_remote_code=options.trust_remote_code,
    )
    scored = explanation.explain(model, tokenizer, response, settings)
    for path in page.write(scored, Path(options.output) / "explain.png"):
        print(path)


def conformance(options) -> None:
    """Compare scores and estimators with vectors computed elsewhere."""
    from repro.commands.conformance import TOLERANCE, largest_errors

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
        settings = json.loads(source)
    except json.JSONDecodeError as error:
        raise ValueError(f"settings {text[:60]!r} are not valid JSON: {error}") from None
    if not isinstance(settings, dict):
        raise ValueError(f"settings {text[:60]!r}: expected a JSON object")
    return settings


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
