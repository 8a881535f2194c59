"""The stated numbers (`numbers.yml`), and what was changed for one estimate."""

import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from repro.config.backbones import Backbone
from repro.config.models import Experiment
from repro.config.words import choices

NUMBERS = Path(__file__).with_name("numbers.yml")
NO_GPU = "cpu-core"  # the hardware of jobs that take no GPU

Assumptions = Mapping[str, float]  # by name; those of a kind of backbone are `NAME.KIND`


@functools.cache
def numbers() -> dict:
    """Return the content of `numbers.yml`."""
    return yaml.safe_load(NUMBERS.read_text(encoding="utf-8"))


def kind_of(backbone: Backbone) -> str:
    """Return which lengths are assumed of a backbone's texts."""
    return "tinyworld" if backbone.source == "tinyworld" else "hub"  # or a real one on the disk


def read(config: Experiment, hardware: str, changes: Sequence[str]) -> Assumptions:
    """Return the assumptions that apply to a resolved configuration on a kind of hardware.

    Args:
        config: a resolved configuration.
        hardware: a name in `numbers.yml`.
        changes: other values, `NAME=VALUE` each; without its kind a name means those of all kinds.

    Raises:
        ValueError: unknown hardware, hardware that does not go with `gpus`, a change of a name that
            does not exist or to a value that is not a number above 0.
    """
    stated, known = numbers(), list(numbers()["hardware"])
    if hardware not in known:
        raise ValueError(f"--hardware {hardware}: unknown; {choices(hardware, known)}")
    if (hardware == NO_GPU) != (config.gpus == 0):
        allowed = "a GPU" if config.gpus else NO_GPU
        raise ValueError(
            f"--hardware {hardware} does not go with gpus = {config.gpus}; allowed: {allowed}"
        )
    kinds = {"", *map(kind_of, config.backbones.values())}
    found = dict(stated["hardware"][hardware])
    for name, (value, _) in stated["assumptions"].items():
        if name.partition(".")[2] in kinds:
            found[name] = value
    for change in changes:
        name, _, text = change.rpartition("=")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not name or not 0 < value < math.inf:
            raise ValueError(f"--set {change}: expected NAME=VALUE with a number above 0")
        meant = [one for one in found if name in (one, one.partition(".")[0])]
        if not meant:
            raise ValueError(f"--set {change}: no such assumption; {choices(name, list(found))}")
        found |= dict.fromkeys(meant, value)
    return found


def explain(name: str, value: float, hardware: str) -> str:
    """Return what an assumption is and where it is from."""
    stated, reason = numbers()["assumptions"].get(
        name, (numbers()["hardware"][hardware].get(name), f"of {hardware}")
    )
    return reason if value == stated else f"set by you, {stated:.4g} is stated; {reason}"
