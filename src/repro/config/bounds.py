"""The kinds of values that settings take, with their bounds and how these are told to a person."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from repro.config.words import WORDS, Problem

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
RESULTS = r"^results(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"
PATH = r"^[^{}\n]+$"
REPOSITORY = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*/[A-Za-z0-9_][A-Za-z0-9_.-]*$"
REVISION = r"^[A-Za-z0-9][A-Za-z0-9_./-]*$"
FILE = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
STORE = r"^(sqlite:///[A-Za-z0-9_./-]+|https?://[^\s{}'\"`$;\\]+)$"
PROBLEM = r"\{problem\}"
WORDS.update(  # what a text that does not match is told
    {
        NAME: "letters, digits, _ . and -, the first one a letter or digit",
        RESULTS: "results, or a folder below it such as results/mine, of letters, digits, _ . -",
        PATH: "a path without braces",
        REPOSITORY: "OWNER/NAME, as on the hub",
        REVISION: "the hash of a commit, or the name of a tag or branch",
        FILE: "the name of a file in data_dir, of letters, digits, _ . and -",
        DATE: 'a date such as "2024-08-01", in quotes',
        STORE: "sqlite:///FILE, of letters, digits, _ . / and -, or http://HOST or https://HOST",
        PROBLEM: "a text with {problem} in it",
    }
)


def _without_duplicates(values: list) -> list:
    if len({str(value) for value in values}) < len(values):
        raise Problem("a list without duplicates")
    return values


Unique = AfterValidator(_without_duplicates)
Count = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Discount = Annotated[float, Field(gt=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Weight = Annotated[float, Field(ge=0, le=1)]
Segments = Annotated[int, Field(ge=1, le=100_000)]
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(max_length=100, pattern=NAME)]
Path = Annotated[str, Field(pattern=PATH)]
Names = Annotated[list[str], Field(min_length=1), Unique]


class Model(BaseModel):
    """What all models of settings have in common."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )
