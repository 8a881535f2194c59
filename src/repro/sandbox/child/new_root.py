"""Route "namespaces": build with bare system calls what bubblewrap builds.

This process starts as an ordinary one, moves into new namespaces, gives them a root of their own
and forks: the child goes on as process 1 of its own process namespace, the parent waits for it
outside and passes its exit status on.
"""

import os

import confinement
import libc

_NEW_NS, _NEW_UTS, _NEW_IPC = 0x00020000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PID, _NEW_NET = 0x10000000, 0x20000000, 0x40000000
_BASE, _HOST = "/tmp", "/.host"
_INSIDE_ID = 65534


def enter(paths: dict[str, str], links: dict[str, str], uid: int | None) -> None:
    """Return in a process that sees nothing of the host but ``paths``, read-only.

    Args:
        paths: from what the process sees to what that is on the host, without symbolic links.
            Devices keep working.
        links: symbolic links to make, and their targets.
        uid: as for ``confinement.shut``.

    Raises:
        OSError: the kernel refused a step.
    """
    libc.prctl(libc.PR_SET_PDEATHSIG, libc.SIGKILL)
    os.umask(0o022)
    if uid is None:
        _enter_user_namespace()
    libc.call("unshare", _NEW_NS | _NEW_UTS | _NEW_IPC | _NEW_PID | _NEW_NET)
    _change_root(paths, links)
    libc.call("sethostname", b"sandbox", 7)
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os._exit(status if status >= 0 else 128 - status)
    # Its own session: signals to a process group pass the borders of process namespaces.
    os.setsid()


def _enter_user_namespace() -> None:
    user, group = os.geteuid(), os.getegid()
    libc.call("unshare", _NEW_USER)
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{_INSIDE_ID} {user} 1"),
        ("gid_map", f"{_INSIDE_ID} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)


def _change_root(paths: dict[str, str], links: dict[str, str]) -> None:
    safe = libc.MS_NOSUID | libc.MS_NODEV
    libc.mount(None, "/", None, libc.MS_REC | libc.MS_PRIVATE)
    libc.mount("tmpfs", _BASE, "tmpfs", safe, "size=64k,nr_inodes=256,mode=755")
    os.mkdir(_BASE + _HOST)
    libc.pivot_root(_BASE, _BASE + _HOST)
    os.chdir("/")
    for path, target in links.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)
    for path, source in paths.items():
        _show(path, _HOST + source, safe)
    libc.call("umount2", os.fsencode(_HOST), libc.MNT_DETACH)
    os.rmdir(_HOST)
    os.mkdir(confinement.WORKDIR)
    libc.restrict_mount("/", libc.MS_RDONLY | safe, recursive=False)


def _show(path: str, source: str, safe: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.isdir(source):
        os.makedirs(path, exist_ok=True)
    else:
        os.close(os.open(path, os.O_CREAT))
    if path.startswith("/dev/"):
        safe &= ~libc.MS_NODEV
    libc.mount(source, path, None, libc.MS_BIND | libc.MS_REC)
    libc.restrict_mount(path, libc.MS_RDONLY | safe, recursive=True)
