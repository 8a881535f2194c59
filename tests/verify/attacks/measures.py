"""Attempts to use up the machine: how much a program gets of something, and how much it may.

`PRELUDE` is the program; each measure is an expression in it, with the most that the limits allow.
"""

PRELUDE = """
import fcntl, os, threading
kept, end = [], threading.Event()
open("file", "w").close()

def fill(function):
    count = 0
    try:
        while count < 100_000:
            function(count)
            count += 1
    except (OSError, MemoryError, RuntimeError):
        pass
    return count

def grow(_):
    kept.append(bytearray(b"x") * (1 << 20))

def write(number):
    with open(f"{number}", "wb") as file:
        file.write(bytes(1 << 20))

def append(_):
    with open("file", "ab") as file:
        file.write(bytes(1 << 20))

def start(_):
    threading.stack_size(1 << 16)
    threading.Thread(target=end.wait, daemon=True).start()

def pipe(_):
    kept.append(os.pipe())
    os.set_blocking(kept[-1][1], False)
    try:
        fcntl.fcntl(kept[-1][1], fcntl.F_SETPIPE_SZ, 1 << 20)
    except OSError:
        pass

NODES = (lambda n: os.mkdir(f"d{n}"), lambda n: os.symlink("x", f"s{n}"),
         lambda n: os.mkfifo(f"f{n}"), lambda n: os.link("file", f"l{n}"))
"""

MEASURES = {
    "memory in MiB": ("fill(grow)", lambda limits: limits.memory_bytes >> 20),
    "memory of files and of the process in MiB": (
        "fill(write) + fill(grow)",
        lambda limits: (limits.memory_bytes + limits.disk_bytes) >> 20,
    ),
    "disk in MiB": ("fill(write)", lambda limits: limits.disk_bytes >> 20),
    "one file in bytes": (
        "[fill(append), os.stat('file').st_size][1]",
        lambda limits: limits.file_bytes,
    ),
    "files": ("fill(lambda n: open(f'{n}', 'w').close())", lambda limits: limits.files),
    "folders and links": ("sum(fill(make) for make in NODES)", lambda limits: limits.files),
    "threads": ("fill(start)", lambda limits: limits.processes),
    "descriptors": ("fill(lambda _: kept.append(os.dup(0)))", lambda limits: limits.open_files),
    "memory of pipes in MiB": (
        "fill(pipe) and sum(os.write(ends[1], bytes(1 << 20)) for ends in kept) / (1 << 20)",
        lambda limits: limits.open_files / 2,
    ),
}
