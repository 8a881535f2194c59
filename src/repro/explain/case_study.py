"""The paper's case study (section Experiments): one of a run's own responses, step by step.

Which response is shown is a rule, never a choice by eye: of the first responses to each problem of
the first benchmark the first one that is correct and holds a segment that backtracks, verifies or
hesitates; else the first correct one; else the first of all.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from repro.config.resolved import Judging
from repro.evaluation import tasks
from repro.explain import objectives, page, transcript
from repro.explain.explanation import explain
from repro.measure.behaviours import count
from repro.report.collect import BEHAVIOURS
from repro.verify.answers import split_thought


def write_case_study(
    judging: Judging,
    model_dir: str | Path,
    benchmark: str,
    files: Mapping[str, str],
    output: str | Path,
    *,
    name: str,
    note: str = "",
) -> tuple[Path, Path, Path]:
    """Write the case study of one run as PNG, PDF and HTML.

    Args:
        judging: settings of the process reward, and whether Python files of the model may run.
        model_dir: the model that gave the responses, and judges them.
        benchmark: a mathematics benchmark.
        files: {"generations": file, "scores": file, "data": file} of the benchmark.
        output: the path of the PNG; PDF and HTML stand beside it.
        name: what the figure calls the run.
        note: a sentence that stands below the figure.

    Returns:
        The paths of PNG, PDF and HTML.

    Raises:
        ValueError: files that do not belong together, no response that the model's context holds
            together with the probe, or a benchmark that is not mathematics.
    """
    tokenizer = transcript.load_tokenizer(model_dir, judging.trust_remote_code)
    model = transcript.load_model(model_dir, judging.trust_remote_code)
    task = tasks.load(benchmark, files["data"], 1)
    best, best_rank = None, -1
    for row, gold, correct in objectives.first_responses(benchmark, files):
        response = objectives.as_transcript(tokenizer, model.config, row, gold)
        if response is None:
            continue
        found = count(split_thought(row["text"])[0])
        rank = correct * (1 + any(getattr(found, name) for name in BEHAVIOURS))
        if rank <= best_rank:
            continue
        question = tasks.question(task, task.eval_docs[row["doc_id"]])
        source = f"{benchmark}, {response.source}, {'correct' if correct else 'wrong'}"
        best, best_rank = replace(response, question=question, source=source), rank
        if rank == 2:
            break
    if best is None:
        raise ValueError(f"{files['generations']}: no response fits into the model's context")
    scored = explain(model, tokenizer, best, judging)
    return page.write(replace(scored, model=name), output, note)
