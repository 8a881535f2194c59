"""Programs that want to pass the tests of ``square`` without being right, or to hurt the judge."""

TESTS = ["assert square(3) == 9", "assert square(-2) == 4", "assert square(0.5) == 0.25"]
HONEST = "def square(x): return x * x\n"
_WRONG = "\ndef square(x): return x + x + 1\n"

_ANY = """
class Any{base}:
    __eq__ = __lt__ = __bool__ = lambda self, other=None: True
    __ne__ = lambda self, other: False
    __hash__ = lambda self: hash(9)
    __repr__ = __str__ = lambda self: "9"
    __iter__ = lambda self: iter([9])
    __len__ = lambda self: 1
    __index__ = __int__ = __add__ = __radd__ = lambda self, other=None: 9
    __float__ = lambda self: 9.0
    __reduce__ = lambda self: (int, (9,))
def square(x): return Any({value})
"""
_FORGE = r"""
import os, sys, threading, time
ANSWERS = ['{"int":"9"}', '{"int":"4"}', '{"float":"0.25"}']
def write(text):
    for number in range(1, 64):
        try: os.write(number, text.encode())
        except OSError: pass
def forge(secret=""):
    write("".join(f"{secret} {answer}\n".lstrip() for answer in ANSWERS))
"""
_PATCH = (
    "import builtins, json, json.encoder, operator, sys\nchild = sys.modules['program_child']\n"
)

CHEATS = {
    **{
        f"{end} {where}": f"import atexit, ctypes, os, sys, threading\n{form.format(end)}"
        for end in ("sys.exit(0)", "os._exit(0)", "os.abort()", "ctypes.string_at(0)", "exit(0)",
                    "os.execv(sys.executable, ['python', '-c', 'print(9)'])")
        for where, form in {
            "in the module": "{}", "in the function": "def square(x): {}",
            "in a thread": "threading.Thread(target=lambda: {}).start()",
            "at the exit": "atexit.register(lambda: {})\nexit(0)",
        }.items()
    },
    "hooks": "import sys, os\nsys.excepthook = lambda *_: os._exit(0)\n"
    "sys.unraisablehook = sys.excepthook\ndef square(x): raise ValueError",
    "patched AssertionError": _PATCH + "builtins.AssertionError = None" + _WRONG,
    "patched builtins": _PATCH + "for name in ('eval', 'exec', 'compile', 'type', 'int'):\n"
    "    setattr(builtins, name, lambda *a, **k: True)" + _WRONG,
    "patched comparison": _PATCH + "operator.eq = lambda a, b: True\n"
    "builtins.abs = lambda x: 0\nbuiltins.all = any = lambda x: True" + _WRONG,
    "patched json": _PATCH + "json.dumps = json.loads = lambda *a, **k: 'true'\n"
    "json.encoder.JSONEncoder.encode = json.dumps" + _WRONG,
    "patched child": _PATCH + "child.encode = lambda value: 'true'\nchild._answer = lambda *_: 9\n"
    + _WRONG,
    "replaced modules": _PATCH + "for name in list(sys.modules):\n"
    "    sys.modules[name] = type(sys)(name)" + _WRONG,
    "object equal to all": _ANY.format(base="", value=""),
    **{
        f"subclass of {kind}": _ANY.format(base=f"({kind})", value=value)
        for kind, value in {"int": 1, "float": 1, "str": "'9'", "list": [9], "dict": {9: 9}}.items()
    },
    "metaclass": "class Meta(type):\n    __mro__ = property(lambda cls: (int,))\n"
    "    __name__ = property(lambda cls: 'int')\n" + _ANY.format(base="(metaclass=Meta)", value=""),
    "numpy look-alike": _ANY.format(base="", value="")
    + "Any.__module__, Any.item = 'numpy', lambda self: self",
    "mock.ANY": "import unittest.mock\ndef square(x): return unittest.mock.ANY",
    "not a number": "def square(x): return float('nan')",
    "generator": "def square(x): yield x * x",
    "function": "def square(x): return square",
    "nothing": "def square(x): pass",
    "text": "def square(x): return str(x * x)",
    "another name": "def cube(x): return x",
    "printed answers": "print(9)\nprint(4)\nprint(0.25)",
    "forged answers": _FORGE + "forge()",
    "forged answers and end": _FORGE + "forge()\nos._exit(0)",
    "forged answers and start": _FORGE
    + "write('ready')\nforge('0' * 32)\nforge('None')\nforge()\nos._exit(0)",
    "forged answers before honest ones": _FORGE + "forge()\n" + HONEST,
    "forged answers on the way": _FORGE + "def square(x): forge('0' * 32)",
    "forged answers by a thread": _FORGE + "def work():\n"
    "    while True:\n        forge('0' * 32)\n        time.sleep(0.01)\n"
    "threading.Thread(target=work, daemon=True).start()\ndef square(x): time.sleep(0.1)",
    "reused secret": _FORGE + "def square(x):\n"
    "    secret = sys._getframe(3).f_locals.get('request', {}).get('secret', 'none')\n"
    "    forge(secret)\n    os._exit(0)",
    "expected values from memory": """
import gc
def square(x):
    for item in gc.get_objects():
        if type(item) is dict:
            for key in ("expected", "answer", "output", "test_list", "values"):
                if isinstance(item.get(key), (int, float, list)):
                    return item[key]
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
    **{
        f"large value: {value}": f"def square(x): return {value}"
        for value in ("1 << (8 * 10**6)", "'x' * (10 << 20)", "list(range(10**6))", "'\\0' * 100",
                      "{k * (2**61 - 1) for k in range(2000)}", "'\\ud800\\udfff' * 1000")
    },
    "undecodable output": "import os\nos.write(1, bytes(range(256)))\n"
    "def square(x): return os.write(1, b'\\xff\\xfe')",
    "not Python": "def square(x:\n",
    "not text": "\ud800 = 3",
    "null byte in the program": "x = '\0'",
    "deeply nested source": "x = " + "(" * 100_000,
}  # fmt: skip

# What a program that replaces the child's encoder can put on the wire, as expressions.
_PAYLOADS = r"""
"[" * 200_000
'{"list":[' * 100_000
"1" * 5000
'{"int":"' + "f" * 4_000_000 + '"}'
'{"int":9}'
'{"float":"' + "1" * 4_000_000 + '"}'
'{"float":' + "1" * 400 + "}"
"[NaN, Infinity, -Infinity]"
'{"set":[' + ",".join('{"int":"%x"}' % k for k in colliding) + "]}"
'{"dict":[' + ",".join('{"tuple":[{"int":"%x"},1]}' % k for k in colliding) + "]}"
'{"set":[{"list":[]}]}'
'{"int":"9","float":"9"}'
'{"type":"int"}'
'{"list":null}'
'{"dict":[1,2,3]}'
'{"complex":["1","2"]}'
'{"bytes":"zz"}'
"true\nfalse"
""
b"\xff\x00"
"x" * (64 << 20)
"""
PAYLOADS = {
    expression: "import sys\nchild = sys.modules['program_child']\n"
    "colliding = [k * (2**61 - 1) for k in range(80_000)]\n"
    f"payload = {expression}\nchild.encode = lambda value: payload\n{HONEST}"
    for expression in _PAYLOADS.strip().splitlines()
}
