"""Write one file of responses per benchmark; survives a kill, never generates anything twice."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from lm_eval.api.task import ConfigurableTask
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerBase

from repro.config.backbones import Backbone
from repro.config.resolved import Generation, stated
from repro.evaluation import engines, tasks
from repro.evaluation.decoding import Completion, Request
from repro.files import digests, jsonl, model_folder
from repro.files.progress import Progress
from repro.verify import thinking


@dataclass(frozen=True)
class Plan:
    """All requests of a benchmark, one a problem, in the order of its file."""

    benchmark: str
    requests: dict[int, Request]  # by doc_id
    samples: int
    problems_per_batch: int  # asked at once, each with all its samples; 1 where each has a seed
    begun: Path  # grows; becomes `complete` at the end
    complete: Path
    output: Path


def generate_responses(
    generation: Generation,
    backbone: Backbone,
    model_dir: str | Path,
    data_dir: str | Path,
    work_dir: str | Path,
    output_dir: str | Path,
    tensor_parallel: int = 1,
) -> None:
    """Generate every missing benchmark of an evaluation with one load of the model.

    Args:
        generation: what decides the responses.
        backbone: how the model is asked, and whether Python files in its folder may run.
        model_dir: Hugging Face model folder; its tokenizer must have a chat template.
        data_dir: holds ``{benchmark}.jsonl``.
        work_dir: unfinished and finished files, named by a hash of settings, model files and
            prompts: another model or setting never continues a file it did not begin.
        output_dir: gets ``{benchmark}.jsonl``, see `generations`, a link to the finished file.
        tensor_parallel: devices over which vLLM splits the model.

    ValueError: an engine that is not installed, a data row without a field, a prompt that leaves no
    room for ``max_new_tokens``, or an output file that answers other prompts.
    """
    engines.check(generation.engine, tensor_parallel)
    model_dir, output_dir, work_dir = Path(model_dir), Path(output_dir), Path(work_dir)
    trusted, has_tags = backbone.trust_remote_code, backbone.thinking == thinking.REQUIRED
    tokenizer = AutoTokenizer.from_pretrained(model_dir, trust_remote_code=trusted)
    config = AutoConfig.from_pretrained(model_dir, trust_remote_code=trusted)
    room = config.max_position_embeddings - generation.max_new_tokens
    sampling = {key: value for key, value in stated(generation).items() if key != "benchmarks"}
    model, plans, longest = digests.of_model(model_dir), [], 0
    for benchmark, chosen in generation.benchmarks.items():
        file, asking = Path(data_dir) / f"{benchmark}.jsonl", generation.protocol
        task = tasks.load(benchmark, file, chosen.samples, asking, backbone.prompt.math)
        prompts = render_prompts(task, tokenizer, backbone.prompt.system)
        lengths = [len(ids) for ids in tokenizer(prompts, add_special_tokens=False)["input_ids"]]
        # Longest first: neighbours need little padding, and a lack of memory shows at once.
        order = sorted(range(len(prompts)), key=lambda doc: (-lengths[doc], doc))
        longest = max(longest, *lengths)
        if longest > room:
            raise ValueError(
                f"{benchmark}, doc {order[0]}: the prompt has {longest} tokens, but the context "
                f"less max_new_tokens leaves room for {room}"
            )
        seeds = {doc: make_seed(generation.seed, benchmark, doc) for doc in order}
        requests = {doc: Request(prompts[doc], chosen.samples, seeds[doc]) for doc in order}
        asked = [(doc, chosen.samples, prompts[doc]) for doc in order]
        counted = [] if has_tags else [backbone.thinking]
        name = f"{benchmark}.{digests.of_values([sampling, model, asked, *counted])}.jsonl"
        at_once = 1 if generation.has_seeds else max(1, generation.batch_size // chosen.samples)
        complete, output = work_dir / name, output_dir / f"{benchmark}.jsonl"
        if output.exists() and not complete.exists():
            raise ValueError(
                f"{output} was made by another model or with other settings, or its file under "
                f"{work_dir} is gone; move it away to generate {benchmark} again"
            )
        files = work_dir / f"{name}.begun", complete, output
        plans.append(Plan(benchmark, requests, chosen.samples, at_once, *files))
    work_dir.mkdir(parents=True, exist_ok=True)
    output_dir.mkdir(parents=True, exist_ok=True)
    missing = [plan for plan in plans if not plan.complete.exists()]
    if missing:
        left = {plan.benchmark: _resume(plan) for plan in missing}
        length = longest + generation.max_new_tokens
        how = trusted, tensor_parallel, has_tags
        engine = engines.load(generation.engine, model_dir, length, *how)
        _generate(missing, left, generation, engine, f"generate {model_dir}")
    for plan in plans:  # a link, because a workflow may delete the output, not the work
        plan.output.unlink(missing_ok=True)
        model_folder.link(plan.complete, plan.output)


def make_seed(seed: int, benchmark: str, doc_id: int) -> int:
    """Return the seed of one request, so that a resumed run draws what the first would have."""
    return digests.to_integer(f"{seed}:{benchmark}:{doc_id}")


def render_prompts(
    task: ConfigurableTask, tokenizer: PreTrainedTokenizerBase, system: str | None
) -> list[str]:
    """Return the prompt of each problem of a task, in a model's chat template."""
    render = partial(tokenizer.apply_chat_template, tokenize=False, add_generation_prompt=True)
    asked = {"system_instruction": system, "apply_chat_template": True, "chat_template": render}
    return [task.fewshot_context(doc, num_fewshot=0, **asked) for _, doc in task.doc_iterator()]


