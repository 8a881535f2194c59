"""Attempts to reach out. Each defines ``attack()``, which returns what it achieved, if anything.

``host`` holds what the harness knows of the machine. None of them does harm where it succeeds: most
are also run without a sandbox, where they must succeed. `PRELUDE` goes before each.
"""

PRELUDE = """
import ctypes, os, signal, socket, sys
libc = ctypes.CDLL(None, use_errno=True)

def works(function, *arguments):
    try:
        function(*arguments)
    except (OSError, ValueError):
        return False
    return True

def those(**attempts):
    return [name for name, attempt in attempts.items() if works(*attempt)]

def syscall(number, *arguments):
    ctypes.set_errno(0)
    arguments = [a if isinstance(a, bytes) or a is None else ctypes.c_long(a) for a in arguments]
    return libc.syscall(ctypes.c_long(number), *arguments), ctypes.get_errno()

def done(**calls):
    return [name for name, call in calls.items() if syscall(*call)[0] != -1]

def not_refused(**calls):  # by EPERM, ENOSYS
    return [name for name, call in calls.items() if syscall(*call)[1] not in (1, 38)]
"""

PROBES = {
    "read host files": """
def attack():
    return [path for path in host["files"] if works(lambda: open(path, "rb").close())]
""",
    "list host folders": """
def attack():
    folders = [folder for folder in host["folders"] if works(os.listdir, folder)]
    return [f"{folder}/{name}" for folder in folders for name in os.listdir(folder)
            if name not in host["folders"][folder]][:20]
""",
    "read the environment": """
def attack():
    return [name for name in os.environ if name not in host["variables"]]
""",
    "write where the interpreter is": """
def attack():
    paths = [sys.executable, os.__file__, *host["writable"], "/child/start.py", "/dev/null/x"]
    found = [path for path in paths if works(lambda: open(path, "ab").close())]
    found += [path for path in paths if works(lambda: os.chmod(path, os.stat(path).st_mode))]
    folders = ["/", "/usr", "/usr/lib", "/dev", "/child", os.path.dirname(sys.executable)]
    for path in [*(f"{folder}/.attack" for folder in folders), *(f"{path}.new" for path in paths)]:
        if works(os.mkdir, path):
            os.rmdir(path)
            found.append(path)
    return found
""",
    "delete files": """
import shutil
def attack():
    shutil.rmtree(host["victim"], ignore_errors=True)
    return works(os.unlink, host["victim"] + ".file")
""",
    "connect to a listener": """
def attack():
    return [name for name in ("127.0.0.1", "::1", "localhost")
            if works(lambda: socket.create_connection((name, host["port"]), 1).send(b"x"))]
""",
    "open sockets of any family": """
def attack():
    return [[make.__name__, family, kind] for family in range(50) for kind in (1, 2, 3, 5)
            for make in (socket.socket, socket.socketpair)
            if works(make, family, kind) and (make, family) != (socket.socketpair, socket.AF_UNIX)]
""",
    "connect to unix sockets": """
def attack():
    return [address for address in (host["abstract"], host["unix"])
            if works(lambda: socket.socket(socket.AF_UNIX).connect(address))]
""",
    "start processes": """
import multiprocessing, subprocess
def ends(pid, error=0):
    if pid == 0:
        os._exit(0)
    if pid == -1:
        raise OSError(error)
def attack():
    clone3 = (0).to_bytes(32, "little") + (17).to_bytes(56, "little")
    return those(
        fork=(lambda: ends(os.fork()),), forkpty=(lambda: ends(os.forkpty()[0]),),
        clone=(lambda: ends(*syscall(56, 17, 0, 0, 0, 0)),),
        clone3=(lambda: ends(*syscall(435, clone3, 88)),),
        run=(lambda: subprocess.run([sys.executable, "-c", ""], check=True),),
        spawn=(os.posix_spawn, sys.executable, ["python", "-c", ""], {}),
        multiprocessing=(lambda: multiprocessing.get_context("fork").Process().start(),),
    )
""",
    "find programs to execute": """
def attack():
    names = ["sh", "bash", "true", "env", "python3", "perl", "su", "sudo", "bwrap", "unshare"]
    paths = [f"{folder}/{name}" for folder in ("/bin", "/usr/bin", "/sbin") for name in names]
    return [path for path in paths if os.access(path, os.X_OK) and path != host["interpreter"]]
""",
    "signal processes": """
def attack():
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.killpg(0, signal.SIGUSR1)
    others = {-1, host["pid"], host["parent"]} - {os.getpid()}
    found = [pid for pid in others if works(os.kill, pid, 0)]  # no further, if it can
    return found or [pid for pid in others for number in (signal.SIGTERM, signal.SIGKILL)
                     if works(os.kill, pid, number)]
""",
    "trace processes": """
def attack():
    pid, buffer = host["pid"], bytes(64)
    return done(
        seize=(101, 0x4206, pid, 0, 0), pidfd_open=(434, pid, 0),
        readv=(310, pid, buffer, 0, buffer, 0, 0),
        kcmp=(312, os.getpid(), os.getpid(), 0, 0, 1), prlimit=(302, pid, 7, 0, buffer),
    ) if pid != os.getpid() else []
""",
    "make namespaces": """
def attack():
    flags = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000,
             "ipc": 0x8000000, "uts": 0x4000000, "cgroup": 0x2000000, "time": 0x80}
    found = done(**{name: (272, flag) for name, flag in flags.items()})
    for name, flag in flags.items():
        result, _ = syscall(56, flag | 17, 0, 0, 0, 0)
        if result == 0:
            os._exit(0)
        if result > 0:
            found.append(f"clone {name}")
    return found + not_refused(setns=(308, 0, 0))
""",
    "mount and change root": """
def attack():
    os.makedirs("x", exist_ok=True)
    return done(
        mount=(165, b"tmpfs", b"x", b"tmpfs", 0, None), bind=(165, b"/", b"x", None, 4096, None),
        remount=(165, None, b"/", None, 32 | 4096, None), umount=(166, b"/sandbox", 2),
        chroot=(161, b"x"), pivot_root=(155, b"x", b"x"), fsopen=(430, b"tmpfs", 0),
        open_tree=(428, -100, b"/", 1), setattr=(442, -100, b"/", 0, bytes(32), 32),
    )
""",
    "gain rights": """
import resource
def raise_limit(limit):
    soft, hard = resource.getrlimit(limit)
    if hard == -1:
        raise OSError
    resource.setrlimit(limit, (hard, hard + 1))
def attack():
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc.capget(header, data)
    found = [f"capabilities {list(data)}"] if any(data) else []
    if os.getuid() == 0 or os.getgid() == 0 or 0 in os.getgroups():
        found.append("root")
    found += done(setuid=(105, 0), setgid=(106, 0), setgroups=(116, 1, bytes(4)),
                  setreuid=(113, 0, 0), bounding=(157, 24, 0, 0, 0, 0),
                  capset=(126, bytes(header), bytes([255] * 24)))
    limits = {name: limit for name, limit in vars(resource).items() if name.startswith("RLIMIT_")}
    found += those(**{name: (raise_limit, limit) for name, limit in limits.items()})
    return found + those(nice=(os.nice, -1), fifo=(os.sched_setscheduler, 0, 1, os.sched_param(1)))
""",
    "leave the filter": """
def attack():
    found = done(orphan=(157, 1, 0, 0, 0, 0), x32_getpid=(0x40000000 | 39,))
    if syscall(157, 21, 0, 0, 0, 0)[0] != 2 or syscall(157, 39, 0, 0, 0, 0)[0] != 1:
        found.append("no filter")
    return found
""",
    "call the 32-bit kernel": """
import mmap
def attack():
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("53 b8 14 00 00 00 cd 80 5b c3"))  # getpid by int 0x80
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)() > 0
""",
    "read keyrings": """
def attack():
    return done(session=(250, 0, -3, 1), user=(250, 0, -4, 1),
                add=(248, b"user", b"x", b"y", 1, -2))
""",
    "share memory": """
def attack():
    found = done(memfd=(319, b"x", 0), secret=(447, 0), mq=(240, b"x", 0o102, 0o600, None))
    syscall(241, b"x")
    for make, remove in ((29, 31), (68, 71), (64, 66)):  # what stays is removed again
        key, _ = syscall(make, 0, *([] if make == 68 else [1]), 0o1600)
        if key != -1:
            found.append(make)
            syscall(remove, key, *([0] if make == 64 else []), 0, 0)
    return found
""",
    "call the kernel's rare parts": """
def attack():
    numbers = dict(bpf=321, perf=298, uring=425, uffd=323, fanotify=300, inotify=294, inotify0=253,
                   aio=206, module=175, finit=313, kexec=246, swapon=167, acct=163, iopl=172,
                   ioperm=173, quota=179, syslog=103, ldt=154, clock=227, adjtime=159,
                   hostname=170, handle=304, personality=135, memory=440)
    calls = {name: (number, -1, -1, -1, -1, -1) for name, number in numbers.items()}
    return not_refused(**calls, new=(470, 0), newer=(1000, 0))
""",
    "find descriptors": """
import stat
def attack():
    modes = {number: os.fstat(number).st_mode for number in range(256) if works(os.fstat, number)}
    null = os.stat("/dev/null")
    if len(modes) != 4 or [stat.S_ISSOCK(mode) for mode in modes.values()] != [0, 0, 0, 1]:
        return [*modes.items()]
    return [number for number in (1, 2) if not os.path.samestat(os.fstat(number), null)]
""",
    "change standard input": """
def attack():
    return those(write=(os.write, 0, b"x"), truncate=(os.ftruncate, 0, 100))
""",
    "open devices": """
import stat
def attack():
    devices = ["mem", "kmsg", "tty", "fuse", "kvm", "net/tun", "ptmx", "console", "shm", "sda",
               "vda", "nvme0n1", "nvidia0", "dri/card0", "vsock"]
    found = [name for name in devices if os.path.exists(f"/dev/{name}")]
    return found + those(mknod=(os.mknod, "x", stat.S_IFBLK | 0o666, os.makedev(254, 0)))
""",
}

# Those that any user can do without a sandbox: there they must succeed, or they would show nothing.
NEED_NO_RIGHTS = (
    *("read host files", "list host folders", "delete files", "connect to a listener"),
    *("open sockets of any family", "connect to unix sockets", "start processes"),
    *("find programs to execute", "signal processes", "trace processes", "leave the filter"),
    *("read keyrings", "share memory", "call the kernel's rare parts"),
    *("open devices",),
)
