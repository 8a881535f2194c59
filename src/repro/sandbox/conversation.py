"""The parent's side of a program's run: start a process, ask it for values, end it.

The other side, and the form of what is said, is ``child/program_child.py``.

A program is asked for one expression at a time, each with a secret that the answer must carry, and
only after its module has run to the end. So output that imitates answers, written by a program
that knows what it will be asked, scores nothing. It proves no more than that: program and child
share one process, so a program that reads the requests from memory or from the channel can answer
as it likes. Answers are claims about values, and what makes one right is that it equals the
expected value, which is never sent. A program that knows the expected values, say because the
prompt shows the tests, cannot be told from a right one by any runner.
"""

import fcntl
import marshal
import os
import secrets
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

_START_S = 60.0  # until the process is shut in; no program runs before that
_CHUNK = 1 << 16
_CREDENTIALS = struct.Struct("3i")  # struct ucred: process, user, group


@dataclass(frozen=True)
class Limits:
    """What one program may use.

    CPU time is what a slow program runs out of; the wall time is more generous, so that a busy
    machine fails no right program, and ends those that sleep. One without a sandbox (route "none")
    has no bound on ``disk_bytes`` and ``files``, and ``processes`` and ``memory_bytes`` bound less.
    """

    cpu_s: float = 6.0  # rounded up to whole seconds; LiveCodeBench's own limit per test
    wall_s: float = 20.0
    memory_bytes: int = 2 << 30  # address space of the program's one process
    file_bytes: int = 16 << 20  # of each file written
    disk_bytes: int = 64 << 20  # of all files together; they are held in memory
    files: int = 1024
    open_files: int = 256
    processes: int = 64  # threads, where there is a sandbox
    output_bytes: int = 4 << 20  # read back by the parent


@dataclass(frozen=True)
class Outcome:
    """What a program left behind.

    ``stdout``: of a script, what it printed, cut at ``Limits.output_bytes``; of a job with
    expressions, one line of JSON for each that was answered. ``returncode``: 0 only for a script
    that ended by itself in time and within its limits, also by ``sys.exit`` with any status.
    ``timed_out``: its wall time was over.
    """

    stdout: bytes
    returncode: int
    timed_out: bool


class NotStarted(RuntimeError):
    """The process of a program did not come up; says nothing about the program."""


