"""Route "bubblewrap": bwrap builds the namespaces and the file system.

1. bwrap (package ``bubblewrap``) makes mount, process, network, IPC and host name namespaces, and a
   user namespace where the caller is not root. The root is an empty, read-only tmpfs with the
   interpreter, its libraries, the installed packages and the child's scripts.
2. The program's process is in a session of its own and dies with bwrap, which dies with the caller.
   Where the caller is root, util-linux sees to that (``setpriv``, ``unshare``): bwrap gives up the
   right to signal the user that the program becomes. It keeps no capabilities but those for step 3.
3. ``child/confinement.py``, in that process: mount the working directory with its limits, set the
   limits of the process, drop root for a user that nothing else has, drop the capabilities, forbid
   new rights, load the filter of ``child/seccomp.py``.
4. Nested user namespaces are refused by that filter. bwrap's own ``--disable-userns`` would also
   refuse the mount of step 3.
"""

import shutil

from repro.sandbox import namespaces
from repro.sandbox.conversation import Limits, NotStarted, Outcome, converse
from repro.sandbox.subprocess_runner import CHILD, child_command, environment

_CHILD_INSIDE = "/child"
_INSIDE_ID = "65534"


def run(job: dict, stdin: str, limits: Limits) -> Outcome:
    """Run one job (see ``conversation.converse``) inside bubblewrap.

    Raises:
        NotStarted: bubblewrap is not there, or it or the kernel refused.
    """
    uid = namespaces.spare_uid()
    return converse(
        lambda channel: [
            *_bwrap(uid),
            *child_command(_CHILD_INSIDE, "bubblewrap", channel, limits, uid=uid),
        ],
        environment(namespaces.WORKDIR),
        "/",
        job,
        stdin,
        limits,
    )


def _bwrap(uid: int | None) -> list[str]:
    bwrap = _find("bwrap", "bubblewrap")
    if uid is None:
        command = [bwrap, "--unshare-pid", "--as-pid-1", "--cap-drop", "ALL", "--unshare-user"]
        command += ["--uid", _INSIDE_ID, "--gid", _INSIDE_ID]
    else:
        command = [_find("setpriv", "util-linux"), "--pdeathsig", "KILL", "--"]
        command += [_find("unshare", "util-linux"), "--pid", "--fork", "--kill-child=KILL", "--"]
        command += [bwrap, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID"]
        command += ["--cap-add", "CAP_SETGID"]
    command += ["--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP"]
    command += ["--unshare-net", "--unshare-ipc", "--unshare-uts", "--hostname", "sandbox"]
    command += ["--die-with-parent", "--new-session"]
    for folder in namespaces.host_folders():  # left to bwrap, they would be open to root only
        command += ["--dir", folder]
    for path, target in namespaces.host_links().items():
        command += ["--symlink", target, path]
    for path, source in namespaces.host_paths().items():
        command += ["--dev-bind" if path.startswith("/dev/") else "--ro-bind", source, path]
    command += ["--ro-bind", str(CHILD), _CHILD_INSIDE, "--dir", namespaces.WORKDIR]
    return [*command, "--remount-ro", "/", "--chdir", "/", "--"]


def _find(program: str, package: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise NotStarted(f"there is no {program}: install the package {package}")
    return path
