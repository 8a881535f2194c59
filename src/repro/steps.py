"""What each command does; every step reads only the files it is given."""

import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from repro import digests, jsonl

WORK = Path("work")  # checkpoints, caches, logs: undeclared in the workflow, safe to delete


def cost(options) -> None:
    """Say what an experiment will cost, before anything runs."""
    from repro import cost as estimates

    report = estimates.report(
        *options.config,
        hardware=options.hardware,
        cores=options.cores,
        gpus_in_parallel=options.gpus_in_parallel,
        changes=options.set,
        as_json=options.json,
    )
    print(report)


def fetch(options) -> None:
    """Download benchmarks and training problems into a folder, for machines without a network."""
    from repro.benchmarks import declared, hub

    wanted = options.benchmarks or [n for n in declared.benchmarks() if n in declared.sources()]
    hub.fetch_all(options.output, {name: {} for name in wanted})


def access(options) -> None:
    """Ask the hub whether everything may be downloaded; name all that may not."""
    from repro.benchmarks import hub

    hub.check_access(options.names)


def data(options) -> None:
    """Write one benchmark's problems as JSONL."""
    what = read_settings(options.settings)
    if what["source"] == "hub":
        from repro.benchmarks import hub

        hub.fetch(what["name"], what, options.output)
    else:
        jsonl.write(options.output, local_problems(what))


def training_data(options) -> None:
    """Write the training problems as JSONL, without those that occur in a benchmark."""
    from repro.benchmarks import contamination, hub

    what = read_settings(options.settings)
    files = {Path(file).stem: file for file in options.benchmarks}
    if what["source"] == "hub":
        hub.fetch(what["name"], what, options.output, files)
        return
    rows, report = contamination.filter_rows(local_problems(what), files)
    print(f"{options.output}: {contamination.summary(report)}", file=sys.stderr)
    jsonl.write_json(options.report, report)
    jsonl.write(options.output, rows)


def local_problems(what: dict) -> list[dict]:
    """Return problems that were generated or stand in a file."""
    from repro.tinyworld import problems

    if what["source"] == "directory":
        return jsonl.read(what["file"])[: what["problems"]]
    count = what["problems"] or problems.PROBLEMS[what["name"]]
    return problems.generate(what["name"], count, what["seed"])


def backbone(options) -> None:
    """Build a tiny backbone, or download one, into a model directory."""
    what = read_settings(options.settings)
    template = what.pop("chat_template", None)
    if what["source"] == "hub":
        from huggingface_hub import snapshot_download

        weights = ["*.json", "*.safetensors", "*.txt", "*.jinja", "*.model"]
        snapshot_download(
            what["repo"],
            revision=what["revision"],
            local_dir=options.output,
            allow_patterns=weights,
        )
    elif what["source"] == "directory":
        from repro import model_folder

        model_folder.take(what["path"], options.output)
    else:
        from repro.tinyworld.backbone import build

        build(what, options.name, options.output, WORK / "backbones" / digests.of_values(what))
    if template:  # transformers prefers this file to what the tokenizer's configuration holds
        shutil.copyfile(template, Path(options.output) / "chat_template.jinja")


def store(options) -> None:
    """Create MLflow's store, or bring it up to date, before any job writes to it."""
    from repro import tracking

    tracking.migrate(options.tracking_uri, options.experiment, options.note)


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
    generation.run(
        *(how, options.model, options.data, WORK / "generations", options.output),
        prompt=run["backbone_settings"]["prompt"],
    )


def score(options) -> None:
    """Score files of generations: avg@n, tokens, truncation and backtracking, with intervals."""
    from repro.evaluation import score as scoring

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
        )
    if wrong:  # said after everything that can be scored is scored and written
        shown = wrong[:20] + [f"and {len(wrong) - 20} more"] * (len(wrong) > 20)
        raise ValueError("\n".join(shown))


def judge(options) -> None:
    """Label the segments of responses with a language model, behind an OpenAI-compatible API."""
    from repro.analysis import judge as labelling

    labelling.run(
        options.generations,
        options.output,
        model=options.model,
        base_url=options.base_url,
        api_key_env=options.api_key_env,
        cache_file=WORK / "judge" / f"{digests.of_values([options.model, options.base_url])}.jsonl",
    )


def objective(options) -> None:
    """Judge a run's responses by the model itself: J and process reward at every segment."""
    from repro.explain import objectives

    columns = (options.benchmark, options.generations, options.scores, options.data)
    files = {
        name: {"generations": generations, "scores": scores, "data": problems}
        for name, generations, scores, problems in zip(*columns, strict=True)
    }
    objectives.run(
        read_settings(options.settings), options.model, files, options.output, options.problems
    )


def claims(options) -> None:
    """Test the paper's claims on the runs: supported, not supported or inconclusive."""
    from repro.analysis import claims as tested

    runs = run_records(options.runs)
    verdicts = tested.run(options.claims, runs, options.benchmarks, options.output, options.note)
    print(verdicts.to_string(index=False))


def tables(options) -> None:
    """Make the tables: main, RePro's gain, against the original, tokens, backtracking."""
    from repro.analysis import tables as made

    made.run(
        run_records(options.runs),
        options.benchmarks,
        options.output,
        options.note,
        published=options.published,
        partial=options.partial,
    )


def figure(options) -> None:
    """Draw one figure, as PNG and PDF."""
    from repro.analysis import figures

    runs = run_records(options.runs)
    figures.run(options.name, runs, options.benchmarks, options.output, options.note)


def overview(options) -> None:
    """Write the first page of the report, and its tables as pages of their own."""
    from repro.analysis import overview as made

    made.run(
        run_records(options.runs),
        options.benchmarks,
        options.tables,
        options.output,
        note=options.note,
        name=options.name,
        figures=options.figures,
    )


def track(options) -> None:
    """Log the evaluation of one run to MLflow; mlflow.json of the run says where it is found."""
    from repro import tracking

    where = tracking.log_run(
        options.tracking_uri,
        options.experiment,
        Path(options.run),
        options.benchmarks,
        read_settings(options.settings),
        options.data,
        options.note,
    )
    jsonl.write_json(Path(options.run) / "mlflow.json", where)


def track_summary(options) -> None:
    """Put the experiment's tables and figures into an MLflow run of their own."""
    from repro import tracking

    where = tracking.log_summary(
        options.tracking_uri, options.experiment, options.files, options.note
    )
    jsonl.write_json(options.output, where)


def show(options) -> None:
    """Print the main table and say where everything is."""
    from repro.analysis import tables as made

    made.show(options.results)


def case_study(options) -> None:
    """Show the process reward along one of a run's own responses, as PNG, PDF and HTML."""
    from repro import methods
    from repro.explain import case_study as made

    (run,) = run_records([options.run])
    made.run(
        read_settings(options.settings),
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
    )


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
    for path in page.write(explanation, Path(options.output) / "explain.png"):
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
