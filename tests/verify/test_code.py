import base64
import json
import os
import pickle
import time
import zlib

import pytest

from repro import sandbox
from repro.sandbox import Limits
from repro.verify import programs

LIMITS = Limits(cpu_s=4)
run = sandbox.runner("none")
SQUARE = {
    "text": "Write a function to square a number.",
    "test_list": ["assert square(3) == 9", "assert square(-2) == 4", "assert square(0.5) == 0.25"],
    "test_setup_code": "",
}


def response(program: str) -> str:
    return f"a thought</think>Here it is:\n```python\n{program}\n```\nDone."


def passes(program: str, tests: list[str] | None = None, setup: str = "") -> bool:
    doc = SQUARE | {"test_setup_code": setup} | ({"test_list": tests} if tests else {})
    return programs.verify_mbpp(response(program), doc, run, LIMITS)


@pytest.mark.parametrize(
    "program",
    [
        "def square(x):\n    return x * x",
        "square = lambda x: x ** 2",
        "import numpy\ndef square(x):\n    return numpy.float64(x) ** 2",
        "print('hello')\ndef square(x):\n    print(x)\n    return x * x",
        "class Int(int): pass\ndef square(x):\n    return Int(x * x) if x % 1 == 0 else x * x",
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass P:\n    x: float\ndef square(x):\n    return P(x).x ** 2",
        "def square(x):\n    return x * x\nif __name__ == '__main__':\n    input()",
    ],
)
def test_correct_programs_pass(program):
    assert passes(program)


FORGED = """
class Any(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __repr__(self): return "9"
    def __bool__(self): return True
    def __iter__(self): return iter([])
"""


@pytest.mark.parametrize(
    "program",
    [
        "def square(x):\n    return x + x",
        "def square(x):\n    return str(x * x)",
        "def square(x):\n    return None",
        "def square(x):\n    raise ValueError",
        "def cube(x):\n    return x",
        "def square(x:\n",
        "import sys\nsys.exit(0)",
        "import os\nos._exit(0)",
        "import os\nos.execv('/bin/true', ['true'])",
        "import atexit, os\natexit.register(os._exit, 0)\ndef square(x): raise SystemExit(0)",
        "print(9)\nprint(4)\nprint(0.25)",
        'print(\'{"int": "0x9"}\')\ndef square(x): pass',
        f"{FORGED}\ndef square(x):\n    return Any(1)",
        f"{FORGED.replace('(int)', '')}\ndef square(x):\n    return Any()",
        "import builtins\nbuiltins.AssertionError = builtins.eval = None\ndef square(x): pass",
        "import json\njson.dumps = lambda *a, **k: 'true'\ndef square(x): pass",
        "def square(x):\n    return square(x)",
        "def square(x):\n    yield x * x",
        "import unittest.mock\ndef square(x):\n    return unittest.mock.ANY",
    ],
)
def test_wrong_programs_and_tricks_do_not_pass(program):
    assert not passes(program)


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        "def square(x):\n    while True: pass",
        "import time\ntime.sleep(1000)",
        "while True: print('x' * 100000)",
        "data = ['x']\nwhile True: data += data",
        "import signal\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
    ],
)
def test_runaway_programs_end_and_do_not_pass(program):
    assert not programs.verify_mbpp(response(program), SQUARE, run, Limits(cpu_s=1, wall_s=2))


