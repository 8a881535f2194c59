"""A configuration against its JSON schema: defaults filled in, one message for what is wrong."""

import copy
import difflib
import json
import math
import re

import jsonschema

DEPTH = 20  # of keys in keys: more is a mapping that holds itself
LARGEST = 2**53  # beyond it a float has no place after the point, and some libraries overflow
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NAMES = {"object": "mapping", "array": "list", "string": "text"}  # of the schema's types, in YAML


def check_schema(config: dict, schema: dict) -> None:
    """Fill every default into a configuration, in place, and check it.

    Raises:
        ValueError: something is wrong; one message names key, value and what is allowed.
    """
    if not isinstance(config, dict):
        raise ValueError(f"{shown(config)} is not allowed; allowed: a mapping of settings")
    _check_plain(config, ())
    _fill(config, schema, schema)
    errors = sorted(_Validator(schema).iter_errors(config), key=_depth)
    if errors:
        raise ValueError(_message(errors[0]))


def choices(name: str, known: list[str]) -> str:
    """List what is allowed, the nearest first in a hint."""
    return f"{_nearest(name, known)}allowed: {', '.join(known)}"


def shown(value: object) -> str:
    """Return a value in one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 120 else f"{text[:120]}..."


def _check_plain(value: object, path: tuple[str, ...]) -> None:
    """Refuse what YAML can say and a setting cannot be, at every level."""
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
            _check_plain(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _check_plain(inner, (*path, str(number)))
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


def _fill(value, schema: dict, root: dict) -> None:
    """Fill defaults into a mapping, at every level of the schema."""
    if not isinstance(value, dict):
        return  # a wrong type: validation will say so
    schema = _dereference(schema, root)
    for key, sub in schema.get("properties", {}).items():
        if key not in value and "default" in _dereference(sub, root):
            value[key] = copy.deepcopy(_dereference(sub, root)["default"])
        if key in value:
            _fill(value[key], sub, root)
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        for key in value.keys() - schema.get("properties", {}).keys():
            _fill(value[key], others, root)


def _dereference(schema: dict, root: dict) -> dict:
    if "$ref" not in schema:
        return schema
    return root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]


def _matches(validator, pattern: str, value: object, schema: dict):
    """JSON Schema's `pattern`: its $ is the very end, Python's also stands before a line feed."""
    if isinstance(value, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {"pattern": _matches},
    # JSON Schema takes 8.0 for an integer; what counts tokens and steps does not.
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def _depth(error: jsonschema.ValidationError):
    return len(error.absolute_path), list(map(str, error.absolute_path))


def _message(error: jsonschema.ValidationError) -> str:
    """Say one schema error with key, value and what is allowed."""
    key = ".".join(map(str, error.absolute_path))
    rule, wanted, value = error.validator, error.validator_value, error.instance
    if rule == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = sorted(value.keys() - known)[0]
        return f"unknown key {_join(key, unknown)!r}; {choices(unknown, known)}"
    if rule == "required":
        missing = next(name for name in wanted if name not in value)
        description = error.schema["properties"][missing]["description"]
        return f"key {_join(key, missing)!r} is missing; {description}"
    if "propertyNames" in error.absolute_schema_path:
        key += " has a name that"
    if rule == "enum":
        known = ["null" if name is None else str(name) for name in wanted]
        hint = _nearest(value, known)
        return f"{key} = {shown(value)} is not allowed; {hint}allowed: {_or(known)}"
    allowed = {
        "type": lambda: f"a value of type {_types(wanted)}{_hint(value, wanted, error.schema)}",
        "minimum": lambda: f"at least {wanted}",
        "exclusiveMinimum": lambda: f"more than {wanted}",
        "maximum": lambda: f"at most {wanted}",
        "exclusiveMaximum": lambda: f"less than {wanted}",
        "minLength": lambda: "a text that is not empty",
        "maxLength": lambda: f"a text of at most {wanted} characters",
        "minItems": lambda: "a list that is not empty" if wanted == 1 else f"a list of {wanted}",
        "maxItems": lambda: f"a list of {wanted}",
        "minProperties": lambda: "a mapping that is not empty",
        "uniqueItems": lambda: "a list without duplicates",
        "pattern": lambda: error.schema.get("allowed", f"a text that matches {wanted}"),
    }[rule]()
    return f"{key} = {shown(value)} is not allowed; allowed: {allowed}"


def _types(wanted: str | list[str]) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    return _or([_NAMES.get(name, name) for name in names])


def _hint(value: object, wanted: str | list[str], schema: dict) -> str:
    """Say what YAML made of a value of the wrong type, and how to write it instead."""
    wanted = {wanted} if isinstance(wanted, str) else {*wanted}
    if isinstance(value, str) and wanted & {"integer", "number"} and _is_number(value):
        if "e" in value.lower():
            return "; YAML reads 1e-4 as text, write 1.0e-4"
        return "; write it without quotes (nested values of --config are texts: use --configfile)"
    if isinstance(value, bool):
        quotes = ", use quotes for a text" * ("string" in wanted)
        return f"; YAML reads yes, no, on and off as true and false{quotes}"
    if isinstance(value, float) and value.is_integer() and "integer" in wanted:
        return f"; write {int(value)}"
    if isinstance(value, str) and "array" in wanted:
        return f"; write [{shown(value)[1:-1]}]"
    if isinstance(value, int | float) and "string" in wanted:
        return "; use quotes for a text"
    if value is None and "default" in schema:
        return "; leave the key out for its default"
    return ""


def _nearest(name: object, known: list[str]) -> str:
    near = difflib.get_close_matches(str(name), known, n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _or(names: list[str]) -> str:
    return " or ".join(names)


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else str(name)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
