"""What `make` shows while jobs run, in a terminal and in a log file, and when they are stopped."""

import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.paths import ROOT

# Its jobs print as those of the real workflow; the second waits until the file `go` is there.
SNAKEFILE = """
rule all:
    input: expand("out/{run}.txt", run=["a", "b"])
rule train:
    input: lambda w: ["out/a.txt"] if w.run == "b" else []
    output: "out/{run}.txt"
    log: "{run}.log"
    shell: "python job.py {wildcards.run} 2> {log} && touch {output}"
"""
JOB = """
import pathlib, sys, time
from repro.files import progress
progress.SECONDS_BETWEEN_LINES = 0
told = progress.Progress(f"train {sys.argv[1]}", 4)
for step in range(3):
    time.sleep(0.3)
    told.advance(detail="reward 0.25")
print("a word of its own", flush=True)
while sys.argv[1] == "b" and not pathlib.Path("go").exists():
    time.sleep(0.1)
told.advance()
"""


@pytest.fixture
def start(tmp_path):
    """Write the workflow; return a function that starts it as `make smoke` would."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "job.py").write_text(JOB)
    path = f"{ROOT / 'workflow/logger'}:{ROOT / 'src'}"
    environment = {**os.environ, "PYTHONPATH": path, "CALLED_AS": "make smoke", "COLUMNS": "150"}
    call = [sys.executable, "-m", "snakemake", "--cores", "1"]
    call += ["--logger", "repro", "--resources", "gpu=1"]

    def start(stream):
        streams = {"stdout": stream, "stderr": stream, "start_new_session": True}
        # What a shell starts in the background, as CI may, ignores Ctrl-C, and so would this call.
        heeds = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
        return subprocess.Popen(call, cwd=tmp_path, env=environment, **streams, **heeds)

    return start


def read_until(descriptor, text, seen=b""):
    """Read a terminal until a text appears; fail at its end."""
    while text not in seen:
        seen += os.read(descriptor, 4096)  # OSError where the process has ended
    return seen


def test_in_a_terminal_the_lines_of_jobs_become_part_of_the_display(start, tmp_path):
    ours, theirs = pty.openpty()
    process = start(theirs)
    os.close(theirs)
    seen = read_until(ours, b"train b")
    seen = read_until(ours, b"3/4, ", seen)
    (tmp_path / "go").touch()
    seen = read_until(ours, b"3/3 jobs are done", seen)
    assert process.wait() == 0
    os.close(ours)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert re.search(r"all jobs .* 1/3, .* gone, about .* left", plain)
    assert re.search(r"train +.* 1/2, .* each", plain)
    assert re.search(r"train b +.* 3/4, .*reward 0.25", plain)
    assert " gone, 00:" not in plain  # no line of a job itself
    assert plain.count("\ra word of its own\r\n") == 2  # above the display


def test_a_log_file_has_plain_lines_and_a_stopped_call_says_how_to_go_on(start, tmp_path):
    log = tmp_path / "log.txt"
    with log.open("wb") as file:
        process = start(file)
        while "train b: 3/4" not in log.read_text():
            assert process.poll() is None
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(timeout=120) != 0
    text = log.read_text()
    assert "\x1b" not in text and "Traceback" not in text
    assert "train a: 4/4 steps" in text
    assert "1/3 jobs are done" in text and text.rstrip().endswith("To go on: make smoke")
    (tmp_path / "go").touch()
    with log.open("wb") as file:
        assert start(file).wait() == 0
    assert "2/2 jobs are done" in log.read_text()  # the finished one was kept


def test_a_failed_job_shows_its_log_and_does_not_end_the_display(start, tmp_path):
    (tmp_path / "job.py").write_text("import sys; sys.exit('no such model')")
    log = tmp_path / "log.txt"
    with log.open("wb") as file:
        assert start(file).wait() != 0
    assert "Failed train" in log.read_text() and "no such model" in log.read_text()
    assert "0/3 jobs are done" in log.read_text()
