"""The figures of docs/scaling.md are those that its commands print."""

import re
import shlex
from pathlib import Path

from tests.cost.test_estimate import line
from tests.paths import ROOT

from repro.config import settings
from repro.cost import estimate
from repro.files.progress import duration

PAGE = (ROOT / "docs/scaling.md").read_text()


def test_the_page_shows_what_its_commands_print():
    [own] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    Path("one_gpu.yaml").write_text(own)
    Path("config").symlink_to(ROOT / "config")
    commands = re.findall(r"^python -m repro cost --config (.*)$", PAGE, re.MULTILINE)
    one, eight = (estimate.estimate(settings.read(*shlex.split(command))) for command in commands)
    rows = [row for row in PAGE.splitlines() if re.match(r"\| \d+ \|", row)]
    assert rows == [show(one, 1, 1), show(eight, 8, 8), show(eight, 64, 8)]
    assert one.notes == eight.notes == []  # everything fits


def show(found: estimate.Estimate, gpus: int, taken: int) -> str:
    """The row of the page's table for a number of GPUs, of which a training takes some."""
    train, generate = line(found, "train"), line(found, "generate")
    of_train, of_generate = (
        duration(max(one.job_seconds, one.device_hours * 3600 / gpus)) for one in (train, generate)
    )
    hours, longest = f"{train.device_hours:,.0f}", duration(train.job_seconds)
    cells = [gpus, gpus // taken, int(train.jobs), hours, of_train, longest, of_generate]
    return f"| {' | '.join(map(str, cells))} |"


def test_the_page_shows_what_the_rungs_cost():
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|[^|]*\|$", PAGE, re.MULTILINE)
    config, found = ROOT / "config", {}
    for name, _ in rows[-3:]:
        of = estimate.estimate(settings.read(config / "paper.yaml", config / f"{name}.yaml"))
        train, all_jobs = line(of, "train"), line(of, "")
        cells = [f"{train.jobs:.0f}", f"{all_jobs.device_hours:,.1f}", duration(train.job_seconds)]
        cells += [f"{train.memory_bytes / 1e9:.1f}", f"{all_jobs.disk_bytes / 1e9:.0f}"]
        found[name] = " | ".join(cells)
        assert of.notes == []  # everything fits
    assert dict(rows[-3:]) == found
