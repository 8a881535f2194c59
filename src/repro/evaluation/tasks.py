"""The benchmarks as lm-eval tasks over local JSONL files."""

import logging
from pathlib import Path

from datasets import Dataset, DatasetDict
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks import TaskManager

from repro.benchmarks import declared, prompts
from repro.config import words


def load(
    benchmark: str,
    data_file: str | Path,
    samples: int,
    math_prompt: str | None = None,
    **scoring: object,
) -> ConfigurableTask:
    """Return the lm-eval task of one benchmark over one data file.

    Args:
        benchmark: its name.
        data_file: JSONL; the fields that the task file declares are read, as they are (the ``json``
            loader of ``datasets`` would turn an answer such as ``2024-01-01`` into a time stamp).
        samples: responses per problem.
        math_prompt: an instruction for mathematics, a text with ``{problem}``.
        scoring: lm-eval's ``process_results``, ``(doc, [[response, ...]]) -> metrics``, and
            ``metric_list``.

    Raises:
        ValueError: an unknown benchmark, an empty file or a row without a declared field; the
            message names the choices, or file and line.
        FileNotFoundError: no data file.
    """
    known = declared.benchmarks()
    if benchmark not in known:
        raise ValueError(f"benchmark: {benchmark!r} is unknown; {words.choices(benchmark, known)}")
    logging.getLogger("lm_eval").setLevel(logging.ERROR)  # its defaults warn about what is intended
    manager = TaskManager(include_path=str(declared.FOLDER), include_defaults=False)
    stated, rows = known[benchmark], declared.read_rows(data_file, benchmark)
    overrides = {
        "task": benchmark,
        "custom_dataset": lambda **_: DatasetDict(test=Dataset.from_list(rows)),
        "repeats": samples,
        # lm-eval's own generation never runs: repro.evaluation.engines samples, from the config.
        "generation_kwargs": {"until": []},
        # Without a filter list lm-eval hands process_results the first response only.
        "filter_list": [{"name": "all", "filter": [{"function": "take_first_k", "k": samples}]}],
        "process_results": lambda doc, results: {},
        "metric_list": [],
        **scoring,
    }
    if math_prompt and stated.verifier == "math":
        overrides["doc_to_text"] = lambda doc: prompts.math(
            {"problem": doc[stated.question]}, math_prompt
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
