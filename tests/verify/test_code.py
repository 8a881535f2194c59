"""The tests of MBPP and LiveCodeBench, by programs in a plain subprocess."""

import base64
import json
import os
import pickle
import time
import zlib

import pytest
from tests.verify.attacks.cheats import CHEATS, TESTS
from tests.verify.attacks.runaways import BUSY, GREEDY, IDLE, RIGHT, SCRIPTS

from repro import sandbox
from repro.sandbox import Limits
from repro.verify import programs

LIMITS = Limits(cpu_s=4)
run = sandbox.runner("none")


def response(program: str) -> str:
    return f"a thought</think>Here it is:\n```python\n{program}\n```\nDone."


def passes(program: str, tests: list[str] = TESTS, setup: str = "") -> bool:
    doc = {"test_list": tests, "test_setup_code": setup}
    return programs.verify_mbpp(response(program), doc, run, LIMITS)


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT)
def test_right_programs_pass(program):
    assert passes(program)


@pytest.mark.parametrize(
    "name",
    ["os._exit(0) in the module", "exit(0) at the exit", "subclass of int", "object equal to all"]
    + [
        "patched builtins",
        "patched json",
        "printed answers",
        "generator",
        "mock.ANY",
        "not Python",
    ],
)
def test_cheats_do_not_pass_without_a_sandbox(name):
    assert not passes(CHEATS[name])


@pytest.mark.parametrize(
    "program",
    [
        BUSY["loop in the function"],
        BUSY["signals ignored"],
        IDLE["sleep"],
        GREEDY["print flood"],
        GREEDY["memory bomb"],
    ],
)
def test_runaway_programs_end_without_a_sandbox(program):
    doc = {"test_list": TESTS, "test_setup_code": ""}
    assert not programs.verify_mbpp(response(program), doc, run, Limits(cpu_s=1, wall_s=2))


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


@pytest.mark.parametrize(("program", "verdict"), SCRIPTS.items())
def test_lcb_programs_by_stdin(program, verdict):
    doc = lcb_doc(("stdin", "1 2\n", "3\n"), ("stdin", "10 20\n", "30\n"))
    limits = Limits(cpu_s=1, wall_s=2 if "1000" in program else 60)
    assert programs.verify_lcb(response(program), doc, run, limits) is verdict


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
