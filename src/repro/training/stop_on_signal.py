"""A training that is asked to end early, by preemption or a time limit, ends with a checkpoint."""

import signal
import sys

import torch
from transformers import TrainerCallback

EXIT_STATUS = 128 + signal.SIGTERM  # 143, as a shell reports a process that SIGTERM ended


class StopOnSignal(TrainerCallback):
    """On SIGTERM: finish the step, have a checkpoint written, stop.

    A training can be resumed exactly only between two generations, so with several updates per
    generation it goes on to the last of them. (transformers' own `enable_jit_checkpoint` saves
    wherever it is, in one process.) Before and after the training loop the signal ends the process
    as usual: nothing is lost there.
    """

    def __init__(self, updates_per_generation: int = 1) -> None:
        self.updates = updates_per_generation
        self.asked = False
        self.stopped_at: int | None = None  # the step whose checkpoint was the last act
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
            control.should_save = control.should_training_stop = True
            self.stopped_at = state.global_step

    def on_train_end(self, args, state, control, **kwargs):
        """Leave the signal as it was found."""
        signal.signal(signal.SIGTERM, self._before)

    def exit_if_stopped(self, steps: int) -> None:
        """Say where a training of so many steps stopped, and end the process, if it was asked."""
        if self.stopped_at is not None:
            print(
                f"stopped by SIGTERM; a checkpoint was written at step {self.stopped_at} of "
                f"{steps}, from which the next call goes on",
                file=sys.stderr,
            )
            raise SystemExit(EXIT_STATUS)

    def _on_signal(self, _number, _frame) -> None:
        if not self.asked:
            print("SIGTERM: training stops after this step", file=sys.stderr, flush=True)
        self.asked = True
