"""One message for what is wrong with settings: key, value, and what is allowed."""

import difflib
import json
from collections.abc import Iterable
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

# What YAML or Snakemake made of a value that is not of the type which the user meant.
_TEXT = "; YAML reads yes, no, on, off, numbers and dates as such, so a text needs quotes there"
_NUMBER = (
    "; a number has no quotes and is written 1.0e-4, because YAML reads 1e-4 as a text; "
    "nested values of --config are texts, use --configfile for them"
)
Settings = TypeVar("Settings")


def validate(value: object, kind: type[Settings], name: str = "") -> Settings:
    """Return settings of a kind, a model or a union of such, made of a mapping or of JSON's text.

    ValueError: one message names the key that lies nearest to the top, behind `name` if that is
    given, its value and what is allowed.
    """
    try:
        given = from_json(value) if isinstance(value, str | bytes) else value
    except ValueError as error:
        raise ValueError(f"not valid JSON ({error})") from None
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        found = [(_path(item, given), item) for item in error.errors(include_url=False)]
    top, first = min(found, key=lambda one: len(one[0]))
    said = [item["msg"] for path, item in found if path == top]  # one for each type it may have
    key = ".".join([name, *top] if name else top)
    raise ValueError(_message(key, first, " or ".join(dict.fromkeys(said))))


def choices(name: object, known: Iterable[str]) -> str:
    """List what is allowed, the nearest first in a hint."""
    known = list(map(str, known))
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}allowed: {', '.join(known)}"


def shown(value: object) -> str:
    """Return a value in one line, cut where it is long."""
    text = json.dumps(value, default=str, skipkeys=True)
    return text if len(text) <= 120 else f"{text[:120]}..."


def _path(item: ErrorDetails, value: object) -> list[str]:
    """Return the keys that lead to an error, without the names of types that pydantic adds."""
    path, lacks = [], {"missing": item["loc"][-1:], "union_tag_not_found": ["source"]}
    for part in item["loc"]:
        is_item = isinstance(value, list) and isinstance(part, int)
        if is_item or (isinstance(value, dict) and part in value):
            value = value[part]
            path.append(ascii(part).strip("'"))
    return [*path, *lacks.get(item["type"], [])]


def _message(key: str, item: ErrorDetails, said: str) -> str:
    kind, value = item["type"], item["input"]
    if kind in ("missing", "union_tag_not_found"):
        return f"key {key!r} is missing"
    if kind == "value_error":  # one of our own, which quotes the value unless it may be a secret
        return f"{key}: {item['ctx']['error']}".removeprefix(": ")
    hint = _TEXT if kind == "string_type" else ""
    if kind in ("int_type", "float_type") and isinstance(value, str):
        hint = _NUMBER
    one_line = " ".join(said.split())  # pydantic quotes a wrong `source` as it is
    return f"{key} = {shown(value)}: {one_line}{hint}".removeprefix(" = ")
