"""Two problems a benchmark: small enough to compute every cell by hand."""

from repro.records.experiment import RunFolder


def present(runs: list[RunFolder]) -> list[str]:
    """Return the benchmarks that any of the runs has scores of."""
    return sorted({path.stem for run in runs for path in run.path.glob("scores/*.json")})


def problem(correct, tokens, backtracking):
    return {"correct": correct, "tokens": tokens, "backtracking": backtracking}


ORIGINAL = [problem([0, 0], [100, 100], [2, 0]), problem([1, 0], [200, 200], [3, 1])]
GRPO = [problem([1, 0], [100, 100], [1, 0]), problem([1, 1], [100, 100], [1, 0])]
CODE = [problem([1], [50], [0]), problem([0], [50], [0])]


def three_methods(make_run) -> list[RunFolder]:
    return [
        make_run("original", {"aime24": ORIGINAL, "mbpp": CODE}),
        make_run("grpo", {"aime24": GRPO, "mbpp": CODE}),
        make_run("grpo+repro", {"aime24": GRPO, "mbpp": CODE}),
    ]
