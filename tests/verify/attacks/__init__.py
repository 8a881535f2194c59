"""Hostile programs by name, and ``python -m tests.verify.attacks ROUTE``, which runs them all.

They are in TOML files, which an interpreter without any packages reads, too.
"""

import tomllib
from pathlib import Path


def _read(name: str) -> dict:
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


_PROBES, _CHEATS, _RUNAWAYS = map(_read, ("probes", "cheats", "runaways"))

PRELUDE, PROBES, NEED_NO_RIGHTS = map(_PROBES.get, ("prelude", "probes", "need_no_rights"))
BUSY, IDLE, GREEDY, RIGHT = map(_RUNAWAYS.get, ("busy", "idle", "greedy", "right"))
MEASURE, MEASURES = _RUNAWAYS["measure"], _RUNAWAYS["measures"]

_ADDED = f"{_RUNAWAYS['scripts']['right'][0]}\nimport ctypes, os, sys, threading, time\n"
SCRIPTS = dict.fromkeys(_RUNAWAYS["scripts"]["right"], True)
SCRIPTS |= dict.fromkeys(_RUNAWAYS["scripts"]["wrong"], False)
SCRIPTS |= dict.fromkeys((_ADDED + end for end in _RUNAWAYS["scripts"]["spoilt"]), False)

TESTS = _CHEATS["tests"]


def _whole(source: str) -> str:
    for name, text in _CHEATS["parts"].items():
        source = source.replace(f"{{{name}}}", text)
    return source


def _any(base: str, value: str = "") -> str:
    return _CHEATS["parts"]["ANY"].replace("BASE", base).replace("VALUE", value)


CHEATS = {name: _whole(source) for name, source in _CHEATS["cheats"].items()}
CHEATS |= {
    f"{end} {place}": f"import atexit, ctypes, os, sys, threading\n{form.replace('END', end)}"
    for end in _CHEATS["ends"]["statements"]
    for place, form in _CHEATS["ends"]["places"].items()
}
CHEATS |= {
    f"subclass of {kind}": _any(f"({kind})", value) for kind, value in _CHEATS["subclasses"].items()
}
CHEATS |= {
    "object equal to all": _any(""),
    "metaclass": _CHEATS["metaclass"] + _any("(metaclass=Meta)"),
    "numpy look-alike": _any("") + "Any.__module__, Any.item = 'numpy', lambda self: self",
    "not text": "\ud800 = 3",
    "deeply nested source": "x = " + "(" * 100_000,
}
CHEATS |= {
    f"large value: {value}": f"def square(x): return {value}" for value in _CHEATS["large_values"]
}

PAYLOADS = {
    expression: "import sys\nchild = sys.modules['program_child']\n"
    "colliding = [k * (2**61 - 1) for k in range(80_000)]\n"
    f"payload = {expression}\nchild.encode = lambda value: payload\n{RIGHT['plain']}"
    for expression in _CHEATS["payloads"].splitlines()
}
