"""The command line, `python -m repro STEP`; `input_steps` and `steps` have what each does."""

import argparse
import errno
import os
import select
import sys

from repro.commands import input_steps, steps
from repro.files import locks
from repro.sandbox import NotStarted, SandboxUnavailable
from repro.verify import thinking

# What the machine says of a file or a disk; any other OSError is a bug and keeps its traceback.
OF_THE_MACHINE = {
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST),
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ENAMETOOLONG),
    *(errno.ELOOP, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE),
}
INTERRUPTED, READER_LEFT = 130, 141  # as a shell reports SIGINT and SIGPIPE


def main(arguments: list[str] | None = None) -> int:
    """Run one step; return 0, or 1 with one message on stderr where input or machine is wrong."""
    options = parser().parse_args(arguments)
    try:
        with locks.of_output(options):
            options.step(options)
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
        print(f"error: {_said(error, options)}", file=sys.stderr)
        return 1
    return 0


def _said(error: OSError, options: argparse.Namespace) -> str:
    """Say what happened to which file; a full disk does not say where, the output does."""
    if error.strerror is None:
        return str(error)  # ours
    where = error.filename or f"writing {getattr(options, 'output', 'standard output')}"
    return f"{where}: {error.strerror}"


def _reader_left() -> bool:
    """Tell whether nobody reads standard output any more, as after `| head`; then leave quietly."""
    pipe = select.poll()
    pipe.register(sys.stdout.fileno(), 0)
    left = any(event & select.POLLERR for _, event in pipe.poll(0))
    if left:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
    return left


def parser() -> argparse.ArgumentParser:
    """Return the parser of all steps."""
    top = argparse.ArgumentParser(prog="python -m repro", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="STEP")

    def step(function, *options: str) -> argparse.ArgumentParser:
        name = function.__name__
        sub = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        for option in options:
            sub.add_argument(f"--{option}", required=True)
        sub.set_defaults(step=function)
        return sub

    cost_step, check_step, upload_step = map(step, (steps.cost, steps.check, steps.upload))
    for sub in (cost_step, check_step, upload_step):
        sub.add_argument(
            "--config", nargs="+", required=True, help="later files change what earlier ones say"
        )
    cost_step.add_argument("--hardware", help="A100-80G, H100-80G, H200 or cpu-core")
    cost_step.add_argument(
        *("--set", "-s"), action="append", default=[], metavar="NAME=VALUE", help="an assumption"
    )
    cost_step.add_argument("--json", action="store_true", help="print JSON")
    fetch_step = step(input_steps.fetch, "output")
    fetch_step.add_argument("--benchmarks", nargs="+", help="by default all seven")
    access_step = step(input_steps.access)
    access_step.add_argument("--names", nargs="+", required=True, help="benchmarks, or train")
    step(input_steps.data, "settings", "output")
    training_data_step = step(input_steps.training_data, "settings", "output", "report")
    training_data_step.add_argument(
        "--benchmarks", nargs="*", default=[], help="files of problems that must not be trained on"
    )
    step(input_steps.backbone, "settings", "name", "output")
    step(steps.store)
    step(steps.train, "settings", "backbone", "data", "output")
    generate_step = step(steps.generate, "settings", "run", "model", "data", "output")
    generate_step.add_argument(
        "--tensor-parallel", type=int, default=1, help="GPUs over which vLLM splits the model"
    )
    score_step = step(steps.score)
    for option, text in (
        ("benchmark", "name of the benchmark"),
        ("generations", "file of responses; docs/evaluation.md has its format"),
        ("data", "file of problems"),
        ("output", "file to write the scores to"),
    ):
        score_step.add_argument(f"--{option}", nargs="+", required=True, help=text)
    score_step.add_argument(
        *("--samples", "-n"), nargs="+", type=int, help="responses that every problem must have"
    )
    score_step.add_argument(
        "--sandbox", default="auto", help="how programs are run: auto, bubblewrap, namespaces, none"
    )
    score_step.add_argument(
        "--timeout", type=float, default=6, help="CPU seconds of one program on one test"
    )
    score_step.add_argument(
        "--thinking",
        choices=(*thinking.STATED, thinking.AUTO),
        default=thinking.AUTO,
        help="whether the model thinks before it answers and closes its thought with </think>; "
        "auto finds it out from the responses, or refuses",
    )
    score_step.add_argument(
        "--threads", type=int, default=1, help="programs or comparisons at a time"
    )
    score_step.add_argument("--provenance", help="file to say in what the scores were made from")
    objective_step = step(steps.objective, "settings", "model", "output")
    for option in ("benchmark", "generations", "scores", "data"):
        objective_step.add_argument(f"--{option}", nargs="+", required=True)
    objective_step.add_argument("--problems", type=int, required=True, help="of each benchmark")
    claims_step = step(steps.claims, "claims", "output")
    tables_step = step(steps.tables, "output")
    tables_step.add_argument("--published", help="the paper's numbers, to stand beside ours")
    tables_step.add_argument(
        "--partial", action="store_true", help="mark what is missing instead of refusing"
    )
    figure_step = step(steps.figure, "output")
    figure_step.add_argument("name")
    overview_step = step(steps.overview, "tables", "output")
    overview_step.add_argument("--name", default="", help="of the experiment")
    overview_step.add_argument("--figures", nargs="*", default=[], help="PNG files to show")
    track_step = step(steps.track, "settings", "run")
    track_step.add_argument("--data", help="folder of the problems; without it no samples")
    summary_step = step(steps.track_summary, "output")
    summary_step.add_argument("--files", nargs="+", required=True, help="tables, figures, pages")
    analyses = (tables_step, figure_step, claims_step, overview_step)
    for sub in (*analyses, track_step, summary_step):
        sub.add_argument("--note", default="", help="a sentence that stands beside the numbers")
    for sub in analyses:
        sub.add_argument("--runs", nargs="+", required=True, help="run directories")
        sub.add_argument("--benchmarks", nargs="+", required=True, help="those to read")
    step(steps.show, "results")
    compare_step = step(steps.compare)
    compare_step.add_argument("first", help="folder of results")
    compare_step.add_argument("second", help="another")
    step(steps.case_study, "settings", "run", "benchmark", "data", "note", "output")
    explain_step = step(steps.explain, "model", "question", "answer", "output")
    explain_step.add_argument("--thought", help="text of a response; without it one is sampled")
    explain_step.add_argument("--seed", type=int, default=0, help="of the sampling")
    explain_step.add_argument("--max-new-tokens", type=int, default=2048, help="of the sampling")
    explain_step.add_argument("--variant", default="paper", help="paper or reference")
    explain_step.add_argument("--w", type=float, default=0.1, help="weight of stability")
    explain_step.add_argument("--k", type=int, help="segments kept; all of them by default")
    explain_step.add_argument("--answer-only", action="store_true", help="J without the box")
    explain_step.add_argument(
        "--trust-remote-code", action="store_true", help="run the model's own Python files"
    )
    explain_step.add_argument("--close-thought", action="store_true", help="</think>, then the box")
    conformance_step = step(steps.conformance)
    conformance_step.add_argument("file", help="vectors: `advantages` and `scores`")
    return top
