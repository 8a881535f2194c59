"""Configuration files as Snakemake reads them, for the commands that take a whole experiment."""

import functools
from pathlib import Path

from repro.config import settings
from repro.files import strict_yaml


def read(*files: str | Path) -> dict:
    """Return the resolved configuration of an experiment.

    Args:
        files: where there are several, later ones change what earlier ones say.

    Raises:
        ValueError: a file is not there, is no YAML, or something in it is wrong.
    """
    config = functools.reduce(_merged, map(strict_yaml.read, files))
    return settings.resolve(config, " + ".join(map(str, files)))


def _merged(config: dict, changes: dict) -> dict:
    """Return a configuration with the changes of another file, as `snakemake --configfile A B`."""
    both = {
        key: _merged(config[key], value)
        for key, value in changes.items()
        if isinstance(value, dict) and isinstance(config.get(key), dict)
    }
    return {**config, **changes, **both}
