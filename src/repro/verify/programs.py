"""Programs: a fenced block after the thought (see ``blocks.py``), judged by the benchmark's tests.

The child process only computes; every comparison with an expected value happens here, in the
parent. Exit codes, printed markers and overloaded operators therefore prove nothing.
"""

import ast
import base64
import builtins
import io
import json
import math
import pickle
import re
import zlib
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

from repro.sandbox import Limits, Outcome, Runner
from repro.verify.blocks import choose, fenced_blocks

_LCB_PRELUDE = Path(__file__).with_name("lcb_prelude.txt").read_text(encoding="utf-8")


def verify_mbpp(response: str, doc: dict, run: Runner, limits: Limits) -> bool:
    """Tell whether the program passes all asserts of an MBPP problem (``test_list``).

    ValueError: a test is not a single assert statement, or asks the program for nothing.
    """
    tests = [_Test(source) for source in doc["test_list"]]
    program = choose(fenced_blocks(response), _called(doc["test_list"]))
    if program is None:
        return False
    leaves = [leaf for test in tests for leaf in test.leaves]
    job = {"program": program, "setup": doc["test_setup_code"] or "", "expressions": leaves}
    values = plain_values(run(job, "", limits), len(leaves))
    if values is None:
        return False
    remaining = iter(values)
    return all(test.holds([next(remaining) for _ in test.leaves]) for test in tests)


def _called(tests: list[str]) -> set[str]:
    """Return the names that tests call, without built-in ones where there are others."""
    nodes = [node for test in tests for node in ast.walk(ast.parse(test.strip()))]
    functions = [node.func for node in nodes if isinstance(node, ast.Call)]
    called = {function.id for function in functions if isinstance(function, ast.Name)}
    return called - {*dir(builtins)} or called


def verify_lcb(response: str, doc: dict, run: Runner, limits: Limits) -> bool:
    """Tell whether the program passes all public and private tests of a LiveCodeBench problem."""
    name = json.loads(doc["metadata"] or "{}").get("func_name")
    program = choose(fenced_blocks(response), (name, "Solution") if name else ())
    if program is None:
        return False
    cases = lcb_cases(doc["public_test_cases"]) + lcb_cases(doc["private_test_cases"])
    job = {"prelude": _LCB_PRELUDE, "program": program}
    return bool(cases) and all(
        _passes_stdin(job, case, run, limits)
        if case["testtype"] == "stdin"
        else _passes_call(name, job, case, run, limits)
        for case in cases
    )


def lcb_cases(text: str) -> list[dict]:
    """Decode tests of a LiveCodeBench data file, each with "input", "output" and "testtype".

    ValueError: neither JSON nor base64 of zlib of a pickled JSON string without class or function.
    """
    unpickled = (EOFError, LookupError, AttributeError, pickle.UnpicklingError)
    try:
        if not text.lstrip().startswith("["):
            text = _StringUnpickler(io.BytesIO(zlib.decompress(base64.b64decode(text)))).load()
        wanted = ("input", "output", "testtype")
        return [{key: case[key] for key in wanted} for case in json.loads(text)]
    except (ValueError, TypeError, zlib.error, *unpickled) as error:
        raise ValueError(f"tests that cannot be decoded: {type(error).__name__}: {error}") from None


class _StringUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        raise pickle.UnpicklingError(f"refused {module}.{name}: test cases are text only")


def _passes_stdin(job: dict, case: dict, run: Runner, limits: Limits) -> bool:
    """Compare line by line, without surrounding blanks; numbers by value (LiveCodeBench's rule)."""
    outcome = run(job, case["input"], limits)
    if outcome.timed_out or outcome.returncode != 0:
        return False
    printed, expected = (
        [line.strip() for line in text.strip().split("\n")]
        for text in (outcome.stdout.decode("utf-8", "replace"), case["output"])
    )
    return len(printed) == len(expected) and all(map(_same_line, printed, expected))


def _same_line(ours: str, theirs: str) -> bool:
    if ours == theirs:
        return True
    try:
        return [Decimal(word) for word in ours.split()] == [Decimal(w) for w in theirs.split()]
    except InvalidOperation:  # no numbers, or one that equals nothing (sNaN)
        return False


