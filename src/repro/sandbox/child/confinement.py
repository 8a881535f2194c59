"""The steps into the sandbox that a program's process takes itself, before it sees the program.

On route "namespaces" `enter` does what bubblewrap does on the other: new namespaces with a root of
their own. On both the process then has the right to mount and, where the caller is root, root's
identity. Both end in `shut`. Errors of the kernel are raised as OSError.
"""

import ctypes
import os

import seccomp

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_NS, _NEW_UTS, _NEW_IPC = 0x00020000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PID, _NEW_NET = 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _BIND, _REC, _PRIVATE = 1, 2, 4, 4096, 16384, 1 << 18  # of mounts
_SAFE = _NOSUID | _NODEV
_PIVOT_ROOT, _MOUNT_SETATTR = 155, 442  # on x86_64, as all numbers of seccomp.py
_PDEATHSIG, _SECCOMP, _BOUNDING_DROP, _NO_NEW_PRIVS = 1, 22, 24, 38  # for prctl
_SIGKILL = 9  # the module signal takes 4 ms to import
_BASE, _HOST = "/tmp", "/.host"


def enter(paths: dict[str, str], folder: str, uid: int | None, inside_id: int) -> None:
    """Return in process 1 of new namespaces, which sees nothing of the host but ``paths``.

    ``paths``: from what the process sees, read-only, to what that is on the host, without symbolic
    links; devices keep working. ``folder`` is made for `shut`. Where ``uid`` (see `shut`) is None,
    a user namespace is made too, in which the process is user ``inside_id``.
    """
    _call("prctl", _PDEATHSIG, _SIGKILL)
    os.umask(0o022)
    if uid is None:
        user, group = os.geteuid(), os.getegid()
        _call("unshare", _NEW_USER)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{inside_id} {user} 1")
        _write("/proc/self/gid_map", f"{inside_id} {group} 1")
    _call("unshare", _NEW_NS | _NEW_UTS | _NEW_IPC | _NEW_PID | _NEW_NET)
    _change_root(paths, folder)
    _call("sethostname", b"sandbox", 7)
    child = os.fork()
    if child:  # outside of the process namespace: wait, and pass the exit status on
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os._exit(status if status >= 0 else 128 - status)
    # Its own session: signals to a process group pass the borders of process namespaces.
    os.setsid()


def _change_root(paths: dict[str, str], folder: str) -> None:
    _mount(None, "/", _REC | _PRIVATE)
    _mount("tmpfs", _BASE, _SAFE, "size=64k,nr_inodes=256,mode=755")
    os.mkdir(_BASE + _HOST)
    _call("syscall", _PIVOT_ROOT, _BASE.encode(), (_BASE + _HOST).encode())
    os.chdir("/")
    for path, source in paths.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.isdir(_HOST + source):
            os.makedirs(path, exist_ok=True)
        else:
            _write(path, "")
        _mount(_HOST + source, path, _BIND | _REC)
        _restrict(path, _NOSUID if path.startswith("/dev/") else _SAFE, recursive=True)
    _call("umount2", _HOST.encode(), 2)  # MNT_DETACH
    os.rmdir(_HOST)
    os.mkdir(folder)
    _restrict("/", _SAFE, recursive=False)


def shut(folder: str, limits: dict, uid: int | None) -> None:
    """Mount the working directory and give up every right.

    ``folder``, the only place to write, is mounted here because bubblewrap cannot limit the number
    of files in its tmpfs; files without content cost the kernel a kilobyte each. ``uid`` is the
    user and group to become, which nothing else on the machine has, because Linux exempts root from
    the limit on processes and counts the others by user; or None where the caller is no root and
    the namespaces belong to a user namespace.
    """
    options = f"size={limits['disk_bytes']},nr_inodes={limits['files']},mode=1777"
    _mount("tmpfs", folder, _SAFE, options)
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
    rules = seccomp.instructions()
    program = ctypes.create_string_buffer(rules, len(rules))
    header = (ctypes.c_uint64 * 2)(len(rules) // 8, ctypes.addressof(program))  # sock_fprog
    _call("prctl", _SECCOMP, 2, header)


def _mount(source: str | None, target: str, flags: int, options: str = "") -> None:
    kind = b"tmpfs" if source == "tmpfs" else None
    name = None if source is None else os.fsencode(source)
    _call("mount", name, os.fsencode(target), kind, flags, options.encode())


def _restrict(path: str, flags: int, recursive: bool) -> None:
    """Make a mount read-only and add flags to it: mount_setattr(2), since Linux 5.12."""
    attributes = (ctypes.c_uint64 * 4)(_RDONLY | flags, 0, 0, 0)  # these three bits are the same
    where = 0x8000 if recursive else 0  # AT_RECURSIVE; -100 is AT_FDCWD
    _call("syscall", _MOUNT_SETATTR, -100, os.fsencode(path), where, attributes, 32)


def _write(path: str, content: str) -> None:
    with open(path, "w") as file:
        file.write(content)


def _call(name: str, *arguments: object) -> None:
    """Call a function of the C library; OSError where it returns -1."""
    numbers = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    if getattr(_LIBC, name)(*numbers) == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
