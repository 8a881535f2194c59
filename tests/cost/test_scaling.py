"""The figures of docs/scaling.md are those that its commands print."""

import json
import re
import shlex

import yaml
from tests.paths import ROOT

from repro.cli import main
from repro.cost import table

PAGE = (ROOT / "docs/scaling.md").read_text()


def test_the_page_shows_what_its_commands_print(capsys, tmp_path, monkeypatch):
    [own] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "one_gpu.yaml").write_text(own)
    assert yaml.safe_load(own)["gpus"] == 1
    (tmp_path / "config").symlink_to(ROOT / "config")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^python -m repro (cost .*)$", PAGE, re.MULTILINE)
    rows = [row for row in PAGE.splitlines() if re.match(r"\| \d+ \|", row)]
    assert len(commands) == 3
    assert rows == [shown(command, capsys) for command in commands]


def shown(command: str, capsys) -> str:
    """The row of the page's table that a command stands for."""
    assert main([*shlex.split(command), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    of = {tuple(line["path"]): line for line in found["lines"]}
    train, generate = of[("train",)], of[("generate",)]
    assert not [note for note in found["notes"] if note.startswith("OUT OF MEMORY")]
    longest, gpus, step, checkpoint = re.search(
        r"takes (.*?) on (\d+) GPU.* steps of (.*?), with a checkpoint of (.*?) every step",
        found["notes"][0],
    ).groups()
    there = found["gpus_in_parallel"]
    cells = [
        *(there, there // int(gpus), train["jobs"], f"{train['gpu_hours']:,.0f}"),
        *(table.duration(train["wall_seconds"]), longest, step, checkpoint),
        table.duration(generate["wall_seconds"]),
    ]
    return f"| {' | '.join(map(str, cells))} |"