def _passes_call(name: str, job: dict, case: dict, run: Runner, limits: Limits) -> bool:
    owner = "Solution()." if re.search(r"^class Solution\b", job["program"], re.M) else ""
    arguments = [json.loads(line) for line in case["input"].split("\n")]
    job = job | {"variables": {"_arguments": arguments}}
    job["expressions"] = [f"{owner}{name}(*_arguments)"]
    values, expected = plain_values(run(job, "", limits), 1), json.loads(case["output"])
    try:  # JSON has no tuples, so LiveCodeBench accepts them for lists
        return values is not None and json.loads(json.dumps(values[0])) == expected
    except (TypeError, ValueError, RecursionError):  # no JSON
        return False


# A program may choose values that cost the judge more than it took to send them, such as n of a set
# whose hashes collide: n² steps. No test of the benchmarks compares values so large.
_HASHED_ITEMS = 1000
_LARGEST_INTEGER = 1 << (1 << 20)
_MOST_DIGITS = 10_000  # of a Decimal as an integer
_RANGE_ITEMS = 1 << 20
_FRACTION_BITS = 1 << 16  # of each part, and of all denominators that are added up


def _bounded(value: object, is_small: bool) -> object:
    if not is_small:
        raise ValueError("it takes the judge too long")
    return value


def _small(build: Callable) -> Callable:
    return lambda items=(): build(_bounded(items, len(items) <= _HASHED_ITEMS))


def _decimal(text: str) -> Decimal:
    number = Decimal(text)  # a signalling NaN equals nothing
    digits = max(len(text), abs(number.adjusted()))
    return _bounded(number, digits <= _MOST_DIGITS and not number.is_snan())


# From what the child sends of a value, by the name of its type, to the value.
_FROM_TEXT: dict[str, Callable] = {
    "int": lambda text: _bounded(number := int(text, 16), abs(number) < _LARGEST_INTEGER),
    "float": float,
    "complex": complex,
    "bytes": bytes.fromhex,
    "Decimal": _decimal,
}
_FROM_ITEMS: dict[str, Callable] = {
    **{kind.__name__: kind for kind in (list, tuple, deque)},
    **{kind.__name__: _small(kind) for kind in (set, frozenset, dict, OrderedDict)},
    "Counter": lambda pairs: Counter(_small(dict)(pairs)),
    "Fraction": lambda parts: Fraction(
        *_bounded(parts, max(map(int.bit_length, parts)) <= _FRACTION_BITS)
    ),
    "dict_items": lambda pairs: _small(dict)(pairs).items(),
    "dict_keys": lambda keys: _small(dict.fromkeys)(keys).keys(),
    "dict_values": lambda values: dict(enumerate(values)).values(),
    "range": lambda parts: _bounded(numbers := range(*parts), len(numbers) <= _RANGE_ITEMS),
}


def plain_values(outcome: Outcome, count: int) -> list | None:
    """Decode the values of expressions; None unless ``count`` plain values were delivered."""
    lines = outcome.stdout.split(b"\n")[:-1]
    if outcome.timed_out or len(lines) != count:
        return None
    try:
        return [_decode(json.loads(line)) for line in lines]
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None  # an exception, no plain value, or not what the encoder writes


def _decode(value: object) -> object:
    if value is None or isinstance(value, bool | str):
        return value
    ((kind, content),) = value.items()
    if isinstance(content, str) and kind in _FROM_TEXT:
        return _FROM_TEXT[kind](content)
    if isinstance(content, list) and kind in _FROM_ITEMS:
        return _FROM_ITEMS[kind]([_decode(item) for item in content])
    # "error": it raised; "other": an object that may compare as it likes.
    raise ValueError(f"not a plain value: {kind!r}")


def _sum(items: Collection, start: object = 0) -> object:
    bits = sum(item.denominator.bit_length() for item in items if isinstance(item, Fraction))
    return sum(_bounded(items, bits <= _FRACTION_BITS), start)


