"""One of several processes that `accelerate launch` started for one training, or the only one."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def layout() -> dict:
    """Return `processes` and `strategy` (as in `training.parallel`) of this training; {} alone."""
    processes = int(os.environ.get("WORLD_SIZE", 1))
    if processes == 1:
        return {}
    strategy = "fsdp" if os.environ.get("ACCELERATE_USE_FSDP") == "true" else "ddp"
    if os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true":
        strategy = f"zero{os.environ['ACCELERATE_DEEPSPEED_ZERO_STAGE']}"
    return {"processes": processes, "strategy": strategy}


def is_first() -> bool:
    """Whether this process writes for all of them."""
    return int(os.environ.get("RANK", 0)) == 0


def end_with_launcher() -> None:
    """Have the system kill this process when its launcher ends, however that ends.

    The launcher stops all processes when one fails; where it is killed itself they would train on,
    beside those of the next call.
    """
    if layout():
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
