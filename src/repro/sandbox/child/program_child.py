"""The child's side of the conversation: run sources, evaluate expressions, send values.

The parent sends requests (a length in four bytes, then a marshalled dictionary), the child answers
in lines: ``ready`` once it is shut in, then for each request ``SECRET VALUE``, where ``SECRET``
came with that request and ``VALUE`` is JSON, ``{"error": ...}`` where it raised. Requests are:

- ``script``: sources to run one after the other as ``__main__``; no answer, the process ends then;
- ``module``: sources to run as an imported module;
- ``setup``: a source to run in that module after adding ``variables``, JSON values;
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
# The standard streams by name: a sandbox has no /proc, to which these names lead.
_STREAMS = {
    name: descriptor
    for descriptor, stream in enumerate(("stdin", "stdout", "stderr"))
    for name in (f"/dev/{stream}", f"/dev/fd/{descriptor}", f"/proc/self/fd/{descriptor}")
}

# What values of some types of the standard library are made from. Only of these very types: a
# subclass can say what it likes.
_VIEWS = {type(view).__name__: type(view) for view in ({}.keys(), {}.values(), {}.items())}
_PARTS = {
    **{("builtins", name): list for name in _VIEWS},
    ("builtins", "range"): lambda value: [value.start, value.stop, value.step],
    ("collections", "Counter"): dict.items,
    ("collections", "OrderedDict"): dict.items,
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
    _write(channel, b"ready\n")
    requests = os.fdopen(channel, "rb", closefd=False)
    while header := requests.read(4):
        data = requests.read(int.from_bytes(header, "big"))
        request = marshal.loads(data)  # noqa: S302 (the parent sent it)
        if "script" in request:
            module.__name__ = "__main__"
            sys.modules["__main__"] = module
            builtins.open = io.open = _open_by_name(io.open)
            try:
                return _execute(request["script"], module)
            except SystemExit:
                return None  # meant to end here, whatever its status: the output counts
        sys.modules[_MODULE] = module
        # Whatever the program raises, SystemExit included, is a result.
        try:
            value = encode(_answer(request, module))
        except BaseException as error:
            value = f'{{"error":{encode_basestring_ascii(type(error).__name__)}}}'
        _write(channel, f"{request['secret']} {value}\n".encode("ascii"))


def encode(value):
    """Return a JSON text of a plain value that keeps its type; anything else is ``other``.

    The built-in types' own methods are called: a subclass with forged ones shows what it holds.
    """
    kinds = type(value).__mro__
    if value is None:
        return "null"
    if bool in kinds:
        return "true" if value else "false"
    if int in kinds:
        return f'{{"int":"{int.__add__(value, 0):x}"}}'
    for kind in (float, complex):
        if kind in kinds:
            return f'{{"{kind.__name__}":"{kind.__repr__(value)}"}}'
    if str in kinds:
        return encode_basestring_ascii(str.__str__(value))
    module, name = type(value).__module__, type(value).__name__
    known = _VIEWS.get(name) or getattr(sys.modules.get(module), name, None)
    if (module, name) in _PARTS and type(value) is known:
        parts = _PARTS[module, name](value)
        return f'{{"{name}":{encode(parts)}}}' if type(parts) is str else _encode_all(name, parts)
    for kind in (bytes, bytearray):
        if kind in kinds:
            return f'{{"bytes":"{kind.hex(value)}"}}'
    for kind in (list, tuple, set, frozenset):
        if kind in kinds:
            return _encode_all(kind.__name__, kind.__iter__(value))
    if dict in kinds:
        return _encode_all("dict", dict.items(value))
    if module == "numpy" and hasattr(value, "item"):
        return encode(value.item())
    return f'{{"other":{encode_basestring_ascii(type(value).__name__)}}}'


def _encode_all(name, items):
    return f'{{"{name}":[{",".join(map(encode, items))}]}}'


def _answer(request, module):
    if "module" in request:
        _execute(request["module"], module)
    elif "setup" in request:
        module.__dict__.update(request["variables"])
        _execute([request["setup"]], module)
    else:
        return eval(request["expression"], module.__dict__)  # noqa: S307 (what this process is for)


def _open_by_name(opens):
    def open(file, *arguments, **named):
        descriptor = _STREAMS.get(str(file))
        return opens(file if descriptor is None else os.dup(descriptor), *arguments, **named)

    return open


def _execute(sources, module):
    for source in sources:
        exec(compile(source, "<program>", "exec"), module.__dict__)  # noqa: S102 (what this process is for)


def _write(channel, data):
    while data:
        data = data[os.write(channel, data) :]
