"""Route "namespaces": the same sandbox from bare system calls, without any package.

1. The interpreter starts as a plain subprocess, without the caller's variables and descriptors.
2. ``child/new_root.py`` moves it into namespaces like bubblewrap's, gives it a root of its own with
   the same paths, and forks; the child is process 1 in there, the parent waits for it.
3. ``child/confinement.py`` as in route "bubblewrap": from here on the routes are the same code.

It needs Linux 5.12 (mount_setattr), root or user namespaces for everyone, and x86_64. One
interpreter serves both sides, so its modules were read from the host before the program came.
"""

import functools
import os
import platform
import secrets
import sys
from pathlib import PurePath

from repro.sandbox.conversation import Limits, NotStarted, Outcome, converse
from repro.sandbox.subprocess_runner import (
    CHILD,
    child_command,
    environment,
    interpreter,
    site_packages,
)

WORKDIR = "/sandbox"  # as in child/confinement.py
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
# No user has such a number, and systemd gives them to no container either.
FIRST_SPARE_UID, _SPARE_UIDS = 1_900_000_000, 100_000_000


def run(job: dict, stdin: str, limits: Limits) -> Outcome:
    """Run one job (see ``conversation.converse``) in namespaces of its own.

    Raises:
        NotStarted: the kernel refused, or this is not x86_64.
    """
    world = {"paths": host_paths(), "links": host_links(), "uid": spare_uid()}
    return converse(
        lambda channel: child_command(CHILD, "namespaces", channel, limits, **world),
        environment(WORKDIR),
        "/",
        job,
        stdin,
        limits,
    )


def spare_uid() -> int | None:
    """Return a user number for one program where the caller is root, else None.

    Each program gets its own, so that none shares a limit or a right with another. None also for a
    root who may not choose numbers, being root of a user namespace only.

    Raises:
        NotStarted: this is not x86_64.
    """
    if platform.machine() != "x86_64":
        raise NotStarted(f"the system call filter knows x86_64 only, this is {platform.machine()}")
    if os.geteuid() != 0 or not _spare_uids_exist():
        return None
    return FIRST_SPARE_UID + secrets.randbelow(_SPARE_UIDS)


@functools.cache
def host_links() -> dict[str, str]:
    """Return the symbolic links among the folders of libraries, and their targets."""
    return {path: os.readlink(path) for path in _LIBRARIES if os.path.islink(path)}


@functools.cache
def host_paths() -> dict[str, str]:
    """Return what a program sees of the host, each within no other, and what it really is."""
    prefix = sys.base_prefix
    wanted = {*_LIBRARIES, f"{prefix}/lib", f"{prefix}/lib64", interpreter(), *site_packages()}
    paths: dict[str, str] = {}
    for path in sorted((wanted | {*_DEVICES}) - host_links().keys()):
        inside = any(path.startswith(f"{outer}/") for outer in paths)
        if os.path.exists(path) and not inside:
            paths[path] = os.path.realpath(path)
    return paths


@functools.cache
def host_folders() -> tuple[str, ...]:
    """Return the folders above ``host_paths``, outer ones first; nothing else is seen there."""
    above = {str(folder) for path in host_paths() for folder in PurePath(path).parents}
    return tuple(sorted(above - {"/"}))


@functools.cache
def _spare_uids_exist() -> bool:
    with open("/proc/self/uid_map") as file:
        ranges = [tuple(map(int, line.split())) for line in file]
    last = FIRST_SPARE_UID + _SPARE_UIDS - 1
    return any(first <= FIRST_SPARE_UID and last < first + count for first, _, count in ranges)
