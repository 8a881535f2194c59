"""The steps into the sandbox that a program's process takes itself, before it sees the program.

On route "namespaces" `enter` does what bubblewrap does on the other. Both end in `shut`. Errors of
the kernel are raised as OSError, and all numbers are those of Linux on x86_64.

Limits bound a program's address space and files, and the filter of system calls refuses all else
that keeps memory. It is also a second line behind the namespaces, and the first where they do not
reach (keyrings, AF_VSOCK).
"""

import ctypes
import os
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_NS, _NEW_UTS, _NEW_IPC = 0x00020000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PID, _NEW_NET = 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _BIND, _REC, _PRIVATE = 1, 2, 4, 4096, 16384, 1 << 18  # of mounts
_SAFE = _NOSUID | _NODEV
_PIVOT_ROOT, _MOUNT_SETATTR = 155, 442
_PDEATHSIG, _SECCOMP, _BOUNDING_DROP, _NO_NEW_PRIVS = 1, 22, 24, 38  # for prctl
_SIGKILL = 9  # the module signal takes 4 ms to import
_BASE, _HOST, NOBODY = "/tmp", "/.host", 65534

# Of the filter. What it denies is read now, because the file is out of sight after `enter`.
with open(f"{os.path.dirname(__file__)}/denied_calls.txt") as _file:
    _DENIED = [int(line.split()[1]) for line in _file if not line.startswith(("#", "\n"))]
_CLONE, _CLONE3, _SOCKETPAIR, _PRCTL, _X32, _X86_64 = 56, 435, 53, 157, 0x40000000, 0xC000003E
_FIRST_UNKNOWN = 451  # newer calls were not looked at
_CLONE_THREAD, _AF_UNIX = 0x00010000, 1
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_LOAD, _RETURN, _IF_EQUAL, _IF_AT_LEAST, _IF_BITS = 0x20, 0x06, 0x15, 0x35, 0x45
_ALLOW, _KILL, _EPERM, _ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026


def enter(paths: dict[str, str], folder: str, uid: int | None) -> None:
    """Return in process 1 of new namespaces, which sees nothing of the host but ``paths``.

    They are by what the process sees, read-only, without symbolic links; devices keep working.
    Without ``uid`` a user namespace is made too, in which the process is nobody.
    """
    _call("prctl", _PDEATHSIG, _SIGKILL)
    os.umask(0o022)
    if uid is None:
        maps = {"uid_map": f"{NOBODY} {os.geteuid()} 1", "gid_map": f"{NOBODY} {os.getegid()} 1"}
        _call("unshare", _NEW_USER)
        for name, content in {"setgroups": "deny", **maps}.items():
            with open(f"/proc/self/{name}", "w") as file:
                file.write(content)
    _call("unshare", _NEW_NS | _NEW_UTS | _NEW_IPC | _NEW_PID | _NEW_NET)
    # An empty root takes the place of the one of the host, and what is in `paths` goes into it.
    _call("mount", None, "/", None, _REC | _PRIVATE, None)
    _call("mount", "tmpfs", _BASE, "tmpfs", _SAFE, "size=64k,nr_inodes=256,mode=755")
    os.mkdir(_BASE + _HOST)
    _call("syscall", _PIVOT_ROOT, _BASE, _BASE + _HOST)
    os.chdir("/")
    for path, source in paths.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.isdir(_HOST + source):
            os.makedirs(path, exist_ok=True)
        else:
            open(path, "x").close()
        _call("mount", _HOST + source, path, None, _BIND | _REC, None)
        _restrict(path, _NOSUID if path.startswith("/dev/") else _SAFE, recursive=True)
    _call("umount2", _HOST, 2)  # MNT_DETACH
    os.rmdir(_HOST)
    os.mkdir(folder)
    _restrict("/", _SAFE, recursive=False)
    _call("sethostname", b"sandbox", 7)
    child = os.fork()
    if child:  # outside of the process namespace: wait, and pass the exit status on
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os._exit(status if status >= 0 else 128 - status)
    # Its own session: signals to a process group pass the borders of process namespaces.
    os.setsid()


