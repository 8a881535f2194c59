"""The tests of MBPP and LiveCodeBench, by programs in a plain subprocess."""

import base64
import json
import math
import os
import pickle
import time
import zlib
from fractions import Fraction

import pytest
from tests.verify.attacks import BUSY, GREEDY, IDLE, RIGHT, SCRIPTS, TESTS

from repro import sandbox
from repro.sandbox import Limits, Outcome
from repro.verify import programs

LIMITS = Limits(cpu_s=4)
run = sandbox.runner("none")


def response(program: str) -> str:
    return f"a thought</think>Here it is:\n```python\n{program}\n```\nDone."


def passes(program: str, tests: list[str] = TESTS, setup: str = "", limits=LIMITS) -> bool:
    doc = {"test_list": tests, "test_setup_code": setup}
    return programs.verify_mbpp(response(program), doc, run, limits)


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT)
def test_right_programs_pass(program):
    assert passes(program)


@pytest.mark.parametrize(
    "program",
    [
        *(BUSY["loop in the function"], BUSY["signals ignored"], IDLE["sleep"]),
        *(GREEDY["print flood"], GREEDY["memory bomb"]),
    ],
)
def test_runaway_programs_end_without_a_sandbox(program):
    assert not passes(program, limits=Limits(cpu_s=1, wall_s=2))


def test_no_process_is_left_behind_and_no_environment_inherited(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "42")
    pid_file = tmp_path / "pid"
    program = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'])\n"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid))\n"
        "def secret(): return os.environ.get('SECRET')"
    )
    assert passes(program, ["assert secret() == None"])
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


# --- asserts: what a function returns, and what is said of that

HOLDS = [
    ("[3, 1]", "sorted(f()) == [1, 3]"), ("[3, 1]", "set(f()) == set([1, 3])"),
    ("[3, 1]", "f() == sorted([1, 3], reverse=True)"), ("[3, 1]", "f()[0] == 3 and len(f()) == 2"),
    ("1/3", "math.isclose(f(), 0.3333, rel_tol=0.001)"), ("1/3", "abs(f() - 0.3333) < 1e-3"),
    ("1", "f()"), ("0", "not f()"), ("2", "f() != 3"), ("True", "f() is True"),
    ("None", "f() is None"),
    ("(1, [2], {'a': {3}, 4: None})", "f() == (1, [2], {'a': {3}, 4: None})"),
    ("2 ** 20000", "f() == 2 ** 20000"), ("1 + 2j", "f() == 1 + 2j"), ("b'x'", "f() == b'x'"),
    ("'\\ud800é'", "f() == '\\ud800é'"), ("3", "f() * 2 == 6"),
    ("'a'", "f() * 2 ** 3 == 'aaaaaaaa'"), ("2", "f() + 2 ** 3 - 1 == 9"),
    ("Fraction(3, 4)", "f() == 0.75"), ("Fraction(3, 4)", "f() == Fraction(6, 8)"),
    ("Fraction(3, 4)", "str(f()) == '3/4'"), ("Decimal('2.50')", "f() == 2.5"),
    ("Decimal('2.50')", "f() == Decimal('2.5')"), ("range(1, 4)", "f() == range(1, 4)"),
    ("range(1, 4)", "list(f()) == [1, 2, 3] and len(f()) == 3"),
    ("deque([1, 2])", "f() == deque([1, 2])"),
    ("deque([1, 2])", "list(f()) == [1, 2] and f()[1] == 2"),
    ("Counter(a=1, b=0)", "f() == Counter('a')"),
    ("OrderedDict(b=2, a=1)", "f() == {'a': 1, 'b': 2}"), ("{'a': 1}.keys()", "f() == {'a'}"),
    ("{'a': 1}.values()", "sorted(f()) == [1]"), ("{'a': 1}.items()", "f() == {('a', 1)}"),
    ("(k * k for k in range(3))", "list(f()) == [0, 1, 4]"),
    ("map(str, [2, 1])", "sorted(f()) == ['1', '2']"),
    ("filter(None, [0, 3])", "sum(f()) == 3 and max(f()) == 3"),
    ("zip('ab', [1, 2])", "dict(f()) == {'a': 1, 'b': 2}"),
    ("zip('ab', [1, 2])", "tuple(f()) == (('a', 1), ('b', 2))"),
    ("reversed([1, 2])", "list(f()) == [2, 1]"),
    ("[Fraction(1, 2), {Decimal(1): range(2)}]", "f() == [0.5, {1: range(2)}]"),
]  # fmt: skip
FAILS = [
    ("0", "f()"), ("[1, 2]", "f() == (1, 2)"), ("float('nan')", "f() == float('nan')"),
    ("Fraction(3, 4)", "f() == 0.7"), ("Decimal('0.1')", "f() == 0.1"),
    ("range(1, 4)", "f() == [1, 2, 3]"), ("deque([1, 2])", "f() == [1, 2]"),
    ("Counter(a=1, b=0)", "f() == {'a': 1}"),
    ("OrderedDict(b=2, a=1)", "f() == OrderedDict([('a', 1), ('b', 2)])"),
    ("{'a': 1}.keys()", "f() == ['a']"), ("{'a': 1}.values()", "f() == [1]"),
    ("(k * k for k in range(3))", "list(f()) == [0, 1, 9]"),
    ("(k * k for k in range(3))", "f() == [0, 1, 4]"),
    ("(k * k for k in range(3))", "len(f()) == 3"), ("map(str, [2, 1])", "f() == ['2', '1']"),
    ("iter(int, 1)", "f() == [0, 0]"),
]  # fmt: skip
LIBRARY = (
    "from collections import Counter, OrderedDict, deque\n"
    "from decimal import Decimal\nfrom fractions import Fraction\n"
)


