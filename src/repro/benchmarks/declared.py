"""What the files of this folder declare of each benchmark, read without lm-eval or the hub.

Everything else asks here which benchmarks there are: configuration, tables, figures and claims.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import NamedTuple

import yaml

from repro.benchmarks import prompts
from repro.files import jsonl

FOLDER = Path(__file__).parent
PAPER = ("aime24", "aime25", "math500", "lmb", "gpqa", "mbpp", "lcb")  # its main table's columns
VERIFIERS = ("math", "choice", "mbpp", "lcb")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # it is part of paths and commands
TRAIN = "train"  # the training problems' file, which no benchmark's can be
TRAIN_FIELDS = ["problem", "answer"]
IDS = ("id", "unique_id", "task_id", "question_id", "Record ID")  # where a row has one of them
_TEXTS = (  # what the functions of prompts.py and the verifiers read
    *("problem", "question", "answer", "text", "question_content"),
    *("public_test_cases", "private_test_cases", "Record ID"),
    *("Question", "Correct Answer", *(f"Incorrect Answer {number}" for number in (1, 2, 3))),
)
_MAY_BE_EMPTY = {"starter_code": str, "test_setup_code": str | NoneType, "metadata": str | NoneType}
_READ = {"math": {"problem", "question"}, "math_answer": {"answer"}}  # one of them, by function


class Benchmark(NamedTuple):
    """What a task file says."""

    title: str  # in tables and figures
    verifier: str  # what judges an answer, one of `VERIFIERS`
    question: str  # the field that holds the problem itself
    fields: list[str]  # of a row of the data file; others are not read

    @property
    def in_domain(self) -> bool:
        """Whether it is mathematics, the only thing that RL trains on."""
        return self.verifier == "math"


class _Loader(yaml.SafeLoader):
    """Takes lm-eval's `!function` for a name, and imports nothing."""


_Loader.add_constructor("!function", lambda loader, node: node.value)


@functools.cache
def benchmarks() -> dict[str, Benchmark]:
    """Return every benchmark: the paper's seven in its order, then the others by name.

    Raises:
        ValueError: a task file is not usable; the message names file, key, value and what is
            allowed.
    """
    found = {path.stem: _read(path) for path in sorted(FOLDER.glob("*.yaml"))}
    order = [*(name for name in PAPER if name in found), *found]
    return {name: found[name] for name in order}


@functools.cache
def sources() -> dict[str, dict]:
    """Return `sources.yml`: what is downloaded for each benchmark and for `train`."""
    return yaml.safe_load((FOLDER / "sources.yml").read_text(encoding="utf-8"))


def read_rows(file: str | Path, name: str) -> list[dict]:
    """Return the problems of a benchmark's JSONL file, each with the declared fields only.

    Raises:
        ValueError: an empty file, or a row with a declared field that is missing, empty or of the
            wrong type; the message names file, line and field.
        FileNotFoundError: no such file.
    """
    fields = benchmarks()[name].fields
    return [{field: row[field] for field in fields} for _, row in _rows(file, name)]


def read_questions(file: str | Path, name: str) -> Iterator[str]:
    """Yield the problems' texts of a benchmark's JSONL file; raises as `read_rows`."""
    if name not in benchmarks():
        raise ValueError(f"{file}: no benchmark {name!r}; allowed: {', '.join(benchmarks())}")
    return (row[benchmarks()[name].question] for _, row in _rows(file, name))


def check_file(file: str | Path, name: str) -> int:
    """Return how many problems a file of one's own has, for a benchmark or `train`.

    Raises:
        ValueError: the file cannot be read, or as in `read_rows`, or an id is there twice.
    """
    count, lines = 0, {}
    try:
        for number, row in _rows(file, name):
            count += 1
            for field, value in ((field, row.get(field)) for field in IDS):
                if not isinstance(value, str | int):
                    continue
                first = lines.setdefault((field, value), number)
                if first != number:
                    where = f"{file}, line {number}: field {field!r} = {value!r}"
                    raise ValueError(f"{where} stands in line {first} too; allowed: once")
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}; wanted: problems for {name}") from None
    return count


