"""What the files of this folder declare of each benchmark, read without lm-eval or the hub.

Everything else asks here which benchmarks there are: configuration, tables, figures and claims.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from repro.benchmarks import prompts
from repro.files import jsonl

FOLDER = Path(__file__).parent
PAPER = ("aime24", "aime25", "math500", "lmb", "gpqa", "mbpp", "lcb")  # its main table's columns
VERIFIERS = ("math", "choice", "mbpp", "lcb")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # it stands in paths and commands
TRAIN = "train"  # the training problems' file, which no benchmark's can be
TRAIN_FIELDS = ["problem", "answer"]
IDS = ("id", "unique_id", "task_id", "question_id", "Record ID")  # where a row has one of them
_LISTS = ("test_list",)  # of texts
_TEXTS = (  # what the functions of prompts.py and the verifiers read
    *("problem", "question", "answer", "text", "test_setup_code", "question_content"),
    *("starter_code", "public_test_cases", "private_test_cases", "metadata", "Record ID"),
    *("Question", "Correct Answer", *(f"Incorrect Answer {number}" for number in (1, 2, 3))),
)
_MAY_BE_NULL = ("test_setup_code", "metadata")
_MAY_BE_EMPTY = (*_MAY_BE_NULL, "starter_code")
_FIELDS = {"math": {"problem", "question"}, "math_answer": {"answer"}}  # one of them is read


class Benchmark(NamedTuple):
    """What a task file says."""

    title: str  # in tables and figures
    verifier: str  # what judges an answer, one of `VERIFIERS`
    question: str  # the field that holds the problem itself
    fields: list[str]  # of a row of the data file; others are not read
    target: str  # the right answer: a `Function`, a field, or a template

    @property
    def in_domain(self) -> bool:
        """Whether it is mathematics, the only thing that RL trains on."""
        return self.verifier == "math"


class Function(str):
    """What `!function module.name` names in a task file, a function of a module beside it."""


class _Loader(yaml.SafeLoader):
    """Takes lm-eval's `!function` for a name, and imports nothing."""


_Loader.add_constructor("!function", lambda loader, node: Function(node.value))


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


def fields(name: str) -> list[str]:
    """Return the fields that are read of a benchmark's rows, or of those of `train`."""
    return TRAIN_FIELDS if name == TRAIN else benchmarks()[name].fields


def read_rows(file: str | Path, name: str) -> list[dict]:
    """Return the problems of a benchmark's JSONL file, each with the declared fields only.

    Raises:
        ValueError: an empty file, or a row with a declared field that is missing, empty or of the
            wrong type; the message names file, line and field.
        FileNotFoundError: no such file.
    """
    declared = fields(name)
    return [{field: row[field] for field in declared} for _, row in _checked_rows(file, name)]


def check_file(file: str | Path, name: str) -> int:
    """Return how many problems a file of one's own has, for a benchmark or `train`.

    Raises:
        ValueError: the file cannot be read, or as in `read_rows`, or an id stands there twice.
    """
    count, lines = 0, {}
    try:
        for number, row in _checked_rows(file, name):
            count += 1
            for field in IDS:
                value = row.get(field)
                if isinstance(value, str | int) and (field, value) in lines:
                    raise ValueError(
                        f"{file}, line {number}: field {field!r} = {value!r} stands in line "
                        f"{lines[field, value]} too; allowed: once"
                    )
                if isinstance(value, str | int):
                    lines[field, value] = number
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}; wanted: problems for {name}") from None
    return count


def _checked_rows(file: str | Path, name: str) -> Iterator[tuple[int, dict]]:
    declared, types, number = fields(name), {}, 0
    question = "problem" if name == TRAIN else benchmarks()[name].question
    for number, row in jsonl.rows(file):
        for field in declared:
            where = f"{file}, line {number}: field {field!r}"
            if field not in row:
                raise ValueError(f"{where} is missing; {name} needs {', '.join(declared)}")
            value = row[field]
            if wrong := _wrong(field, value, field == question):
                raise ValueError(f"{where} = {str(value)[:40]!r}; allowed: {wrong}")
            of_type = type(value).__name__
            if value is not None and types.setdefault(field, of_type) != of_type:
                raise ValueError(
                    f"{where} is of type {of_type}; allowed: {types[field]}, as in the lines before"
                )
        yield number, row
    if not number:
        raise ValueError(f"{file}: no problems for benchmark {name}")


def _wrong(field: str, value: object, is_question: bool) -> str | None:
    """Return what a declared field may hold, where it holds something else."""
    if field in _LISTS:
        texts = isinstance(value, list) and all(isinstance(test, str) for test in value)
        return None if texts and value else "a list of texts, not empty"
    if field in _MAY_BE_EMPTY:
        nothing = value is None and field in _MAY_BE_NULL
        return None if nothing or isinstance(value, str) else "a text"
    if not is_question and field not in _TEXTS:
        return "anything but null" if value is None else None
    if isinstance(value, str):
        if re.search("[\ud800-\udfff]", value):
            return "a text without half characters (surrogates)"
        return None if value.strip() else "a text that is not empty"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_question or field not in ("answer", "Record ID"):
        return "a text that is not empty"
    if number and value not in (float("inf"), -float("inf")) and value == value:
        return None
    return "a text that is not empty, or a number"


def _read(path: Path) -> Benchmark:
    try:
        text = path.read_text(encoding="utf-8")
        task = yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML: {error}") from None
    metadata = task.get("metadata") if isinstance(task, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError(f"{path}: no metadata; allowed: the keys that {PAPER[0]}.yaml has")

    def refuse(key: str, value: object, allowed: str) -> None:
        raise ValueError(f"{path}: {key} = {value!r}; allowed: {allowed}")

    if not NAME.fullmatch(path.stem) or path.stem == TRAIN:
        refuse("name", path.stem, f"letters, digits, _, . and -, and not {TRAIN}")
    title, verifier = task.get("task_alias"), metadata.get("verifier")
    question, fields = metadata.get("question"), metadata.get("fields")
    if task.get("task") != path.stem:
        refuse("task", task.get("task"), f"{path.stem}, the name of the file")
    if not isinstance(title, str) or not title:
        refuse("task_alias", title, "its name in tables and figures")
    if verifier not in VERIFIERS:
        refuse("metadata.verifier", verifier, ", ".join(VERIFIERS))
    if not isinstance(fields, list) or not all(isinstance(field, str) for field in fields):
        refuse("metadata.fields", fields, "a list of field names")
    if question not in fields:
        refuse("metadata.question", question, f"one of the fields {', '.join(fields)}")
    for key in ("doc_to_text", "doc_to_target"):
        module, _, function = str(task.get(key, "")).partition(".")
        if not module or (module == "prompts" and not hasattr(prompts, function)):
            refuse(key, task.get(key), "a template, or !function with a function of prompts.py")
        if module == "prompts" and not _FIELDS.get(function, {*fields}).intersection(fields):
            needed = " or ".join(sorted(_FIELDS[function]))
            refuse("metadata.fields", fields, f"a list with {needed}, which {function} reads")
    return Benchmark(title, verifier, question, fields, task["doc_to_target"])
