"""Commands after the runs: claims, tables, figures, the report's pages, and comparisons."""

import argparse

from repro.commands.options import takes
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
)
def tables(options: argparse.Namespace) -> None:
    """Make the tables: main, RePro's gain, against the original, tokens, backtracking."""
    from repro.report import tables

    read = experiment.read(options.experiment)
    tables.write_tables(
        *(read.folders("main"), read.benchmarks, options.output, read.note),
        paper=options.published,
        partial=options.partial,
        thoughts=options.thoughts,
    )


@takes("name", "--experiment", "--output")
def figure(options: argparse.Namespace) -> None:
    """Draw one figure, as PNG and PDF."""
    from repro.report import figures
    from repro.report.figures import style

    read = experiment.read(options.experiment)
    runs = read.folders(figures.GROUPS.get(options.name, ""))
    style.save(figures.draw(options.name, runs, read.benchmarks, read.note), options.output)


@takes(
    *("--experiment", "--tables", "--output"),
    figures={"nargs": "*", "default": [], "help": "PNG files to show"},
    published={"help": "the paper's numbers, for what they can decide"},
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


@takes("--results")
def show(options: argparse.Namespace) -> None:
    """Print the main table and say where everything is."""
    from repro.report import tables

    tables.show(options.results)


@takes("first", "second")
def compare(options: argparse.Namespace) -> None:
    """Say where two folders of results differ, times and places aside."""
    from repro.records import compare_results

    found = compare_results.compare(options.first, options.second)
    print(compare_results.write_table(found))
    if found["difference"].notna().any():
        raise ValueError(f"{options.first} and {options.second} differ")


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
