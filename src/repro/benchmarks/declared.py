"""What the files of this folder declare of each benchmark, read without lm-eval or the hub.

Everything else asks here which benchmarks there are: configuration, tables, figures and claims.
"""

import functools
from pathlib import Path
from typing import NamedTuple

import yaml

from repro import jsonl
from repro.benchmarks import prompts

FOLDER = Path(__file__).parent
PAPER = ("aime24", "aime25", "math500", "lmb", "gpqa", "mbpp", "lcb")  # its main table's columns
VERIFIERS = ("math", "choice", "mbpp", "lcb")
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


def read_rows(file: str | Path, name: str) -> list[dict]:
    """Return the problems of a benchmark's JSONL file, each with the declared fields only.

    Raises:
        ValueError: an empty file, or a row without a declared field; the message names file, line
            and fields.
        FileNotFoundError: no such file.
    """
    rows, fields = jsonl.read(file), benchmarks()[name].fields
    if not rows:
        raise ValueError(f"{file}: no problems for benchmark {name}")
    for number, row in enumerate(rows, start=1):
        missing = [field for field in fields if field not in row]
        if missing:
            raise ValueError(
                f"{file}, line {number}: field {missing[0]!r} is missing; {name} needs "
                f"{', '.join(fields)}"
            )
    return [{field: row[field] for field in fields} for row in rows]


def _read(path: Path) -> Benchmark:
    try:
        task = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML: {error}") from None
    metadata = task.get("metadata") if isinstance(task, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError(f"{path}: no metadata; allowed: the keys that {PAPER[0]}.yaml has")

    def refuse(key: str, value: object, allowed: str) -> None:
        raise ValueError(f"{path}: {key} = {value!r}; allowed: {allowed}")

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
