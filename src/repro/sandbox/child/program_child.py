"""The child's side of the conversation: run sources, evaluate expressions, send values.

The parent sends requests (a length in four bytes, then a marshalled dictionary), the child answers
in lines: ``ready`` once it is shut in, then for each request ``SECRET VALUE``, where ``SECRET``
came with that request and ``VALUE`` is JSON, ``{"error": ...}`` where it raised. Requests are:

- ``script``: sources to run one after the other as ``__main__``; no answer, the process ends then;
- ``module``: sources to run as an imported module, after adding ``variables``, JSON values, to it;
- ``expression``: a source to evaluate in that module.
"""

import builtins
import io
import marshal
import os
import sys

# The packages site and json would add 4 and 9 ms to the start of every program.
from _json import encode_basestring_ascii
from _sitebuiltins import Quitter

_MODULE = "program"
_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}  # links to /proc, which is missing
_OPEN = io.open

# JSON text by type, made by its own methods: a subclass with forged ones shows what it holds.
_WRITERS = {
    type(None): lambda value: "null",
    bool: lambda value: "true" if value else "false",
    int: lambda value: f'{{"int":"{int.__add__(value, 0):x}"}}',
    float: lambda value: f'{{"float":"{float.__repr__(value)}"}}',
    complex: lambda value: f'{{"complex":"{complex.__repr__(value)}"}}',
    str: lambda value: encode_basestring_ascii(str.__str__(value)),
    bytes: lambda value: f'{{"bytes":"{bytes.hex(value)}"}}',
    bytearray: lambda value: f'{{"bytes":"{bytearray.hex(value)}"}}',
    dict: lambda value: _encode_all("dict", dict.items(value)),
    range: lambda value: _encode_all("range", (value.start, value.stop, value.step)),
}
# These are encoded as what their own method iterates over.
_CONTAINERS = {list, tuple, set, frozenset, type({}.keys()), type({}.values()), type({}.items())}
# What values of these very types are made from; a subclass can say what it likes.
_PARTS = {
    **dict.fromkeys([("collections", "Counter"), ("collections", "OrderedDict")], dict.items),
    ("collections", "deque"): list,
    ("decimal", "Decimal"): str,
    ("fractions", "Fraction"): lambda value: [value.numerator, value.denominator],
}


def serve(channel: int) -> None:
    """Say ``ready``, then answer requests on ``channel`` until the parent closes it."""
    builtins.exit, builtins.quit = Quitter("exit", "Ctrl-D"), Quitter("quit", "Ctrl-D")
    sys.argv = ["program.py"]
    os.set_inheritable(channel, False)
    # Until here standard error went to the parent, who shows it where the start fails.
    with open(os.devnull, "wb") as null:
        os.dup2(null.fileno(), 2)
    module = type(sys)(_MODULE)
    requests, answers = (os.fdopen(channel, mode, closefd=False) for mode in ("rb", "wb"))
    _write(answers, "ready")
    while header := requests.read(4):
        data = requests.read(int.from_bytes(header, "big"))
        request = marshal.loads(data)  # noqa: S302 (the parent sent it)
        if "script" in request:
            module.__name__ = "__main__"
            sys.modules["__main__"] = module
            builtins.open = io.open = _open
            try:
                return _execute(request["script"], module)
            except SystemExit:
                return None  # meant to end here, whatever its status: the output counts
        sys.modules[_MODULE] = module
        # Whatever the program raises, SystemExit included, is a result.
        try:
            if "module" in request:
                module.__dict__.update(request["variables"])
                value = encode(_execute(request["module"], module))
            else:
                value = encode(eval(request["expression"], module.__dict__))  # noqa: S307
        except BaseException as error:
            value = f'{{"error":{encode_basestring_ascii(type(error).__name__)}}}'
        _write(answers, f"{request['secret']} {value}")


def encode(value):
    """Return a JSON text of a plain value that keeps its type; anything else is ``other``."""
    kind = type(value)
    module, name = kind.__module__, kind.__name__
    if (module, name) in _PARTS and kind is getattr(sys.modules.get(module), name, None):
        parts = _PARTS[module, name](value)
        return f'{{"{name}":{encode(parts)}}}' if type(parts) is str else _encode_all(name, parts)
    for above in kind.__mro__:
        if above in _WRITERS:
            return _WRITERS[above](value)
        if above in _CONTAINERS:
            return _encode_all(above.__name__, above.__iter__(value))
    if module == "numpy" and hasattr(value, "item"):
        return encode(value.item())
    return f'{{"other":{encode_basestring_ascii(name)}}}'


def _encode_all(name, items):
    return f'{{"{name}":[{",".join(map(encode, items))}]}}'


def _open(file, *arguments, **named):
    descriptor = _STREAMS.get(str(file))
    return _OPEN(file if descriptor is None else os.dup(descriptor), *arguments, **named)


def _execute(sources, module):
    for source in sources:
        exec(compile(source, "<program>", "exec"), module.__dict__)  # noqa: S102 (what this process is for)


def _write(answers, line):
    answers.write(f"{line}\n".encode("ascii"))
    answers.flush()
