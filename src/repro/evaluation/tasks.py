"""The benchmarks as lm-eval tasks over local JSONL files."""

import logging
from pathlib import Path

from datasets import Dataset, DatasetDict
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks import TaskManager

from repro.benchmarks import declared, prompts
from repro.benchmarks.declared import COMPACT


def load(
    benchmark: str,
    data_file: str | Path,
    samples: int,
    protocol: str = COMPACT,
    math_prompt: str | None = None,
    **scoring: object,
) -> ConfigurableTask:
    """Return the lm-eval task of one benchmark over one JSONL file; raises as `read_rows`.

    Args:
        benchmark: its name.
        data_file: not read by ``datasets``, for the reason in ``hub``.
        samples: responses per problem.
        protocol: how the paper's benchmarks are asked and judged, a file of `protocols/`.
        math_prompt: an instruction for mathematics, a text with ``{problem}``.
        scoring: lm-eval's ``process_results``, ``(doc, [[response, ...]]) -> metrics``, and
            ``metric_list``.
    """
    rows = declared.read_rows(data_file, benchmark)
    stated = declared.benchmarks(protocol)[benchmark]
    # Its place decides the order of a question's choices in one protocol.
    rows = [{"row": number} | row for number, row in enumerate(rows)]
    logging.getLogger("lm_eval").setLevel(logging.ERROR)  # its defaults warn about what is intended
    manager = TaskManager(include_path=str(declared.FOLDER), include_defaults=False)
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
    if asked := stated.asked:
        texts = {"text": asked.prompt, "target": asked.target, "choice": asked.choices}
        for name, function in texts.items():
            overrides[f"doc_to_{name}"] = function and declared.resolve(function)
    if math_prompt and stated.in_domain:
        overrides["doc_to_text"] = lambda doc: prompts.math(
            {"problem": doc[stated.question]}, math_prompt
        )
    return manager.load({"group": "evaluation", "task": [overrides]})["tasks"][benchmark]
