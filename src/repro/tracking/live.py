"""A training's metrics in MLflow while it goes on, from a thread of its own."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from repro.config.resolved import RunSettings, stated
from repro.config.tracking_uri import absolute
from repro.files import jsonl

SYNC_SECONDS = 10  # between two calls while a training goes on: many steps in one transaction
END_SECONDS = 10  # that the end of a training waits for the last call


@contextmanager
def sync_while_training(run: RunSettings, work_dir: Path, after: float = 0) -> Iterator[None]:
    """Call `sync_run` every few seconds in a thread, where the environment names a store.

    The first call comes `after` seconds: a training that has ended by then is not sent, and does
    not pay for MLflow, which takes seconds to import. A failure is reported once; the next call
    sends what it left. `work_dir` has training.jsonl and gets the settings of the run. ValueError:
    the address is no store's.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        yield
        return
    absolute(os.environ["MLFLOW_TRACKING_URI"])
    jsonl.write_json(work_dir / "settings.json", stated(run))
    outcome, ended = "FAILED", threading.Event()

    def work() -> None:
        if after and ended.wait(after):
            return
        from repro.tracking import sync

        is_last = is_reported = False
        while not is_last:
            is_last = ended.is_set()
            try:
                sync.sync_run(work_dir, training=outcome if is_last else "RUNNING")
            except sync.NotLogged as why:
                if not is_reported:
                    text = f"{why}; metrics stay in training.jsonl, `make upload` sends them"
                    print(text, file=sys.stderr, flush=True)
                is_reported = True
            ended.wait(SYNC_SECONDS)

    thread = threading.Thread(target=work, name="mlflow", daemon=True)
    thread.start()
    try:
        yield
        outcome = "FINISHED"
    finally:
        ended.set()
        thread.join(END_SECONDS)
