"""One message for what is wrong with settings: key, value, what is allowed, and a hint."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

DEPTH = 20  # of keys in keys: more is a mapping that holds itself
LARGEST = 2**53  # beyond it a float has no place after the point, and some libraries overflow
NAME, ITEM = "NAME", "ITEM"  # in a place: any value of a mapping, of a list
SOURCE = "(source {})"  # in a place: a member of the union of backbones
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?", re.IGNORECASE)
# Of JSON Schema, in the words of YAML; a type that is missing here is called the same in both.
_TYPES = {"string": "text", "array": "list", "object": "mapping"}
_BOUNDS = {
    "minimum": "at least {:.12g}",
    "exclusiveMinimum": "more than {:.12g}",
    "maximum": "at most {:.12g}",
    "exclusiveMaximum": "less than {:.12g}",
    **dict.fromkeys(("minLength", "minItems", "minProperties"), "not empty"),
    "maxLength": "at most {} characters",
    "words": "{}",
}
Settings = TypeVar("Settings")


def validate(value: object, kind: type[Settings], name: str = "") -> Settings:
    """Return settings of a kind, a model or a union of such, made of a mapping or of JSON's text.

    ValueError: one message names the key that lies nearest to the top, behind `name` if that is
    given, its value and what is allowed.
    """
    adapter = TypeAdapter(kind)
    try:
        if isinstance(value, str | bytes):
            return adapter.validate_json(value)
        return adapter.validate_python(value)
    except ValidationError as error:
        schema, found = adapter.json_schema(), error.errors(include_url=False)
    places = dict(index(schema, schema))
    first = min((_Found(item, places, name) for item in found), key=_Found.order)
    raise ValueError(first.message())


def choices(name: object, known: Iterable[str], separator: str = ", ") -> str:
    """List what is allowed, the nearest first in a hint."""
    known = list(map(str, known))
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}allowed: {separator.join(known)}"


def shown(value: object) -> str:
    """Return a value in one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 120 else f"{text[:120]}..."


def check_plain(value: object, *path: str) -> None:
    """Refuse, by ValueError, what YAML can say and a setting cannot be, at every level.

    That is a key that is no text, a date, a control character, a number beyond 2^53, a cycle.
    """
    if len(path) > DEPTH:
        raise ValueError(f"{'.'.join(path[:3])}... is nested too deeply; allowed: {DEPTH} levels")
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            below = *path, str(name)
            if isinstance(value, dict) and not (isinstance(name, str) and name.isprintable()):
                raise ValueError(
                    f"unknown key {'.'.join(below)!a}, which is no text in one line; allowed: "
                    "texts, in quotes where YAML reads a number, a date, yes, no, on or off"
                )
            check_plain(inner, *below)
        return
    if isinstance(value, str) and (wrong := _CONTROL.search(value)):
        allowed = f"a text without the control character {wrong.group()!a}"
    elif isinstance(value, int | float) and LARGEST < abs(value) < float("inf"):
        allowed = "at most 2^53"
    elif not isinstance(value, str | bool | int | float | None):
        allowed = f"a text in quotes, because YAML reads it as a {type(value).__name__}"
    else:
        return
    raise ValueError(f"{'.'.join(path)} = {shown(value)} is not allowed; allowed: {allowed}")


def index(node: dict, schema: dict, at: tuple = ()) -> Iterator[tuple[tuple[str, ...], dict]]:
    """Yield each place of a JSON Schema, a path of keys, and its node with its `options`."""
    options = _options(node, schema)
    yield at, {**node, "options": options}
    for option in options:
        below = dict(option.get("properties", {}))
        if len(options) > 1 and (source := source_of(option)):
            below = {SOURCE.format(source): option}
        elif option.get("additionalProperties"):
            below[NAME] = option["additionalProperties"]
        if "items" in option:
            below[ITEM] = option["items"]
        for name, inner in below.items():
            yield from index(inner, schema, (*at, name))


def describe(node: dict) -> str:
    """Return a setting's type and bounds as people write it in YAML, as `integer, at least 1`."""
    listed = _listed(node)
    options = [one for one in node["options"] if not listed or one["type"] in ("integer", "number")]
    if not options:
        return " or ".join(listed)
    types = [_TYPES.get(option["type"], option["type"]) for option in options]
    bounds = [
        words.format(option[bound])
        for option in options + [option["items"] for option in options if "items" in option]
        for bound, words in _BOUNDS.items()
        if bound in option
    ]
    types = [" or ".join(dict.fromkeys([*types, *listed]))]
    return ", ".join([*types, *dict.fromkeys(bounds)])


def meaning(node: dict) -> str:
    """Return what a setting is, in one line; a section says it itself."""
    return " ".join((node.get("description") or node["options"][0].get("description", "")).split())