# What the parent itself evaluates in a test's expression; every other name or call is a leaf that
# the child computes. All of them return plain values of plain values, and in bounded time.
_PARENT_FUNCTIONS = {
    **{kind.__name__: kind for kind in (bool, complex, float, int, list, str, tuple)},
    **{function.__name__: function for function in (abs, all, any, len, max, min, round, sorted)},
    **{"sum": _sum, "set": _small(set), "frozenset": _small(frozenset)},
}
_ITERATING = {"all", "any", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple"}
# These it makes of constants only, which are the test's own.
_PARENT_TYPES = {
    kind.__name__: kind for kind in (Counter, Decimal, Fraction, OrderedDict, deque, dict, range)
}
_PARENT_MODULES = {"", "collections", "decimal", "fractions"}
_PARENT_MATH = {"ceil", "fabs", "floor", "isclose", "isfinite", "isinf", "isnan", "sqrt", "trunc"}
_PARENT_CALLS = _PARENT_FUNCTIONS.keys() | {f"math.{name}" for name in _PARENT_MATH}
_PARENT_OPERATORS = (ast.Add, ast.Sub)  # 2 ** f() or "x" * f() can be too large for any machine


def _asserted(source: str) -> ast.expr:
    with suppress(SyntaxError):
        match ast.parse(source.strip()).body:
            case [ast.Assert(test)]:
                return test
    raise ValueError(f"test_list: expected one assert statement, got {source!r}")


class _Test(ast.NodeTransformer):
    """One assert, split into leaves for the child and a remainder that the parent evaluates.

    Whatever only the program can compute is a leaf; the comparison itself remains.
    """

    def __init__(self, source: str) -> None:
        # Some problem asks for a function named sum (MBPP 126): then nothing is the parent's.
        for self._known in (_PARENT_CALLS, set()):
            self.leaves: list[str] = []
            remainder = ast.Expression(self.visit(_asserted(source)))
            if self.leaves:
                break
        else:
            raise ValueError(f"test_list: {source!r} does not ask the program for anything")
        self._remainder = compile(ast.fix_missing_locations(remainder), "<test>", "eval")

    def holds(self, values: list) -> bool:
        names = {f"_leaf{number}": value for number, value in enumerate(values)}
        scope = {"__builtins__": {}, "math": math, **_PARENT_TYPES, **_PARENT_FUNCTIONS, **names}
        try:
            return bool(eval(self._remainder, scope))  # noqa: S307 (a handful of operators)
        # A value of an unexpected type (None < 3), or nested without end, fails the test, as it
        # would natively. Anything else, such as a missing leaf, is a fault here and is told.
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError, MemoryError):
            return False

    def visit_Call(self, node: ast.Call) -> ast.expr:
        path = ast.unparse(node.func)
        module, _, name = path.rpartition(".")
        is_type = self._known and module in _PARENT_MODULES and name in _PARENT_TYPES
        if is_type and _is_constant(*node.args, *node.keywords):
            node.func = ast.Name(name, ast.Load())
            return node
        if path not in self._known or any(word.arg == "key" for word in node.keywords):
            return self._leaf(node)
        iterates = name in _ITERATING and (len(node.args) == 1 or name == "sum")
        for position, argument in enumerate(node.args):
            node.args[position] = visited = self.visit(argument)
            if position == 0 and iterates and isinstance(visited, ast.Name):
                # A leaf. Generators and the like cannot be sent, but what they yield can.
                self.leaves[-1] = f"(*{self.leaves[-1]},)"
        for word in node.keywords:
            word.value = self.visit(word.value)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        if _is_constant(node) or isinstance(node.op, _PARENT_OPERATORS):
            return self.generic_visit(node)
        return self._leaf(node)

    def _leaf(self, node: ast.expr) -> ast.expr:
        self.leaves.append(ast.unparse(node))
        return ast.Name(f"_leaf{len(self.leaves) - 1}", ast.Load())

    visit_Name = visit_Attribute = visit_Lambda = _leaf
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _leaf


def _is_constant(*nodes: ast.AST) -> bool:
    return not any(isinstance(part, ast.Name) for node in nodes for part in ast.walk(node))
