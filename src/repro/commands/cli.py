"""The command line, `python -m repro COMMAND`: each command is a function of this folder."""

import argparse
import os
import sys
from datetime import UTC, datetime

from repro.commands import analysis, inputs, runs, tracking, transcripts
from repro.files import locks
from repro.sandbox import NotStarted, SandboxUnavailable

COMMANDS = (  # in the order of an experiment
    *(inputs.check, inputs.cost, inputs.data, inputs.backbone),
    *(tracking.store, runs.train, runs.generate, runs.score, analysis.sampling, runs.judge),
    *(analysis.sanity, analysis.claims, analysis.power, analysis.tables, analysis.figure),
    *(runs.case_study, analysis.overview),
    *(tracking.track, tracking.track_summary, analysis.show, analysis.compare),
    *(analysis.archive, analysis.unpack),
    *(transcripts.explain, transcripts.objective, transcripts.probe_check),
    *(analysis.conformance,),
)
INTERRUPTED = 130  # as a shell reports SIGINT


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command; return 0, or 1 and one message where input or machine is wrong."""
    options = parser().parse_args(arguments)
    try:
        with locks.of_output(options):
            options.started = datetime.now(UTC)
            options.execute(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        # A full disk does not say where, the output does; one of ours has no strerror.
        where = error.filename or f"writing {getattr(options, 'output', 'standard output')}"
        said = f"{where}: {error.strerror}" if error.strerror is not None else error
        print(f"error: {said}", file=sys.stderr)
        if isinstance(error, BrokenPipeError):  # as after `| head`: nothing more can be printed
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, NotStarted, SandboxUnavailable) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(prog="python -m repro", description=__doc__)
    subparsers = top.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for command in COMMANDS:
        about = command.__doc__
        name = command.__name__.replace("_", "-")
        sub = subparsers.add_parser(name, help=about, description=about)
        for name, keywords in command.options.items():
            sub.add_argument(name, **keywords)
        sub.set_defaults(execute=command)
    return top
