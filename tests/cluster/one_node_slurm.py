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
    """The daemons; a context that ends them, and every job, whatever happened within.

    Args:
        folder: an empty folder with a short name: the path of a socket in it is limited.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        }
        self._daemons: list[subprocess.Popen] = []

    def __enter__(self) -> "Cluster":
        try:
            self._write_files()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        if len(self._daemons) > 1:  # there is somebody to ask
            self.say("scancel", "--user=root", "--signal=KILL", "--full")
            self.say("scancel", "--user=root")
            deadline = time.monotonic() + 20
            while self.say("squeue", "--noheader") and time.monotonic() < deadline:
                time.sleep(0.5)
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

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

    def _write_files(self) -> None:
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)  # munge demands it of where its socket is
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        for number in range(4):
            (self.folder / f"gpu{number}").touch()
        (self.folder / "gres.conf").write_text(f"Name=gpu File={self.folder}/gpu[0-3]\n")
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        control_port, node_port = (one.getsockname()[1] for one in sockets)
        for one in sockets:
            one.close()
        host = socket.gethostname().split(".")[0]
        values = {"host": host, "control_port": control_port, "node_port": node_port}
        template = Path(__file__).with_name("slurm.conf").read_text()
        configuration = template.format(folder=self.folder, **values)
        (self.folder / "slurm.conf").write_text(configuration)
        srun = self.folder / "bin/srun"
        srun.write_text(SRUN.format(folder=self.folder, srun=shutil.which("srun")))
        srun.chmod(0o755)

    def _start(self) -> None:
        files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid"}
        files |= {"log-file": "munged.log", "seed-file": "munged.seed"}
        paths = [f"--{option}={self.folder / name}" for option, name in files.items()]
        self._daemon("munged", "--foreground", "--force", *paths)
        self._wait("munged", lambda: (self.folder / "munge.socket").exists())
        configuration = str(self.folder / "slurm.conf")
        self._daemon("slurmctld", "-D", "-c", "-f", configuration)
        self._daemon("slurmd", "-D", "-f", configuration)
        self._wait("slurmd", lambda: self.say("sinfo", "-h", "-o", "%T").strip() == "idle")

    def _daemon(self, *command: str) -> None:
        with open(self.folder / f"{command[0]}.out", "w") as output:
            how = {"stdout": output, "stderr": output, "start_new_session": True}
            self._daemons.append(subprocess.Popen(command, env=self.environment, **how))

    def _wait(self, name: str, ready) -> None:
        deadline = time.monotonic() + 30
        while not ready():
            if self._daemons[-1].poll() is not None or time.monotonic() > deadline:
                logs = [self.folder / f"{name}.out", self.folder / f"{name}.log"]
                said = "".join(log.read_text() for log in logs if log.exists())
                raise RuntimeError(f"{name} is not ready:\n{said}")
            time.sleep(0.1)
