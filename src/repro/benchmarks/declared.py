"""What the files of this folder declare of each benchmark, read without lm-eval or the hub.

A task file says what a benchmark's problems are; a file of `protocols/` says how the paper's seven
are asked and judged, and another benchmark's task file says it itself.
"""

import functools
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from repro.benchmarks import opencompass, prompts
from repro.files import jsonl

FOLDER = Path(__file__).parent
PROTOCOLS = FOLDER / "protocols"
COMPACT = "compact"  # the protocol where none is named
TIMEOUT_S = 6  # CPU seconds of a program on one test, where no protocol says it
MODULES = {"prompts": prompts, "opencompass": opencompass}  # whose functions are checked by name
PAPER = ("aime24", "aime25", "math500", "lmb", "gpqa", "mbpp", "lcb")  # its main table's columns
EXTRACTIONS = {  # verifier -> what of a response it judges
    **{"math": "last_box", "choice": "last_letter", "mbpp": "last_program", "lcb": "last_program"}
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # it is part of paths and commands
TRAIN = "train"  # the training problems' file, which no benchmark's can be
TRAIN_FIELDS = ["problem", "answer"]
IDS = ("id", "unique_id", "task_id", "question_id", "Record ID")  # where a row has one of them
_READ = {"math": {"problem", "question"}, "math_answer": {"answer"}}  # one of them, by function


class Asked(BaseModel):
    """How a protocol asks and judges one benchmark; protocols/compact.yaml explains the keys."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: str
    target: str
    choices: str | None = None
    data: str
    extraction: Literal["last_box", "last_letter", "last_program"]
    verifier: Literal["math", "choice", "mbpp", "lcb"]
    timeout_s: float = TIMEOUT_S


class Benchmark(NamedTuple):
    """What a task file and a protocol say of a benchmark."""

    title: str  # in tables and figures
    verifier: str  # what judges an answer, a key of `EXTRACTIONS`
    question: str  # the field that holds the problem itself
    fields: list[str]  # of a row of the data file; others are not read
    asked: Asked | None  # by the protocol; None: as the task file says

    @property
    def in_domain(self) -> bool:
        """Whether it is mathematics, the only thing that RL trains on."""
        return self.verifier == "math"


class _Loader(yaml.SafeLoader):
    """Takes lm-eval's `!function` for a name, and imports nothing."""


_Loader.add_constructor("!function", lambda loader, node: node.value)


@functools.cache
def benchmarks(protocol: str = COMPACT) -> dict[str, Benchmark]:
    """Return every benchmark: the paper's seven in its order, then the others by name.

    ValueError: a file is not usable; the message names file, key, value and what is allowed.
    """
    asked = read_protocol(protocol)
    found = {path.stem: _read(path, asked.get(path.stem)) for path in sorted(FOLDER.glob("*.yaml"))}
    return {name: found[name] for name in [*PAPER, *found] if name in found}


def list_protocols() -> list[str]:
    """Return the names of the protocols."""
    return sorted(path.stem for path in PROTOCOLS.glob("*.yaml"))


@functools.cache
def read_protocol(name: str) -> dict[str, Asked]:
    """Return what a protocol says, by benchmark; ValueError: there is none, or it is not usable."""
    if name not in list_protocols():
        allowed = ", ".join(list_protocols())
        raise ValueError(f"protocol: {name!r} does not exist; allowed: {allowed}")
    file, found = PROTOCOLS / f"{name}.yaml", {}
    for benchmark, entry in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        try:
            found[benchmark] = asked = Asked.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, (benchmark, *first["loc"])))
            raise ValueError(f"{file}: {where}: {first['msg']}") from None
        if asked.extraction != EXTRACTIONS[asked.verifier]:
            wrong = f"{benchmark}.extraction = {asked.extraction!r}"
            raise ValueError(f"{file}: {wrong}; allowed: {EXTRACTIONS[asked.verifier]}")
    return found


def resolve(function: str) -> Callable[[dict], object]:
    """Return what `module.name` names, a function of a module of this folder."""
    module, _, name = function.rpartition(".")
    return getattr(import_module(f"repro.benchmarks.{module}"), name)


@functools.cache
def sources() -> dict[str, dict]:
    """Return `sources.yml`: what is downloaded for each benchmark and for `train`."""
    return yaml.safe_load((FOLDER / "sources.yml").read_text(encoding="utf-8"))


def read_rows(file: str | Path, name: str) -> list[dict]:
    """Return the problems of a benchmark's JSONL file, each with the declared fields only.

    FileNotFoundError; ValueError, with file, line and field: an unknown benchmark, an empty file,
    or a row with a declared field that is missing, empty or of the wrong type.
    """
    known = benchmarks()
    if name not in known:
        raise ValueError(f"{file}: benchmark {name!r} is unknown; allowed: {', '.join(known)}")
    fields = known[name].fields
    return [{field: row[field] for field in fields} for _, row in _rows(file, name)]


