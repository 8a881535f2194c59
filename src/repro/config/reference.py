"""Write config/reference.md: every key of a configuration, its type, default and meaning.

`python -m repro.config.reference > config/reference.md`
"""

import json
from collections.abc import Container, Iterator
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from repro.config.models import Experiment
from repro.config.words import bounds, members, type_name

_HEAD = """# Every setting of an experiment

Written from `src/repro/config/models.py` by `python -m repro.config.reference`. Unknown keys are
refused; keys that are left out take their default. A key without a default must be stated.

| key | type | default | meaning |
|---|---|---|---|
"""


def reference() -> str:
    """Return the page as Markdown."""
    rows = (" | ".join(cell.replace("|", r"\|") for cell in row) for row in _rows(Experiment, ""))
    return _HEAD + "".join(f"| {row} |\n" for row in rows)


def _rows(model: type[BaseModel], prefix: str, known: Container[str] = ()) -> Iterator[list[str]]:
    for name, field in model.model_fields.items():
        if name in known:
            continue
        key, inner = f"{prefix}{name}", _models(field)
        meaning = " ".join(field.description.split())
        yield [f"`{key}`", _type(field), "" if inner else _default(field), meaning]
        mapping = any(get_origin(kind) is dict for kind in members(field.annotation))
        below = f"{key}.NAME." if mapping else f"{key}."
        if len(inner) == 1:
            yield from _rows(inner[0], below)
        elif inner:  # the members of a union: what they share first
            shared = inner[0].__base__
            yield from _rows(shared, below)
            for nested in inner:
                for cell, *row in _rows(nested, below, shared.model_fields):
                    yield [f"{cell} (source {_source(nested)})", *row]


def _models(field: FieldInfo) -> list[type[BaseModel]]:
    """Return the models inside a field: one, those of a mapping's values, or a union's."""
    kinds = members(field.annotation)
    for kind in kinds:
        if get_origin(kind) is dict:
            kinds = members(get_args(kind)[1])
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _source(model: type[BaseModel]) -> str:
    return get_args(model.model_fields["source"].annotation)[0]


def _type(field: FieldInfo) -> str:
    allowed = bounds(field)
    return type_name(field.annotation) + (f", {allowed}" if allowed else "")


def _default(field: FieldInfo) -> str:
    return "" if field.default is PydanticUndefined else f"`{json.dumps(field.default)}`"


if __name__ == "__main__":
    print(reference(), end="")
