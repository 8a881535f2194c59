"""Which block of a response is the program."""

import time

import pytest

from repro.verify.blocks import choose, fenced_blocks


def extract_program(response: str, names=()) -> str | None:
    return choose(fenced_blocks(response), names)


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("</think>```python\na\n```", "a\n"),
        ("</think>```\na\n```", "a\n"),
        ("</think>```py\r\na\r\n```\r\n", "a\n"),
        ("</think>```python\na\n```\nor\n```python\nb\n```", "b\n"),
        ("</think>```python\na\n```\nor\n```python\nb", "a\n"),  # the second one is cut off
        ("```python\na\n```</think>```python\nb\n```", "b\n"),
        ("```python\na\n```", None),  # still thinking
        ("</think>```python\na\n```py\nb\n  ```\t\nc", "a\n```py\nb\n"),
        ("</think>````\na\n````", None),
        ("</think>" + "```a\n" * 300_000, None),  # a pattern would take quadratic time
        ("</think>no code", None),
        ("</think>```python\n\n```", None),
    ],
)
def test_extract_program(text, program):
    assert extract_program(text) == program


FUNCTION = "def f(x):\n    return x + 1\n"
FUNCTION_USE = "f(1)\n"
METHOD = "class Solution:\n    def f(self, x):\n        return x + 1\n"
SCRIPT = "def add(n):\n    return n + 1\nn = int(input())\nprint(add(n))\n"


def fenced(source: str, label: str = "python") -> str:
    return f"```{label}\n{source}```"


FORMS = [
    "```\n{}```", "```py\n{}```", "```python3\n{}```", "```Python\n{}```", "``` python\n{}```",
    "```{{.python}}\n{}```", '```py title="a b"\n{}```', "The code: ```\n{}```",
    "**Solution:** ```python\n{}```", "<answer>```python\n{}```", "- ```python\n{}```",
    "1. ```python\n{}```", "The code with `x`: ```python\n{}```", "```python\n{}```</answer>",
    "```python\n{}``` This works.", "```python\n{}```</think>", "```python\n{}```.",
    "```python\n{}``` `f` is it", "- Code:\n    ```python\n{}    ```",
    "A block begins with ```python and a line.\n```python\n{}```",
]  # fmt: skip


@pytest.mark.parametrize("source", [FUNCTION, METHOD, SCRIPT])
@pytest.mark.parametrize("form", FORMS)
def test_fences_of_every_form(form, source):
    found = fenced_blocks(f"thought</think>\n{form.format(source)}\nThat is all.\n")
    assert [block.source for block in found] == [source]


@pytest.mark.parametrize("source", [FUNCTION, METHOD, SCRIPT])
@pytest.mark.parametrize("prefix", ["   ", "\t", "        "])
@pytest.mark.parametrize("before", ["1. Code:\n{}", "1. "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_indented_blocks_and_other_ends_of_lines(before, prefix, end, source):
    text = before.format(prefix) + fenced(source).replace("\n", f"\n{prefix}")
    found = fenced_blocks("thought</think>\n" + f"{text}\nThat is all.\n".replace("\n", end))
    assert [block.source for block in found] == [source]


@pytest.mark.parametrize(
    "source",
    [
        'def f(x):\n    """Add.\n\n    ```\n    f(1)\n    ```\n    """\n    return x + 1\n',
        "'''\n```python\nf(1)\n```\n'''\n" + FUNCTION,
        "def f(x):  # it's \"\"\"\n    return '\"\"\"' + \"'''\" + '\\''\n",
    ],
)
def test_fences_in_texts_of_the_program_end_no_block(source):
    assert extract_program(f"</think>{fenced(source)}\n{fenced(FUNCTION_USE)}\n", {"f"}) == source


OTHERS = [
    *(("bash", "python f.py\n"), ("", "$ python f.py < input.txt\n3\n"), ("", "3\n")),
    *(("text", "f = 3\nprint input\n"), ("json", '{"f": 3}\n')),
    *(("ruby", "def f(x)\n  print input\nend\n"), ("python", ">>> f(2)\n3\n")),
    ("python", "# input: 2\n# output: 3\n"),
]
USES = [
    *("print(f(2))  # 3\n", "result = f(2)\nprint(result)\n", "assert f(2) == 3\n"),
    *("from solution import f\nassert f(2) == 3\n", "print(Solution().f(2))\n"),
    "def test_f():\n    assert f(2) == 3\ntest_f()\n",
    "class TestF(unittest.TestCase):\n    def test(self):\n        self.assertEqual(f(2), 3)\n",
]
USES_OF_SCRIPT = [
    *("print(add(2))\n", "assert add(2) == 3\n", "import random\nprint(random.randint(1, 9))\n"),
    "import io, sys\nsys.stdin = io.StringIO('2')\nprint(add(int(input())))\n",
    "import subprocess\nprint(subprocess.run(['python', 'f.py'], input='2', stdout=-1).stdout)\n",
]


@pytest.mark.parametrize(
    ("source", "names", "label", "other"),
    [
        (source, names, *other)
        for source, names, uses in (
            (FUNCTION, {"f"}, USES),
            (METHOD, {"f", "Solution"}, USES),
            (SCRIPT, (), USES_OF_SCRIPT),
        )
        for other in [*OTHERS, *(("python", use) for use in uses)]
    ],
)
def test_what_stands_around_the_program_is_not_it(source, names, label, other):
    wrong = source.replace("+ 1", "+ 2")
    response = f"</think>\n{fenced(wrong)}\nNo:\n{fenced(source)}\nThen:\n{fenced(other, label)}\n"
    assert extract_program(response, names) == source
    assert extract_program(f"</think>{fenced(other, label)}\n{fenced(source)}", names) == source


def test_of_two_definitions_the_last_whole_one_counts():
    whole = "def help(x):\n    return 1\ndef f(x):\n    return x + help(x)\n"
    part = "def f(x):\n    return help(x) + x\n"
    other = "def f(x):\n    return 1 + x  # as help(x) does\n"
    inner = "def f(x):\n    def help(x):\n        return 2\n    return x + help(x)\n"
    imported = "from math import gcd as help\n" + part
    for last, chosen in ((part, whole), (other, other), (inner, inner), (imported, imported)):
        assert extract_program(f"</think>{fenced(whole)}\n{fenced(last)}", {"f"}) == chosen


def test_without_a_definition_the_last_block_counts():
    imported = "from m import g as f\n"
    response = f"</think>{fenced(FUNCTION_USE)}\n{fenced(imported)}"
    assert extract_program(response, {"f"}) == imported
    assert choose((), {"f"}) is None


@pytest.mark.parametrize(
    "text",
    ['"\\' * 100_000, "x: " * 100_000, "\n" * 100_000, "stdin  " * 50_000, "```py\n" * 99_999],
    ids=["strings", "annotations", "blank lines", "reads", "fences"],
)
def test_hostile_responses_take_no_long_time(text):
    start = time.process_time()
    extract_program(f"</think>```\n{text}\n```", {"f"})
    extract_program(f"</think>```\n{text}\n```")
    assert time.process_time() - start < 10  # quadratic time would be minutes
