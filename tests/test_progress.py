"""Progress lines: now and then, with the time left, and always at the end."""

from types import SimpleNamespace

import pytest

from repro.files import progress
from repro.training.callbacks import ProgressLine


def test_lines_are_rare_and_the_last_one_is_complete(capsys, monkeypatch):
    clock = iter([*range(0, 44, 4), 0, 20])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    work = progress.Progress("train tiny/grpo", total=10)
    for step in range(10):
        work.advance(detail=f"reward 0.{step}")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4  # 40 seconds, a line every 12, and the end
    assert lines[0] == "train tiny/grpo: 3/10 steps, 00:12 gone, 00:28 left, reward 0.2"
    assert lines[-1] == "train tiny/grpo: 10/10 steps, 00:40 gone, 00:00 left, reward 0.9"
    progress.Progress("train", total=100, start=80).advance(10)  # what was done has no rate
    assert "90/100 steps, 00:20 gone, 00:20 left" in capsys.readouterr().out


def test_no_line_goes_into_the_display_of_a_workflow_in_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(progress.sys.stdout, "isatty", lambda: True)
    progress.Progress("train", total=1).advance()
    assert not capsys.readouterr().out  # the workflow keeps stderr in a file
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    progress.Progress("train", total=1).advance()  # called by hand
    assert "1/1 steps" in capsys.readouterr().out


def test_a_training_shows_its_newest_values(capsys):
    state = SimpleNamespace(is_world_process_zero=True, global_step=0, max_steps=2)
    state.log_history = [{"a/reward": 0.1}, {"a/reward": 0.9}, {"loss": 3.0}]
    line = ProgressLine("train", "a/reward", "a/tokens")
    line.on_train_begin(None, state, None)
    state.global_step = 2
    line.on_step_end(None, state, None)
    assert capsys.readouterr().out.strip().endswith("reward 0.9")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "-"), (45, "45 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h"), (1e6, "11.6 d")],
)
def test_durations(seconds, said):
    assert progress.duration(seconds) == said
