"""Callbacks: the metrics file, complete checkpoints, progress, an early end with a checkpoint."""

import math
import os
import pickle
import shutil
import signal
import sys
import time
from collections import ChainMap
from pathlib import Path

import torch
from accelerate.utils import broadcast_object_list
from transformers import PrinterCallback, Trainer, TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, sort_checkpoints

from repro.files import digests, jsonl
from repro.files.progress import Progress
from repro.training import sampler_mismatch

ROLLOUT = "rollout/"
# In the order of the columns of training.jsonl; None where a method does not have the quantity.
ROLLOUT_COLUMNS = (
    *("reward", "accuracy", "reasoning_tokens", "response_tokens", "truncation_rate"),
    *("backtracking_per_1k", "backtracking_responses", "process_reward_mean"),
    *("process_reward_std", "cut_points", "objective_baseline", "objective_end", "box_share"),
)
UPDATE_COLUMNS = (
    *("entropy", "kl", "loss", "grad_norm", "learning_rate", "value_loss", "value_clip_fraction"),
    *("explained_variance", "critic_grad_norm"),
    *sampler_mismatch.COLUMNS,  # with vLLM
)
MANIFEST = "manifest.json"
EXIT_STATUS = 128 + signal.SIGTERM  # 143, as a shell reports a process that SIGTERM ended


class MetricsFile(TrainerCallback):
    """Appends a row per step to a file, on disk before the step's checkpoint is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rollout: dict[str, float] = {}
        self._step_started = self._step_seconds = 0.0

    def on_train_begin(self, args, state, control, **kwargs):
        """Write the rows up to the checkpoint to resume from, whatever a killed run left behind."""
        if state.is_world_process_zero:
            jsonl.write(self.path, [self._row(of) for of in state.log_history if "loss" in of])

    def on_step_begin(self, args, state, control, **kwargs):
        """Start the clock: a step includes its rollout."""
        self._step_started = time.perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        """Stop the clock, before anything is validated or written."""
        self._step_seconds = time.perf_counter() - self._step_started

    def on_log(self, args, state, control, logs=None, **kwargs):
        """Write the step's row, before a checkpoint is written.

        RuntimeError, in every process: the gradient is not finite, and with it no weight is any
        more. The newest checkpoint is from before.
        """
        if not math.isfinite(norm := float(logs.get("grad_norm") or 0)):
            raise RuntimeError(f"step {state.global_step}: the norm of the gradient is {norm}")
        if state.is_world_process_zero and "loss" in logs:  # the summary at the end is no step
            state.log_history[-1]["step_seconds"] = self._step_seconds  # checkpoints hold it too
            jsonl.append(self.path, [self._row(state.log_history[-1])])

    def _row(self, logs: dict) -> dict:
        fresh = {c: logs[ROLLOUT + c] for c in ROLLOUT_COLUMNS if ROLLOUT + c in logs}
        self._rollout = fresh or self._rollout  # further updates on the same rollout repeat it
        row = {"step": logs["step"]} | {c: self._rollout.get(c) for c in ROLLOUT_COLUMNS}
        return row | {c: logs.get(c) for c in (*UPDATE_COLUMNS, "step_seconds")}


class CheckpointManifest(TrainerCallback):
    """Marks a checkpoint complete: a manifest, written last, has a digest of each of its files."""

    def on_save(self, args, state, control, **kwargs):
        """Write the manifest of the checkpoint just saved."""
        if args.world_size > 1:
            torch.distributed.barrier()  # every process adds files of its own
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            for path in files:
                with open(path, "rb") as file:
                    os.fsync(file.fileno())
            found = {str(path.relative_to(folder)): digests.of_content(path) for path in files}
            jsonl.write(folder / MANIFEST, [found])


def newest_complete_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint of the highest step whose files are all there and intact, or None."""
    for path in map(Path, reversed(sort_checkpoints(folder))):
        try:
            [manifest] = jsonl.read(path / MANIFEST)
            if all(digests.of_content(path / name) == found for name, found in manifest.items()):
                return path
        except (FileNotFoundError, ValueError):  # a file is missing, or the manifest torn
            pass
        print(f"{path}: incomplete or damaged, not used", file=sys.stderr)
    return None


