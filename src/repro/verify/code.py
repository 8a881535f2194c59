"""Programs: the last fenced block after the thought, judged by the benchmark's tests.

The child process only computes; every comparison with an expected value happens here, in the
parent. Exit codes, printed markers and overloaded operators therefore prove nothing.
"""

import ast
import json
import math
import re
from decimal import Decimal, InvalidOperation

from repro.benchmarks.lcb_tests import lcb_cases
from repro.verify.answers import split_thought
from repro.verify.conversation import Limits, Outcome
from repro.verify.sandbox import Runner

_FENCE = "```"

# LiveCodeBench's own test harness puts these imports before every program: its starter code uses
# List and friends without importing them.
_MODULES = (
    *("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random"),
    *("statistics", "itertools", "functools", "operator", "io", "sys", "json"),
)
_LCB_PRELUDE = "\n".join(
    [f"from {name} import *" for name in [*_MODULES, "builtins", "typing"]]
    + [f"import {name}" for name in _MODULES]
    + ["sys.setrecursionlimit(50000)", "sys.set_int_max_str_digits(50000)"]
)

# A program may choose values whose hashes collide: a set of n of them takes n² steps to build. No
# test of the benchmarks compares a set or dictionary of so many items.
_HASHED_ITEMS = 1000


def _small(kind: type):
    def build(items: object = (), **more: object) -> object:
        if len(items) > _HASHED_ITEMS:
            raise ValueError(f"more than {_HASHED_ITEMS} items")
        return kind(items, **more)

    return build


# What the parent itself evaluates in a test's expression; every other name or call is a leaf that
# the child computes. All of them return plain values of plain values, and in bounded time.
_PARENT_FUNCTIONS = {
    **{
        function.__name__: function
        for function in (
            *(abs, all, any, bool, complex, float, int, len, list, max, min, round, sorted, str),
            *(sum, tuple),
        )
    },
    **{kind.__name__: _small(kind) for kind in (dict, frozenset, set)},
}
_PARENT_MATH = {"ceil", "fabs", "floor", "isclose", "isfinite", "isinf", "isnan", "sqrt", "trunc"}
_PARENT_OPERATORS = (ast.Add, ast.Sub)  # 2 ** f() or "x" * f() can be too large for any machine
_LARGEST_INTEGER = 1 << (1 << 20)


def extract_program(response: str) -> str | None:
    """Return the last complete fenced block after the thought, or None where there is none."""
    answer = split_thought(response)[1]
    lines = [] if answer is None else answer.replace("\r\n", "\n").split("\n")
    last, block = None, None
    # Line by line, because a pattern takes quadratic time on many openings without an end.
    for line in lines:
        mark = line.strip(" \t")
        if block is not None and mark != _FENCE:
            block.append(f"{line}\n")
        elif block is not None:
            last, block = "".join(block), None
        elif mark.startswith(_FENCE) and "`" not in mark[len(_FENCE) :]:
            block = []
    return last if last and last.strip() else None


def verify_mbpp(response: str, doc: dict, run: Runner, limits: Limits) -> bool:
    """Tell whether the program passes all asserts of an MBPP problem (``test_list``).

    Raises:
        ValueError: a test is not a single assert statement, or asks the program for nothing.
    """
    program = extract_program(response)
    tests = [_Test(source) for source in doc["test_list"]]
    if program is None:
        return False
    job = {
        "program": program,
        "setup": doc["test_setup_code"] or "",
        "expressions": [leaf for test in tests for leaf in test.leaves],
    }
    values = plain_values(run(job, "", limits), len(job["expressions"]))
    if values is None:
        return False
    remaining = iter(values)
    return all(test.holds([next(remaining) for _ in test.leaves]) for test in tests)


def verify_lcb(response: str, doc: dict, run: Runner, limits: Limits) -> bool:
    """Tell whether the program passes all public and private tests of a LiveCodeBench problem."""
    program = extract_program(response)
    if program is None:
        return False
    cases = lcb_cases(doc["public_test_cases"]) + lcb_cases(doc["private_test_cases"])
    name = json.loads(doc["metadata"] or "{}").get("func_name")
    verify_case = {
        "stdin": _passes_stdin,
        "functional": lambda *arguments: _passes_call(name, *arguments),
    }
    return bool(cases) and all(
        verify_case[case["testtype"]](program, case, run, limits) for case in cases
    )


def _passes_stdin(program: str, case: dict, run: Runner, limits: Limits) -> bool:
    outcome = run({"prelude": _LCB_PRELUDE, "program": program}, case["input"], limits)
    if outcome.timed_out or outcome.returncode != 0:
        return False
    return _same_output(outcome.stdout.decode("utf-8", "replace"), case["output"])


def _same_output(printed: str, expected: str) -> bool:
    """Compare line by line, without surrounding blanks; numbers by value (LiveCodeBench's rule)."""
    printed_lines = [line.strip() for line in printed.strip().split("\n")]
    expected_lines = [line.strip() for line in expected.strip().split("\n")]
    if len(printed_lines) != len(expected_lines):
        return False
    return all(map(_same_line, printed_lines, expected_lines))