def _rows(file: str | Path, name: str) -> Iterator[tuple[int, dict]]:
    """Yield line number and row of a file of problems, as long as they are as declared."""
    declared = TRAIN_FIELDS if name == TRAIN else benchmarks()[name].fields
    question = "problem" if name == TRAIN else benchmarks()[name].question
    types, number = {}, 0
    for number, row in jsonl.rows(file):
        for field in declared:
            where = f"{file}, line {number}: field {field!r}"
            if field not in row:
                raise ValueError(f"{where} is missing; {name} needs {', '.join(declared)}")
            value = row[field]
            if allowed := _find_allowed(field, value, field == question):
                raise ValueError(f"{where} = {str(value)[:40]!r}; allowed: {allowed}")
            of_type = type(value).__name__
            if value is not None and types.setdefault(field, of_type) != of_type:
                raise ValueError(
                    f"{where} is of type {of_type}; allowed: {types[field]}, as in the lines before"
                )
        yield number, row
    if not number:
        raise ValueError(f"{file}: no problems for benchmark {name}")


def _find_allowed(field: str, value: object, is_question: bool) -> str | None:
    """Return what a declared field may hold, None where it holds that."""
    if field == "test_list":
        texts = isinstance(value, list) and all(isinstance(test, str) for test in value)
        return None if texts and value else "a list of texts, not empty"
    if field in _MAY_BE_EMPTY:
        return None if isinstance(value, _MAY_BE_EMPTY[field]) else "a text"
    if not is_question and field not in _TEXTS:
        return "anything but null" if value is None else None
    if isinstance(value, str):
        whole = value.strip() and not re.search("[\ud800-\udfff]", value)
        return None if whole else "a text that is not empty, without half characters (surrogates)"
    if is_question or field not in ("answer", "Record ID"):
        return "a text that is not empty"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if number and abs(value) < float("inf") else "a text that is not empty, or a number"


def _read(path: Path) -> Benchmark:
    try:
        text = path.read_text(encoding="utf-8")
        task = yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML: {error}") from None
    metadata = task.get("metadata") if isinstance(task, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError(f"{path}: no metadata; allowed: the keys that {PAPER[0]}.yaml has")
    name, title, verifier = path.stem, task.get("task_alias"), metadata.get("verifier")
    fields, question = metadata.get("fields"), metadata.get("question")
    listed = isinstance(fields, list) and all(isinstance(field, str) for field in fields)
    usable = NAME.fullmatch(name) and name != TRAIN
    checks = [
        (usable, "name", name, f"letters, digits, _, . and -, and not {TRAIN}"),
        (task.get("task") == name, "task", task.get("task"), f"{name}, the name of the file"),
        (isinstance(title, str) and title, "task_alias", title, "its name in tables and figures"),
        (verifier in VERIFIERS, "metadata.verifier", verifier, ", ".join(VERIFIERS)),
        (listed, "metadata.fields", fields, "a list of field names"),
        (listed and question in fields, "metadata.question", question, f"one of {fields}"),
    ]
    for key in ("doc_to_text", "doc_to_target"):
        module, _, function = str(task.get(key, "")).partition(".")
        known = module and (module != "prompts" or hasattr(prompts, function))
        allowed = "a template, or !function with a function of prompts.py"
        checks.append((known, key, task.get(key), allowed))
        if module == "prompts" and listed and function in _READ:
            allowed = f"a list with {' or '.join(sorted(_READ[function]))}, which {function} reads"
            checks.append((_READ[function] & {*fields}, "metadata.fields", fields, allowed))
    for right, key, value, allowed in checks:
        if not right:
            raise ValueError(f"{path}: {key} = {value!r}; allowed: {allowed}")
    return Benchmark(title, verifier, question, fields)