class ProgressLine(TrainerCallback):
    """Says now and then how far a training is, how much time is left, and logged values."""

    def __init__(self, what: str, *shown: str) -> None:
        self.what, self.shown = what, shown

    def on_train_begin(self, args, state, control, **kwargs):
        """Start the clock where the training starts or resumes."""
        self._progress = Progress(self.what, state.max_steps, state.global_step)

    def on_step_end(self, args, state, control, **kwargs):
        """Advance by a step."""
        if state.is_world_process_zero:
            newest = ChainMap(*reversed(state.log_history))
            values = [(key, float(newest[key])) for key in self.shown if key in newest]
            said = [f"{key.rpartition('/')[2].replace('_', ' ')} {of:.3g}" for key, of in values]
            self._progress.advance(state.global_step - self._progress.done, ", ".join(said))


class StopOnSignal(TrainerCallback):
    """On SIGTERM, of preemption or a time limit: finish the step, have a checkpoint written, stop.

    A training can be resumed exactly only between two generations, so with several updates per
    generation it goes on to the last of them. (transformers' own `enable_jit_checkpoint` saves
    wherever it is, in one process.) Before and after the training loop the signal ends the process
    as usual: nothing is lost there.
    """

    def __init__(self, updates_per_generation: int = 1) -> None:
        self.updates = updates_per_generation
        self.asked = False
        self._before = None

    def on_train_begin(self, args, state, control, **kwargs):
        """Listen."""
        self._before = signal.signal(signal.SIGTERM, self._on_signal)

    def on_step_end(self, args, state, control, **kwargs):
        """Stop where a process was asked to and the next step would sample new rollouts."""
        asked = torch.tensor(float(self.asked), device=args.device)
        if args.world_size > 1:  # all must stop after the same step
            torch.distributed.all_reduce(asked, op=torch.distributed.ReduceOp.MAX)
        if asked and state.global_step % self.updates == 0 and state.global_step < state.max_steps:
            self.asked = control.should_save = control.should_training_stop = True

    def on_train_end(self, args, state, control, **kwargs):
        """Leave the signal as it was found."""
        signal.signal(signal.SIGTERM, self._before)

    def _on_signal(self, _number, _frame) -> None:
        if not self.asked:
            print("SIGTERM: training stops after this step", file=sys.stderr, flush=True)
        self.asked = True


def train_to_end(trainer: Trainer, updates_per_generation: int = 1) -> None:
    """Train from the newest complete checkpoint in the trainer's folder to the last step.

    ValueError: a file of the checkpoint would run code. SystemExit: SIGTERM ended it early, with a
    checkpoint; status 143. RuntimeError: it ended before the last step for any other reason.
    """
    stop = StopOnSignal(updates_per_generation)
    trainer.remove_callback(PrinterCallback)  # it prints the logs of every step
    trainer.add_callback(CheckpointManifest())
    trainer.add_callback(stop)
    folder, is_first = Path(trainer.args.output_dir), trainer.is_world_process_zero()
    found = [newest_complete_checkpoint(folder) if is_first else None]
    [checkpoint] = broadcast_object_list(found)  # what one finds, all load
    for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*") if is_first else ():
        if not (path / MANIFEST).exists():  # else it counts among those that are kept
            shutil.rmtree(path)
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except pickle.UnpicklingError as error:  # torch's, of a file that holds more than tensors
        raise ValueError(
            f"{checkpoint}: not loaded, because a file of it would run code or is damaged; delete "
            f"the folder to go on from the checkpoint before ({str(error).splitlines()[0]})"
        ) from None
    where = f"at step {trainer.state.global_step} of {trainer.args.max_steps}"
    if trainer.state.global_step < trainer.args.max_steps:
        if not stop.asked:
            raise RuntimeError(f"training stopped {where}")
        said = f"a checkpoint was written {where}, from which the next call goes on"
        print(f"stopped by SIGTERM; {said}", file=sys.stderr)
        raise SystemExit(EXIT_STATUS)
