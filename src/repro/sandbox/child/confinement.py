"""The last steps into the sandbox, taken by the process itself before it sees the program.

Whoever built the namespaces (bubblewrap, or new_root.py) left this process the right to mount and,
where the caller is root, root's identity. Both end here.
"""

import errno
import os

import libc
import resource_limits
import seccomp

WORKDIR = "/sandbox"  # not /tmp: an interpreter may be installed below that


def shut(limits: dict, uid: int | None) -> None:
    """Mount the working directory, set the limits, give up every right.

    The working directory is the only place to write. It is mounted here because bubblewrap cannot
    limit the number of files in its tmpfs; files without content cost the kernel a kilobyte each.

    Args:
        limits: the fields of ``Limits``.
        uid: the user and group to become, which nothing else on the machine has, or None where the
            caller is no root and the namespaces belong to a user namespace of their own. Linux
            exempts root from the limit on processes and counts the others by user.

    Raises:
        OSError: the kernel refused a step.
    """
    size, files = limits["disk_bytes"], limits["files"]
    options = f"size={size},nr_inodes={files},mode=1777"
    libc.mount("tmpfs", WORKDIR, "tmpfs", libc.MS_NOSUID | libc.MS_NODEV, options)
    os.chdir(WORKDIR)
    resource_limits.apply(limits)
    for capability in range(64):
        try:
            libc.prctl(libc.PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
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
