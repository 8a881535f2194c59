"""Commands about whole experiments: before the first job, and about two finished ones."""

import argparse

from repro.commands.options import CONFIG, takes


@takes(config=CONFIG)
def check(options: argparse.Namespace) -> None:
    """Say what is wrong with a configuration, as the workflow does before its first job."""
    from repro.config import settings

    runs = settings.all_runs(settings.read(*options.config))
    print(f"{' + '.join(options.config)}: nothing is wrong; {len(runs)} runs")


@takes(
    config=CONFIG,
    hardware={"help": "A100-80G, H100-80G, H200 or cpu-core"},
    set={"action": "append", "default": [], "metavar": "NAME=VALUE", "help": "an assumption"},
)
def cost(options: argparse.Namespace) -> None:
    """Say what an experiment will cost, before anything runs."""
    from repro.config import settings
    from repro.cost import estimate

    experiment = settings.read(*options.config)
    print(estimate.write_text(estimate.estimate(experiment, options.hardware, options.set)))


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
