"""One message for what is wrong with a configuration: key, value, what is allowed, and a hint."""

import difflib
import json
import math
import re
from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

DEPTH = 20  # of keys in keys: more is a mapping that holds itself
LARGEST = 2**53  # beyond it a float has no place after the point, and some libraries overflow
WORDS: dict[str, str] = {}  # by pattern: what is allowed, in words
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_YAML = {str: "text", int: "integer", float: "number", bool: "boolean", list: "list"}
_BOUNDS = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "pattern": "{}",
}


class Problem(PydanticCustomError):
    """Raised by a validator with what is allowed, in words."""

    def __new__(cls, allowed: str):
        """Make the error; pydantic wants a type and a template."""
        return super().__new__(cls, "problem", "{allowed}", {"allowed": allowed})


def choices(name: object, known: Iterable[str]) -> str:
    """List what is allowed, the nearest first in a hint."""
    known = list(known)
    return f"{_nearest(name, known)}allowed: {', '.join(known)}"


def shown(value: object) -> str:
    """Return a value in one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 120 else f"{text[:120]}..."


def check_plain(value: object, path: tuple[str, ...] = ()) -> None:
    """Refuse what YAML can say and a setting cannot be, at every level.

    Raises:
        ValueError: a key that is no text, a date, a control character, a number that is not finite
            or beyond 2^53, or mappings that hold themselves.
    """
    key = ".".join(path)
    if len(path) > DEPTH:
        raise ValueError(f"{'.'.join(path[:3])}... is nested too deeply; allowed: {DEPTH} levels")
    if isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(name, str):
                raise ValueError(
                    f"unknown key {_join(key, str(name))!r}, which is no text; allowed: texts, in "
                    "quotes where YAML reads a number, a date, yes, no, on or off"
                )
            if not name.isprintable():
                raise ValueError(f"unknown key {_join(key, name)!a}; allowed: a name in one line")
            check_plain(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            check_plain(inner, (*path, str(number)))
    elif isinstance(value, str):
        if wrong := _CONTROL.search(value):
            raise ValueError(
                f"{key} = {shown(value)} is not allowed; allowed: a text without the control "
                f"character {wrong.group()!a}"
            )
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{key} = {value} is not allowed; allowed: a finite number")
    elif isinstance(value, int | float) and abs(value) > LARGEST:
        raise ValueError(f"{key} = {shown(value)} is not allowed; allowed: at most 2^53")
    elif not isinstance(value, bool | int | float | None):
        raise ValueError(
            f"{key} = {shown(value)} is not allowed, YAML reads it as a {type(value).__name__}; "
            "allowed: a text in quotes"
        )


def describe(error: ValidationError, model: type[BaseModel]) -> str:
    """Return the message of the error that lies nearest to the top of a configuration.

    Args:
        error: of validating the model.
        model: what was validated.
    """
    found = [_Found(item, model) for item in error.errors(include_url=False)]
    return min(found, key=_Found.order).message()


class _Found:
    """One error of pydantic, with the model's view of the place where it is."""

    def __init__(self, item: dict, model: type[BaseModel]) -> None:
        self.kind, self.context = item["type"], item.get("ctx", {})
        self.value, self.path = item["input"], []
        self.types, self.owner, self.has_default = [model], model, False
        for part in item["loc"]:
            if part == "[key]":
                continue
            models = [kind for kind in self.types if _is_model(kind)]
            chosen = [kind for kind in models if _tag(kind) == part and len(models) > 1]
            if chosen:  # of a union, pydantic names the member
                self.types = chosen
                continue
            if models:
                self.owner = models[0]
                field = self.owner.model_fields.get(part)
                self.has_default = field is not None and not field.is_required()
                self.types = members(field.annotation) if field else []
            elif inner := [kind for kind in self.types if get_origin(kind) in (dict, list)]:
                if not isinstance(part, int) and get_origin(inner[0]) is list:
                    continue  # the name of a union's member
                self.types = members(get_args(inner[0])[-1])
            else:
                continue
            self.path.append(str(part))
        self.is_name = "[key]" in item["loc"]

    def order(self) -> tuple:
        """Sort the top first; of a place, what is there before what is not, bounds before types."""
        last = (self.kind == "missing", self.kind.endswith("_type"))
        return len(self.path), *last, self.path

    @property
    def key(self) -> str:
        return ".".join(self.path)

    def message(self) -> str:
        match self.kind:
            case "extra_forbidden":
                return self._unknown()
            case "missing":
                field = self.owner.model_fields[self.path[-1]]
                needed = f"source {tag} needs it: " if (tag := _tag(self.owner)) else ""
                return f"key {self.key!r} is missing; {needed}{field.description}"
            case "union_tag_not_found":
                return f"key {_join(self.key, 'source')!r} is missing; allowed: {_or(self._tags())}"
            case "union_tag_invalid":
                return _choice(f"{self.key}.source", self.value.get("source"), self._tags())
            case "literal_error":
                known = [str(name) for kind in self.types for name in get_args(kind)]
                return _choice(self.key, self.value, known + ["null"] * (type(None) in self.types))
        key = f"{self.key} has a name that" if self.is_name else self.key
        return f"{key} = {shown(self.value)} is not allowed; allowed: {self._allowed()}"

    def _unknown(self) -> str:
        name, known = self.path[-1], list(self.owner.model_fields)
        if (tag := _tag(self.owner)) and any(
            name in other.model_fields for other in self.owner.__base__.__subclasses__()
        ):
            own = [key for key in known if key not in self.owner.__base__.model_fields]
            own.remove("source")
            return f"{self.key} does not go with source {tag}; allowed: {', '.join(own)}"
        return f"unknown key {self.key!r}; {choices(name, known)}"

    def _tags(self) -> list[str]:
        return [tag for kind in self.types if (tag := _tag(kind))]

    def _allowed(self) -> str:
        context = self.context
        match self.kind:
            case "problem":
                return context["allowed"]
            case "string_pattern_mismatch":
                return WORDS[context["pattern"]]
            case "string_too_short":
                return "a text that is not empty"
            case "string_too_long":
                return f"a text of at most {context['max_length']} characters"
            case "too_short" | "too_long":
                wanted = context.get("min_length") or context.get("max_length")
                kind = "mapping" if isinstance(self.value, dict) else "list"
                return f"a {kind} that is not empty" if wanted == 1 else f"a {kind} of {wanted}"
        for bound, words in _BOUNDS.items():
            if bound in context:
                return words.format(_plain(context[bound]))
        return f"a value of type {_or(_names(self.types))}{self._hint()}"

    def _hint(self) -> str:
        """Say what YAML made of a value of the wrong type, and how to write it instead."""
        value, wanted = self.value, {_name(kind) for kind in self.types}
        if isinstance(value, str) and wanted & {"integer", "number"} and _is_number(value):
            if "e" in value.lower():
                return "; YAML reads 1e-4 as text, write 1.0e-4"
            return (
                "; write it without quotes (nested values of --config are texts: use --configfile)"
            )
        if isinstance(value, bool):
            quotes = ", use quotes for a text" * ("text" in wanted)
            return f"; YAML reads yes, no, on and off as true and false{quotes}"
        if isinstance(value, float) and value.is_integer() and "integer" in wanted:
            return f"; write {int(value)}"
        if isinstance(value, str) and "list" in wanted:
            return f"; write [{shown(value)[1:-1]}]"
        if isinstance(value, int | float) and "text" in wanted:
            return "; use quotes for a text"
        return "; leave the key out for its default" if value is None and self.has_default else ""