def _same_line(ours: str, theirs: str) -> bool:
    if ours == theirs:
        return True
    try:
        return [Decimal(word) for word in ours.split()] == [Decimal(w) for w in theirs.split()]
    except InvalidOperation:  # no numbers, or one that equals nothing (sNaN)
        return False


def _passes_call(name: str, program: str, case: dict, run: Runner, limits: Limits) -> bool:
    """Call the function, or the method of ``class Solution``, with the JSON values of the input."""
    target = f"Solution().{name}" if re.search(r"^class Solution\b", program, re.M) else name
    job = {
        "prelude": _LCB_PRELUDE,
        "program": program,
        "variables": {"_arguments": [json.loads(line) for line in case["input"].split("\n")]},
        "expressions": [f"{target}(*_arguments)"],
    }
    values = plain_values(run(job, "", limits), 1)
    try:
        return values is not None and _tuples_to_lists(values[0]) == json.loads(case["output"])
    except RecursionError:  # nested more deeply than any expected value
        return False


def _tuples_to_lists(value: object) -> object:
    """JSON has no tuples, so LiveCodeBench accepts them for lists."""
    if isinstance(value, list | tuple):
        return [_tuples_to_lists(item) for item in value]
    return value


class _Test:
    """One assert, split into leaves for the child and a remainder that the parent evaluates."""

    def __init__(self, source: str) -> None:
        try:
            statements = ast.parse(source.strip()).body
        except SyntaxError:
            statements = []
        if len(statements) != 1 or not isinstance(statements[0], ast.Assert):
            raise ValueError(f"test_list: expected one assert statement, got {source!r}")
        splitter = _LeafSplitter(_PARENT_FUNCTIONS.keys() | {"math"})
        remainder = ast.Expression(splitter.visit(statements[0].test))
        if not splitter.leaves:  # MBPP 126 asks for a function named sum
            splitter = _LeafSplitter(set())
            remainder = ast.Expression(splitter.visit(ast.parse(source.strip()).body[0].test))
        if not splitter.leaves:
            raise ValueError(f"test_list: {source!r} does not ask the program for anything")
        self.leaves = splitter.leaves
        self._remainder = compile(ast.fix_missing_locations(remainder), "<test>", "eval")

    def holds(self, values: list) -> bool:
        names = {f"_leaf{number}": value for number, value in enumerate(values)}
        scope = {"__builtins__": {}, "math": math, **_PARENT_FUNCTIONS, **names}
        try:
            return bool(eval(self._remainder, scope))
        # A value of an unexpected type (None < 3), or nested without end, fails the test, as it
        # would natively. Anything else, such as a missing leaf, is a fault here and is told.
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError, MemoryError):
            return False


class _LeafSplitter(ast.NodeTransformer):
    """Replace whatever only the program can compute by a name; keep the comparison itself."""

    def __init__(self, known: set[str]) -> None:
        self.known = known
        self.leaves: list[str] = []

    def visit_Call(self, node: ast.Call) -> ast.expr:
        match node.func:
            case ast.Name(name):
                known = name in self.known
            case ast.Attribute(ast.Name("math"), name):
                known = "math" in self.known and name in _PARENT_MATH
            case _:
                known = False
        if not known or any(word.arg == "key" for word in node.keywords):
            return self._leaf(node)
        node.args = [self.visit(argument) for argument in node.args]
        for word in node.keywords:
            word.value = self.visit(word.value)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        constant = not any(isinstance(part, ast.Name) for part in ast.walk(node))
        if constant or isinstance(node.op, _PARENT_OPERATORS):
            return self.generic_visit(node)
        return self._leaf(node)

    def _leaf(self, node: ast.expr) -> ast.expr:
        self.leaves.append(ast.unparse(node))
        return ast.Name(f"_leaf{len(self.leaves) - 1}", ast.Load())

    visit_Name = visit_Attribute = visit_Lambda = _leaf
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _leaf


def plain_values(outcome: Outcome, count: int) -> list | None:
    """Decode the values of expressions; None unless ``count`` plain values were delivered."""
    lines = outcome.stdout.split(b"\n")[:-1]
    if outcome.timed_out or len(lines) != count:
        return None
    try:
        return [_decode(json.loads(line)) for line in lines]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None  # an exception, no plain value, or not what the encoder writes


def _decode(value: object) -> object:
    if not isinstance(value, dict):
        if value is None or isinstance(value, bool | str):
            return value
        raise ValueError("not an encoded value")
    ((kind, content),) = value.items()
    match kind, content:
        case "int", str():
            number = int(content, 16)
            if abs(number) < _LARGEST_INTEGER:
                return number
        case "float", str():
            return float(content)
        case "complex", str():
            return complex(content)
        case "bytes", str():
            return bytes.fromhex(content)
        case "list" | "tuple", list():
            return {"list": list, "tuple": tuple}[kind](_decode(item) for item in content)
        case "set" | "frozenset" | "dict", list():
            items = [_decode_pair(item) if kind == "dict" else _decode(item) for item in content]
            return _PARENT_FUNCTIONS[kind](items)
    # "error": it raised; "other": an object of its own making, which might compare as it likes.
    raise ValueError(f"not a plain value: {kind!r}")


def _decode_pair(pair: list) -> tuple:
    key, item = pair
    return _decode(key), _decode(item)
