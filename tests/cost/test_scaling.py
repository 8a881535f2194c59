"""The figures of docs/scaling.md are those that its commands print."""

import json
import re
import shlex

from tests.paths import ROOT

from repro.commands.cli import main
from repro.files.progress import duration

PAGE = (ROOT / "docs/scaling.md").read_text()


def test_the_page_shows_what_its_commands_print(capsys, tmp_path, monkeypatch):
    [own] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "one_gpu.yaml").write_text(own)
    (tmp_path / "config").symlink_to(ROOT / "config")
    monkeypatch.chdir(tmp_path)
    found = []
    for command in re.findall(r"^python -m repro (cost .*)$", PAGE, re.MULTILINE):
        assert main([*shlex.split(command), "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    one, eight = found
    rows = [row for row in PAGE.splitlines() if re.match(r"\| \d+ \|", row)]
    assert rows == [show(one, 1, 1), show(eight, 8, 8), show(eight, 64, 8)]


def show(found: dict, gpus: int, taken: int) -> str:
    """The row of the page's table for a number of GPUs, of which a training takes some."""
    lines = {tuple(line["path"]): line for line in found["lines"]}
    train, generate = (
        (line, max(line["job_seconds"], line["device_hours"] * 3600 / gpus))
        for line in (lines["train",], lines["generate",])
    )
    [note] = found["notes"]  # everything fits
    said = r"steps of (.*?), with a checkpoint of (.*?) every step"
    cells = [
        *(gpus, gpus // taken, train[0]["jobs"], f"{train[0]['device_hours']:,.0f}"),
        *map(duration, (train[1], train[0]["job_seconds"])),
        *re.search(said, note).groups(),
        duration(generate[1]),
    ]
    return f"| {' | '.join(map(str, cells))} |"
