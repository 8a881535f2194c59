"""The benchmarks as lm-eval tasks over local JSONL files."""

import logging
from collections.abc import Callable
from pathlib import Path

from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks import TaskManager

from repro.benchmarks import declared, prompts

BENCHMARKS = tuple(sorted(declared.benchmarks()))


def load(
    benchmark: str,
    data_file: str | Path,
    samples: int,
    prompt: dict | None = None,
    process_results: Callable[[dict, list], dict] | None = None,
    metrics: list[dict] | None = None,
) -> ConfigurableTask:
    """Return the lm-eval task of one benchmark over one data file.

    Args:
        benchmark: a name of ``BENCHMARKS``.
        data_file: JSONL with the real benchmark's fields; only those the task file declares are
            read, as they are (the ``json`` loader of ``datasets`` would turn an answer such as
            ``2024-01-01`` into a time stamp).
        samples: responses per problem, at least 1.
        prompt: ``math`` is this backbone's instruction for mathematics, a text with ``{problem}``.
        process_results: lm-eval's hook ``(doc, [[response, ...]]) -> metrics``; needed for scoring.
        metrics: lm-eval's ``metric_list`` to go with it.

    Raises:
        ValueError: an unknown benchmark, fewer than 1 sample, an empty file or a row without a
            declared field; the message names the choices, or file and line.
        FileNotFoundError: no data file.
    """
    if benchmark not in BENCHMARKS:
        raise ValueError(
            f"benchmark: {benchmark!r} is unknown, choose from {', '.join(BENCHMARKS)}"
        )
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise ValueError(
            f"{benchmark}: samples must be a whole number of at least 1, got {samples!r}"
        )
    logging.getLogger("lm_eval").setLevel(logging.ERROR)  # its defaults warn about what is intended
    manager = TaskManager(include_path=str(declared.FOLDER), include_defaults=False)
    stated = declared.benchmarks()[benchmark]
    rows = declared.read_rows(data_file, benchmark)
    overrides = {
        "task": benchmark,
        "custom_dataset": lambda **_: _dataset(rows),
        "repeats": samples,
        # lm-eval's own generation never runs: repro.evaluation.engines samples, from the config.
        "generation_kwargs": {"until": []},
        # Without a filter list lm-eval hands process_results the first response only.
        "filter_list": [
            {"name": "all", "filter": [{"function": "take_first_k", "k": samples}]},
        ],
        "process_results": process_results or (lambda doc, results: {}),
        "metric_list": metrics or [],
    }
    if prompt and prompt.get("math") and stated.verifier == "math":
        overrides["doc_to_text"] = lambda doc: prompts.math(
            {"problem": doc[stated.question]}, prompt["math"]
        )
    group = {"group": "evaluation", "task": [overrides]}
    return manager.load(group)["tasks"][benchmark]


def verifier(task: ConfigurableTask) -> str:
    """Return the kind of answer a task has: math, choice, mbpp or lcb."""
    return task.config.metadata["verifier"]


def question(task: ConfigurableTask, doc: dict) -> str:
    """Return the problem itself, the first of the task's fields that the prompt must show."""
    return doc[task.config.metadata["question"]]


def choices(task: ConfigurableTask, doc: dict) -> list[tuple[str, str]]:
    """Return letter and text of each choice that the prompt shows; none where it shows none."""
    texts = task.doc_to_choice(doc) if task.config.doc_to_choice is not None else []
    return list(zip("ABCDEFGHIJ", texts, strict=False))


def _dataset(rows: list[dict]):
    from datasets import Dataset, DatasetDict

    return DatasetDict(test=Dataset.from_list(rows))