def check_file(file: str | Path, name: str) -> int:
    """Return how many problems a file of one's own has, for a benchmark or `train`.

    ValueError: the file cannot be read, or as in `read_rows`, or an id is there twice.
    """
    count, lines = 0, {}
    try:
        for number, row in _rows(file, name):
            count += 1
            for field in IDS:
                value = row.get(field)
                first = lines.setdefault((field, repr(value)), number)
                if isinstance(value, str | int) and first != number:
                    where = f"{file}, line {number}: field {field!r} = {value!r}"
                    raise ValueError(f"{where} stands in line {first} too; allowed: once")
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}; wanted: problems for {name}") from None
    return count


def _rows(file: str | Path, name: str) -> Iterator[tuple[int, dict]]:
    """Yield line number and row of a file of problems, as long as they are as declared."""
    fields, question, types, number = TRAIN_FIELDS, "problem", {}, 0
    if name != TRAIN:
        question, fields = benchmarks()[name].question, benchmarks()[name].fields
    for number, row in jsonl.rows(file):
        for field in fields:
            where = f"{file}, line {number}: field {field!r}"
            if field not in row:
                raise ValueError(f"{where} is missing; {name} needs {', '.join(fields)}")
            value, of_type = row[field], type(row[field]).__name__
            is_right, allowed = _TEXT if field == question else _KINDS.get(field, _ANYTHING)
            if not is_right(value):
                raise ValueError(f"{where} = {str(value)[:40]!r}; allowed: {allowed}")
            if value is not None and types.setdefault(field, of_type) != of_type:
                raise ValueError(
                    f"{where} is of type {of_type}; allowed: {types[field]}, as in the lines before"
                )
        yield number, row
    if not number:
        raise ValueError(f"{file}: no problems for benchmark {name}")


def _is_text(value: object) -> object:
    return isinstance(value, str) and value.strip() and not re.search("[\ud800-\udfff]", value)


def _is_answer(value: object) -> object:
    return _is_text(value) or (type(value) in (int, float) and abs(value) < float("inf"))


def _is_list(value: object) -> object:
    return isinstance(value, list) and value and all(isinstance(item, str) for item in value)


# A check of what a field may hold that prompts.py or the verifiers read, and what is allowed.
_TEXT = (_is_text, "a text that is not empty, without half characters (surrogates)")
_TEXT_OR_NULL = (lambda value: isinstance(value, str | None), "a text or null")
_ANYTHING = (lambda value: value is not None, "anything but null")
_KINDS = {
    **dict.fromkeys(("problem", "question", "text", "question_content", "Question"), _TEXT),
    **dict.fromkeys(("public_test_cases", "private_test_cases", "Correct Answer"), _TEXT),
    **{f"Incorrect Answer {number}": _TEXT for number in (1, 2, 3)},
    **dict.fromkeys(("answer", "Record ID"), (_is_answer, "a text that is not empty, or a number")),
    **dict.fromkeys(("test_setup_code", "metadata"), _TEXT_OR_NULL),
    "starter_code": (lambda value: isinstance(value, str), "a text"),
    "test_list": (_is_list, "a list of texts, not empty"),
}


def _read(path: Path, asked: Asked | None) -> Benchmark:
    try:
        task = yaml.load(path.read_bytes(), _Loader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML: {error}") from None
    metadata = task.get("metadata") if isinstance(task, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError(f"{path}: no metadata; allowed: version, verifier, question, fields")
    name, title, verifier = path.stem, task.get("task_alias"), metadata.get("verifier")
    if asked:
        task |= {"doc_to_text": asked.prompt, "doc_to_target": asked.target}
        verifier = asked.verifier
    fields, question = metadata.get("fields"), metadata.get("question")
    listed, usable = _is_list(fields), NAME.fullmatch(name) and name != TRAIN
    checks = [
        ("name", name, usable, f"letters, digits, _, . and -, and not {TRAIN}"),
        ("task", task.get("task"), task.get("task") == name, f"{name}, the name of the file"),
        ("task_alias", title, isinstance(title, str) and title, "its name in tables and figures"),
        ("metadata.verifier", verifier, verifier in EXTRACTIONS, ", ".join(EXTRACTIONS)),
        ("metadata.fields", fields, listed, "a list of field names"),
        ("metadata.question", question, listed and question in fields, f"one of {fields}"),
    ]
    for key in ("doc_to_text", "doc_to_target"):
        module, _, function = str(task.get(key, "")).partition(".")
        known = module and (module not in MODULES or hasattr(MODULES[module], function))
        allowed = f"a template, or !function with a function of {module or 'prompts'}.py"
        checks.append((key, task.get(key), known, allowed))
        if listed and module in MODULES and (needed := _READ.get(function)):
            allowed = f"a list with {' or '.join(sorted(needed))}, which {function} reads"
            checks.append(("metadata.fields", fields, needed & {*fields}, allowed))
    for key, value, right, allowed in checks:
        if not right:
            raise ValueError(f"{path}: {key} = {value!r}; allowed: {allowed}")
    return Benchmark(title, verifier, question, fields, asked)
