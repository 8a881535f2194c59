"""Attempts to reach out: expressions whose values are what was achieved, if anything.

``host`` holds what the harness knows of the machine; `PRELUDE` is the program. None of them does
harm where it succeeds: most are also run without a sandbox, where they must succeed.
"""

PRELUDE = """
import ctypes, mmap, multiprocessing, os, resource, shutil, signal, socket, stat, subprocess, sys
from socket import AF_UNIX, socketpair
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

def ends(pid, error=0):
    if pid == 0:
        os._exit(0)
    if pid == -1:
        raise OSError(error)

def make_and_remove(folder):
    os.mkdir(folder)
    os.rmdir(folder)

def kill():
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.killpg(0, signal.SIGUSR1)
    others = {-1, host["pid"], host["parent"]} - {os.getpid()}
    found = [pid for pid in others if works(os.kill, pid, 0)]  # no further, if it can
    return found or [pid for pid in others for number in (signal.SIGTERM, signal.SIGKILL)
                     if works(os.kill, pid, number)]

def capabilities():
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc.capget(header, data)
    return [*filter(None, data)] + done(capset=(126, bytes(header), bytes([255] * 24)))

def raise_limit(limit):
    soft, hard = resource.getrlimit(limit)
    if hard == -1:
        raise OSError
    resource.setrlimit(limit, (hard, hard + 1))

def call_32_bit():
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("53 b8 14 00 00 00 cd 80 5b c3"))  # getpid by int 0x80
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)() > 0

def share(make, remove):  # what stays is removed again
    key, _ = syscall(make, 0, *([] if make == 68 else [1]), 0o1600)
    if key != -1:
        syscall(remove, key, *([0] if make == 64 else []), 0, 0)
    return key != -1

def descriptors():
    modes = {number: os.fstat(number).st_mode for number in range(256) if works(os.fstat, number)}
    null = os.stat("/dev/null")
    if len(modes) != 4 or [stat.S_ISSOCK(mode) for mode in modes.values()] != [0, 0, 0, 1]:
        return [*modes.items()]
    return [number for number in (1, 2) if not os.path.samestat(os.fstat(number), null)]

NAMESPACES = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000,
              "ipc": 0x8000000, "uts": 0x4000000, "cgroup": 0x2000000, "time": 0x80}
RARE = dict(bpf=321, perf=298, uring=425, uffd=323, fanotify=300, inotify=294, inotify0=253,
            aio=206, module=175, finit=313, kexec=246, swapon=167, acct=163, iopl=172, ioperm=173,
            quota=179, syslog=103, ldt=154, clock=227, adjtime=159, hostname=170, handle=304,
            personality=135, memory=440)
FOLDERS = ["/", "/usr", "/usr/lib", "/dev", "/child", os.path.dirname(sys.executable)]
FILES = [sys.executable, os.__file__, "/child/start.py", "/dev/null/x"]
EXECUTABLES = ["sh", "bash", "true", "env", "python3", "perl", "su", "sudo", "bwrap", "unshare"]
DEVICES = ["mem", "kmsg", "tty", "fuse", "kvm", "net/tun", "ptmx", "console", "shm", "sda", "vda",
           "nvme0n1", "nvidia0", "dri/card0", "vsock"]
"""

