"""YAML files that people write, read strictly: what YAML takes for something else is refused."""

import re
from pathlib import Path

import yaml


class _Loader(yaml.SafeLoader):
    """Refuses, by MarkedYAMLError itself, keys that are there twice, and numbers in other bases."""

    def construct_mapping(self, node, deep=False):
        lines = {}
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.value in lines and isinstance(key, yaml.ScalarNode):
                why = f"key {key.value!r} stands in line {lines[key.value]} too; allowed: once"
                raise yaml.MarkedYAMLError(problem=why, problem_mark=key.start_mark)
            lines[str(key.value)] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)

    def construct_number(self, node):
        octal = re.fullmatch(r"[-+]?0[0-9_]+", node.value)
        if octal or ":" in node.value:
            what = "an octal number" if octal else "a number in base 60"
            why = f"{node.value} is {what} in YAML; allowed: a plain number, or a text in quotes"
            raise yaml.MarkedYAMLError(problem=why, problem_mark=node.start_mark)
        return yaml.SafeLoader.yaml_constructors[node.tag](self, node)


for _kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.construct_number)


def read(path: str | Path) -> dict:
    """Return the mapping that a file holds.

    ValueError, with file and line: it cannot be read, is not UTF-8, not YAML or no mapping, or
    holds a key twice or a number that YAML reads in base 8 or 60.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")  # some editors begin with a mark
        settings = yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror.lower()}; allowed: a YAML file") from None
    except UnicodeDecodeError as error:
        line, byte = error.object.count(b"\n", 0, error.start) + 1, error.object[error.start]
        raise ValueError(f"{path}, line {line}: byte 0x{byte:02x} is not UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else path
        why = getattr(error, "problem", None) or " ".join(str(error).split())
        kind = "" if type(error) is yaml.MarkedYAMLError else "not valid YAML: "
        raise ValueError(f"{where}: {kind}{why}") from None
    except RecursionError:
        raise ValueError(f"{path}: nested too deeply; allowed: a mapping of settings") from None
    if not isinstance(settings, dict):
        found = "nothing" if settings is None else f"a {type(settings).__name__}"
        raise ValueError(f"{path}: expected a mapping of keys to values, found {found}")
    return settings
