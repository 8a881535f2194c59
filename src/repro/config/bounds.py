"""What all settings have in common, and the kinds of texts and lists that they take."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, model_validator

from repro.config import tracking_uri
from repro.config.words import choices
from repro.process_reward.settings import STRICT


class Model(BaseModel):
    """The base of all models of settings."""

    model_config = STRICT

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, given: object) -> object:
        for key in given if isinstance(given, dict) else ():
            if key not in cls.model_fields:
                raise ValueError(f"unknown key {key!r}; {choices(key, cls.model_fields)}")
        return given


def _without_duplicates(values: list) -> list:
    if len({*map(str, values)}) < len(values):
        raise ValueError(f"{values} holds a value twice; allowed: a list without duplicates")
    return values


def _in_order(days: list[str]) -> list[str]:
    try:
        first, last = map(date.fromisoformat, days)
        if first <= last:
            return days
    except ValueError:  # month 13, or not two
        pass
    raise ValueError(f'{days}; allowed: two dates such as "2024-08-01", the earlier one first')


Unique = AfterValidator(_without_duplicates)
Names = Annotated[list[str], Field(min_length=1), Unique]
Window = Annotated[list[str], AfterValidator(_in_order)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Seeds = Annotated[list[Seed], Field(min_length=1), Unique]
Note = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x08\x0e-\x1f]*$")]
Name = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
_PART = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
Results = Annotated[str, Field(pattern=rf"^results(/{_PART})*$", max_length=200)]
_STORE = rf"^(sqlite:///(results|work)(/{_PART})+|http.*)$"
Store = Annotated[str, AfterValidator(tracking_uri.check), Field(pattern=_STORE)]
File = Annotated[str, Field(pattern=f"^{_PART}$", max_length=200)]
Path = Annotated[str, Field(pattern=r"^[^{}\n]+$")]
Repository = Annotated[str, Field(pattern=r"^\w[\w.-]*/\w[\w.-]*$")]
Revision = Annotated[str, Field(pattern=r"^\w[\w./-]*$")]
WithProblem = Annotated[str, Field(pattern=r"\{problem\}")]
