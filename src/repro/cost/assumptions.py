"""The stated numbers (`numbers.yml`), and what was changed for one estimate."""

import difflib
import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

NUMBERS = Path(__file__).with_name("numbers.yml")
NO_GPU = "cpu-core"  # the hardware of jobs that take no GPU


class Assumptions:
    """The stated numbers, by name, and which of them were asked for.

    Args:
        values: by name; those of a backbone are `NAME.BACKBONE`.
        reasons: what each is and where it is from.
        changes: other values; `NAME` alone changes those of all backbones.

    Raises:
        ValueError: a change of a name that does not exist, or to a value that is not above 0; 0
            is allowed where the stated value is 0.
    """

    def __init__(
        self, values: dict[str, float], reasons: dict[str, str], changes: Mapping[str, float]
    ) -> None:
        self._values, self._reasons = dict(values), dict(reasons)
        self._fixed, self._used = set(), set()
        for change, value in changes.items():
            meant = [name for name in values if change in (name, _general(name))]
            if not meant:
                known = dict.fromkeys([*map(_general, values), *values])
                raise ValueError(f"--set {change}: no such assumption; {choices(change, known)}")
            if not 0 <= value < math.inf or (value == 0 and all(values[n] for n in meant)):
                raise ValueError(f"--set {change}={value:g}: expected a number above 0")
            for name in meant:
                self.replace(name, value, f"set by you; {reasons[name]}")
            self._fixed.update(meant)

    def __getitem__(self, name: str) -> float:
        self._used.add(name)
        return self._values[name]

    def replace(self, name: str, value: float, reason: str) -> None:
        """Take another value, unless it was set by hand."""
        if name not in self._fixed:
            self._values[name], self._reasons[name] = value, reason

    def list_used(self) -> list["Stated"]:
        """Return what was asked for; where all backbones agree, once."""
        groups: dict[str, dict[str, tuple[float, str]]] = {}
        for name, value in self._values.items():
            if name in self._used:
                groups.setdefault(_general(name), {})[name] = value, self._reasons[name]
        found = []
        for general, group in groups.items():
            names = [general] if len(set(group.values())) == 1 else list(group)
            found += [Stated(n, *stated) for n, stated in zip(names, group.values(), strict=False)]
        return found


@dataclass(frozen=True)
class Stated:
    """One assumption, to print."""

    name: str
    value: float
    reason: str


def _general(name: str) -> str:
    """Return an assumption's name without the backbone's."""
    return name.partition(".")[0]


@functools.cache
def numbers() -> dict:
    """Return the content of `numbers.yml`."""
    return yaml.safe_load(NUMBERS.read_text(encoding="utf-8"))


def read(config: dict, hardware: str, changes: Mapping[str, float]) -> Assumptions:
    """Return the assumptions that apply to a resolved configuration on a kind of hardware.

    Raises:
        ValueError: unknown hardware, hardware that does not go with `gpus`, or unknown changes.
    """
    stated, values, reasons = numbers(), {}, {}
    if hardware not in stated["hardware"]:
        known = choices(hardware, stated["hardware"])
        raise ValueError(f"--hardware {hardware}: unknown; {known}")
    if (hardware == NO_GPU) != (config["gpus"] == 0):
        raise ValueError(
            f"--hardware {hardware} does not go with gpus = {config['gpus']}; allowed: "
            + ("a GPU" if config["gpus"] else NO_GPU)
        )
    for name, value in stated["hardware"][hardware].items():
        if name != "is" and value is not None:
            values[name], reasons[name] = value, f"of {hardware}"
    for name, (value, reason) in stated["assumptions"].items():
        if not isinstance(value, dict):
            values[name], reasons[name] = value, reason
            continue
        for backbone, settings in config["backbones"].items():
            kind = "tinyworld" if settings["source"] == "tinyworld" else "hub"  # or a real one here
            values[f"{name}.{backbone}"] = value[kind]
            reasons[f"{name}.{backbone}"] = reason
    return Assumptions(values, reasons, changes)


def choices(name: str, known: Iterable[str]) -> str:
    """List what is allowed, the nearest first in a hint."""
    near = [one for one in known if one.casefold().startswith(name.casefold())]
    near = near or difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}allowed: {', '.join(known)}"
