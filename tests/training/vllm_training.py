"""Trains with rollouts by vLLM's CPU build, in a process of its own, and records what it did.

Two things are different here from a GPU, both of vLLM and both because its CPU build is not made
for training: linear layers keep their weights as they are (by default they are packed into another
layout, and TRL could not bring new ones), and the engine computes in float32 without compiling.
"""

import functools
import os
import signal
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import torch
from tests.training.conftest import even_length, run_of
from transformers import GenerationMixin
from trl.generation import vllm_generation

from repro.training import callbacks, train
from repro.training.trainer import ReProTrainer


def prepare(record: dict) -> None:
    """Make the engine trainable on a CPU, and note loads, generations and scores."""
    from vllm import LLM, _custom_ops

    _custom_ops._supports_onednn = False
    answer = LLM.generate

    def note_seeds(self, prompts, sampling_params, **kwargs):
        record["seeds"].append([one.seed for one in sampling_params])
        return answer(self, prompts, sampling_params=sampling_params, **kwargs)

    engine = functools.partial(vllm_generation.LLM, enforce_eager=True, dtype="float32")

    def load(**options):
        record["loads"].append(
            {key: options[key] for key in ("max_model_len", "gpu_memory_utilization", "seed")}
        )
        return engine(**options)

    generate = vllm_generation.VLLMGeneration.generate

    def note_generation(self, prompts, *args, **kwargs):
        found = generate(self, prompts, *args, **kwargs)
        record["generations"].append(
            {
                "weights": {name: x.clone() for name, x in self.model.state_dict().items()},
                "prompts": prompts,
                "completions": found[1],
                "log_probs": [[token[0] for token in row] for row in found[2]],
            }
        )
        return found

    apply_rule = ReProTrainer._apply_rule

    def note_scores(self, rollout, rows):
        scores = {"cuts": rollout.measured.cuts, "objective": rollout.measured.objective}
        record["generations"][-1] |= scores | {"answers": rollout.answers}
        return apply_rule(self, rollout, rows)

    def refuse(*args, **kwargs):
        raise AssertionError("transformers was asked to generate")

    LLM.generate = note_seeds
    vllm_generation.LLM = load
    vllm_generation.VLLMGeneration.generate = note_generation
    ReProTrainer._apply_rule = note_scores
    GenerationMixin.generate = refuse
    train.correctness = even_length


def run(settings: dict, model: Path, train_file: Path, folder: Path, dies_at: int | None) -> None:
    """Train; the process kills itself after a step, where one is given."""
    record = {"loads": [], "seeds": [], "generations": []}
    prepare(record)

    class Dying(callbacks.MetricsFile):
        def on_log(self, args, state, control, logs=None, **kwargs):
            super().on_log(args, state, control, logs, **kwargs)
            if state.global_step == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)

    callbacks.MetricsFile = Dying
    with open(folder / "log", "a") as log, redirect_stdout(log), redirect_stderr(log):
        train.train_run(run_of(settings), model, train_file, folder / "work", folder / "out")
    record["torch_seed"] = torch.initial_seed()
    torch.save(record, folder / "record.pt")
