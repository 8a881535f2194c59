"""The parent's side of a program's run; the other, and the messages: ``child/program_child.py``.

A program is asked for one expression at a time, each with a secret that the answer must carry, and
only after its module has run to the end: answers written in advance score nothing. Program and
child share a process, so an answer is a claim: the expected value is never sent.
"""

import marshal
import os
import secrets
import select
import signal
import socket
import struct
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

_START_S = 60.0  # until the process is shut in; no program runs before that


@dataclass(frozen=True)
class Limits:
    """What a program may use; route "none" bounds no disk or files, processes and memory less."""

    cpu_s: float = 6.0  # rounded up to whole seconds; LiveCodeBench's own limit per test
    wall_s: float = 20.0  # for those that sleep; generous, as a busy machine is no fault of theirs
    memory_bytes: int = 2 << 30  # address space of the program's one process
    file_bytes: int = 16 << 20  # of each file written
    disk_bytes: int = 64 << 20  # of all files together; they are held in memory
    files: int = 1024
    open_files: int = 256
    processes: int = 64  # threads, where there is a sandbox
    output_bytes: int = 4 << 20  # read back by the parent


@dataclass(frozen=True)
class Outcome:
    """What a program left behind."""

    stdout: bytes  # of a script, cut at `Limits.output_bytes`; else a line of JSON for each answer
    returncode: int  # 0 only for a script that ended in its limits, by ``sys.exit(anything)`` too
    timed_out: bool  # its wall time was over


class NotStarted(RuntimeError):
    """The process of a program did not come up; says nothing about the program."""


def converse(command: list[str], settings: dict, job: dict, stdin: str, limits: Limits) -> Outcome:
    """Run one job in a new process, and end whatever it started.

    ``settings`` become the last argument of ``command``, see ``child/start.py``. ``job`` has
    ``program``, and optionally ``prelude``, ``setup`` (sources), ``variables`` (JSON values) and
    ``expressions`` (sources); without the latter it is a script, which can read ``stdin``. Of
    ``limits`` this enforces ``wall_s`` and ``output_bytes``, the process the others.

    NotStarted: a package is not there, or the kernel refused; with the command's complaint.
    """
    ours, theirs = socket.socketpair()
    # Each message then carries the sender's number, as this process knows it.
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    with (
        ours,
        theirs,
        _memory_file(b"") as printed,
        _memory_file(stdin.encode("utf-8", "surrogatepass")) as text,
        open(f"/proc/self/fd/{text.fileno()}", "rb") as given,  # which can only be read
        subprocess.Popen(
            [*command, repr(settings | {"channel": theirs.fileno()})],
            stdin=given,
            stdout=subprocess.DEVNULL if "expressions" in job else printed,
            stderr=subprocess.PIPE,
            bufsize=0,
            pass_fds=[theirs.fileno()],
            cwd="/",
            env=variables(settings["folder"]),
            start_new_session=True,
        ) as process,
    ):
        theirs.close()
        program = _Program(process, ours)
        try:
            if program.is_ready():
                if "expressions" in job:
                    return program.answer(job, limits)
                return program.run_script(job, printed, limits)
        finally:
            complaint = program.end()
    status = process.returncode
    raise NotStarted(complaint or f"it ended with status {status} before it was ready")


def variables(folder: str) -> dict[str, str]:
    """Return all environment variables that a program sees; ``folder`` is where it may write."""
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    # A program that prints a set gives the same verdict every time.
    return {"HOME": folder, "TMPDIR": folder, "PYTHONHASHSEED": "0", **threads}


class _Program:
    """A started command and, once that is ready, the process inside that runs the program."""

    def __init__(self, process: subprocess.Popen, channel: socket.socket) -> None:
        self._process, self._channel, self._pidfd = process, channel, None

    def is_ready(self) -> bool:
        """Wait until the program's process is shut in; False where it does not come up."""
        self._channel.settimeout(_START_S)
        try:
            data, ancillary, _, _ = self._channel.recvmsg(99, socket.CMSG_SPACE(12))
        except (TimeoutError, ConnectionError):
            return False
        if data != b"ready\n":
            return False
        self._channel.settimeout(None)
        pid, _, _ = struct.unpack("3i", ancillary[0][2])  # struct ucred
        try:
            self._pidfd = os.pidfd_open(pid)
            # Where memory runs out in spite of the limits, the kernel shall end the program first.
            with open(f"/proc/{pid}/oom_score_adj", "w") as file:
                file.write("1000")
        except OSError as error:
            raise NotStarted(str(error)) from None
        # It dies with what was started; had that died before "ready", it would not.
        return not os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)

    def run_script(self, job: dict, printed: BinaryIO, limits: Limits) -> Outcome:
        with suppress(ConnectionError):
            self._send({"script": [job.get("prelude", ""), job["program"]]})
        end = select.poll()  # select.select takes no numbers above 1023
        end.register(self._pidfd, select.POLLIN)
        ended = bool(end.poll(1000 * limits.wall_s))
        stdout = os.pread(printed.fileno(), limits.output_bytes + 1, 0)
        whole = len(stdout) <= limits.output_bytes
        status = self._wait() if ended and whole else -signal.SIGKILL
        return Outcome(stdout[: limits.output_bytes], status, whole and not ended)

    def answer(self, job: dict, limits: Limits) -> Outcome:
        requests = [
            {"module": [job.get("prelude", ""), job["program"]], "variables": {}},
            {"module": [job.get("setup", "")], "variables": job.get("variables", {})},
            *({"expression": source} for source in job["expressions"]),
        ]
        answers, timed_out = [], threading.Event()
        timer = threading.Timer(limits.wall_s, self._hang_up, [timed_out])
        timer.start()
        try:
            with suppress(ConnectionError), self._channel.makefile("rb") as lines:
                for request in requests:
                    secret = secrets.token_hex(16)
                    self._send(request | {"secret": secret})
                    owner, _, value = lines.readline(limits.output_bytes).partition(b" ")
                    if owner != secret.encode() or not value.endswith(b"\n"):
                        break  # it ended, or broke the rules: the answers so far are all there are
                    answers.append(value)
                    if "module" in request and value != b"null\n":
                        break  # it raised
        finally:
            timer.cancel()
        return Outcome(b"".join(answers[2:]), -signal.SIGKILL, timed_out.is_set())

    def _send(self, request: dict) -> None:
        data = marshal.dumps(request)
        self._channel.sendall(len(data).to_bytes(4, "big") + data)

    def _hang_up(self, timed_out: threading.Event) -> None:
        timed_out.set()
        with suppress(OSError):  # it has just answered the last request
            self._channel.shutdown(socket.SHUT_RDWR)

    def _wait(self) -> int:  # without reaping it, so that nobody else can get its number
        end = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status

    def end(self) -> str:
        """End the program and all that was started; return its standard error."""
        if self._pidfd is None:
            os.kill(self._process.pid, signal.SIGKILL)
        else:
            # What was started waits for that and then ends too.
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
        self._channel.close()  # ends a program that is not yet bound to what was started
        self._wait()
        os.killpg(self._process.pid, signal.SIGKILL)  # without a sandbox: what it left behind
        # Closed by the program, and held by every process of the sandbox: at its end none is left.
        return self._process.stderr.read().decode("utf-8", "replace").strip()


def _memory_file(content: bytes) -> BinaryIO:
    file = os.fdopen(os.memfd_create("program"), "r+b", buffering=0)
    file.write(content)
    return file
