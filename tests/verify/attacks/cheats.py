"""Programs that want to pass the tests of ``square`` without being right, or to hurt the judge."""

TESTS = ["assert square(3) == 9", "assert square(-2) == 4", "assert square(0.5) == 0.25"]
HONEST = "def square(x): return x * x\n"

_ANY = """
class Any{base}:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __hash__(self): return hash(9)
    def __repr__(self): return "9"
    __str__ = __repr__
    def __bool__(self): return True
    def __iter__(self): return iter([9])
    def __len__(self): return 1
    def __index__(self): return 9
    def __float__(self): return 9.0
    def __reduce__(self): return (int, (9,))
    def __add__(self, other): return 9
    __radd__ = __add__
"""
_WRONG = "\ndef square(x): return x + x + 1\n"
_FORGE = r"""
import os
ANSWERS = ['{"int":"9"}', '{"int":"4"}', '{"float":"0.25"}']
def forge(secret=""):
    text = "".join(f"{secret} {answer}\n".lstrip() for answer in ANSWERS).encode()
    for number in range(1, 64):
        try:
            os.write(number, text)
        except OSError:
            pass
"""

CHEATS = {
    "exit": "import sys\nsys.exit(0)",
    "exit in the function": "import sys\ndef square(x): sys.exit(0)",
    "os._exit": "import os\nos._exit(0)",
    "os._exit in the function": "import os\ndef square(x): os._exit(0)",
    "exec": "import os, sys\nos.execv(sys.executable, ['python', '-c', 'print(9)'])",
    "exec of true": "import os\nos.execv('/bin/true', ['true'])",
    "exit at exit": "import atexit, os\natexit.register(os._exit, 0)\ndef square(x): exit(0)",
    "hooks": "import sys, os\nsys.excepthook = lambda *_: os._exit(0)\n"
    "sys.unraisablehook = sys.excepthook\ndef square(x): raise ValueError",
    "exit in a thread": "import os, threading\n"
    "threading.Thread(target=os._exit, args=(0,)).start()",
    "segmentation fault": "import ctypes\nctypes.string_at(0)",
    "abort": "import os\ndef square(x): os.abort()",
    "patched AssertionError": "import builtins\nbuiltins.AssertionError = None" + _WRONG,
    "patched builtins": "import builtins\nfor name in ('eval', 'exec', 'compile', 'type', 'int'):\n"
    "    setattr(builtins, name, lambda *a, **k: True)" + _WRONG,
    "patched comparison": "import builtins, operator\noperator.eq = lambda a, b: True\n"
    "builtins.abs = lambda x: 0\nbuiltins.all = any = lambda x: True" + _WRONG,
    "patched json": "import json\njson.dumps = json.loads = lambda *a, **k: 'true'\n"
    "import json.encoder\njson.encoder.JSONEncoder.encode = json.dumps" + _WRONG,
    "patched child": "import sys\nchild = sys.modules['program_child']\n"
    "child.encode = lambda value: 'true'\nchild._answer = lambda *_: 9\n" + _WRONG,
    "replaced modules": "import sys\nfor name in list(sys.modules):\n"
    "    sys.modules[name] = type(sys)(name)" + _WRONG,
    "object equal to all": _ANY.format(base="") + "def square(x): return Any()",
    "subclass of int": _ANY.format(base="(int)") + "def square(x): return Any(1)",
    "subclass of float": _ANY.format(base="(float)") + "def square(x): return Any(1)",
    "subclass of str": _ANY.format(base="(str)") + "def square(x): return Any('9')",
    "subclass of list": _ANY.format(base="(list)") + "def square(x): return Any([9])",
    "subclass of dict": _ANY.format(base="(dict)") + "def square(x): return Any({9: 9})",
    "metaclass": "class Meta(type):\n    @property\n    def __mro__(cls): return (int,)\n"
    "    @property\n    def __name__(cls): return 'int'\n"
    "class Any(metaclass=Meta):\n    def __eq__(self, other): return True\n"
    "    def __add__(self, other): return 9\ndef square(x): return Any()",
    "numpy look-alike": "class Any:\n    def item(self): return self\n"
    "    def __eq__(self, other): return True\nAny.__module__ = 'numpy'\n"
    "def square(x): return Any()",
    "mock.ANY": "import unittest.mock\ndef square(x): return unittest.mock.ANY",
    "not a number": "def square(x): return float('nan')",
    "generator": "def square(x): yield x * x",
    "function": "def square(x): return square",
    "printed answers": "print(9)\nprint(4)\nprint(0.25)",
    "forged answers": _FORGE + "forge()",
    "forged answers and end": _FORGE + "forge()\nos._exit(0)",
    "forged answers and start": _FORGE
    + "for fd in range(1, 64):\n    try: os.write(fd, b'ready')\n"
    "    except OSError: pass\nforge('0' * 32)\nforge('None')\nforge()\nos._exit(0)",
    "forged answers before honest ones": _FORGE + "forge()\n" + HONEST,
    "forged answers on the way": _FORGE + "def square(x): forge('0' * 32)",
    "forged answers by a thread": _FORGE + "import threading, time\ndef work():\n"
    "    while True:\n        forge('0' * 32)\n        time.sleep(0.01)\n"
    "threading.Thread(target=work, daemon=True).start()\ndef square(x): time.sleep(0.1)",
    "reused secret": _FORGE + "import sys\ndef square(x):\n"
    "    secret = sys._getframe(3).f_locals.get('request', {}).get('secret', 'none')\n"
    "    forge(secret)\n    os._exit(0)",
    "expected values from frames": """
import gc, sys
def square(x):
    frame, seen = sys._getframe(), []
    while frame:
        seen += [frame.f_locals, frame.f_globals]
        frame = frame.f_back
    for item in gc.get_objects():
        if type(item) is dict:
            for key in ("expected", "answer", "output", "test_list", "values"):
                if isinstance(item.get(key), (int, float, list)):
                    return item[key]
    found = [value for scope in seen for value in scope.values() if type(value) is int]
    return found[0] if found else None
""",
    "expected values from the job": """
import os
def square(x):
    for number in range(3, 64):
        try:
            os.set_blocking(number, False)
            text = os.read(number, 1 << 16)
            if b"==" in text:
                return eval(text.split(b"==")[1].split()[0])
        except OSError:
            pass
    return None
""",
    "expected values from /proc": """
def square(x):
    for path in ("/proc/1/cmdline", "/proc/self/mem", "/proc/1/environ", "/proc/self/cmdline"):
        try:
            text = open(path, "rb").read(1 << 20)
            if b"assert" in text:
                return 9
        except OSError:
            pass
""",
    "silence": "import os\ndef square(x):\n    os.closerange(0, 256)\n    return x * x",
    "replaced output": "import os\nfor number in range(3, 64):\n    try: os.dup2(1, number)\n"
    "    except OSError: pass" + _WRONG,
    "deep recursion": "import sys\nsys.setrecursionlimit(10**9)\ndef square(x): return square(x)",
    "deep recursion in C": "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n"
    "    def __repr__(self): return repr(self)\ndef square(x): return repr(A())",
    "circular value": "def square(x):\n    a = []\n    a.append(a)\n    return a",
    "deeply nested value": "import sys\nsys.setrecursionlimit(10**6)\ndef square(x):\n    a = 9\n"
    "    for _ in range(20000): a = [a]\n    return a",
    "huge integer": "def square(x): return 1 << (8 * 10**6)",
    "huge text": "def square(x): return 'x' * (10 << 20)",
    "huge list": "def square(x): return list(range(10**6))",
    "colliding set": "def square(x): return {k * (2**61 - 1) for k in range(2000)}",
    "surrogates": "def square(x): return '\\ud800\\udfff' * 1000",
    "undecodable output": "import os\nos.write(1, bytes(range(256)))\n"
    "def square(x): return os.write(1, b'\\xff\\xfe')",
    "null bytes": "def square(x): return '\\0' * 100",
    "not Python": "def square(x:\n",
    "not text": "\ud800 = 3",
    "null byte in the program": "x = '\0'",
    "deeply nested source": "x = " + "(" * 100_000,
}