PROBES = {
    "read host files": "[path for path in host['files'] if works(lambda: open(path).close())]",
    "list host folders": "[f'{folder}/{name}' for folder in host['folders']"
    " if works(os.listdir, folder) for name in os.listdir(folder)"
    " if name not in host['folders'][folder]][:20]",
    "read the environment": "[name for name in os.environ if name not in host['variables']]",
    "append to files": "[path for path in FILES + host['writable']"
    " if works(lambda: open(path, 'ab').close())]",
    "change rights of files": "[path for path in FILES + host['writable']"
    " if works(lambda: os.chmod(path, os.stat(path).st_mode))]",
    "make folders": "[path for path in [*(f'{folder}/.attack' for folder in FOLDERS),"
    " *(f'{path}.new' for path in FILES + host['writable'])] if works(make_and_remove, path)]",
    "delete files": "[shutil.rmtree(host['victim'], ignore_errors=True),"
    " works(os.unlink, host['victim'] + '.file')][1]",
    "connect to a listener": "[name for name in ('127.0.0.1', '::1', 'localhost')"
    " if works(lambda: socket.create_connection((name, host['port']), 1).send(b'x'))]",
    "open sockets of any family": "[[make.__name__, family, kind] for family in range(50)"
    " for kind in (1, 2, 3, 5) for make in (socket.socket, socketpair)"
    " if works(make, family, kind) and (make, family) != (socketpair, AF_UNIX)]",
    "connect to unix sockets": "[address for address in (host['abstract'], host['unix'])"
    " if works(lambda: socket.socket(AF_UNIX).connect(address))]",
    "start processes": "those(fork=(lambda: ends(os.fork()),),"
    " forkpty=(lambda: ends(os.forkpty()[0]),),"
    " clone=(lambda: ends(*syscall(56, 17, 0, 0, 0, 0)),),"
    " clone3=(lambda: ends(*syscall(435, bytes(32) + (17).to_bytes(56, 'little'), 88)),),"
    " run=(lambda: subprocess.run([sys.executable, '-c', ''], check=True),),"
    " spawn=(os.posix_spawn, sys.executable, ['python', '-c', ''], {}),"
    " forked=(lambda: multiprocessing.get_context('fork').Process().start(),))",
    "find programs to execute": "[path for name in EXECUTABLES for path in"
    " (f'/bin/{name}', f'/usr/bin/{name}', f'/sbin/{name}')"
    " if os.access(path, os.X_OK) and path != host['interpreter']]",
    "signal processes": "kill()",
    "trace processes": "done(seize=(101, 0x4206, host['pid'], 0, 0),"
    " pidfd_open=(434, host['pid'], 0), prlimit=(302, host['pid'], 7, 0, bytes(64)),"
    " readv=(310, host['pid'], bytes(64), 0, bytes(64), 0, 0),"
    " kcmp=(312, os.getpid(), os.getpid(), 0, 0, 1)) if host['pid'] != os.getpid() else []",
    "make namespaces": "done(**{name: (272, flag) for name, flag in NAMESPACES.items()})"
    " + [name for name, flag in NAMESPACES.items()"
    " if works(lambda: ends(*syscall(56, flag | 17, 0, 0, 0, 0)))]"
    " + not_refused(setns=(308, 0, 0))",
    "mount and change root": "[os.mkdir('x')] and done("
    "mount=(165, b'tmpfs', b'x', b'tmpfs', 0, None), bind=(165, b'/', b'x', None, 4096, None),"
    " remount=(165, None, b'/', None, 32 | 4096, None), umount=(166, b'/sandbox', 2),"
    " chroot=(161, b'x'), pivot_root=(155, b'x', b'x'), fsopen=(430, b'tmpfs', 0),"
    " open_tree=(428, -100, b'/', 1), setattr=(442, -100, b'/', 0, bytes(32), 32))",
    "be root": "[number for number in (os.getuid(), os.getgid(), *os.getgroups()) if number == 0]"
    " + done(setuid=(105, 0), setgid=(106, 0), setgroups=(116, 1, bytes(4)),"
    " setreuid=(113, 0, 0), bounding=(157, 24, 0, 0, 0, 0)) + capabilities()",
    "raise limits": "those(nice=(os.nice, -1), fifo=(os.sched_setscheduler, 0, 1,"
    " os.sched_param(1)), **{name: (raise_limit, limit)"
    " for name, limit in vars(resource).items() if name.startswith('RLIMIT_')})",
    "leave the filter": "done(orphan=(157, 1, 0, 0, 0, 0), x32_getpid=(0x40000000 | 39,))"
    " + [option for option, state in ((21, 2), (39, 1))"
    " if syscall(157, option, 0, 0, 0, 0)[0] != state]",
    "call the 32-bit kernel": "call_32_bit()",
    "read keyrings": "done(session=(250, 0, -3, 1), user=(250, 0, -4, 1),"
    " add=(248, b'user', b'x', b'y', 1, -2))",
    "share memory": "[make for make, remove in ((29, 31), (68, 71), (64, 66))"
    " if share(make, remove)] + done(memfd=(319, b'x', 0), secret=(447, 0),"
    " mq=(240, b'x', 0o102, 0o600, None)) + done(unlinked=(241, b'x'))",
    "call the kernel's rare parts": "not_refused(new=(470, 0), newer=(1000, 0),"
    " **{name: (number, -1, -1, -1, -1, -1) for name, number in RARE.items()})",
    "find descriptors": "descriptors()",
    "change standard input": "those(write=(os.write, 0, b'x'), truncate=(os.ftruncate, 0, 100))",
    "open devices": "[name for name in DEVICES if os.path.exists(f'/dev/{name}')]"
    " + those(mknod=(os.mknod, 'device', stat.S_IFBLK | 0o666, os.makedev(254, 0)))",
}

# Those that any user can do without a sandbox: there they must succeed, or they would show nothing.
NEED_NO_RIGHTS = (
    *("read host files", "list host folders", "delete files", "connect to a listener"),
    *("open sockets of any family", "connect to unix sockets", "start processes"),
    *("find programs to execute", "signal processes", "trace processes", "leave the filter"),
    *("read keyrings", "share memory", "call the kernel's rare parts", "open devices"),
)
