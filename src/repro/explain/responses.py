"""A run's own responses, judged by its model: the objective file, and the paper's case study."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from repro import methods
from repro.benchmarks import declared
from repro.config.resolved import Judging
from repro.evaluation import tasks
from repro.evaluation.decoding import Decoder
from repro.explain import explanation
from repro.explain.explanation import Transcript, explain_each
from repro.files import jsonl
from repro.measure.behaviours import count
from repro.records.experiment import RunFolder
from repro.verify import thinking


def write_objectives(
    judging: Judging,
    run: RunFolder,
    data: Mapping[str, str | Path],
    output_file: str | Path,
    problems: int,
) -> None:
    """Score the first response to each of the first problems of some mathematics benchmarks.

    ``data`` names the file of problems of each benchmark, ``problems`` says how many of them.
    ``output_file`` is JSONL of benchmark, doc_id, sample, correct (0 or 1), tokens (of the
    thought), points ``[[token position, relative position in [0, 1], J], ...]`` from the empty
    thought on, and segments ``[[behaviour or null, process reward], ...]``.

    ValueError: files that do not belong together, or a benchmark that is not mathematics.
    """
    model = explanation.load_model(run.path / "model", judging.trust_remote_code)
    tokenizer = Decoder(run.path / "model", judging.trust_remote_code).tokenizer
    rows, has_tags = [], judging.thinking == thinking.REQUIRED
    for name, file in data.items():
        for row, correct, response in _first_responses(run, tokenizer, name, file, problems):
            [scored] = explain_each(model, tokenizer, response, [judging], has_tags)
            rows.append(scored.row(name, row["doc_id"], correct))
    jsonl.write(output_file, rows)


def write_case_study(
    judging: Judging,
    run: RunFolder,
    benchmark: str,
    data: str | Path,
    output: str | Path,
    note: str = "",
) -> None:
    """Write the case study of a run as PNG, PDF and HTML; see `page.write`.

    Of the first responses to each problem it shows the first that is correct and holds a segment
    that backtracks, verifies or hesitates; else the first correct one; else the first of all.
    Errors as of `write_objectives`, and ValueError where none fits into the model's context.
    """
    from repro.explain import page  # and with it matplotlib

    has_tags = judging.thinking == thinking.REQUIRED

    def rank(found: tuple[dict, int, Transcript]) -> int:
        thought = thinking.find_thought(found[0]["text"], has_tags)
        return found[1] * (1 + any(count(thought)[1:])) if thought.strip() else -1  # its behaviours

    tokenizer = Decoder(run.path / "model", judging.trust_remote_code).tokenizer
    fitting = list(_first_responses(run, tokenizer, benchmark, data))
    if not fitting:
        raise ValueError(f"{run.path}, {benchmark}: no response fits into the model's context")
    _, _, best = max(fitting, key=rank)  # the first of equal ones
    model = explanation.load_model(run.path / "model", judging.trust_remote_code)
    [scored] = explain_each(model, tokenizer, best, [judging], has_tags)
    name = f"{run.backbone}, {methods.label(run.method)}, seed {run.seed}"
    page.write(replace(scored, model=name), output, note)


def _first_responses(
    run: RunFolder,
    tokenizer: PreTrainedTokenizerBase,
    benchmark: str,
    data: str | Path,
    problems: int | None = None,
) -> Iterator[tuple[dict, int, Transcript]]:
    """Yield the first response to each of the first problems: row, verdict, and explanation.

    Those that are empty, or too long for the context, are left out and counted on stderr.
    """
    task = tasks.load(benchmark, data, 1)
    if not declared.benchmarks()[benchmark].in_domain:
        raise ValueError(f"{benchmark}: the objective needs answers in a box, those of mathematics")
    scored = run.read_json(f"scores/{benchmark}").get("problems", [])
    scores = {one["doc_id"]: one for one in scored}
    generations = run.read_rows(f"generations/{benchmark}")
    first = {row["doc_id"]: row for row in generations if row["sample"] == 0}
    left_out, question = 0, task.config.metadata["question"]
    for doc_id, doc in list(enumerate(task.eval_docs))[:problems]:
        if doc_id not in first or doc_id not in scores:
            raise ValueError(f"{run.path}, {benchmark}: doc {doc_id} is not scored or not there")
        row, correct = first[doc_id], scores[doc_id]["correct"][0]
        answer = str(task.doc_to_target(doc))  # lm-eval's templates make lists and numbers, too
        prompt, ids = (explanation.encode(tokenizer, row[name]) for name in ("prompt", "text"))
        room = explanation.room_for_response(run.path / "model", tokenizer, prompt, answer)
        if not 0 < len(ids) <= room:
            left_out += 1
            continue
        source = f"{benchmark}, doc {doc_id}, sample 0, {'correct' if correct else 'wrong'}"
        yield row, correct, Transcript(doc[question], answer, prompt, ids, source)
    if left_out:
        where = f"{run.path}, {benchmark}"
        print(f"{where}: left out {left_out} responses, too long or empty", file=sys.stderr)