def type_name(annotation: Any) -> str:
    """Return a field's type as people write it in YAML, such as `integer or null`."""
    names = []
    for kind in members(annotation):
        known = get_args(kind) if get_origin(kind) not in (list, dict) else ()
        names += map(str, known) if known else [_name(kind)]
    return _or(list(dict.fromkeys(names)))


def bounds(field: FieldInfo) -> str:
    """Return what a field's numbers or texts are bounded by, in words; empty without bounds."""
    constraints = list(field.metadata)
    for kind in get_args(field.annotation):  # of an alternative to null
        constraints += [c for c in get_args(kind)[1:] if isinstance(c, FieldInfo)]
    flat = [m for c in constraints for m in (c.metadata if isinstance(c, FieldInfo) else [c])]
    found = []
    for bound, words in _BOUNDS.items():
        for constraint in flat:
            value = getattr(constraint, bound, None)
            if value is not None:
                found.append(WORDS[value] if bound == "pattern" else words.format(_plain(value)))
    return ", ".join(found)


def members(annotation: Any) -> list:
    """Return the alternatives of a type, without what bounds them."""
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for member in get_args(annotation) for kind in members(member)]
    return [annotation]


def _name(kind: Any) -> str:
    if kind is type(None):
        return "null"
    if _is_model(kind) or get_origin(kind) is dict:
        return "mapping"
    return _YAML.get(get_origin(kind) or kind, "text")


def _names(types: list) -> list[str]:
    return list(dict.fromkeys(map(_name, types)))


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _tag(kind: Any) -> str | None:
    """Return the `source` of a backbone's model."""
    field = kind.model_fields.get("source") if _is_model(kind) else None
    return get_args(field.annotation)[0] if field else None


def _choice(key: str, value: object, known: list[str]) -> str:
    hint = _nearest(value, known)
    return f"{key} = {shown(value)} is not allowed; {hint}allowed: {_or(known)}"


def _nearest(name: object, known: list[str]) -> str:
    near = difflib.get_close_matches(str(name), known, n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _plain(bound: float) -> str:
    return f"{bound:.12g}"


def _or(names: list[str]) -> str:
    return " or ".join(names)


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