def _generate(
    plans: list[Plan],
    left: dict[str, list[int]],
    generation: Generation,
    engine: engines.Engine,
    title: str,
) -> None:
    """Ask for the problems that are left of each benchmark, and write what comes back as it comes.

    All of a problem's samples are appended at once.
    """
    total = sum(len(plan.requests) * plan.samples for plan in plans)
    missing = sum(len(left[plan.benchmark]) * plan.samples for plan in plans)
    progress = Progress(title, total, total - missing, "response")
    of_name = {plan.benchmark: plan for plan in plans}
    for (name, doc_id), of_problem in _answers(plans, left, generation, engine):
        plan, asked = of_name[name], {"benchmark": name, "doc_id": doc_id}
        prompt, seed = {"prompt": plan.requests[doc_id].prompt}, {"seed": generation.seed}
        rows = [
            {**asked, "sample": sample, **prompt, **asdict(one), **seed}
            for sample, one in enumerate(of_problem)
        ]
        jsonl.append(plan.begun, rows)
        progress.advance(len(rows), name)
    for plan in plans:  # put the rows in the order of the problems
        place = {doc: number for number, doc in enumerate(plan.requests)}
        rows = sorted(jsonl.read(plan.begun), key=lambda row: (place[row["doc_id"]], row["sample"]))
        jsonl.write(plan.complete, rows)
        plan.begun.unlink()


def _answers(
    plans: list[Plan], left: dict[str, list[int]], generation: Generation, engine: engines.Engine
) -> Iterator[tuple[tuple[str, int], list[Completion]]]:
    """Yield benchmark and doc_id of a problem with its completions, as soon as they are there."""
    if generation.has_seeds:
        pairs = ((plan, doc) for plan in plans for doc in left[plan.benchmark])
        asked = {(plan.benchmark, doc): plan.requests[doc] for plan, doc in pairs}
        yield from engine.stream(asked, generation)
        return
    for plan in plans:
        docs = left[plan.benchmark]
        for start in range(0, len(docs), plan.problems_per_batch):
            batch = docs[start : start + plan.problems_per_batch]
            found = engine.generate([plan.requests[doc] for doc in batch], generation)
            yield from zip(((plan.benchmark, doc) for doc in batch), found, strict=True)


def _resume(plan: Plan) -> list[int]:
    """Cut an unfinished file back to whole batches; return the problems that are left, in order.

    Half a batch, which a kill can leave, is drawn again: only whole batches are reproducible.
    """
    if not plan.begun.exists():
        return list(plan.requests)
    whole = plan.begun.read_bytes().split(b"\n")[:-1]
    wanted = len(plan.requests) * plan.samples
    rows = min(len(whole), wanted)
    if rows < wanted:
        rows -= rows % (plan.problems_per_batch * plan.samples)
    os.truncate(plan.begun, sum(len(row) + 1 for row in whole[:rows]))
    done = {json.loads(row)["doc_id"] for row in whole[: rows : plan.samples]}
    return [doc for doc in plan.requests if doc not in done]
