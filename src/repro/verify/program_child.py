"""The process in which a model-written program runs. Imports nothing of repro.

Started by a runner with the number of a descriptor that holds the job (JSON):

- ``prelude``, ``program``, ``setup``: sources, executed in this order in one module;
- ``variables``: JSON values put into that module;
- ``expressions``: sources evaluated afterwards. Each value goes to standard output as one line of
  JSON, ``{"error": ...}`` where it raised; what the program prints is dropped. Where the key is
  absent the program is a script: it gets standard input and its prints are the output.

The expected values are never sent here, so nothing this process does can compare them.
"""

import json
import os
import resource
import sys
import types


def encode(value):
    """Return a JSON form of a plain value that keeps its type; anything else is ``other``.

    Works on the built-in type's own methods, so that a subclass with a forged ``__eq__``,
    ``__repr__`` or ``__iter__`` shows the value it really holds.
    """
    kinds = type(value).__mro__
    if value is None or bool in kinds:
        return value
    if int in kinds:
        return {"int": hex(int.__add__(value, 0))}
    if float in kinds:
        return {"float": float.__repr__(value)}
    if complex in kinds:
        return {"complex": [repr(part) for part in (value.real, value.imag)]}
    if str in kinds:
        return str.__str__(value)
    for kind in (bytes, bytearray):
        if kind in kinds:
            return {"bytes": kind.hex(value)}
    for kind in (list, tuple, set, frozenset):
        if kind in kinds:
            return {kind.__name__: [encode(item) for item in kind.__iter__(value)]}
    if dict in kinds:
        return {"dict": [[encode(key), encode(item)] for key, item in dict.items(value)]}
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        return encode(value.item())
    return {"other": type(value).__name__}


def _limit(limits: dict) -> None:
    wall_s = int(limits["wall_s"]) + 1
    for kind, wanted in (
        (resource.RLIMIT_CPU, wall_s),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (value, value))


def main() -> None:
    """Run the job whose descriptor is ``argv[1]``."""
    with open(int(sys.argv[1]), encoding="utf-8") as file:
        job = json.load(file)
    expressions = job.get("expressions")
    script = expressions is None
    sys.argv = ["program.py"]
    dumps = json.dumps
    if not script:
        # The results leave through a private copy of standard output; prints go nowhere.
        results = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit(job["limits"])
    module = types.ModuleType("__main__" if script else "program")
    sys.modules[module.__name__] = module
    for name in ("prelude", "program"):
        exec(compile(job.get(name, ""), f"<{name}>", "exec"), module.__dict__)
    if script:
        return
    module.__dict__.update(job.get("variables", {}))
    exec(compile(job.get("setup", ""), "<setup>", "exec"), module.__dict__)
    for expression in expressions:
        try:
            line = encode(eval(expression, module.__dict__))
        # The program under test may raise anything, SystemExit included; that is a result.
        except BaseException as error:
            line = {"error": type(error).__name__}
        results.write(dumps(line) + "\n")
        results.flush()


if __name__ == "__main__":
    main()
