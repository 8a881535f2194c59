"""Write one file of responses per benchmark; survives a kill, never generates anything twice."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerBase

from repro import digests, jsonl
from repro.evaluation import engines, tasks
from repro.progress import Progress


@dataclass(frozen=True)
class Request:
    """One response to be generated."""

    doc_id: int
    sample: int
    prompt: str


@dataclass(frozen=True)
class Plan:
    """All requests of a benchmark, in the order of its file, cut into batches."""

    benchmark: str
    requests: list[Request]
    batch_size: int
    seed: int
    part: Path  # grows; renamed to `complete` at the end
    complete: Path
    output: Path

    def batch_seed(self, batch: int) -> int:
        """Return the seed of one batch, so that a resumed run draws what the first would have."""
        digest = hashlib.sha256(f"{self.seed}:{self.benchmark}:{batch}".encode()).digest()
        return int.from_bytes(digest[:6], "big")


def run(
    evaluation: dict,
    model_dir: str | Path,
    data_dir: str | Path,
    work_dir: str | Path,
    output_dir: str | Path,
) -> None:
    """Generate every missing benchmark of an evaluation with one load of the model.

    Args:
        evaluation: the resolved settings (``engine``, ``temperature``, ``top_p``, ``top_k``,
            ``max_new_tokens``, ``batch_size``, ``seed``, ``benchmarks: {name: {samples}}``).
        model_dir: Hugging Face model folder; its tokenizer must have a chat template.
        data_dir: holds ``{benchmark}.jsonl``.
        work_dir: unfinished and finished files, named by a hash of settings, model files and
            prompts: another model or setting never continues a file it did not begin.
        output_dir: gets ``{benchmark}.jsonl``, a link to the finished file, sorted by prompt
            length; fields benchmark, doc_id, sample, prompt, text, n_tokens, n_reasoning_tokens,
            finish_reason, seed.

    Raises:
        ValueError: an unknown engine or benchmark, a data row without a field, a prompt that leaves
            no room for ``max_new_tokens``, or an output file that answers other prompts.
    """
    engines.check_name(evaluation["engine"])
    model_dir, output_dir, work_dir = Path(model_dir), Path(output_dir), Path(work_dir)
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    context = AutoConfig.from_pretrained(model_dir).max_position_embeddings
    model, plans = digests.of_model(model_dir), []
    for benchmark, settings in evaluation["benchmarks"].items():
        task = tasks.load(benchmark, Path(data_dir) / f"{benchmark}.jsonl", settings["samples"])
        prompts = _prompts(task, tokenizer, model_dir)
        room = context - evaluation["max_new_tokens"]
        lengths = _check_lengths(benchmark, prompts, tokenizer, room)
        # Longest first: neighbours need little padding, and a lack of memory shows at once.
        order = sorted(range(len(prompts)), key=lambda doc: (-lengths[doc], doc))
        requests = [
            Request(doc_id, sample, prompts[doc_id])
            for doc_id in order
            for sample in range(settings["samples"])
        ]
        name = f"{benchmark}.{_fingerprint(evaluation, model, requests)}.jsonl"
        plans.append(
            Plan(
                benchmark=benchmark,
                requests=requests,
                batch_size=evaluation["batch_size"],
                seed=evaluation["seed"],
                part=work_dir / f"{name}.part",
                complete=work_dir / name,
                output=output_dir / f"{benchmark}.jsonl",
            )
        )
    work_dir.mkdir(parents=True, exist_ok=True)
    output_dir.mkdir(parents=True, exist_ok=True)
    missing = [plan for plan in plans if not _is_finished(plan)]
    if missing:
        _generate(missing, evaluation, model_dir)
    for plan in plans:
        _publish(plan)


def _prompts(task, tokenizer: PreTrainedTokenizerBase, model_dir: Path) -> list[str]:
    if tokenizer.chat_template is None:
        raise ValueError(f"{model_dir}: the tokenizer has no chat template")

    def render(messages: list[dict], add_generation_prompt: bool = True) -> str:
        return tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=add_generation_prompt
        )

    return [
        task.fewshot_context(doc, num_fewshot=0, apply_chat_template=True, chat_template=render)
        for _, doc in task.doc_iterator()
    ]


def _check_lengths(
    benchmark: str,
    prompts: list[str],
    tokenizer: PreTrainedTokenizerBase,
    room: int,
) -> list[int]:
    lengths = [len(ids) for ids in tokenizer(prompts, add_special_tokens=False)["input_ids"]]
    for doc_id, length in enumerate(lengths):
        if length > room:
            raise ValueError(
                f"{benchmark}, doc {doc_id}: the prompt has {length} tokens, but the context less "
                f"max_new_tokens leaves room for {room}"
            )
    return lengths


def _fingerprint(evaluation: dict, model: str, requests: list[Request]) -> str:
    """Name what determines the responses."""
    keys = ("engine", "temperature", "top_p", "top_k", "max_new_tokens", "batch_size", "seed")
    asked = [(request.doc_id, request.sample, request.prompt) for request in requests]
    return digests.of_values([{key: evaluation[key] for key in keys}, model, asked])


def _is_finished(plan: Plan) -> bool:
    """Tell whether the responses are there; an output of unknown origin is never overwritten."""
    if not plan.complete.exists() and plan.output.exists():
        raise ValueError(
            f"{plan.output} was made by another model or with other settings, or its file under "
            f"{plan.complete.parent} is gone; move it away to generate {plan.benchmark} anew"
        )
    return plan.complete.exists()


def _generate(plans: list[Plan], evaluation: dict, model_dir: Path) -> None:
    done = {plan.benchmark: _resume(plan) for plan in plans}
    total = sum(len(plan.requests) for plan in plans)
    engine = engines.load(evaluation["engine"], model_dir)
    progress = Progress(f"generate {model_dir}", total, sum(done.values()), "response")
    for plan in plans:
        for start in range(done[plan.benchmark], len(plan.requests), plan.batch_size):
            batch = plan.requests[start : start + plan.batch_size]
            sampling = engines.Sampling(
                temperature=evaluation["temperature"],
                top_p=evaluation["top_p"],
                top_k=evaluation["top_k"],
                max_new_tokens=evaluation["max_new_tokens"],
                seed=plan.batch_seed(start // plan.batch_size),
            )
            completions = engine.generate([request.prompt for request in batch], sampling)
            jsonl.append(plan.part, map(_row, [plan] * len(batch), batch, completions))
            progress.advance(len(batch), plan.benchmark)
        os.replace(plan.part, plan.complete)


def _row(plan: Plan, request: Request, completion: engines.Completion) -> dict:
    return {
        "benchmark": plan.benchmark,
        "doc_id": request.doc_id,
        "sample": request.sample,
        "prompt": request.prompt,
        "text": completion.text,
        "n_tokens": completion.n_tokens,
        "n_reasoning_tokens": completion.n_reasoning_tokens,
        "finish_reason": completion.finish_reason,
        "seed": plan.seed,
    }


def _resume(plan: Plan) -> int:
    """Cut an unfinished file back to its last whole batch; return the number of rows it keeps.

    A kill can leave half a batch and half a line. Half a batch is drawn again as a whole: only
    whole batches are reproducible from their seed.
    """
    if not plan.part.exists():
        return 0
    ends = [0]  # file offsets after each good row
    with open(plan.part, "rb") as file:
        for line in file:
            if not _is_whole_row(line):
                break
            ends.append(ends[-1] + len(line))
    rows = min(len(ends) - 1, len(plan.requests))
    if rows < len(plan.requests):
        rows -= rows % plan.batch_size
    os.truncate(plan.part, ends[rows])
    return rows


def _is_whole_row(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _publish(plan: Plan) -> None:
    """Link the finished file to the output: a workflow may delete the output, not the work."""
    if not plan.complete.exists() or (plan.output.exists() and plan.output.samefile(plan.complete)):
        return
    part = plan.output.with_name(plan.output.name + ".part")
    part.unlink(missing_ok=True)
    try:
        os.link(plan.complete, part)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(plan.complete, part)
    os.replace(part, plan.output)
