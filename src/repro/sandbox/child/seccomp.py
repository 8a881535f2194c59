"""The system calls a program may not make, as a filter for Linux on x86_64.

A program is one process with threads. That bounds its memory: the address space of a process is
limited, and so are the files it can write; every other call that keeps memory is refused here.
Network, devices and other processes are shut out by the namespaces already; the filter is a second
line behind them, and the first where they do not reach (keyrings, AF_VSOCK, global tables).
"""

import struct

_DENIED = {
    # Processes; clone and clone3 have rules of their own below.
    **{"fork": 57, "vfork": 58},
    **{"ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312},
    **{"pidfd_getfd": 438, "process_madvise": 440, "process_mrelease": 448},
    # Network; socketpair has a rule. File descriptors in flight hold memory of the kernel.
    **{"socket": 41, "sendmsg": 46, "sendmmsg": 307},
    # Memory outside the address space, and tables shared by the whole machine.
    **{"shmget": 29, "shmat": 30, "semget": 64, "msgget": 68, "mq_open": 240},
    **{"memfd_create": 319, "memfd_secret": 447, "userfaultfd": 323, "vmsplice": 278},
    **{"io_setup": 206, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
    **{"inotify_init": 253, "inotify_init1": 294, "fanotify_init": 300},
    **{"add_key": 248, "request_key": 249, "keyctl": 250},
    # Namespaces and mounts.
    **{"unshare": 272, "setns": 308, "chroot": 161, "pivot_root": 155, "mount": 165},
    **{"umount2": 166, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431},
    **{"fsmount": 432, "fspick": 433, "mount_setattr": 442, "open_by_handle_at": 304},
    **{"name_to_handle_at": 303},
    # The machine; most of these need rights that the program does not have.
    **{"bpf": 321, "perf_event_open": 298, "syslog": 103, "personality": 135, "modify_ldt": 154},
    **{"uselib": 134, "ustat": 136, "sysfs": 139, "vhangup": 153, "_sysctl": 156, "acct": 163},
    **{"adjtimex": 159, "settimeofday": 164, "clock_settime": 227, "clock_adjtime": 305},
    **{"swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171},
    **{"iopl": 172, "ioperm": 173, "create_module": 174, "init_module": 175},
    **{"delete_module": 176, "finit_module": 313, "quotactl": 179, "quotactl_fd": 443},
    **{"nfsservctl": 180, "lookup_dcookie": 212, "kexec_load": 246, "kexec_file_load": 320},
}
_CLONE, _CLONE3, _SOCKETPAIR, _PRCTL = 56, 435, 53, 157
_FIRST_UNKNOWN, _X32 = 451, 0x40000000  # newer calls than these were not looked at
_CLONE_THREAD, _AF_UNIX, _PR_SET_PDEATHSIG = 0x00010000, 1, 1
_X86_64 = 0xC000003E
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_LOAD, _RETURN, _IF_EQUAL, _IF_AT_LEAST, _IF_BITS = 0x20, 0x06, 0x15, 0x35, 0x45
_ALLOW, _KILL, _EPERM, _ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026


def instructions() -> bytes:
    """Return the filter as an array of struct sock_filter.

    A refused call fails with EPERM. clone3 and calls newer than this list fail with ENOSYS: the C
    library then takes an older one, whose arguments a filter can see. A call of another
    architecture (32-bit) ends the process.
    """
    program = [(_LOAD, 0, 0, _ARCHITECTURE), (_IF_EQUAL, 1, 0, _X86_64), (_RETURN, 0, 0, _KILL)]
    program.append((_LOAD, 0, 0, _NUMBER))
    for test, value, answer in (
        (_IF_AT_LEAST, _X32, _EPERM),
        (_IF_AT_LEAST, _FIRST_UNKNOWN, _ENOSYS),
        (_IF_EQUAL, _CLONE3, _ENOSYS),
        *((_IF_EQUAL, number, _EPERM) for number in _DENIED.values()),
    ):
        program += [(test, 0, 1, value), (_RETURN, 0, 0, answer)]
    for number, test, value, wanted in (
        (_CLONE, _IF_BITS, _CLONE_THREAD, True),  # a thread, not a process
        (_SOCKETPAIR, _IF_EQUAL, _AF_UNIX, True),  # asyncio needs one
        (_PRCTL, _IF_EQUAL, _PR_SET_PDEATHSIG, False),  # it dies with its parent
    ):
        program += [
            (_IF_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _FIRST_ARGUMENT),
            (test, wanted, not wanted, value),
            (_RETURN, 0, 0, _EPERM),
            (_RETURN, 0, 0, _ALLOW),
        ]
    program.append((_RETURN, 0, 0, _ALLOW))
    # Code, how many to skip if the test holds and if not, value.
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)
