"""The steps into the sandbox that the process takes itself, before it sees the program.

On route "namespaces" it makes with `enter` what bubblewrap makes on the other: new namespaces with
a root of their own. On both it has then the right to mount and, where the caller is root, root's
identity. Both end in `shut`.
"""

import os

import libc
import seccomp

_NEW_NS, _NEW_UTS, _NEW_IPC = 0x00020000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PID, _NEW_NET = 0x10000000, 0x20000000, 0x40000000
_SAFE = libc.MS_NOSUID | libc.MS_NODEV
_BASE, _HOST = "/tmp", "/.host"


def enter(settings: dict) -> None:
    """Return in process 1 of new namespaces, which sees nothing of the host but some paths.

    Args:
        settings: ``paths``: from what the process sees, read-only, to what that is on the host,
            without symbolic links; devices keep working. ``folder``, ``uid``: as for `shut`; where
            ``uid`` is None, the process is from now on user ``inside_id`` of a user namespace.

    Raises:
        OSError: the kernel refused a step.
    """
    libc.prctl(libc.PR_SET_PDEATHSIG, libc.SIGKILL)
    os.umask(0o022)
    if settings["uid"] is None:
        _enter_user_namespace(settings["inside_id"])
    libc.call("unshare", _NEW_NS | _NEW_UTS | _NEW_IPC | _NEW_PID | _NEW_NET)
    _change_root(settings["paths"], settings["folder"])
    libc.call("sethostname", b"sandbox", 7)
    child = os.fork()
    if child:  # outside of the process namespace: wait, and pass the exit status on
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os._exit(status if status >= 0 else 128 - status)
    # Its own session: signals to a process group pass the borders of process namespaces.
    os.setsid()


def _enter_user_namespace(inside_id: int) -> None:
    user, group = os.geteuid(), os.getegid()
    libc.call("unshare", _NEW_USER)
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside_id} {user} 1"),
        ("gid_map", f"{inside_id} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)


def _change_root(paths: dict[str, str], folder: str) -> None:
    libc.mount(None, "/", None, libc.MS_REC | libc.MS_PRIVATE)
    libc.mount("tmpfs", _BASE, "tmpfs", _SAFE, "size=64k,nr_inodes=256,mode=755")
    os.mkdir(_BASE + _HOST)
    libc.pivot_root(_BASE, _BASE + _HOST)
    os.chdir("/")
    for path, source in paths.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.isdir(_HOST + source):
            os.makedirs(path, exist_ok=True)
        else:
            os.close(os.open(path, os.O_CREAT))
        libc.mount(_HOST + source, path, None, libc.MS_BIND | libc.MS_REC)
        flags = libc.MS_NOSUID if path.startswith("/dev/") else _SAFE
        libc.restrict_mount(path, libc.MS_RDONLY | flags, recursive=True)
    libc.call("umount2", os.fsencode(_HOST), libc.MNT_DETACH)
    os.rmdir(_HOST)
    os.mkdir(folder)
    libc.restrict_mount("/", libc.MS_RDONLY | _SAFE, recursive=False)


def shut(folder: str, limits: dict, uid: int | None) -> None:
    """Mount the working directory and give up every right.

    Args:
        folder: the only place to write. It is mounted here because bubblewrap cannot limit the
            number of files in its tmpfs; files without content cost the kernel a kilobyte each.
        limits: the fields of ``Limits``.
        uid: the user and group to become, which nothing else on the machine has, or None where the
            caller is no root and the namespaces belong to a user namespace of their own. Linux
            exempts root from the limit on processes and counts the others by user.

    Raises:
        OSError: the kernel refused a step.
    """
    options = f"size={limits['disk_bytes']},nr_inodes={limits['files']},mode=1777"
    libc.mount("tmpfs", folder, "tmpfs", _SAFE, options)
    for capability in range(64):
        try:
            libc.prctl(libc.PR_CAPBSET_DROP, capability)
        except OSError:
            break  # the kernel knows no more of them
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    libc.drop_capabilities()
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    # A change of user clears this; the filter then keeps the program from clearing it.
    libc.prctl(libc.PR_SET_PDEATHSIG, libc.SIGKILL)
    libc.load_filter(seccomp.instructions())
