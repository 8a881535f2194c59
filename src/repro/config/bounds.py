"""What all settings have in common, and the kinds of texts and lists that they take."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from repro.config import tracking_uri
from repro.process_reward.settings import STRICT


class Model(BaseModel):
    """The base of all models of settings."""

    model_config = STRICT


def _text(pattern: str, words: str, **bounds: int) -> type[str]:
    """Return the type of a text that matches a pattern; `words` tell a person which texts do."""
    return Annotated[str, Field(pattern=pattern, json_schema_extra={"words": words}, **bounds)]


def _without_duplicates(values: list) -> list:
    if len({*map(str, values)}) < len(values):
        raise ValueError("a list without duplicates")
    return values


def _in_order(days: list[str]) -> list[str]:
    try:
        first, last = map(date.fromisoformat, days)
        if first <= last:
            return days
    except ValueError:  # month 13, or not two
        pass
    raise ValueError('two dates such as "2024-08-01", the earlier one first')


Unique = AfterValidator(_without_duplicates)
Names = Annotated[list[str], Field(min_length=1), Unique]
Window = Annotated[list[str], AfterValidator(_in_order)]
Store = Annotated[str, AfterValidator(tracking_uri.check)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Seeds = Annotated[list[Seed], Field(min_length=1), Unique]
NAME = "[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
NAME_WORDS = "letters, digits, _ . and -, the first one a letter or digit, at most 100 characters"
Name = _text(f"^{NAME}$", NAME_WORDS)
_PART = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
Results = _text(
    rf"^results(/{_PART})*$",
    "results, or a folder below it such as results/mine, of letters, digits, _ . -",
    max_length=200,
)
_FILE = "the name of a file in data_dir, of letters, digits, _ . and -"
File = _text(rf"^{_PART}$", _FILE, max_length=200)
Path = _text(r"^[^{}\n]+$", "a path without braces")
Repository = _text(r"^\w[\w.-]*/\w[\w.-]*$", "OWNER/NAME, as on the hub")
Revision = _text(r"^\w[\w./-]*$", "the hash of a commit, or the name of a tag or branch")
WithProblem = _text(r"\{problem\}", "a text with {problem} in it")
