"""Progress of long work within a job: a line now and then, with the time left.

Lines, not a bar: several jobs share one terminal, and a log file or CI reads them too. They go to
stdout, because the workflow keeps stderr in a file. `make` draws its display from them.
"""

import os
import sys
import time

from tqdm import tqdm

SECONDS_BETWEEN_LINES = float(os.environ.get("REPRO_SECONDS_BETWEEN_LINES", 10))
FORMAT = "{desc}: {n_fmt}/{total_fmt} {unit}s, {elapsed} gone, {remaining} left"


class Progress:
    """Counts steps and prints `what: done/total steps, time gone, time left, detail`."""

    def __init__(self, what: str, total: int, start: int = 0, unit: str = "step") -> None:
        """Start the clock of `total` steps; `start` of them were done by an earlier call."""
        self.total, self.done = total, start
        self.form = {"prefix": what, "unit": unit, "bar_format": FORMAT, "initial": start}
        self.began = self.printed = time.monotonic()

    def advance(self, steps: int = 1, detail: str = "") -> None:
        """Count steps; print a line where ten seconds have passed or everything is done.

        Not within a display of Snakemake's own in a terminal, which a line would tear apart.
        """
        self.done += steps
        now = time.monotonic()
        if now - self.printed < SECONDS_BETWEEN_LINES and self.done < self.total:
            return
        if sys.stdout.isatty() and not sys.stderr.isatty():
            return
        self.printed = now
        meter = tqdm.format_meter(self.done, self.total, now - self.began, **self.form)
        print(meter + (f", {detail}" if detail else ""), flush=True)


def duration(seconds: float) -> str:
    """Return a time with its unit: 0.25 s, 45 s, 12 min, 5.2 h, 12.1 d."""
    if not seconds:
        return "-"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            number = seconds / size
            return f"{number:,.{int(number < 100 and unit != 'min')}f} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
