"""What logging costs a training: `python bench/tracking.py`.

The steps here are pauses, so that all of the process's CPU time is logging: what the training's own
thread spends on it, and what the thread that sends takes from the cores. Steps are as long as the
embedded experiment's; a row has as many numbers as PPO's. For SQLite and for a server on this
machine, whose own CPU time is not counted.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from repro import tracking
from repro.training.callbacks import ROLLOUT_COLUMNS, UPDATE_COLUMNS

COLUMNS = (*ROLLOUT_COLUMNS, *UPDATE_COLUMNS, "step_seconds")
RUN = {
    **{"backbone": "tiny", "method": "ppo+repro", "algorithm": "ppo", "seed": 0},
    "training": {f"setting_{number}": number for number in range(25)},
    **{"process_reward": {"alpha": 0.1, "w": 0.1, "k": 8}, "backbone_settings": {"layers": 3}},
}


@contextmanager
def server(folder: str):
    """Yield the address of an MLflow server that runs meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/server.db"]
    command += ["--artifacts-destination", f"{folder}/artifacts"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen(command, env=environment, start_new_session=True, **quiet)
    try:
        while True:
            try:
                with urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
            except OSError:
                assert process.poll() is None, "the server ended"
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def measure(uri: str, work: Path, steps: int, seconds: float) -> tuple[float, float, float, float]:
    """Log a training.

    Returns:
        Seconds within `add` in all, of its longest call, CPU seconds of the process, wall seconds
        at the end until everything was sent.
    """
    tracking.migrate(uri, "bench")
    inside = longest = 0.0
    cpu = time.process_time()
    with tracking.Writer(uri, "bench", RUN, work) as writer:
        for step in range(1, steps + 1):
            time.sleep(seconds)
            row = {"step": step, **{name: step + i / 7 for i, name in enumerate(COLUMNS)}}
            started = time.perf_counter()
            writer.add(row)
            took = time.perf_counter() - started
            inside, longest = inside + took, max(longest, took)
        ended = time.perf_counter()
    wait = time.perf_counter() - ended
    assert writer.run_id is not None, "nothing was logged"
    return inside, longest, time.process_time() - cpu, wait


def main() -> None:
    """Print a table: per cent of the steps' time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=2.4, help="of a step")
    options = parser.parse_args()
    total = options.steps * options.seconds
    print("| store | in the step (%) | longest call (ms) | CPU time in all (%) | end (s) |")
    print("|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder, server(folder) as address:
        for name, uri in (("SQLite", f"sqlite:///{folder}/bench.db"), ("server", address)):
            work = Path(folder) / name
            inside, longest, cpu, wait = measure(uri, work, options.steps, options.seconds)
            print(
                f"| {name} | {100 * inside / total:.4f} | {1000 * longest:.2f} | "
                f"{100 * cpu / total:.2f} | {wait:.2f} |",
                flush=True,
            )
    print(f"{options.steps} steps of {options.seconds} s, {len(COLUMNS)} metrics each")


if __name__ == "__main__":
    main()
