"""Programs that do not end, and programs that must pass."""

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
IDLE = {
    "sleep": "import time\ntime.sleep(1000)",
    "sleep in the function": "import time\ndef square(x): time.sleep(1000)",
    "deadlock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "stopped": "import os, signal, time\nos.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(1000)",
    "daemon": "import os, time\ntry:\n    os.setsid()\nexcept OSError: pass\n"
    "try:\n    if os.fork(): os._exit(0)\nexcept OSError: pass\ntime.sleep(1000)",
    "silent child": "import sys\nsys.modules['program_child']._write = lambda channel, data: None",
    "orphan": "import ctypes, time\nctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\ntime.sleep(1000)",
    "daemon thread": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(1000,)).start()\ndef square(x): time.sleep(1000)",
    "reading the channel": "import os\nfor number in range(3, 64):\n    try:\n"
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
    "disk fill": "number = 0\nwhile True:\n    number += 1\n"
    "    open(str(number), 'wb').write(bytes(1 << 20))",
    "many files": "number = 0\nwhile True:\n    number += 1\n    open(str(number), 'wb').close()",
    "deep folders": "import os\nwhile True:\n    os.mkdir('x' * 200)\n    os.chdir('x' * 200)",
}

# As scripts that add two numbers, and whether they pass.
_ADD = "print(sum(map(int, input().split())))"
SCRIPTS = {
    "right": (_ADD, True),
    "right, by sys": ("import sys\na, b = map(int, sys.stdin.read().split())\n"
                      "sys.stdout.write(f'{a + b}')", True),
    "right, by descriptors": ("import os\nos.write(1, str(sum(map(int, os.read(0, 99).split())))"
                              ".encode())", True),
    "right, by open": ("print(sum(map(int, open(0).read().split())))", True),
    "right, and exits": (_ADD + "\nexit()", True),
    "right, in a thread": ("import threading\nthreading.stack_size(64 << 20)\n"
                           f"t = threading.Thread(target=lambda: {_ADD})\nt.start()", True),
    "right, at exit": (f"import atexit\natexit.register(lambda: {_ADD})", True),
    "right, with asyncio": ("import asyncio\nasync def main():\n    await asyncio.sleep(0.01)\n"
                            f"    {_ADD}\nasyncio.run(main())", True),
    "right, and fails": (_ADD + "\nraise ValueError", False),
    "right, and exits with 1": (_ADD + "\nexit(1)", True),
    "right, and exits with 1 by force": (_ADD + "\nimport os, sys\nsys.stdout.flush()\n"
                                         "os._exit(1)", False),
    "right, and exits from a crash": (_ADD + "\ntry: 1 / 0\nfinally: raise KeyError", False),
    "wrong, and exits": ("exit('3')", False),
    "right, by name": ("print(sum(map(int, open('/dev/stdin').read().split())))", True),
    "right, and is killed": (_ADD + "\nimport ctypes\nctypes.string_at(0)", False),
    "right, and sleeps": (_ADD + "\nimport time\ntime.sleep(1000)", False),
    "right, and closes its output": (_ADD + "\nimport os, sys, time\nsys.stdout.flush()\n"
                                     "os.closerange(0, 256)\ntime.sleep(1000)", False),
    "right, and a thread sleeps": (_ADD + "\nimport threading, time\n"
                                   "threading.Thread(target=time.sleep, args=(1000,)).start()",
                                   False),
    "right, and floods": (_ADD + "\nwhile True: print('x' * 100_000)", False),
    "right, and too much": (_ADD + "\nprint(' ' * (8 << 20))", False),
    "wrong": ("print(4)", False),
    "undecodable": ("import os\nos.write(1, bytes(range(128, 256)))", False),
    "signalling NaN": ("print('sNaN')", False),
    "huge exponent": ("print('1e999999999999999999')", False),
    "long number": ("print('3' * 3_000_000)", False),
    "many lines": ("print('3\\n' * 1_000_000)", False),
    "silent": ("pass", False),
}  # fmt: skip

RIGHT = {
    "plain": "def square(x): return x * x",
    "prints": "print('hello')\ndef square(x):\n    print(x)\n    return x * x",
    "prints much": "def square(x):\n    print('x' * (3 << 20))\n    return x * x",
    "prints non-ASCII": "def square(x):\n    print('ünï∑ 😀')\n    return x * x",
    "prints to stderr": "import sys\ndef square(x):\n    print('x' * 10**6, file=sys.stderr)\n"
    "    return x * x",
    "threads": "from concurrent.futures import ThreadPoolExecutor\ndef square(x):\n"
    "    with ThreadPoolExecutor(8) as pool:\n"
    "        return sum(pool.map(lambda y: y / 4, [x * x] * 4))",
    "recursion": "import sys\nsys.setrecursionlimit(20000)\ndef depth(n):\n"
    "    return 0 if n == 0 else 1 + depth(n - 1)\n"
    "def square(x):\n    return x * x + depth(10_000) - 10_000",
    "temporary files": "import tempfile, os\ndef square(x):\n"
    "    with tempfile.TemporaryDirectory() as folder:\n"
    "        path = os.path.join(folder, 'x')\n        open(path, 'w').write(str(x * x))\n"
    "        with tempfile.NamedTemporaryFile('w+') as file:\n            file.write('x')\n"
    "        return float(open(path).read())",
    "library": "import collections, csv, dataclasses, datetime, decimal, enum, fractions, heapq\n"
    "import hashlib, inspect, io, itertools, json, logging, math, operator, pathlib, pickle\n"
    "import pprint, queue, random, re, sqlite3, statistics, string, textwrap, typing, unittest\n"
    "import asyncio, contextlib, copy, functools, multiprocessing, socket, subprocess, uuid, zlib\n"
    "def square(x):\n    uuid.uuid4(), hashlib.sha256(b'x'), sqlite3.connect(':memory:').close()\n"
    "    return float(fractions.Fraction(x) ** 2)",
    "asyncio": "import asyncio\nasync def work(x):\n    await asyncio.sleep(0.01)\n"
    "    return x * x\ndef square(x): return asyncio.run(work(x))",
    "numpy": "import numpy as np\ndef square(x):\n    a = np.array([[x, 0.0], [0.0, 1.0]])\n"
    "    return np.float64(x) ** 2 + 0 * np.linalg.det(a @ a)",
    "memory": "def square(x):\n    data = bytearray(b'x') * (100 << 20)\n"
    "    return x * x + len(data) - (100 << 20)",
    "signals": "import signal, time\nfired = []\nsignal.signal(signal.SIGALRM, lambda *_: "
    "fired.append(1))\ndef square(x):\n    signal.setitimer(signal.ITIMER_REAL, 0.01)\n"
    "    time.sleep(0.1)\n    return x * x if fired else None",
    "subclass": "class Int(int): pass\ndef square(x): return Int(x * x) if x % 1 == 0 else x * x",
    "script guard": "def square(x): return x * x\nif __name__ == '__main__':\n    input()",
    "future": "from __future__ import annotations\ndef square(x: Unknown) -> int: return x * x",
    "patched but honest": "import json, sys\njson.dumps = print\ndel sys.modules['json']\n"
    "def square(x): return x * x",
    "recursion limit of C": "import resource\ndef square(x):\n"
    "    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)\n"
    "    resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))\n    return x * x",
}  # fmt: skip
