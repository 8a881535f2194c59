"""System calls that Python's ``os`` lacks."""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 4096, 16384, 1 << 18
MNT_DETACH = 2
SIGKILL = 9  # the module signal takes 4 ms to import
PR_SET_PDEATHSIG, _PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 22, 24, 38
_PIVOT_ROOT, _MOUNT_SETATTR = 155, 442  # on x86_64, as all numbers of seccomp.py
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_CAPABILITY_VERSION_3 = 0x20080522


def call(name: str, *arguments) -> int:
    """Call a function of the C library.

    Raises:
        OSError: it returned -1.
    """
    result = getattr(_LIBC, name)(*arguments)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount a file system or change a mount."""
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    call("mount", *words, ctypes.c_ulong(flags), options.encode())


def pivot_root(new_root: str, put_old: str) -> None:
    """Swap the root of the mount namespace."""
    call("syscall", ctypes.c_long(_PIVOT_ROOT), os.fsencode(new_root), os.fsencode(put_old))


def restrict_mount(path: str, flags: int, recursive: bool) -> None:
    """Add MS_RDONLY, MS_NOSUID, MS_NODEV to a mount: mount_setattr(2), since Linux 5.12."""
    number, folder, size = map(ctypes.c_long, (_MOUNT_SETATTR, _AT_FDCWD, 32))
    how = ctypes.c_long(_AT_RECURSIVE if recursive else 0)
    attributes = (ctypes.c_uint64 * 4)(flags, 0, 0, 0)  # the first three bits are the same there
    call("syscall", number, folder, os.fsencode(path), how, attributes, size)


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process."""
    call("prctl", option, *map(ctypes.c_ulong, (value, 0, 0, 0)))


def load_filter(instructions: bytes) -> None:
    """Load a seccomp filter, for good: PR_SET_SECCOMP with struct sock_fprog."""
    program = ctypes.create_string_buffer(instructions, len(instructions))
    header = (ctypes.c_uint64 * 2)(len(instructions) // 8, ctypes.addressof(program))
    call("prctl", _PR_SET_SECCOMP, ctypes.c_ulong(2), header)


def drop_capabilities() -> None:
    """Give up all capabilities: effective, permitted, inheritable, thereby ambient: capset(2)."""
    call("capset", (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)())
