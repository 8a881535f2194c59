"""Commands after the runs: claims, tables, figures, the report's pages, and comparisons."""

import argparse
import csv
import os
import tempfile
from pathlib import Path

from repro.commands.options import CONFIG, CUTOFFS, MANY, takes
from repro.files import digests, jsonl
from repro.records import experiment


@takes("--experiment", "--output")
def claims(options: argparse.Namespace) -> None:
    """Test the paper's claims on the runs: supported, not supported or inconclusive."""
    from repro.report import verdicts

    read = experiment.read(options.experiment)
    found = verdicts.write_claims(read.folders("all"), read.benchmarks, options.output, read.note)
    print(found.to_string(index=False))


@takes("--experiment")
def power(options: argparse.Namespace) -> None:
    """Say how many seeds each part of a claim needs, from the spread of those that it has."""
    from repro.report import power
    from repro.report.claim_parts import Data

    read = experiment.read(options.experiment)
    print(power.write_power(Data(read.folders("all"), read.benchmarks)))


@takes(
    *("--experiment", "--output"),
    published={"help": "the paper's numbers, to stand beside ours"},
    partial={"action": "store_true", "help": "name what is missing instead of refusing"},
    thoughts={"action": "store_true", "help": "the tiny world's: what their segments do, too"},
    **CUTOFFS,
)
def tables(options: argparse.Namespace) -> None:
    """Make the tables: main, RePro's gain, tokens, backtracking and others, and the ledger."""
    from repro.report import tables

    read = experiment.read(options.experiment)
    tables.write_tables(
        *(read.folders("main"), read.benchmarks, options.output, read.note),
        paper=options.published,
        partial=options.partial,
        thoughts=options.thoughts,
        cutoffs=(options.budgets, options.at_k),
        command=os.environ.get("REPRO_COMMAND", ""),
    )


@takes("name", "--experiment", "--output", budgets=CUTOFFS["budgets"])
def figure(options: argparse.Namespace) -> None:
    """Draw one figure, as PNG and PDF."""
    from repro.report import figures
    from repro.report.figures import style

    read = experiment.read(options.experiment)
    runs = read.folders(figures.GROUPS.get(options.name, ""))
    drawn = figures.draw(options.name, runs, read.benchmarks, read.note, *options.budgets)
    style.save(drawn, options.output)


@takes(
    *("--experiment", "--tables", "--output"),
    figures={"nargs": "*", "default": [], "help": "PNG files to show"},
    published={"help": "the paper's numbers, for what they can decide"},
    archive={"help": "the archive that scores and logs were taken from"},
)
def overview(options: argparse.Namespace) -> None:
    """Write the first page of the report."""
    from repro.report import overview

    read = experiment.read(options.experiment)
    overview.write_pages(
        *(read.folders("all"), read.benchmarks, options.tables, options.output),
        note=read.note,
        name=read.name,
        figures=options.figures,
        paper=options.published,
        archive=options.archive,
    )


@takes("--experiment", "--published")
def sanity(options: argparse.Namespace) -> None:
    """Say whether the untrained backbones are where other publications found them."""
    from repro.report import published, sanity

    read = experiment.read(options.experiment)
    ours = sanity.read_accuracies(read.folders("main"), read.benchmarks)
    bands = sanity.compare_bands(published.load(options.published), ours)
    print(sanity.bands_sheet(bands).folded().to_string(index=False))
    if off := bands["verdict"].isin(["below", "above"]).sum():
        raise ValueError(
            f"{off} of {len(bands)} bands are missed: look at prompts, problems, verifier and "
            "sampling before anything is trained"
        )


@takes(scores=MANY | {"help": "score files, as `score` writes them"}, **CUTOFFS)
def sampling(options: argparse.Namespace) -> None:
    """Print accuracy within budgets of tokens, votes and stability over several responses."""
    import pandas as pd

    from repro.measure.sampling_metrics import measure_samples

    scores = {file: jsonl.read_json(file) for file in options.scores}
    for file, score in scores.items():
        if "problems" not in score:
            raise ValueError(f"{file}: not a score file; wanted: what `score` writes")
        scores[file] = measured = measure_samples(score, options.budgets, options.at_k).mean()
        wrong = [k for k in options.at_k if f"pass_at_{k}" not in measured]
        if wrong and score["problems"]:
            raise ValueError(f"{file}: at_k = {wrong}; allowed: 2 to the samples of every problem")
    print((100 * pd.concat(scores, axis=1)).to_string(float_format="%.1f"))


@takes("--results")
def show(options: argparse.Namespace) -> None:
    """Print the main table and say where everything is."""
    from repro.report import tables

    tables.show(options.results)


@takes("first", "second")
def compare(options: argparse.Namespace) -> None:
    """Say where two folders of results, or archives, differ, times and places aside."""
    from repro.records import archive, compare_results

    with tempfile.TemporaryDirectory() as scratch:
        places = [options.first, options.second]
        for number, given in enumerate(places):
            if given.endswith(archive.ENDING):
                places[number] = f"{scratch}/{number}"
                archive.unpack(given, places[number])
        found = compare_results.compare(*places)
    print(compare_results.write_table(found))
    if found["difference"].notna().any():
        raise ValueError(f"{options.first} and {options.second} differ")


@takes(
    "--output",
    config=CONFIG,
    without_texts={"action": "store_true", "help": "scores, but no responses"},
)
def archive(options: argparse.Namespace) -> None:
    """Pack what an experiment's tables and figures are made from into one file: no weights."""
    from repro.config import settings
    from repro.records import archive

    config, wanted = settings.merge(*options.config), settings.read(*options.config)
    folder = Path(wanted.results_dir)
    record = settings.experiment_record(wanted).model_dump(mode="json")
    if jsonl.read_json(folder / "experiment.json") != record:
        raise ValueError(f"{folder}: made with another configuration than {options.config}")
    config.pop("tracking_uri", None)  # the address of a server is a place, too
    with open(folder / "tables/ledger.csv", newline="", encoding="utf-8") as file:
        command = next(csv.DictReader(file))["command"].partition("/runs/")[0]
    about = {"command": command, "config": config, "with_texts": not options.without_texts}
    files = archive.write(folder, options.output, archive.About(**about))
    size, digest = Path(options.output).stat().st_size, digests.of_content(options.output)
    print(f"{options.output}: {files} files, {size / 1e6:.1f} MB, SHA-256 {digest}")


@takes("file", "--output")
def unpack(options: argparse.Namespace) -> None:
    """Check an archive and write its files into a folder; a bad one writes nothing."""
    from repro.records import archive

    archive.unpack(options.file, options.output)


@takes("file")
def conformance(options: argparse.Namespace) -> None:
    """Compare scores and advantage estimators with a file of vectors computed elsewhere."""
    from repro.algorithms.conformance import TOLERANCE, largest_errors

    failures = 0
    for name, (error, cases) in largest_errors(options.file).items():
        failures += error > TOLERANCE
        verdict = "ok" if error <= TOLERANCE else "FAILED"
        print(f"{name:<44} {cases:>3} cases   largest error {error:8.2e}   {verdict}")
    print(f"{failures} failures at a tolerance of {TOLERANCE:g}")
    if failures:
        raise ValueError(f"{options.file}: {failures} quantities differ by more than {TOLERANCE:g}")