# What a program that replaces the child's encoder can put on the wire, as expressions.
_PAYLOADS = r"""
nested lists: "[" * 200_000
nested values: '{"list":[' * 100_000
long number: "1" * 5000
long integer: '{"int":"' + "f" * 4_000_000 + '"}'
integer of a number: '{"int":9}'
long float: '{"float":"' + "1" * 4_000_000 + '"}'
float of a number: '{"float":' + "1" * 400 + "}"
constants: "[NaN, Infinity, -Infinity]"
colliding set: '{"set":[' + ",".join('{"int":"%x"}' % k for k in colliding) + "]}"
colliding keys: '{"dict":[' + ",".join('{"tuple":[{"int":"%x"},1]}' % k for k in colliding) + "]}"
unhashable: '{"set":[{"list":[]}]}'
two kinds: '{"int":"9","float":"9"}'
unknown kind: '{"type":"int"}'
no content: '{"list":null}'
wrong pairs: '{"dict":[1,2,3]}'
bad complex: '{"complex":["1","2"]}'
bad bytes: '{"bytes":"zz"}'
two lines: "true\nfalse"
nothing: ""
not text: b"\xff\x00"
endless: "x" * (64 << 20)
"""
PAYLOADS = {
    name: "import sys\nchild = sys.modules['program_child']\n"
    "colliding = [k * (2**61 - 1) for k in range(80_000)]\n"
    f"payload = {expression}\nchild.encode = lambda value: payload\n{HONEST}"
    for name, expression in (line.split(": ", 1) for line in _PAYLOADS.strip().splitlines())
}
