"""The project in a folder of its own, its workflow called as `make` does, and what befalls it."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import yaml

from tests.paths import ROOT

# -o: the environment is taken as it is
CALL = ["make", "-o", ".venv/.installed", "report", "DATE_NOW=1"]
LINKED = ("Makefile", "Snakefile", "workflow", "config", "src", ".venv")
LINKED += ("pyproject.toml", "requirements.lock")
STAGES = {
    "data": {"data"},
    "supervised": {"backbone"},
    "RL": {"train"},
    "generation": {"generate"},
    "scoring": {"score"},
    "report": {"objective", "case_study", "tables", "figure", "claims"} | {"overview", "track"},
}
POLL = 0.05  # seconds
PATIENCE = 900  # seconds that a call may take
GRACE = 30  # seconds between SIGTERM and SIGKILL, as Slurm and Kubernetes have it


class Project:
    """Files of the repository, linked; results and work of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in LINKED:
            (folder / name).symlink_to(ROOT / name)
        # With keep-going a call that lost a job would do all else, and leave nothing to strike.
        profile = yaml.safe_load((ROOT / "workflow/profiles/default/config.yaml").read_text())
        (folder / "profile").mkdir()
        profile |= {"keep-going": False, "max-jobs-per-timespan": "100/1s"}  # exits after a second
        (folder / "profile/config.yaml").write_text(yaml.safe_dump(profile))
        self.arguments = [
            "CONFIG=config/smoke.yaml",
            "REPORT_FILE=results/smoke/report.html",
            "SNAKEMAKE=snakemake --workflow-profile profile --cores 2",
        ]
        self.said: list[Path] = []

    @property
    def results(self) -> Path:
        return self.folder / "results/smoke"

    def start(self) -> subprocess.Popen:
        """Call the workflow in a session of its own."""
        name = f"{self.folder.name}-{len(self.said)}.log"
        self.said.append(self.folder.parent / name)
        command, place = [*CALL, *self.arguments], self.folder
        with open(self.said[-1], "w") as log:
            return subprocess.Popen(
                command, cwd=place, stdout=log, stderr=log, start_new_session=True
            )

    def output(self) -> str:
        """Return what the latest call said."""
        return self.said[-1].read_text()

    def finish(self) -> subprocess.Popen:
        """Call the workflow and wait for its end."""
        call = self.start()
        call.wait(PATIENCE)
        return call

    def processes(self) -> dict[int, list[str]]:
        """Return everything that runs in the folder: command lines by process id."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):  # psutil takes too long for jobs of a second
            try:
                if os.readlink(entry / "cwd") == str(self.folder):
                    words = (entry / "cmdline").read_bytes().decode().split("\0")
                    found[int(entry.name)] = words
            except OSError:  # it has ended
                continue
        return found

    def workers(self, call: subprocess.Popen) -> dict[int, str]:
        """Return the stage of a call's processes, `python -m repro STEP`, the oldest first.

        What an earlier call left behind is in a session of its own.
        """
        steps = {step: stage for stage, steps in STAGES.items() for step in steps}
        found = {}
        for pid, words in sorted(self.processes().items()):
            if words[1:3] == ["-m", "repro"] and words[3] in steps:
                with suppress(ProcessLookupError):  # it has ended
                    if os.getsid(pid) == call.pid:
                        found[pid] = steps[words[3]]
        return found

    def snakemake(self) -> list[int]:
        """Return the workflow's own process."""
        running = self.processes().items()
        return [pid for pid, words in running if Path("".join(words[1:2])).name == "snakemake"]

    def end_all(self, grace: float = 0) -> None:
        """Kill whatever still runs after `grace` seconds, and wait for its end."""
        until = time.monotonic() + grace
        while left := self.processes():
            if time.monotonic() > until:
                for process in left:
                    kill(process)
            time.sleep(0.1)


def kill(pid: int) -> None:
    """Kill a process, unless it has ended by itself."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def strike(kind: str, project: Project, call: subprocess.Popen, worker: int) -> None:
    """Do one kind of harm, wait until the call has ended, and mend what a person would mend."""
    if kind in ("worker", "both", "read-only"):
        kill(worker)
    if kind in ("snakemake", "both", "clock", "read-only"):
        for process in project.snakemake():
            kill(process)
    # As when a machine is taken away: all are asked to end, then made to. Snakemake 9.27 needs the
    # second now and then: its handler waits for a lock that the interrupted code holds.
    if kind == "SIGTERM":
        os.killpg(call.pid, signal.SIGTERM)
        project.end_all(grace=GRACE)
    if kind == "full disk":
        filler = project.folder / "filler"
        # Written until nothing fits: others write meanwhile, so that no size is right beforehand.
        with suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
    call.wait(PATIENCE)
    if kind == "full disk":
        filler.unlink()
    if kind == "read-only":  # which the kernel does not make it while files are being written
        project.end_all()
        remount(project.folder, "ro")
        assert project.finish().returncode, "it worked on a read-only file system"
        remount(project.folder, "rw")
    if kind == "clock":  # it goes back by an hour: all that is there comes from the future
        for folder in ("results", "work"):  # Snakemake also looks at its benchmark files in work
            for path in (project.folder / folder).rglob("*"):
                status = path.lstat()
                times = (status.st_atime_ns, status.st_mtime_ns + 3600 * 10**9)
                os.utime(path, ns=times, follow_symlinks=False)


def mount(folder: Path) -> None:
    """Put a small file system of its own under a folder."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", folder], check=True)


def remount(folder: Path, how: str) -> None:
    """Make a folder's file system read-only (`ro`) or writable (`rw`)."""
    until = time.monotonic() + 30  # a killed process may still hold a file
    while subprocess.run(["mount", "-o", f"remount,{how}", folder]).returncode:
        if time.monotonic() > until:
            raise RuntimeError(f"{folder} does not become {how}")
        time.sleep(0.5)


def unmount(folder: Path) -> None:
    """Take the file system away again."""
    subprocess.run(["umount", "--lazy", folder], check=True)


def durable(project: Project, began: float) -> float:
    """Return when the newest thing that a killed job keeps was written, at the earliest `began`."""
    manifest = "checkpoint-*/manifest.json"
    patterns = (f"training/*/{manifest}", f"backbones/*/*/{manifest}", "generations/*/*")
    times = [began]
    for pattern in patterns:
        for path in (project.folder / "work").glob(pattern):
            try:
                times.append(path.stat().st_mtime)
            except FileNotFoundError:  # renamed meanwhile
                continue
    return max(times)
