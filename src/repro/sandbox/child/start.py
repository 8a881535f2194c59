"""The script that starts a program's process: shut it in, then do what the parent asks.

Its one argument is a dictionary in Python's notation: ``route``, ``channel`` (the descriptor of the
conversation), ``folder`` (to write to), ``limits`` (the fields of ``Limits``), ``site`` (folders of
installed packages), ``paths`` and ``uid`` (see ``confinement``).
"""

import math
import os
import resource
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(__file__))
    settings = eval(sys.argv[1])  # noqa: S307 (the parent wrote it)
    folder, limits, uid = settings["folder"], settings["limits"], settings["uid"]
    import program_child

    try:
        if settings["route"] != "none":
            import confinement  # and with it ctypes, which takes 4 ms

            if settings["route"] == "namespaces":
                confinement.enter(settings["paths"], folder, uid)
            confinement.shut(folder, limits, uid)
        # The kernel's limits on this process; they can be lowered later, never raised.
        for name, wanted in {
            **{"CPU": math.ceil(limits["cpu_s"]), "AS": limits["memory_bytes"]},
            **{"FSIZE": limits["file_bytes"], "NPROC": limits["processes"]},
            **dict.fromkeys(("NOFILE", "SIGPENDING"), limits["open_files"]),  # and signals, timers
            **dict.fromkeys(("CORE", "MEMLOCK", "MSGQUEUE"), 0),
        }.items():
            kind = getattr(resource, f"RLIMIT_{name}")
            hard = resource.getrlimit(kind)[1]
            value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(kind, (value, value))
        os.chdir(folder)
    except OSError as error:
        sys.exit(error.strerror or str(error))  # for the parent, who shows it
    sys.path[:] = sys.path[1:] + settings["site"]
    program_child.serve(settings["channel"])
