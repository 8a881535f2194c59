"""The smoke pipeline through a real Slurm, with the real profile; two trainings are disturbed.

One is cancelled, one runs out of time; a third folder holds what comes of them where nothing
happens.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import yaml

from repro.files import jsonl
from tests.cluster import one_node_slurm
from tests.paths import ROOT

pytestmark = pytest.mark.long

STEPS = 12
RESULTS = Path("results/smoke")
CANCELLED, LATE = (RESULTS / "runs/tiny-qwen3" / name / "0" for name in ("grpo+repro", "grpo"))
PATIENCE = 900  # seconds; it takes a third of it where nothing else runs


class Call:
    """A call of Snakemake in a folder of its own, which runs beside the test."""

    def __init__(self, folder: Path, environment: dict[str, str], *arguments: str) -> None:
        self.folder = folder
        folder.mkdir()
        config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
        config["gpus"] = 1
        config["training"] |= {"steps": STEPS, "save_every": 4, "validation": None, "keep": None}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--configfile", str(folder / "config.yaml"), "--directory", str(folder)]
        path = f"{Path(sys.executable).parent}:{environment['PATH']}"
        with open(folder / "said.txt", "w") as said:
            how = {"env": {**environment, "PATH": path}, "stdout": said, "stderr": said}
            self.process = subprocess.Popen([*command, *arguments], **how)

    def finish(self) -> None:
        """Wait for its end, which must be good."""
        self.process.wait(PATIENCE)
        assert self.process.returncode == 0, (self.folder / "said.txt").read_text()

    def rows(self, run: Path) -> list[dict]:
        """Return the rows that a training has written so far; a torn one is left out."""
        for file in (self.folder / "work/training").glob("*/settings.json"):
            try:
                settings = json.loads(file.read_text())
                text = file.with_name("training.jsonl").read_text()
            except (FileNotFoundError, json.JSONDecodeError):  # not begun
                continue
            if (settings["backbone"], settings["method"]) == run.parts[-3:-1]:
                whole, _, _ = text.rpartition("\n")
                return [json.loads(line) for line in whole.splitlines()]
        return []

    def freeze(self, run: Path, rows: int) -> list[dict]:
        """Stop a training's process once it has written a number of rows; return these."""
        deadline = time.monotonic() + PATIENCE / 2
        while len(self.rows(run)) < rows:
            assert self.process.poll() is None, (self.folder / "said.txt").read_text()
            assert time.monotonic() < deadline, (self.folder / "said.txt").read_text()
            time.sleep(0.02)
        [training] = [one for one in psutil.process_iter() if self._trains(one, run)]
        training.send_signal(signal.SIGSTOP)
        found = self.rows(run)
        assert len(found) < STEPS, "the training ended before it could be stopped"
        return found

    def _trains(self, process: psutil.Process, run: Path) -> bool:
        try:
            command, place = process.cmdline(), process.cwd()
        except psutil.Error:
            return False
        training = command[1:4] == ["-m", "repro", "train"] and str(run) in command
        return training and place == str(self.folder)


@pytest.fixture(scope="module")
def cluster():
    if os.geteuid() != 0:
        pytest.skip("Slurm's daemons need root")
    try:
        one_node_slurm.install()
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"Slurm could not be installed: {getattr(error, 'stderr', '') or error}")
    with (
        tempfile.TemporaryDirectory(prefix="slurm-") as folder,
        one_node_slurm.started(Path(folder)) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def disturbed(cluster, tmp_path_factory):
    """Return the finished call, and the rows that each blow met."""
    folder = tmp_path_factory.mktemp("slurm")
    profile = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    profile |= {"jobs": 4, "slurm-status-command": "squeue"}  # a small cluster without accounting
    profile["slurm-init-seconds-before-status-checks"] = 3
    profile["set-resources"]["train"]["runtime"] = (
        f"7 if wildcards.method == {LATE.parts[-2]!r} else 60"
    )
    (folder / "config.yaml").write_text(yaml.safe_dump(profile))
    call = Call(folder / "disturbed", cluster.environment, "--workflow-profile", str(folder))
    try:
        with ThreadPoolExecutor() as threads:
            late = threads.submit(call.freeze, LATE, 2)  # until Slurm's early warning wakes it
            cancelled = call.freeze(CANCELLED, 5)
            cluster.say("scancel", jobs_of(cluster, call, CANCELLED)[-1]["JobId"])
            call.finish()
        yield call, cancelled, late.result()
    finally:
        call.process.kill()
        call.process.wait()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return what comes of the two trainings on one machine, where nothing happens."""
    profile = str(ROOT / "workflow/profiles/default")
    targets = [str(run / "model") for run in (CANCELLED, LATE)]
    folder = tmp_path_factory.mktemp("local") / "undisturbed"
    arguments = [*targets, "--workflow-profile", profile, "--cores", "2"]
    call = Call(folder, dict(os.environ), *arguments)
    call.finish()
    return call.folder


def test_a_cancelled_training_is_submitted_again_and_loses_nothing(disturbed, cluster):
    call, cancelled, _ = disturbed
    states = [job["JobState"] for job in jobs_of(cluster, call, CANCELLED)]
    assert states == ["CANCELLED", "COMPLETED"]
    rows = jsonl.read(call.folder / CANCELLED / "training.jsonl")
    assert [row["step"] for row in rows] == list(range(1, STEPS + 1))
    assert rows[: len(cancelled)] == cancelled  # seconds and all: not made again


def test_a_training_that_runs_out_of_time_stops_with_a_checkpoint(disturbed, cluster):
    call, *_, before = disturbed
    *late, last = jobs_of(cluster, call, LATE)
    assert late and {job["JobState"] for job in late} == {"FAILED"}
    assert last["JobState"] == "COMPLETED"
    assert {job["TimeLimit"] for job in [*late, last]} == {"00:07:00"}
    said = " ".join((call.folder / "said.txt").read_text().split())  # it breaks lines
    assert len(re.findall(rf"written at step \d+ of {STEPS}", said)) >= 2  # and the cancelled one
    assert len(before) < 4  # no other checkpoint had them
    assert jsonl.read(call.folder / LATE / "training.jsonl")[: len(before)] == before


def test_who_was_interrupted_ends_with_the_same_weights(disturbed, undisturbed):
    for run in (CANCELLED, LATE):
        model = run / "model/model.safetensors"
        assert (disturbed[0].folder / model).read_bytes() == (undisturbed / model).read_bytes()


def test_every_job_went_through_slurm(disturbed, cluster):
    jobs = cluster.jobs(disturbed[0].folder)
    done = [job["Comment"] for job in jobs if job["JobState"] == "COMPLETED"]
    expected = {"train": 4, "generate": 5, "score": 5, "track": 5}
    expected = {f"rule_{rule}_wildcards_": number for rule, number in expected.items()}
    expected |= {"rule_problems_": 1, "rule_report_": 1}  # groups
    assert {name: sum(what.startswith(name) for what in done) for name in expected} == expected
    with_gpu = [job for job in jobs if job.get("TresPerJob") == "gres:gpu:1"]
    rules = {job["Comment"].split("_wildcards_")[0] for job in with_gpu}
    assert rules == {"rule_train", "rule_generate", "rule_objective", "rule_case_study"}


def jobs_of(cluster, call: Call, run: Path) -> list[dict[str, str]]:
    """Return a training's jobs in the order submitted."""
    wanted = f"rule_train_wildcards_{'_'.join(run.parts[-3:])}"
    return [job for job in cluster.jobs(call.folder) if job["Comment"] == wanted]