def source_of(node: dict) -> str | None:
    """Return the `source` that a member of the union of backbones is for."""
    return node.get("properties", {}).get("source", {}).get("const")


class _Found:
    """One error of pydantic, with the place in the JSON Schema where it is."""

    def __init__(self, item: dict, places: dict[tuple, dict], name: str) -> None:
        self.kind, self.value = item["type"], item["input"]
        self.said = str(item.get("ctx", {}).get("error", ""))  # what a validator raised
        self.at, self.path, self.places = (), [name] if name else [], places
        for part in item["loc"]:
            steps = (part, SOURCE.format(part), ITEM if isinstance(part, int) else NAME)
            step = next((step for step in steps if (*self.at, step) in places), None)
            self.at += () if step is None else (step,)  # None: a type's name, or an unknown key
            if step in (part, ITEM, NAME) or (step is None and self.kind == "extra_forbidden"):
                self.path.append(str(part))
        self.key, self.node = ".".join(self.path), places[self.at]

    def order(self) -> tuple:
        """Sort the top first; of a place, what is there before what is not, bounds before types."""
        last = (self.kind == "missing", self.kind.endswith("_type"))
        return len(self.path), *last, self.path

    def message(self) -> str:
        sources = list(filter(None, map(source_of, self.node["options"])))
        key, value, allowed = self.key, shown(self.value), ""
        match self.kind:
            case "extra_forbidden":
                return self._unknown()
            case "missing":
                source = source_of(self.places[self.at[:-1]]["options"][0])
                needed = f"source {source} needs it: " if source else ""
                return f"key {key!r} is missing; {needed}{meaning(self.node)}".rstrip("; ")
            case "union_tag_not_found":
                return f"key '{key}.source' is missing; allowed: {' or '.join(sources)}"
            case "json_invalid":
                return f"not valid JSON ({self.said})"
            case "value_error" if "allowed: " in self.said:  # it begins with the name of its key
                above = self.path[: -1 if self.said.startswith(self.path[-1]) else None]
                return ".".join([*above, self.said])
            case "union_tag_invalid":
                key, value = f"{key}.source", shown(self.value["source"])
                allowed = choices(self.value["source"], sources, " or ")
            case "literal_error":
                allowed = choices(self.value, _listed(self.node), " or ")
                allowed += " or a whole number" * any(
                    option.get("type") == "integer" for option in self.node["options"]
                )
            case "finite_number":
                value, allowed = self.value, "allowed: a finite number"
        described = self.said or f"a value of type {describe(self.node)}{self._hint()}"
        return f"{key} = {value} is not allowed; {allowed or f'allowed: {described}'}"

    def _unknown(self) -> str:
        name, known = self.path[-1], list(self.node["options"][0]["properties"])
        if source := source_of(self.node):
            every = [one["properties"] for one in self.places[self.at[:-1]]["options"]]
            own = [key for key in known if not all(key in keys for keys in every)]
            if any(name in keys for keys in every):
                return f"{self.key} does not go with source {source}; allowed: {', '.join(own)}"
        return f"unknown key {self.key!r}; {choices(name, known)}"

    def _hint(self) -> str:
        """Say what YAML made of a value of the wrong type, and how to write it instead."""
        value, wanted = self.value, describe(self.node)
        match value:
            case None if "default" in self.node:
                return "; leave the key out for its default"
            case bool():
                quotes = ", use quotes for a text" * wanted.startswith("text")
                return f"; YAML reads yes, no, on and off as true and false{quotes}"
            case str() if wanted[:3] in ("int", "num") and _NUMBER.fullmatch(value):
                if "e" in value.lower():
                    return "; YAML reads 1e-4 as text, write 1.0e-4"
                how = "nested values of --config are texts: use --configfile"
                return f"; write it without quotes ({how})"
            case str() if wanted.startswith("list"):
                return f"; write [{shown(value)[1:-1]}]"
            case float() if value.is_integer() and wanted.startswith("integer"):
                return f"; write {int(value)}"
            case int() | float() if wanted.startswith("text"):
                return "; use quotes for a text"
        return ""


def _options(node: dict, schema: dict) -> list[dict]:
    """Return the alternatives of a node; most have one."""
    if "$ref" in node:
        return _options(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    options = node.get("anyOf") or node.get("oneOf")
    return [one for option in options for one in _options(option, schema)] if options else [node]


def _listed(node: dict) -> list[str]:
    found = [value for option in node["options"] for value in option.get("enum", [])]
    found += [option["const"] for option in node["options"] if "const" in option]
    return found + ["null"] * any(found and one["type"] == "null" for one in node["options"])
