"""The kernel's limits on a process. They can be lowered later, never raised."""

import math
import resource


def apply(limits: dict) -> None:
    """Set the limits of this process from the fields of ``Limits``."""
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
