r"""LaTeX text: balanced groups, one spelling for what looks the same, and splitting at the top."""

import re
import unicodedata
from functools import partial

from repro.verify import patterns

_TABLES = patterns.read("latex")
_RE = patterns.compiled(_TABLES)
_SYMBOLS = str.maketrans(_TABLES["symbols"])
_OPENING = {"(", "[", "{", r"\{", r"\langle", r"\lfloor", r"\lceil"}
_CLOSING = {")", "]", "}", r"\}", r"\rangle", r"\rfloor", r"\rceil"}
_plain = partial(unicodedata.normalize, "NFKC")


def closing_brace(text: str, opening: int) -> int | None:
    r"""Return where the group ends that opens at ``opening``; ``\{`` and ``\}`` are content."""
    depth = 0
    for token in re.compile(r"\\.|[{}]", re.S).finditer(text, opening):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth == 0:
            return token.start()
    return None


def depths(text: str) -> list[int]:
    """Return for each character how many brackets of any kind are open before it."""
    depth, found = 0, []
    for token in _RE.TOKEN.findall(text):
        closes = token in _CLOSING or token.startswith(r"\end")
        depth -= closes
        found += [depth] * len(token)
        depth += token in _OPENING or token.startswith(r"\begin")
    return found


def split(text: str, separator: str | re.Pattern) -> list[str]:
    """Split where ``separator`` matches outside all brackets; its groups are kept as parts."""
    depth, parts, start = depths(text), [], 0
    for match in re.finditer(separator, text):
        if depth[match.start()] == 0:
            parts += [text[start : match.start()], *match.groups()]
            start = match.end()
    return [*parts, text[start:]]


def _unwrap(command: str, content: str) -> str:
    r"""Take off a wrapper that changes looks only; words and units end up in ``\text{}``."""
    inner = content.strip()
    if mathematics := re.fullmatch(r"\$([^$]*)\$|\\\((.*)\\\)", inner, re.S):
        return f"{{{mathematics[1] or mathematics[2]}}}"
    roman, is_text = _RE.ROMAN.fullmatch(command), "text" in command
    is_operator = "operator" in command and _RE.OPERATOR.fullmatch(inner)
    if roman and _RE.FUNCTION.fullmatch(inner) or is_operator:
        return rf"\{inner} "
    if inner in ("i", "e", "") or (inner == "d" and command != r"\text"):
        return inner or " "
    if roman and re.fullmatch(r"\^ ?\\circ *[CF]?", inner):
        return inner
    words = re.fullmatch(r"[^\d\\{}$^_=+*<>|]*", inner) and re.search(r"[A-Za-z]", inner)
    if words and (roman or len(inner) > 1 or is_text):
        return rf"\text{{{content}}}"
    if roman and _RE.UNIT.fullmatch(inner):
        return re.sub(r"(?<![A-Za-z\\])[A-Za-z]+", r"\\text{\g<0>}", content)
    if (roman or is_text) and re.search(r"(?<![A-Za-z\\])[A-Za-z]{2}", inner):
        if number := _RE.NUMBER_OF.fullmatch(inner):
            return rf"{number[1]} \text{{ {number[2]}}}"
        if command == r"\text":
            return rf"\text{{{content}}}"
    return inner if re.fullmatch(r"\w+|(?:[^\w\\]|\\[$%])+", inner) else f"{{{inner}}}"


def spell(text: str) -> str:
    r"""Return LaTeX in one spelling.

    Unicode becomes LaTeX (``½``, ``√2``, ``x²``, full-width digits, thin spaces), commands that
    only change looks go, synonyms become one command, and separators of thousands are taken out.
    """
    text = re.sub("[¼-¾⅐-⅞]", lambda x: rf"\frac{{{_plain(x[0]).replace('⁄', '}{')}}}", text)
    text = re.sub("[⁰¹²³⁴-⁹⁻]+", lambda run: f"^{{{_plain(run[0])}}}", text)
    text = re.sub("[₀-₉]+", lambda run: f"_{{{_plain(run[0])}}}", text)
    text = _plain(text.translate(_SYMBOLS))
    text = _RE.braced(_RE.synonyms(text))
    for wrapper in reversed([*_RE.WRAPPER.finditer(text)]):  # the inner ones first
        closing = closing_brace(text, wrapper.end() - 1)
        if closing is not None:
            new = _unwrap(wrapper[0].rstrip(" {"), text[wrapper.end() : closing])
            text = text[: wrapper.start()] + new + text[closing + 1 :]
    text = _RE.respelled(text).strip()
    depth = depths(re.sub(r"(?<!\\)[{}]", " ", text))  # braces that only group make no lists
    spaced = re.search(r"\d, +\d", text) is not None  # (1,000, 2,000)

    def join_thousands(number: re.Match) -> str:
        listed = depth[number.start()] > 0 and number[1] == "," and not spaced
        return number[0] if listed else number[0].replace(number[1], "")

    return _RE.MIXED.sub(r"\1\\frac{\2}{\3}", _RE.THOUSANDS.sub(join_thousands, text))


def squeeze(text: str) -> str:
    """Return spelled LaTeX without the blanks and groups that carry no meaning."""
    return _RE.squeezed(text)