def shut(folder: str, limits: dict, uid: int | None) -> None:
    """Mount the working directory and give up every right.

    ``folder``, the only place to write, is mounted here because bubblewrap cannot limit the number
    of files in its tmpfs. ``uid``, the user and group to become, is nobody else's, because Linux
    exempts root from the limit on processes and counts the others by user; None: no root.
    """
    options = f"size={limits['disk_bytes']},nr_inodes={limits['files']},mode=1777"
    _call("mount", "tmpfs", folder, "tmpfs", _SAFE, options)
    for capability in range(64):
        try:
            _call("prctl", _BOUNDING_DROP, capability, 0, 0, 0)
        except OSError:
            break  # the kernel knows no more of them
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    # All capabilities: effective, permitted, inheritable, thereby ambient; of version 3.
    _call("capset", (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
    _call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
    # A change of user clears this; the filter then keeps the program from clearing it.
    _call("prctl", _PDEATHSIG, _SIGKILL)
    rules = _filter()
    program = ctypes.create_string_buffer(rules, len(rules))
    header = (ctypes.c_uint64 * 2)(len(rules) // 8, ctypes.addressof(program))  # sock_fprog
    _call("prctl", _SECCOMP, 2, header)


def _filter() -> bytes:
    """Return the filter as an array of struct sock_filter.

    A refused call fails with EPERM. clone3 and calls newer than this list fail with ENOSYS: the C
    library then takes an older one, whose arguments a filter can see. A call of another
    architecture (32-bit) ends the process.
    """
    program = [(_LOAD, 0, 0, _ARCHITECTURE), (_IF_EQUAL, 1, 0, _X86_64), (_RETURN, 0, 0, _KILL)]
    program.append((_LOAD, 0, 0, _NUMBER))
    for test, value, answer in (
        (_IF_AT_LEAST, _X32, _EPERM),
        (_IF_AT_LEAST, _FIRST_UNKNOWN, _ENOSYS),
        (_IF_EQUAL, _CLONE3, _ENOSYS),
        *((_IF_EQUAL, number, _EPERM) for number in _DENIED),
    ):
        program += [(test, 0, 1, value), (_RETURN, 0, 0, answer)]
    for number, test, value, wanted in (
        (_CLONE, _IF_BITS, _CLONE_THREAD, True),  # a thread, not a process
        (_SOCKETPAIR, _IF_EQUAL, _AF_UNIX, True),  # asyncio needs one
        (_PRCTL, _IF_EQUAL, _PDEATHSIG, False),  # it dies with its parent
    ):
        program += [
            (_IF_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _FIRST_ARGUMENT),
            (test, wanted, not wanted, value),
            (_RETURN, 0, 0, _EPERM),
            (_RETURN, 0, 0, _ALLOW),
        ]
    program.append((_RETURN, 0, 0, _ALLOW))
    # Code, how many to skip if the test holds and if not, value.
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


def _restrict(path: str, flags: int, recursive: bool) -> None:
    """Make a mount read-only and add flags to it: mount_setattr(2), since Linux 5.12."""
    attributes = (ctypes.c_uint64 * 4)(_RDONLY | flags, 0, 0, 0)  # these three bits are the same
    where = 0x8000 if recursive else 0  # AT_RECURSIVE; -100 is AT_FDCWD
    _call("syscall", _MOUNT_SETATTR, -100, path, where, attributes, 32)


def _call(name: str, *arguments: object) -> None:
    """Call a function of the C library; OSError where it returns -1."""
    converters = {int: ctypes.c_long, str: os.fsencode}
    given = [converters.get(type(item), lambda same: same)(item) for item in arguments]
    if getattr(_LIBC, name)(*given) == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