def converse(
    command: Callable[[int], list[str]],
    environment: dict[str, str],
    folder: str,
    job: dict,
    stdin: str,
    limits: Limits,
) -> Outcome:
    """Run one job in a process of its own and end whatever it started.

    Args:
        command: from the number of the descriptor for the conversation to what is to be started.
        environment: all variables of the process.
        folder: where it starts.
        job: ``program``, and optionally ``prelude``, ``setup`` (sources), ``variables`` (JSON
            values) and ``expressions`` (sources); without the latter it is a script.
        stdin: what a script can read.
        limits: ``wall_s`` and ``output_bytes`` are kept here, the others by the process.

    Raises:
        NotStarted: with what the command wrote to standard error.
    """
    script = "expressions" not in job
    ours, theirs = socket.socketpair()
    with ours, theirs:
        # Each message then carries the sender's number, as this process knows it.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        stdin_file = _sealed(stdin)
        try:
            process = subprocess.Popen(
                command(theirs.fileno()),
                stdin=stdin_file,
                stdout=subprocess.PIPE if script else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=[theirs.fileno()],
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
        finally:
            os.close(stdin_file)
        theirs.close()
        with _Program(process, ours) as program:
            if script:
                return program.run_script(job, limits)
            return program.answer(job, limits)


class _Program:
    """A started command and, once it has said so, the process inside that runs the program."""

    def __init__(self, process: subprocess.Popen, channel: socket.socket) -> None:
        self._process = process
        self._channel = channel
        self._received = bytearray()
        self._pidfd: int | None = None

    def __enter__(self) -> "_Program":
        try:
            self._await_ready()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._end()

    def run_script(self, job: dict, limits: Limits) -> Outcome:
        """Run to the end; what it prints is the result."""
        deadline = time.monotonic() + limits.wall_s
        try:
            self._send({"script": _sources(job)}, deadline)
            stdout, ended = self._listen(deadline, limits.output_bytes)
        except (TimeoutError, ConnectionError) as error:
            return Outcome(b"", -signal.SIGKILL, timed_out=isinstance(error, TimeoutError))
        if not ended:
            timed_out = len(stdout) <= limits.output_bytes
            return Outcome(stdout[: limits.output_bytes], -signal.SIGKILL, timed_out)
        return Outcome(stdout, self._exit_status(), timed_out=False)

    def answer(self, job: dict, limits: Limits) -> Outcome:
        """Evaluate the expressions; their values are the result."""
        deadline = time.monotonic() + limits.wall_s
        setup = {"setup": job.get("setup", ""), "variables": job.get("variables", {})}
        answers, timed_out = [], False
        try:
            for request in ({"module": _sources(job)}, setup):
                if self._ask(request, deadline, limits.output_bytes).startswith(b'{"error"'):
                    raise EOFError
            for expression in job["expressions"]:
                request = {"expression": expression}
                answers.append(self._ask(request, deadline, limits.output_bytes))
        except TimeoutError:
            timed_out = True
        except (ConnectionError, EOFError):
            pass  # it ended, or broke the rules: the answers so far are all there are
        return Outcome(b"".join(answers), -signal.SIGKILL, timed_out)

    def _ask(self, request: dict, deadline: float, limit: int) -> bytes:
        secret = secrets.token_hex(16)
        self._send(request | {"secret": secret}, deadline)
        seen = 0
        while (end := self._received.find(b"\n", seen)) < 0:
            seen = len(self._received)
            self._channel.settimeout(_remaining(deadline))
            data = self._channel.recv(_CHUNK)
            if not data or seen + len(data) > limit:
                raise EOFError
            self._received += data
        line = bytes(self._received[: end + 1])
        del self._received[: end + 1]
        owner, _, value = line.partition(b" ")
        if owner != secret.encode():
            raise EOFError
        return value

    def _send(self, request: dict, deadline: float) -> None:
        data = marshal.dumps(request)
        self._channel.settimeout(_remaining(deadline))
        self._channel.sendall(len(data).to_bytes(4, "big") + data)

    def _listen(self, deadline: float, limit: int) -> tuple[bytes, bool]:
        """Read standard output until the program ends: (what came, whether it ended by itself)."""
        stdout, received = self._process.stdout.fileno(), bytearray()
        poll = select.poll()
        poll.register(stdout, select.POLLIN)
        poll.register(self._pidfd, select.POLLIN)
        try:
            while len(received) <= limit:
                ready = dict(poll.poll(_remaining(deadline) * 1000))
                data = _read(stdout)  # even if only the end was noticed: more may have come before
                if data:
                    received += data
                elif self._pidfd in ready:
                    return bytes(received), True
                elif data == b"" and stdout in ready:  # it closed its output and goes on
                    poll.unregister(stdout)
        except TimeoutError:
            pass
        return bytes(received), False

    def _exit_status(self) -> int:
        # Not reaped yet: until then nobody else can have its number, nor that of its group.
        end = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status

    def _await_ready(self) -> None:
        self._channel.settimeout(_START_S)
        try:
            data, ancillary, _, _ = self._channel.recvmsg(_CHUNK, socket.CMSG_SPACE(12))
        except (TimeoutError, ConnectionError):
            data, ancillary = b"", []
        if data != b"ready\n":
            raise NotStarted(self._complaint())
        pid, _, _ = _CREDENTIALS.unpack(ancillary[0][2])
        try:
            self._pidfd = os.pidfd_open(pid)
            # Where memory runs out in spite of the limits, the kernel shall end the program first.
            with open(f"/proc/{pid}/oom_score_adj", "w") as file:
                file.write("1000")
        except OSError as error:
            raise NotStarted(str(error)) from None
        # It dies with what was started; had that died before "ready", it would not.
        if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            raise NotStarted(self._complaint())

    def _complaint(self) -> str:
        os.kill(self._process.pid, signal.SIGKILL)
        status = self._exit_status()
        text = (_read(self._process.stderr.fileno()) or b"").decode("utf-8", "replace").strip()
        return text or f"it ended with status {status} before it was ready"

    def _end(self) -> None:
        if self._pidfd is None:
            os.kill(self._process.pid, signal.SIGKILL)
        else:
            # What was started waits for that and then ends too.
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
        self._channel.close()  # ends a program that is not yet bound to what was started
        self._exit_status()
        os.killpg(self._process.pid, signal.SIGKILL)  # without a sandbox: what it left behind
        self._process.wait()
        # Closed by the program, and held by every process of the sandbox: at its end none is left.
        os.set_blocking(self._process.stderr.fileno(), True)
        while os.read(self._process.stderr.fileno(), _CHUNK):
            pass
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()


def _sources(job: dict) -> list[str]:
    return [job.get("prelude", ""), job["program"]]


def _remaining(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _read(descriptor: int) -> bytes | None:
    """Return what is there: None where nothing is yet, b"" where nothing will ever be."""
    os.set_blocking(descriptor, False)
    try:
        return os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return None


def _sealed(text: str) -> int:
    """Return the descriptor of a file in memory that no one can change any more."""
    descriptor = os.memfd_create("stdin", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(os.dup(descriptor), "wb") as file:
        file.write(text.encode("utf-8", "surrogatepass"))
    os.lseek(descriptor, 0, os.SEEK_SET)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
