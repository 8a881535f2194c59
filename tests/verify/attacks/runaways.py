"""Programs that do not end or ask for too much, and programs that must pass."""

# Ended by their CPU time.
BUSY = {
    "loop in the function": "def square(x):\n    while True: pass",
    "loop of threads": "import threading\ndef work():\n    while True: pass\n"
    "for _ in range(8): threading.Thread(target=work).start()\nwork()",
    "loop in C": "x = sum(range(10**13))",
    "regular expression": "import re\nre.match('(a+)+$', 'a' * 64 + 'b')",
    "fork bomb": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "thread bomb": "import _thread\ndef work():\n    while True:\n"
    "        try: _thread.start_new_thread(work, ())\n        except RuntimeError: pass\nwork()",
    "signals ignored": "import signal\nfor number in range(1, 65):\n"
    "    try: signal.signal(number, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
    "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
}

# Ended by the wall time.
_ASLEEP = "import ctypes, os, signal, sys, threading, time\n"
IDLE = {
    "sleep": _ASLEEP + "time.sleep(1000)",
    "sleep in the function": _ASLEEP + "def square(x): time.sleep(1000)",
    "deadlock": _ASLEEP + "lock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "stopped": _ASLEEP + "os.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(1000)",
    "daemon": _ASLEEP + "try:\n    os.setsid()\nexcept OSError: pass\n"
    "try:\n    if os.fork(): os._exit(0)\nexcept OSError: pass\ntime.sleep(1000)",
    "silent child": _ASLEEP + "sys.modules['program_child']._write = lambda channel, data: None",
    "orphan": _ASLEEP + "ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\ntime.sleep(1000)",
    "daemon thread": _ASLEEP + "threading.Thread(target=time.sleep, args=(1000,)).start()\n"
    "def square(x): time.sleep(1000)",
    "reading the channel": _ASLEEP + "for number in range(3, 64):\n    try:\n"
    "        while os.read(number, 1000): pass\n    except OSError: pass",
}

# Ended by what they ask for.
GREEDY = {
    "writing to the channel": "import os\nfor number in range(3, 64):\n    try:\n"
    "        while True: os.write(number, b'x' * 100)\n    except OSError: pass",
    "memory bomb": "data = [b'x']\nwhile True: data += data",
    "memory bomb in one step": "x = bytearray(10**12)",
    "memory bomb of integers": "x = 1 << 10**11",
    "memory bomb that catches": "kept = []\nfor _ in range(10**4):\n"
    "    try: kept.append(bytearray(b'x') * (1 << 24))\n    except MemoryError: pass",
    "print flood": "while True: print('x' * 100_000)",
    "write flood": "import os\nwhile True: os.write(1, b'x' * 100_000)",
    "stderr flood": "import sys, time\nend = time.process_time() + 0.3\n"
    "while time.process_time() < end: sys.stderr.write('x' * 100_000)",
    "disk fill": "import itertools\n"
    "for number in itertools.count(): open(str(number), 'wb').write(bytes(1 << 20))",
    "many files": "import itertools\nfor number in itertools.count(): open(str(number), 'wb')",
    "deep folders": "import os\nwhile True:\n    os.mkdir('x' * 200)\n    os.chdir('x' * 200)",
}