@pytest.mark.parametrize(
    ("value", "test", "verdict"), [(*row, True) for row in HOLDS] + [(*row, False) for row in FAILS]
)
def test_values_compare_as_in_python(value, test, verdict):
    program = f"{LIBRARY}def f(): return {value}\n"
    assert passes(program, [f"assert {test}"]) is verdict
    scope = {"math": math}
    exec(program, scope)
    try:
        natively = bool(eval(test, scope))
    except TypeError:
        natively = False
    assert natively is verdict


FORGED = """
from fractions import Fraction
from collections import deque
class Half(Fraction):
    numerator = property(lambda self: 1)
    denominator = property(lambda self: 2)
    def __eq__(self, other): return True
    __hash__ = None
Half.__name__, Half.__module__ = "Fraction", "fractions"
class Queue(deque):
    def __iter__(self): return iter([1, 2])
    def __eq__(self, other): return True
    __hash__ = None
Queue.__name__, Queue.__module__ = "deque", "collections"
"""


@pytest.mark.parametrize(
    ("program", "test", "verdict"),
    [
        ("def f(): raise ValueError", "not f()", False),
        ("def f(): raise ValueError", "f() != 3", False),
        ("def sum(a, b): return a * b", "sum(2, 3) == 6", True),
        ("import math\ndef f(): return 3.0", "math.floor(f()) == 3", True),
        ("import math\ndef f(): return 3", "math.factorial(f()) == 6", True),
        # What would take the judge too much time or memory, the program has to compute itself.
        ("def f(): return 10 ** 12", "'a' * f() == 'a'", False),
        ("def f(): return 10 ** 12", "1 << f() == 1", False),
        ("def f(): return 10 ** 9", "math.factorial(f()) == 1", False),
        ("def f(): return 1 << (1 << 21)", "f() == 1 << (1 << 21)", False),
        ("def f(): return [k * (2 ** 61 - 1) for k in range(50_000)]",
         "len(set(f())) == 50_000", False),
        # What the program redefines does not help: the parent compares with its own.
        ("def f(): return 1\ndef set(x): return 0", "set(f()) == set([2])", False),
        ("def f(): return 1\nabs = lambda x: 0", "abs(f() - 9) < 1", False),
        (f"{FORGED}def f(): return Half(1, 3)", "f() == Fraction(1, 2)", False),
        (f"{FORGED}def f(): return Queue()", "f() == deque([1, 2])", False),
        ("def range(*_): return 0\ndef f(): return 0", "f() == range(3)", False),
        ("import fractions\nfractions.Fraction = lambda *_: 0\ndef f(): return 0",
         "f() == fractions.Fraction(1, 2)", False),
        ("def list(items): return 0\ndef f(): return []", "list(f()) == list((1, 2))", False),
        ("def all(items): return True\ndef f(): return [0]", "all(f())", False),
    ],
)  # fmt: skip
def test_what_the_judge_computes_itself(program, test, verdict):
    assert passes(program, [f"assert {test}"], setup="import fractions") is verdict


@pytest.mark.parametrize(
    "line",
    [
        *('{"Fraction":["1e999999999"]}', '{"Fraction":[{"int":"1"},{"int":"0"}]}'),
        '{"Fraction":[{"int":"1"},{"int":"1' + "0" * 20_000 + '"}]}',
        *('{"Decimal":"1e99999"}', '{"Decimal":"sNaN"}', '{"Decimal":"x"}'),
        *('{"Decimal":"' + "1" * 20_000 + '"}', '{"Decimal":{"int":"1"}}', '{"deque":null}'),
        *('{"range":[{"int":"fffffffffffffffffff"}]}', '{"range":["a"]}'),
        '{"Counter":[' + ",".join(['{"tuple":["a",true]}'] * 1001) + "]}",
        *('{"dict_keys":[{"list":[]}]}', '{"OrderedDict":[{"int":"1"}]}'),
        '{"dict_values":{"int":"1"}}',
    ],
)
def test_messages_that_the_judge_refuses(line):
    outcome = Outcome(f"{line}\n".encode(), 0, timed_out=False)
    assert programs.plain_values(outcome, 1) is None


def test_fractions_are_added_up_while_that_is_quick():
    test = programs._Test("assert sum(f()) != 2")
    assert test.holds([[Fraction(1, 1000)] * 1000])
    assert not test.holds([[Fraction(1, (1 << 61) - 2 * k - 1) for k in range(3000)]])


def test_setup_code_runs_after_the_program():
    program = "class Node:\n    def __init__(self, v): self.v = v\ndef value(n): return n.v"
    assert passes(program, ["assert value(root) == 7"], setup="root = Node(7)")


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("print(1)", "expected one assert statement, got 'print"),
        ("assert 1 == 1", "'assert 1 == 1' does not ask the program for anything"),
    ],
)
def test_tests_that_are_none_are_refused(test, message):
    with pytest.raises(ValueError, match=message):
        passes("x = 1", [test])


def test_a_missing_leaf_is_a_fault_and_no_verdict():
    test = programs._Test("assert f(1) < 2")
    assert (test.holds([1]), test.holds([None])) == (True, False)
    with pytest.raises(NameError):
        test.holds([])


# --- LiveCodeBench


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
    cases = [("functional", "[1, 2]\n3", "[[1, 3], [2, 3]]"), ("functional", "[5]\n6", "[[5, 6]]")]
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
