"""What the files of this folder declare of each benchmark, read without lm-eval or the hub.

A task file says what a benchmark's problems are; a file of `protocols/` says how the paper's seven
are asked and judged, and another benchmark's task file says it itself.
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, Field, FiniteFloat, TypeAdapter, ValidationError, model_validator

from repro.benchmarks import prompts
from repro.files import jsonl, strict_yaml

FOLDER = Path(__file__).parent
PROTOCOLS = FOLDER / "protocols"
COMPACT = "compact"  # the protocol where none is named
TIMEOUT_S = 6  # CPU seconds of a program on one test, where no protocol says it
PAPER = ("aime24", "aime25", "math500", "lmb", "gpqa", "mbpp", "lcb")  # its main table's columns
TRAIN = "train"  # the training problems' file, which no benchmark's can be
TRAIN_FIELDS = ["problem", "answer"]
Verifier = Literal["math", "choice", "mbpp", "lcb"]
Text = Annotated[str, Field(pattern=r"\S")]  # not empty
Kind = TypeVar("Kind")


class Asked(BaseModel, extra="forbid", strict=True):
    """How a protocol asks and judges one benchmark; protocols/compact.yaml explains the keys."""

    prompt: str
    target: str
    choices: str | None = None
    data: str
    verifier: Verifier
    timeout_s: float = TIMEOUT_S


class Benchmark(BaseModel, strict=True):
    """What a task file, with its metadata, and a protocol say of a benchmark."""

    task: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]*$")]  # part of paths, commands
    title: Text = Field(alias="task_alias")  # in tables and figures
    doc_to_text: Text
    doc_to_target: str
    verifier: Verifier  # what judges an answer
    question: str  # the field that holds the problem itself
    fields: Annotated[list[str], Field(min_length=1)]  # of a row; others are not read
    asked: Asked | None  # by the protocol; None: as the task file says

    @property
    def in_domain(self) -> bool:
        """Whether it is mathematics, the only thing that RL trains on."""
        return self.verifier == "math"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.question not in self.fields:
            allowed = ", ".join(self.fields)
            raise ValueError(f"metadata.question = {self.question!r}; allowed: {allowed}")
        for stated in (self.doc_to_text, self.doc_to_target):
            resolve(stated)
        return self


@functools.cache
def benchmarks(protocol: str = COMPACT) -> dict[str, Benchmark]:
    """Return every benchmark: the paper's seven in its order, then the others by name.

    ValueError: no such protocol, or a file is not usable; the message names file, key, value and
    what is allowed.
    """
    if protocol not in protocols():
        allowed = ", ".join(protocols())
        raise ValueError(f"protocol: {protocol!r} does not exist; allowed: {allowed}")
    asked = protocols()[protocol]
    found = {path.stem: _read(path, asked.get(path.stem)) for path in sorted(FOLDER.glob("*.yaml"))}
    return {name: found[name] for name in [*PAPER, *found] if name in found}


@functools.cache
def protocols() -> dict[str, dict[str, Asked]]:
    """Return what each protocol says, by benchmark; ValueError: a file is not usable."""
    kind, files = dict[str, Asked], sorted(PROTOCOLS.glob("*.yaml"))
    return {path.stem: _validate(strict_yaml.read(path), kind, path) for path in files}


def resolve(stated: str) -> Callable[[dict], object] | str:
    """Return the function that `prompts.NAME` names, and any other text, a template, as it is."""
    module, _, name = stated.partition(".")
    if module != "prompts":
        return stated
    if not hasattr(prompts, name):
        raise ValueError(f"prompts.py has no function {name!r}")
    return getattr(prompts, name)


@functools.cache
def sources() -> dict[str, dict]:
    """Return `sources.yml`: what is downloaded for each benchmark and for `train`."""
    return strict_yaml.read(FOLDER / "sources.yml")


def read_rows(file: str | Path, name: str) -> list[dict]:
    """Return the problems of a benchmark's JSONL file, each with the declared fields only.

    FileNotFoundError; ValueError, with file, line and field: an unknown benchmark, an empty file,
    or a row with a declared field that is missing, empty or of the wrong type.
    """
    known = benchmarks()
    if name not in known:
        raise ValueError(f"{file}: benchmark {name!r} is unknown; allowed: {', '.join(known)}")
    fields = known[name].fields
    return [{field: row[field] for field in fields} for row in _rows(file, name)]


def check_file(file: str | Path, name: str) -> int:
    """Return how many problems a file of one's own has, for a benchmark or `train`.

    ValueError: the file cannot be read, or as in `read_rows`.
    """
    try:
        return sum(1 for _ in _rows(file, name))
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}; wanted: problems for {name}") from None


def _rows(file: str | Path, name: str) -> Iterator[dict]:
    """Yield the rows of a file of problems, as long as they are as declared."""
    fields, question, types, number = TRAIN_FIELDS, "problem", {}, 0
    if name != TRAIN:
        question, fields = benchmarks()[name].question, benchmarks()[name].fields
    for number, row in jsonl.rows(file):
        for field in fields:
            where = f"{file}, line {number}: field {field!r}"
            if field not in row:
                raise ValueError(f"{where} is missing; {name} needs {', '.join(fields)}")
            value, of_type = row[field], type(row[field]).__name__
            kind = _TEXT if field == question else _KINDS.get(field, _ANYTHING)
            try:
                kind.validate_python(value, strict=True)
            except ValidationError as error:
                allowed = " or ".join(found["msg"] for found in error.errors())
                raise ValueError(f"{where} = {str(value)[:40]!r}: {allowed}") from None
            if value is not None and types.setdefault(field, of_type) != of_type:
                raise ValueError(
                    f"{where} is of type {of_type}; allowed: {types[field]}, as in the lines before"
                )
        yield row
    if not number:
        raise ValueError(f"{file}: no problems for benchmark {name}")


# What fields hold that prompts.py or the verifiers read.
_TEXT, _ANYTHING = TypeAdapter(Text), TypeAdapter(str | float | bool | list | dict)
_KINDS = {
    **dict.fromkeys(("problem", "question", "text", "question_content", "Question"), _TEXT),
    **dict.fromkeys(("public_test_cases", "private_test_cases", "Correct Answer"), _TEXT),
    **{f"Incorrect Answer {number}": _TEXT for number in (1, 2, 3)},
    **dict.fromkeys(("answer", "Record ID"), TypeAdapter(Text | int | FiniteFloat)),
    **dict.fromkeys(("test_setup_code", "metadata"), TypeAdapter(str | None)),
    "starter_code": TypeAdapter(str),
    "test_list": TypeAdapter(Annotated[list[str], Field(min_length=1)]),
}


def _read(path: Path, asked: Asked | None) -> Benchmark:
    content = strict_yaml.read(path)
    content |= content.get("metadata", {}) | {"asked": asked}
    if asked:
        content |= {"doc_to_text": asked.prompt, "doc_to_target": asked.target}
        content |= {"verifier": asked.verifier}
    found = _validate(content, Benchmark, path)
    if found.task != path.stem or found.task == TRAIN:
        allowed = f"the name of the file, which is not {TRAIN}"
        raise ValueError(f"{path}: task = {found.task!r}; allowed: {allowed}")
    return found


def _validate(content: dict, kind: type[Kind], path: Path) -> Kind:
    """Return what a file says; ValueError names the first thing that is wrong in one line."""
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    key, said = ".".join(map(str, first["loc"])), first["msg"]
    if first["type"] == "missing":
        said = f"key {key!r} is missing"
    elif key:
        said = f"{key} = {str(first['input'])[:40]!r}: {said}"
    raise ValueError(f"{path}: {said}")