# Scripts that add two numbers: those that are right, and those that are not.
_SUM = "sum(map(int, {}.split()))"
_ADD = f"print({_SUM.format('input()')})"
_RIGHT_SCRIPTS = [
    _ADD,
    f"sys.stdout.write(f'{{{_SUM.format('sys.stdin.read()')}}}.0  ')",
    f"import os\nos.write(1, str({_SUM.format('os.read(0, 99)')}).encode())",
    f"print({_SUM.format('open(0).read()')})",
    f"print({_SUM.format('open(' + repr('/dev/stdin') + ').read()')})",
    f"if __name__ == '__main__':\n    {_ADD}",
    f"{_ADD}\nexit()",
    f"{_ADD}\nexit(1)",
    f"{_ADD}\nraise SystemExit('done')",
    f"import threading\nthreading.stack_size(64 << 20)\n"
    f"t = threading.Thread(target=lambda: {_ADD})\nt.start()",
    f"import atexit\natexit.register(lambda: {_ADD})",
    f"import asyncio\nasync def main():\n    await asyncio.sleep(0.01)\n    {_ADD}\n"
    "asyncio.run(main())",
    f"{_ADD}\nstr(math.factorial(3000))",  # 9,131 digits
]
_WRONG_SCRIPTS = [
    *("pass", "print(3)", "print(4)", "exit('3')", "print(3)\nexit(0)", "print('sNaN')"),
    *("print('1e999999999999999999')", "print('3' * 3_000_000)", "print('3\\n' * 1_000_000)"),
    *("while True: pass", "import os\nos.write(1, bytes(range(128, 256)))"),
    *(
        f"{_ADD}\nimport ctypes, os, sys, threading, time\n{end}"
        for end in (
            "raise ValueError",
            "print('extra')",
            "sys.stdout.flush()\nos._exit(1)",
            "try: 1 / 0\nfinally: raise KeyError",
            "ctypes.string_at(0)",
            "while True: print('x' * 100_000)",
            "print(' ' * (8 << 20))",
            "time.sleep(1000)",
            "sys.stdout.flush()\nos.closerange(0, 256)\ntime.sleep(1000)",
            "threading.Thread(target=time.sleep, args=(1000,)).start()",
        )
    ),
]
SCRIPTS = dict.fromkeys(_RIGHT_SCRIPTS, True) | dict.fromkeys(_WRONG_SCRIPTS, False)

RIGHT = {
    "plain": "def square(x): return x * x",
    "lambda": "square = lambda x: x ** 2",
    "prints": "import sys\nprint('hello ünï∑ 😀')\ndef square(x):\n    print('x' * (3 << 20))\n"
    "    print('x' * 10**6, file=sys.stderr)\n    return x * x",
    "threads": "from concurrent.futures import ThreadPoolExecutor\ndef square(x):\n"
    "    return sum(ThreadPoolExecutor(8).map(lambda y: y / 4, [x * x] * 4))",
    "recursion": "import resource, sys\nsys.setrecursionlimit(20000)\n"
    "hard = resource.getrlimit(resource.RLIMIT_STACK)[1]\n"
    "resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))\n"
    "def depth(n): return 0 if n == 0 else 1 + depth(n - 1)\n"
    "def square(x): return x * x + depth(10_000) - 10_000",
    "temporary files": "import tempfile\ndef square(x):\n"
    "    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile('w+') as file:\n"
    "        file.write('x')\n        open(folder + '/x', 'w').write(str(x * x))\n"
    "        return float(open(folder + '/x').read())",
    "library": "import csv, dataclasses, datetime, decimal, enum, fractions, heapq, io, itertools\n"
    "import json, logging, operator, pathlib, pickle, pprint, queue, random, re, socket, sqlite3\n"
    "import hashlib, multiprocessing, statistics, subprocess, typing, unittest, uuid, zlib\n"
    "def square(x):\n    uuid.uuid4(), hashlib.sha256(b'x'), sqlite3.connect(':memory:').close()\n"
    "    return float(fractions.Fraction(x) ** 2)",
    "asyncio": "import asyncio\nasync def work(x):\n    await asyncio.sleep(0.01)\n"
    "    return x * x\ndef square(x): return asyncio.run(work(x))",
    "numpy": "import numpy as np\ndef square(x):\n    a = np.array([[x, 0.0], [0.0, 1.0]])\n"
    "    return np.float64(x) ** 2 + 0 * np.linalg.det(a @ a)",
    "memory": "def square(x): return x * x * len(bytearray(b'x') * (100 << 20)) / (100 << 20)",
    "signals": "import signal, time\nfired = []\n"
    "signal.signal(signal.SIGALRM, lambda *_: fired.append(1))\ndef square(x):\n"
    "    signal.setitimer(signal.ITIMER_REAL, 0.01)\n    time.sleep(0.1)\n"
    "    return x * x if fired else None",
    "subclass": "class Int(int): pass\ndef square(x): return Int(x * x) if x % 1 == 0 else x * x",
    "script guard": "def square(x): return x * x\nif __name__ == '__main__':\n    input()",
    "future": "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    "@dataclass\nclass P:\n    x: Unknown\ndef square(x: Unknown) -> int: return P(x).x ** 2",
    "patched but honest": "import json, sys\njson.dumps = print\ndel sys.modules['json']\n"
    "def square(x): return x * x",
}  # fmt: skip

# How much a program gets of something, and how much it may: expressions in `MEASURE`.
MEASURE = """
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
