"""Score files of generations: avg@n, tokens, truncation and backtracking, with intervals."""

import argparse
from datetime import UTC, datetime

from repro.config.words import validate
from repro.verify import thinking


def add_arguments(parser: argparse.ArgumentParser) -> None:
    for option, text in (
        ("benchmark", "name of the benchmark"),
        ("generations", "file of responses; docs/evaluation.md has its format"),
        ("data", "file of problems"),
        ("output", "file to write the scores to"),
    ):
        parser.add_argument(f"--{option}", nargs="+", required=True, help=text)
    parser.add_argument(
        *("--samples", "-n"), nargs="+", type=int, help="responses that every problem must have"
    )
    parser.add_argument(
        "--sandbox", default="auto", help="how programs are run: auto, bubblewrap, namespaces, none"
    )
    parser.add_argument(
        "--timeout", type=float, default=6, help="CPU seconds of one program on one test"
    )
    parser.add_argument(
        "--thinking",
        choices=(*thinking.STATED, thinking.AUTO),
        default=thinking.AUTO,
        help="whether the model thinks before it answers and closes its thought with </think>; "
        "auto finds it out from the responses, or refuses",
    )
    parser.add_argument("--threads", type=int, default=1, help="programs or comparisons at a time")
    parser.add_argument("--provenance", help="file that records what the scores were made from")


def execute(options: argparse.Namespace) -> None:
    from repro.config.resolved import ScoreSettings
    from repro.evaluation import score
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
        stated = {"samples": n, "sandbox": options.sandbox, "code_timeout_s": options.timeout}
        how = validate({**stated, "thinking": options.thinking}, ScoreSettings, "score")
        wrong += score.score_file(benchmark, generations, problems, output, how, options.threads)
    if options.provenance:
        settings = {"samples": samples, "sandbox": options.sandbox, "timeout_s": options.timeout}
        settings["thinking"] = options.thinking
        sources = {
            f"{kind} of {name}": file
            for kind, column in (("generations", options.generations), ("data", options.data))
            for name, file in zip(options.benchmark, column, strict=True)
        }
        outputs = dict(zip(options.benchmark, options.output, strict=True))
        provenance.write(options.provenance, "score", settings, sources, outputs, started)
    if wrong:  # reported after everything that can be scored is scored and written
        shown = wrong[:20] + [f"and {len(wrong) - 20} more"] * (len(wrong) > 20)
        raise ValueError("\n".join(shown))
