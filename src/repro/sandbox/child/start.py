"""The script that starts a program's process: shut it in, then do what the parent asks.

Its one argument is a dictionary in Python's notation: ``route``, ``channel`` (the descriptor of the
conversation), ``folder`` (to write to), ``limits`` (the fields of ``Limits``), ``site`` (folders of
installed packages), ``paths``, ``uid`` and ``inside_id`` (see ``confinement``).
"""

import math
import os
import resource
import sys


def set_limits(limits: dict) -> None:
    """Set the kernel's limits on this process. They can be lowered later, never raised."""
    for kind, wanted in (
        (resource.RLIMIT_CPU, math.ceil(limits["cpu_s"])),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_SIGPENDING, limits["open_files"]),  # signals and timers in the kernel
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (value, value))


if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/")[0])
    settings = eval(sys.argv[1])  # noqa: S307 (the parent wrote it)
    folder, limits, uid = settings["folder"], settings["limits"], settings["uid"]
    import program_child

    try:
        if settings["route"] != "none":
            import confinement  # and with it ctypes, which takes 4 ms

            if settings["route"] == "namespaces":
                confinement.enter(settings["paths"], folder, uid, settings["inside_id"])
            confinement.shut(folder, limits, uid)
        set_limits(limits)
        os.chdir(folder)
    except OSError as error:
        sys.exit(error.strerror or str(error))  # for the parent, who shows it
    sys.path[:1] = []
    sys.path += settings["site"]
    program_child.serve(settings["channel"])
