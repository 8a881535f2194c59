"""A job that a killed workflow left behind, and the same job started again."""

import os
import select
import signal
import subprocess
import sys
import time

import pytest

HOLD = """
import argparse, sys, time
from repro.files import locks
with locks.of_output(argparse.Namespace(command="train", output=sys.argv[1])):
    print("has it", flush=True)
    time.sleep(float(sys.argv[2]))
"""
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


@pytest.fixture
def job(tmp_path):
    started = []

    def job(output, seconds):
        command = [sys.executable, "-c", HOLD, str(output), str(seconds)]
        started.append(subprocess.Popen(command, cwd=tmp_path, **PIPES))
        return started[-1]

    yield job
    for process in started:
        process.kill()
        process.communicate()


def test_the_second_waits_for_the_first_and_says_for_whom(job):
    first = job("results/run", 600)
    assert first.stdout.readline() == "has it\n"
    assert job("results/other", 0).communicate(timeout=20) == ("has it\n", "")
    second = job("results/run", 0)
    assert f"written by process {first.pid} started by " in second.stderr.readline()
    time.sleep(0.3)
    assert second.poll() is None
    first.send_signal(signal.SIGKILL)
    said, _ = second.communicate(timeout=20)
    assert said == "has it\n"
    assert second.returncode == 0


def test_processes_that_train_together_wait_together(job, tmp_path):
    left_over = job("results/run", 600)
    assert left_over.stdout.readline() == "has it\n"
    # The left-over one had another launcher; these two have one, as those of accelerate.
    command = 'for RANK in 1 0; do RANK=$RANK $PYTHON -c "$HOLD" results/run 2 & done; wait'
    words = {**os.environ, "PYTHON": sys.executable, "HOLD": HOLD}
    launcher = subprocess.Popen(["bash", "-c", command], cwd=tmp_path, env=words, **PIPES)
    assert select.select([launcher.stdout], [], [], 2)[0] == [], "one of them did not wait"
    left_over.kill()
    said, _ = launcher.communicate(timeout=20)
    assert said == "has it\n" * 2
