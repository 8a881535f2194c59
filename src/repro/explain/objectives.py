"""The objective along many thoughts: J and process reward at every cut point of the responses.

What the figure of -J over the token position shows and what two of the claims are tested on.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from repro.config.resolved import Judging
from repro.evaluation import tasks
from repro.explain import transcript
from repro.explain.explanation import Explanation, explain
from repro.explain.transcript import Transcript
from repro.files import jsonl
from repro.measure.behaviours import classify
from repro.process_reward.probes import CLOSE_THOUGHT, make_probe


def write_objectives(
    judging: Judging,
    model_dir: str | Path,
    benchmarks: dict[str, dict],
    output_file: str | Path,
    problems: int,
) -> None:
    """Score the first response to each of the first problems of some mathematics benchmarks.

    The thought is cut at every segment, whatever `k` the run was trained with, so that runs can be
    compared. Responses that the context cannot hold together with the probe are left out, said on
    stderr.

    Args:
        judging: settings of the process reward, and whether Python files of the model may run.
        model_dir: the model that judges its own responses.
        benchmarks: by name ``{"generations": file, "scores": file, "data": file}``.
        output_file: JSONL, written whole: benchmark, doc_id, sample, correct (0 or 1), tokens
            (of the thought), points ``[[token position, relative position in [0, 1], J], ...]``
            from the empty thought on, and segments ``[[behaviour or null, process reward], ...]``.
        problems: how many of each benchmark.

    Raises:
        ValueError: files that do not belong together, or a benchmark that is not mathematics.
    """
    tokenizer = transcript.load_tokenizer(model_dir, judging.trust_remote_code)
    model = transcript.load_model(model_dir, judging.trust_remote_code)
    rows, left_out = [], 0
    for name, files in benchmarks.items():
        for row, gold, correct in first_responses(name, files, problems):
            response = as_transcript(tokenizer, model.config, row, gold)
            if response is None:
                left_out += 1
                continue
            scored = explain(model, tokenizer, response, judging)
            rows.append({"benchmark": name, "doc_id": row["doc_id"], "sample": row["sample"],
                         "correct": correct, **_points(scored)})  # fmt: skip
    if left_out:
        print(f"{output_file}: left out {left_out} responses, too long or empty", file=sys.stderr)
    jsonl.write(output_file, rows)


def first_responses(
    name: str, files: Mapping[str, str], problems: int | None = None
) -> Iterator[tuple[dict, str, int]]:
    """Yield the first response to each of the first problems, the gold answer and the verdict.

    Args:
        name: a mathematics benchmark.
        files: its ``generations``, ``scores`` and ``data``.
        problems: how many; None for all.

    Raises:
        ValueError: files that do not belong together, or a benchmark that is not mathematics.
    """
    task = tasks.load(name, files["data"], 1)
    if tasks.verifier(task) != "math":
        raise ValueError(f"{name}: the objective needs an answer in a box, a mathematics benchmark")
    scores = {
        problem["doc_id"]: problem for problem in jsonl.read_json(files["scores"])["problems"]
    }
    first = {row["doc_id"]: row for row in jsonl.read(files["generations"]) if row["sample"] == 0}
    for doc_id, doc in list(enumerate(task.eval_docs))[:problems]:
        if doc_id not in first or doc_id not in scores:
            raise ValueError(f"{files['generations']}: doc {doc_id} is not scored or not there")
        yield first[doc_id], task.doc_to_target(doc), scores[doc_id]["correct"][0]


def as_transcript(
    tokenizer: PreTrainedTokenizerBase, config, row: dict, gold: str
) -> Transcript | None:
    """Return a row of generations in the model's tokens, or None where it is empty or too long."""
    prompt = tokenizer(row["prompt"], add_special_tokens=False)["input_ids"]
    response = tokenizer(row["text"], add_special_tokens=False)["input_ids"]
    probe = make_probe(tokenizer, gold, prefix=CLOSE_THOUGHT)
    limit = config.get_text_config().max_position_embeddings
    if not response or len(prompt) + len(response) + len(probe.ids) > limit:
        return None
    return Transcript(
        question=row["prompt"],
        answer=gold,
        prompt=prompt,
        response=response,
        source=f"doc {row['doc_id']}, sample {row['sample']}",
        opened_by=transcript.opened_by(row["prompt"], row["text"]),
    )


def _points(scored: Explanation) -> dict:
    stretches = [scored.baseline, *scored.stretches]
    tokens = stretches[-1].end
    return {
        "tokens": tokens,
        "points": [[s.end, s.end / max(tokens, 1), s.objective] for s in stretches],
        "segments": [[classify(s.text), s.reward] for s in scored.stretches],
    }
