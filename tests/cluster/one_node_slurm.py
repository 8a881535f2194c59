"""A Slurm cluster of one node, on this machine, in a folder of its own; gone when it is closed.

Real daemons (Debian's slurmctld, slurmd, munged) with ports, keys and spool of their own. The node
claims more cores, memory and GPUs than there are: what a job asks for is then what Slurm checks,
and not what this machine has. Without accounting and cgroups: processes are followed by their
parents.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = {"slurmctld": "slurmctld", "slurmd": "slurmd"}
PACKAGES |= {"squeue": "slurm-client", "munged": "munge"}
# Snakemake's jobs drop SLURM_CONF from the environment of the `srun` within.
SRUN = '#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {srun} "$@"\n'


def install() -> None:
    """Install what is missing, with apt; for root.

    Raises:
        subprocess.CalledProcessError: apt failed; its message is in `stderr`.
    """
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if missing:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
            how = {"check": True, "capture_output": True, "text": True}
            subprocess.run(["apt-get", *command], env=environment, **how)


class Cluster:
    """A running cluster in a folder."""

    def __init__(self, folder: Path) -> None:
        path = f"{folder / 'bin'}:{os.environ['PATH']}"
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}

    def say(self, *command: str) -> str:
        """Return what a Slurm command prints; an error is part of it."""
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.run(command, env=self.environment, timeout=60, **how).stdout

    def jobs(self, directory: Path) -> list[dict[str, str]]:
        """Return the jobs of a working directory, also those that ended, in the order submitted.

        Fields are those of `scontrol show jobs`, such as JobState, Comment (`rule_train_...`),
        TimeLimit and, where GPUs were asked for, TresPerJob.
        """
        lines = self.say("scontrol", "show", "jobs", "--oneliner").splitlines()
        found = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines]
        found = [job for job in found if job.get("WorkDir") == str(directory)]
        return sorted(found, key=lambda job: int(job["JobId"]))


@contextmanager
def started(folder: Path) -> Iterator[Cluster]:
    """Start a cluster in an empty folder; its daemons and jobs end, whatever happens within.

    The folder has a short name, because the path of a socket in it is limited.
    """
    write_files(folder)
    cluster, daemons, configuration = Cluster(folder), [], str(folder / "slurm.conf")

    def start(*command: str, ready: Callable[[], bool]) -> None:
        output = folder / f"{command[0]}.out"
        with open(output, "w") as file:
            how = {"stdout": file, "stderr": file, "start_new_session": True}
            daemons.append(subprocess.Popen(command, env=cluster.environment, **how))
        deadline = time.monotonic() + 30
        while not ready():
            if daemons[-1].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} is not ready:\n{output.read_text()}")
            time.sleep(0.1)

    files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid"}
    files |= {"log-file": "munged.log", "seed-file": "munged.seed"}
    paths = [f"--{option}={folder / name}" for option, name in files.items()]
    try:
        start("munged", "--foreground", "--force", *paths, ready=(folder / "munge.socket").exists)
        start("slurmctld", "-D", "-c", "-f", configuration, ready=lambda: True)
        idle = lambda: cluster.say("sinfo", "-h", "-o", "%T").strip() == "idle"  # noqa: E731
        start("slurmd", "-D", "-f", configuration, ready=idle)
        yield cluster
    finally:
        if len(daemons) > 1:  # there is somebody to ask
            cluster.say("scancel", "--user=root", "--signal=KILL", "--full")
            cluster.say("scancel", "--user=root")
            deadline = time.monotonic() + 20
            while cluster.say("squeue", "--noheader") and time.monotonic() < deadline:
                time.sleep(0.5)
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def write_files(folder: Path) -> None:
    """Write the configuration, a key, four files in the place of GPUs, and a wrapper of srun."""
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir()
    folder.chmod(0o755)  # munge demands it of where its socket is
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    for number in range(4):
        (folder / f"gpu{number}").touch()
    (folder / "gres.conf").write_text(f"Name=gpu File={folder}/gpu[0-3]\n")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    control_port, node_port = (one.getsockname()[1] for one in sockets)
    for one in sockets:
        one.close()
    values = {"host": socket.gethostname().split(".")[0], "folder": folder}
    values |= {"control_port": control_port, "node_port": node_port}
    template = Path(__file__).with_name("slurm.conf").read_text()
    (folder / "slurm.conf").write_text(template.format(**values))
    srun = folder / "bin/srun"
    srun.write_text(SRUN.format(folder=folder, srun=shutil.which("srun")))
    srun.chmod(0o755)
