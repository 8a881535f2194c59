"""A configuration against its JSON schema: defaults filled in, one message for what is wrong."""

import copy
import difflib
import json

import jsonschema


def check_schema(config: dict, schema: dict) -> None:
    """Fill every default into a configuration, in place, and check it.

    Raises:
        ValueError: something is wrong; one message names key, value and what is allowed.
    """
    _fill(config, schema, schema)
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(config), key=_depth)
    if errors:
        raise ValueError(_message(errors[0]))


def choices(name: str, known: list[str]) -> str:
    """List what is allowed, the nearest first in a hint."""
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}allowed: {', '.join(known)}"


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
    if isinstance(value, str) and rule == "type" and _is_number(value):
        hint = "YAML reads 1e-4 as text, write 1.0e-4"
        return f"{key} = {value!r} is text, allowed: {wanted}; {hint}"
    allowed = {
        "type": f"a value of type {' or '.join(wanted) if isinstance(wanted, list) else wanted}",
        "enum": " or ".join(map(str, wanted)) if rule == "enum" else "",
        "minimum": f"at least {wanted}",
        "exclusiveMinimum": f"more than {wanted}",
        "maximum": f"at most {wanted}",
        "exclusiveMaximum": f"less than {wanted}",
        "minLength": "a text that is not empty",
        "minItems": "a list that is not empty" if wanted == 1 else f"a list of {wanted}",
        "maxItems": f"a list of {wanted}",
        "minProperties": "a mapping that is not empty",
        "uniqueItems": "a list without duplicates",
        "pattern": f"a text that matches {wanted}",
    }[rule]
    return f"{key} = {json.dumps(value)} is not allowed; allowed: {allowed}"


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else str(name)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
