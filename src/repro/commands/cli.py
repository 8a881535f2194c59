"""The command line, `python -m repro COMMAND`: each command is a function of this folder."""

import argparse
import errno
import os
import select
import sys
from datetime import UTC, datetime

from repro.commands import analysis, inputs, runs, tracking, transcripts
from repro.files import locks
from repro.sandbox import NotStarted, SandboxUnavailable

# What the machine says of a file or a disk; any other OSError is a bug and keeps its traceback.
OF_THE_MACHINE = {
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST),
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ENAMETOOLONG),
    *(errno.ELOOP, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE),
}
COMMANDS = (  # in the order of an experiment
    *(inputs.check, inputs.cost, inputs.fetch, inputs.access, inputs.data, inputs.backbone),
    *(tracking.store, runs.train, runs.generate, runs.score, runs.judge),
    *(analysis.sanity, analysis.claims, analysis.power, analysis.tables, analysis.figure),
    *(runs.case_study, analysis.overview),
    *(tracking.track, tracking.track_summary, analysis.show, analysis.compare),
    *(tracking.upload, transcripts.explain, transcripts.objective, transcripts.probe_check),
    *(analysis.conformance,),
)
INTERRUPTED, READER_LEFT = 130, 141  # as a shell reports SIGINT and SIGPIPE


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command; return 0, or 1 and one message where input or machine is wrong."""
    options = parser().parse_args(arguments)
    try:
        with locks.of_output(options):
            options.started = datetime.now(UTC)
            options.execute(options)
        sys.stdout.flush()
    except BrokenPipeError:
        if not _reader_left():
            raise
        return READER_LEFT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, NotStarted, SandboxUnavailable) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in OF_THE_MACHINE and not isinstance(error, FileNotFoundError):
            raise
        # A full disk does not say where, the output does; one of ours has no strerror.
        where = error.filename or f"writing {getattr(options, 'output', 'standard output')}"
        said = f"{where}: {error.strerror}" if error.strerror is not None else error
        print(f"error: {said}", file=sys.stderr)
        return 1
    return 0


def _reader_left() -> bool:
    """Tell whether nobody reads standard output any more, as after `| head`; then leave quietly."""
    pipe = select.poll()
    pipe.register(sys.stdout.fileno(), 0)
    left = any(event & select.POLLERR for _, event in pipe.poll(0))
    if left:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
    return left


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
