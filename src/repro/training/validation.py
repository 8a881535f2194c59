"""Validation along the way: always the same problems, asked every few steps, scored as everywhere.

It comes before the checkpoint of its step. A run that is killed in the middle of it resumes from an
earlier checkpoint and validates that step again, on the same weights and with the same seeds. It
draws from a random state of its own, so that a run trains the same with and without it.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate.utils import gather_object
from transformers import TrainerCallback

from repro.config.models import Sampling
from repro.config.resolved import RunSettings, ScoreSettings
from repro.evaluation import generate, tasks
from repro.evaluation.decoding import Decoder, Request
from repro.evaluation.engines import Engine, TransformersEngine, VllmEngine
from repro.evaluation.score import score_file
from repro.files import jsonl
from repro.training.policy_scoring import ScoringTrainer
from repro.verify import thinking

FILE = "validation.jsonl"  # a row for each step and benchmark
FOLDER = "validation"  # BENCHMARK/STEP.jsonl, the responses, and BENCHMARK/STEP.json, their scores
MEASURED = {  # column -> statistic of a score file; see docs/metrics.md
    "accuracy": "accuracy",
    "reasoning_tokens": "tokens_mean",
    "backtracking_per_1k": "backtracking_per_1k",
    "backtracking_responses": "backtracking_responses",
    "truncation_rate": "truncation",
}


class Validation(TrainerCallback):
    """Asks the policy before the first step, every so many steps and after the last.

    Args:
        trainer: whose policy is asked, by the engine that samples its rollouts.
        run: its settings, with `training.validation`.
        model_dir: the backbone, for its tokenizer.
        data_dir: has BENCHMARK.jsonl of each benchmark.
        work_dir: gets `FILE` and `FOLDER`.

    Raises:
        ValueError: a data file is missing or malformed.
    """

    def __init__(
        self,
        trainer: ScoringTrainer,
        run: RunSettings,
        model_dir: str | Path,
        data_dir: Path,
        work_dir: Path,
    ) -> None:
        self.trainer, self.work_dir, chosen = trainer, work_dir, run.training.validation
        self.every, self.samples, backbone = chosen.every, chosen.samples, run.backbone_settings
        has_tags = backbone.thinking == thinking.REQUIRED
        self.decoder = Decoder(model_dir, backbone.trust_remote_code, has_tags)
        self.scoring = ScoreSettings(
            samples=chosen.samples, thinking=backbone.thinking, protocol=chosen.protocol
        )
        drawn = chosen.model_dump(include={"temperature", "top_p", "seed"})
        self.sampling = Sampling(**drawn, max_new_tokens=run.training.max_completion_tokens)
        at_once = run.training.responses_per_step // trainer.accelerator.num_processes
        self.problems_at_once = max(1, at_once // chosen.samples)
        self.files = {name: data_dir / f"{name}.jsonl" for name in chosen.benchmarks}
        self.requests: list[tuple[str, int, Request]] = []  # with benchmark and doc_id
        for name, file in self.files.items():
            asking = chosen.protocol, backbone.prompt.math
            task = tasks.load(name, file, chosen.samples, *asking)
            asked = generate.render_prompts(task, self.decoder.tokenizer, backbone.prompt.system)
            for doc_id, prompt in enumerate(asked[: chosen.problems]):
                seed = generate.make_seed(chosen.seed, name, doc_id)
                self.requests.append((name, doc_id, Request(prompt, chosen.samples, seed)))

    def on_train_begin(self, args, state, control, **kwargs):
        """Drop what a killed run validated after its checkpoint; ask the backbone as it is."""
        file = self.work_dir / FILE
        if state.is_world_process_zero and file.exists():
            rows = (json.loads(line) for line in file.read_bytes().split(b"\n")[:-1])
            # Without a checkpoint the run begins again, and with it the validation of step 0.
            last = state.global_step or -1
            kept = [row for row in rows if row["step"] <= last]
            jsonl.write(file, kept)
        if state.global_step == 0:
            self.validate(0)

    def on_step_end(self, args, state, control, **kwargs):
        """Ask where it is time."""
        if state.global_step % self.every == 0 or state.global_step == state.max_steps:
            self.validate(state.global_step)

    def validate(self, step: int) -> None:
        """Sample, write, score and measure the responses after a step."""
        started = time.perf_counter()
        rows = gather_object(self._sample())
        if not self.trainer.is_world_process_zero():
            return
        measured = []
        for name, data in self.files.items():
            responses = self.work_dir / FOLDER / name / f"{step}.jsonl"
            of_benchmark = [row for row in rows if row["benchmark"] == name]
            jsonl.write(responses, sorted(of_benchmark, key=lambda r: (r["doc_id"], r["sample"])))
            scores = responses.with_suffix(".json")
            score_file(name, responses, data, scores, self.scoring)
            found = jsonl.read_json(scores)["aggregates"]
            values = {c: (found.get(of) or {}).get("value") for c, of in MEASURED.items()}
            measured.append({"step": step, "benchmark": name, **values})
        seconds = (time.perf_counter() - started) / len(measured)
        jsonl.append(self.work_dir / FILE, [row | {"seconds": seconds} for row in measured])

    def _sample(self) -> list[dict]:
        """Return the rows of this process's share of the responses, as a file of generations."""
        accelerator, rows = self.trainer.accelerator, []
        # Processes that share a vLLM engine ask it the same; the first of them keeps the answers.
        sharing = self.trainer.vllm_tensor_parallel_size if self.trainer.use_vllm else 1
        engine_number, place = divmod(accelerator.process_index, sharing)
        mine = self.requests[engine_number :: accelerator.num_processes // sharing]
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        with torch.random.fork_rng(devices), self._engine() as engine:
            for start in range(0, len(mine), self.problems_at_once):
                batch = mine[start : start + self.problems_at_once]
                answers = engine.generate([request for *_, request in batch], self.sampling)
                for (name, doc_id, request), completions in zip(batch, answers, strict=True):
                    asked = {"benchmark": name, "doc_id": doc_id, "prompt": request.prompt}
                    rows += [
                        {**asked, "sample": sample, **asdict(one), "seed": self.sampling.seed}
                        for sample, one in enumerate(completions)
                    ]
        return [] if place else rows

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        """Hold the policy in an engine: vLLM where it samples the rollouts, else transformers."""
        if not self.trainer.use_vllm:
            with self.trainer._scoring() as model:
                yield TransformersEngine(model, self.decoder)
            return
        generation = self.trainer.vllm_generation
        generation.sync_weights()  # also wakes them; TRL pushes them again before it samples
        if generation.enable_sleep_mode:
            generation.llm.wake_up(tags=["kv_cache"])
        try:
            yield VllmEngine(generation.llm, self.decoder)
        finally:
            if generation.enable_sleep_mode:
                generation.llm.sleep(level=2)
                generation._llm_weights_sleeping = True
