"""Values of library types and iterators: what the assert says in Python, and no cheating."""

from fractions import Fraction

import pytest
from tests.verify.test_code import passes

from repro.sandbox import Outcome
from repro.verify import programs

LIBRARY = (
    "from collections import Counter, OrderedDict, deque\n"
    "from decimal import Decimal\nfrom fractions import Fraction\n"
)


@pytest.mark.parametrize(
    ("value", "test", "verdict"),
    [
        ("Fraction(3, 4)", "f() == 0.75", True),
        ("Fraction(3, 4)", "f() == Fraction(6, 8)", True),
        ("Fraction(3, 4)", "f() == 0.7", False),
        ("Fraction(3, 4)", "str(f()) == '3/4'", True),
        ("Decimal('2.50')", "f() == 2.5", True),
        ("Decimal('2.50')", "f() == Decimal('2.5')", True),
        ("Decimal('0.1')", "f() == 0.1", False),  # which is no tenth
        ("range(1, 4)", "f() == range(1, 4)", True),
        ("range(1, 4)", "f() == [1, 2, 3]", False),
        ("range(1, 4)", "list(f()) == [1, 2, 3] and len(f()) == 3", True),
        ("deque([1, 2])", "f() == deque([1, 2])", True),
        ("deque([1, 2])", "f() == [1, 2]", False),
        ("deque([1, 2])", "list(f()) == [1, 2] and f()[1] == 2", True),
        ("Counter(a=1, b=0)", "f() == Counter('a')", True),
        ("Counter(a=1, b=0)", "f() == {'a': 1}", False),
        ("OrderedDict(b=2, a=1)", "f() == {'a': 1, 'b': 2}", True),
        ("OrderedDict(b=2, a=1)", "f() == OrderedDict([('a', 1), ('b', 2)])", False),
        ("{'a': 1}.keys()", "f() == {'a'}", True),
        ("{'a': 1}.keys()", "f() == ['a']", False),
        ("{'a': 1}.values()", "f() == [1]", False),
        ("{'a': 1}.values()", "sorted(f()) == [1]", True),
        ("{'a': 1}.items()", "f() == {('a', 1)}", True),
        ("(k * k for k in range(3))", "list(f()) == [0, 1, 4]", True),
        ("(k * k for k in range(3))", "list(f()) == [0, 1, 9]", False),
        ("(k * k for k in range(3))", "f() == [0, 1, 4]", False),
        ("(k * k for k in range(3))", "len(f()) == 3", False),
        ("map(str, [2, 1])", "sorted(f()) == ['1', '2']", True),
        ("map(str, [2, 1])", "f() == ['2', '1']", False),
        ("filter(None, [0, 3])", "sum(f()) == 3 and max(f()) == 3", True),
        ("zip('ab', [1, 2])", "dict(f()) == {'a': 1, 'b': 2}", True),
        ("zip('ab', [1, 2])", "tuple(f()) == (('a', 1), ('b', 2))", True),
        ("reversed([1, 2])", "list(f()) == [2, 1]", True),
        ("iter(int, 1)", "f() == [0, 0]", False),  # without end, and never asked for an item
        ("[Fraction(1, 2), {Decimal(1): range(2)}]", "f() == [0.5, {1: range(2)}]", True),
    ],
)  # fmt: skip
def test_values_of_library_types_compare_as_in_python(value, test, verdict):
    program = f"{LIBRARY}def f(): return {value}\n"
    assert passes(program, [f"assert {test}"]) is verdict
    scope = {}
    exec(program, scope)
    try:
        natively = bool(eval(test, scope))
    except TypeError:
        natively = False
    assert natively is verdict


FORGED_LIBRARY = """
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
    ("program", "test"),
    [
        (f"{FORGED_LIBRARY}def f(): return Half(1, 3)", "f() == Fraction(1, 2)"),
        (f"{FORGED_LIBRARY}def f(): return Queue()", "f() == deque([1, 2])"),
        ("def range(*_): return 0\ndef f(): return 0", "f() == range(3)"),
        ("import fractions\nfractions.Fraction = lambda *_: 0\ndef f(): return 0",
         "f() == fractions.Fraction(1, 2)"),
        ("def list(items): return 0\ndef f(): return []", "list(f()) == list((1, 2))"),
        ("def all(items): return True\ndef f(): return [0]", "all(f())"),
    ],
)  # fmt: skip
def test_forged_library_types_do_not_pass(program, test):
    assert not passes(program, [f"assert {test}"], setup="import fractions")


@pytest.mark.parametrize(
    "line",
    [
        '{"Fraction":["1e999999999"]}',
        '{"Fraction":[{"int":"1"},{"int":"0"}]}',
        '{"Fraction":[{"int":"1"},{"int":"1' + "0" * 20_000 + '"}]}',
        '{"Decimal":"1e99999"}',
        '{"Decimal":"sNaN"}',
        '{"Decimal":"x"}',
        '{"Decimal":"' + "1" * 20_000 + '"}',
        '{"Decimal":{"int":"1"}}',
        '{"range":[{"int":"fffffffffffffffffff"}]}',
        '{"range":["a"]}',
        '{"Counter":[' + ",".join(['{"tuple":["a",true]}'] * 1001) + "]}",
        '{"dict_keys":[{"list":[]}]}',
        '{"OrderedDict":[{"int":"1"}]}',
        '{"deque":null}',
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
