"""YAML files that people write, read strictly: what YAML takes for something else is refused."""

import re
from pathlib import Path

import yaml


class _Loader(yaml.SafeLoader):
    """Refuses keys that are there twice, and numbers in other bases than ten."""

    def construct_mapping(self, node, deep=False):
        found = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode) and key.value in found:
                self._refuse(key, "is a key that stands there twice; allowed: once")
            found.add(str(key.value))
        return super().construct_mapping(node, deep)

    def construct_number(self, node):
        if ":" in node.value or re.fullmatch(r"[-+]?0[0-9_]+", node.value):
            allowed = "a plain number, or a text in quotes"
            self._refuse(node, f"would be read in base 8 or 60; allowed: {allowed}")
        return yaml.SafeLoader.yaml_constructors[node.tag](self, node)

    def _refuse(self, node, why):
        raise yaml.MarkedYAMLError(problem=f"{node.value} {why}", problem_mark=node.start_mark)


for _kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.construct_number)
# The functions in lm-eval's task files: a name, and nothing is imported.
_Loader.add_constructor("!function", lambda loader, node: node.value)


def read(path: str | Path) -> dict:
    """Return the mapping that a file holds.

    ValueError, with file and line: it cannot be read, is no YAML in UTF-8 or no mapping, or holds a
    key twice or a number that YAML reads in base 8 or 60.
    """
    try:
        settings = yaml.load(Path(path).read_bytes(), _Loader)  # noqa: S506 (a SafeLoader)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; allowed: a YAML file") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise ValueError(f"{path}: expected a mapping of keys to values, found {settings!r:.40}")
    return settings