def test_no_process_is_left_behind(tmp_path):
    pid_file = tmp_path / "pid"
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'])\n"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid))\n"
        "def square(x): return x * x"
    )
    assert passes(program)
    deadline = time.monotonic() + 5
    while _is_running(int(pid_file.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(int(pid_file.read_text()))


def _is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_environment_is_not_inherited(monkeypatch):
    monkeypatch.setenv("SECRET", "42")
    tests = ["assert secret() == None"]
    assert passes("import os\ndef secret(): return os.environ.get('SECRET')", tests)


@pytest.mark.parametrize(
    ("program", "test", "verdict"),
    [
        ("def f(): return [3, 1]", "assert sorted(f()) == [1, 3]", True),
        ("def f(): return [3, 1]", "assert set(f()) == set([1, 3])", True),
        ("def f(): return [3, 1]", "assert f() == sorted([1, 3], reverse=True)", True),
        ("def f(): return [3, 1]", "assert f()[0] == 3 and len(f()) == 2", True),
        ("def f(): return 1/3", "assert math.isclose(f(), 0.3333, rel_tol=0.001)", True),
        ("def f(): return 1/3", "assert abs(f() - 0.3333) < 1e-3", True),
        ("def f(): return 1", "assert f()", True),
        ("def f(): return 0", "assert f()", False),
        ("def f(): return 0", "assert not f()", True),
        ("def f(): raise ValueError", "assert not f()", False),
        ("def f(): raise ValueError", "assert f() != 3", False),
        ("def f(): return 2", "assert f() != 3", True),
        ("def f(): return True", "assert f() is True", True),
        ("def f(): return None", "assert f() is None", True),
        ("def f(): return (1, [2], {'a': {3}, 4: None})",
         "assert f() == (1, [2], {'a': {3}, 4: None})", True),
        ("def f(): return [1, 2]", "assert f() == (1, 2)", False),
        ("from collections import Counter\ndef f(): return Counter('aab')",
         "assert f() == {'a': 2, 'b': 1}", True),
        ("def f(): return 2 ** 20000", "assert f() == 2 ** 20000", True),
        ("def f(): return float('nan')", "assert f() == float('nan')", False),
        ("def f(): return 1 + 2j", "assert f() == 1 + 2j", True),
        ("def f(): return b'x'", "assert f() == b'x'", True),
        ("def f(): return '\\ud800é'", "assert f() == '\\ud800é'", True),
        ("def sum(a, b): return a * b", "assert sum(2, 3) == 6", True),
        ("def f(): return 3", "assert f() * 2 == 6", True),
        ("def f(): return 'a'", "assert f() * 2 ** 3 == 'aaaaaaaa'", True),
        ("def f(): return 2", "assert f() + 2 ** 3 - 1 == 9", True),
        ("import math\ndef f(): return 3.0", "assert math.floor(f()) == 3", True),
        ("import math\ndef f(): return 3", "assert math.factorial(f()) == 6", True),
        # What would take the judge too much time or memory, the program has to compute itself.
        ("def f(): return 10 ** 12", "assert 'a' * f() == 'a'", False),
        ("def f(): return 10 ** 12", "assert 1 << f() == 1", False),
        ("def f(): return 10 ** 9", "assert math.factorial(f()) == 1", False),
        ("def f(): return 1 << (1 << 21)", "assert f() == 1 << (1 << 21)", False),
        ("def f(): return [k * (2 ** 61 - 1) for k in range(50_000)]",
         "assert len(set(f())) == 50_000", False),
        # A redefined built-in does not help: the parent compares with its own.
        ("def f(): return 1\ndef set(x): return 0", "assert set(f()) == set([2])", False),
        ("def f(): return 1\nabs = lambda x: 0", "assert abs(f() - 9) < 1", False),
    ],
)  # fmt: skip
def test_asserts_of_every_form(program, test, verdict):
    assert passes(program, [test]) is verdict


def test_setup_code_runs_after_the_program():
    program = "class Node:\n    def __init__(self, v): self.v = v\ndef value(n): return n.v"
    assert passes(program, ["assert value(root) == 7"], setup="root = Node(7)")


def test_a_test_that_is_no_assert_is_refused():
    with pytest.raises(ValueError, match="expected one assert statement, got 'print"):
        passes("x = 1", ["print(1)"])


def test_a_missing_leaf_is_a_fault_and_no_verdict():
    test = programs._Test("assert f(1) < 2")
    assert test.holds([1]) is True
    assert test.holds([None]) is False
    with pytest.raises(NameError):
        test.holds([])


def test_a_test_that_asks_nothing_is_refused():
    with pytest.raises(ValueError, match="'assert 1 == 1' does not ask the program for anything"):
        passes("x = 1", ["assert 1 == 1"])


def lcb_doc(*cases: tuple[str, str, str], name: str | None = None, encoded: bool = False) -> dict:
    tests = json.dumps(
        [{"input": given, "output": wanted, "testtype": kind} for kind, given, wanted in cases]
    )
    private = base64.b64encode(zlib.compress(pickle.dumps(tests))).decode() if encoded else tests
    metadata = json.dumps({"func_name": name} if name else {})
    return {"public_test_cases": tests, "private_test_cases": private, "metadata": metadata}


@pytest.mark.parametrize(
    ("program", "verdict"),
    [
        ("print(sum(map(int, input().split())))", True),
        ("if __name__ == '__main__':\n    print(sum(map(int, input().split())))", True),
        ("a, b = map(int, sys.stdin.read().split())\nprint(f'{a + b}.0  ')", True),
        ("import threading\ndef main(): print(sum(map(int, input().split())))\n"
         "t = threading.Thread(target=main)\nt.start()\nt.join()", True),
        ("print(3)", False),  # right for the first case only
        ("print(sum(map(int, input().split())))\nprint()\nprint('extra')", False),
        ("print(sum(map(int, input().split())))\nraise ValueError", False),
        ("print(sum(map(int, input().split())))\nsys.exit(1)", True),
        ("print(sum(map(int, input().split())))\nsys.exit('done')", True),
        ("print(sum(map(int, input().split())))\nraise SystemExit(3)", True),
        ("print(3)\nsys.exit(0)", False),
        ("sys.exit('3')", False),
        ("print(sum(map(int, open('/dev/stdin').read().split())))", True),
        ("print(math.factorial(3000) // math.factorial(3000) * sum(map(int, input().split())))\n"
         "str(math.factorial(3000))", True),  # 9,131 digits
        ("print('sNaN')", False),
        ("import sys\nsys.exit(0)", False),
        ("while True: pass", False),
        ("print(sum(map(int, input().split())))\nwhile True: print('x' * 1_000_000)", False),
    ],
)  # fmt: skip
def test_lcb_programs_by_stdin(program, verdict):
    doc = lcb_doc(("stdin", "1 2\n", "3\n"), ("stdin", "10 20\n", "30\n"))
    assert programs.verify_lcb(response(program), doc, run, Limits(cpu_s=1)) is verdict


@pytest.mark.parametrize(
    ("program", "verdict"),
    [
        ("class Solution:\n    def pairs(self, xs: List[int], k: int) -> List[List[int]]:\n"
         "        return [[x, k] for x in xs]", True),
        ("def pairs(xs, k): return [(x, k) for x in xs]", True),
        ("def pairs(xs, k): return [[1, 3], [2, 3]]", False),  # right for the first case only
        ("class Solution:\n    def other(self): pass", False),
        ("print([[1, 3], [2, 3]])", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoded", [False, True])
def test_lcb_programs_by_call(program, verdict, encoded):
    cases = [
        ("functional", "[1, 2]\n3", "[[1, 3], [2, 3]]"),
        ("functional", "[5]\n6", "[[5, 6]]"),
    ]
    doc = lcb_doc(*cases, name="pairs", encoded=encoded)
    assert programs.verify_lcb(response(program), doc, run, LIMITS) is verdict


def test_lcb_tests_never_execute_a_pickle(tmp_path):
    class Attack:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "attacked"),))

    text = base64.b64encode(zlib.compress(pickle.dumps(Attack()))).decode()
    with pytest.raises(ValueError, match="refused"):
        programs.lcb_cases(text)
    assert not (tmp_path / "attacked").exists()
