"""YAML files that people write, read strictly: what YAML takes for something else is refused."""

import re
from pathlib import Path

import yaml

_OCTAL = re.compile(r"[-+]?0[0-9_]+")


class _Refused(yaml.constructor.ConstructorError):
    """Valid YAML that is not taken."""


class _Loader(yaml.SafeLoader):
    """Refuses keys that stand there twice and numbers that are not what they look like."""

    def construct_mapping(self, node, deep=False):
        lines = {}
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.value in lines and isinstance(key, yaml.ScalarNode):
                raise _refused(
                    key, f"key {key.value!r} stands in line {lines[key.value]} too; allowed: once"
                )
            lines[str(key.value)] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node):
        if _OCTAL.fullmatch(node.value):
            raise _refused(
                node,
                f"{node.value} is an octal number in YAML; allowed: a number without leading "
                "zeros, or a text in quotes",
            )
        return _not_in_sixties(node, super().construct_yaml_int)

    def construct_yaml_float(self, node):
        return _not_in_sixties(node, super().construct_yaml_float)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def read(path: str | Path) -> dict:
    """Return the mapping that a file holds.

    Raises:
        ValueError: the file cannot be read, is not UTF-8, not YAML or no mapping, or holds a key
            twice or a number that YAML reads in base 8 or 60; the message names file and line.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")  # some editors begin with a mark
        settings = yaml.load(text, _Loader)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; allowed: a YAML file") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise ValueError(
            f"{path}, line {line}: byte 0x{byte:02x} is not UTF-8; allowed: a text in UTF-8"
        ) from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path}{_problem(error)}") from None
    except RecursionError:
        raise ValueError(f"{path}: nested too deeply; allowed: a mapping of settings") from None
    if not isinstance(settings, dict):
        found = "nothing" if settings is None else f"a {type(settings).__name__}"
        raise ValueError(f"{path}: expected a mapping of keys to values, found {found}")
    return settings


def _refused(node: yaml.Node, problem: str) -> _Refused:
    return _Refused(None, None, problem, node.start_mark)


def _not_in_sixties(node: yaml.Node, construct):
    if ":" in node.value:
        raise _refused(
            node,
            f"{node.value} is a number in base 60 in YAML; allowed: a plain number, or a text in "
            "quotes",
        )
    return construct(node)


def _problem(error: yaml.YAMLError) -> str:
    """Say in one line where and what."""
    mark = getattr(error, "problem_mark", None)
    where = f", line {mark.line + 1}" if mark else ""
    said = getattr(error, "problem", None) or " ".join(str(error).split())
    return f"{where}: {said}" if isinstance(error, _Refused) else f"{where}: not valid YAML: {said}"
