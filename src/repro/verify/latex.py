r"""LaTeX text: balanced groups, one spelling for what looks the same, and splitting at the top."""

import re
import tomllib
import unicodedata
from functools import partial
from pathlib import Path


def closing_brace(text: str, opening: int) -> int | None:
    r"""Return where the group ends that opens at ``opening``; ``\{`` and ``\}`` are content."""
    depth = 0
    for token in re.compile(r"\\.|[{}]", re.S).finditer(text, opening):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth == 0:
            return token.start()
    return None


_TOKEN = re.compile(r"\\begin *\{\w+\*?\}|\\end *\{\w+\*?\}|\\[A-Za-z]+|\\.|.", re.S)
_OPENING = {"(", "[", "{", r"\{", r"\langle", r"\lfloor", r"\lceil"}
_CLOSING = {")", "]", "}", r"\}", r"\rangle", r"\rfloor", r"\rceil"}


def depths(text: str) -> list[int]:
    """Return for each character how many brackets of any kind are open before it."""
    depth, found = 0, []
    for token in _TOKEN.findall(text):
        closes = token in _CLOSING or token.startswith(r"\end")
        depth -= closes
        found += [depth] * len(token)
        depth += token in _OPENING or token.startswith(r"\begin")
    return found


def split(text: str, separator: str) -> list[str]:
    """Split where ``separator`` matches outside all brackets; its groups are kept as parts."""
    depth, parts, start = depths(text), [], 0
    for match in re.finditer(separator, text):
        if depth[match.start()] == 0:
            parts += [text[start : match.start()], *match.groups()]
            start = match.end()
    return [*parts, text[start:]]


_STYLE = (
    r"\\(?:boldsymbol|bm|pmb|math(?:bf|it|sf|tt|scr|normal|ord|op|bin|rel)|text(?:bf|it|sf|tt|sc)"
    r"|emph|underline|uline|ensuremath|mathstrut|[fm]box|hbox|smash|(?:text)?color *(?:\[\w+\])?"
    r" *\{[^{}]*\})"
)
_ROMAN = r"\\(?:text(?:rm|normal|up|md)?|mathrm|operatorname\*?|mbox)"
_WRAPPER = re.compile(rf"(?:{_STYLE}|{_ROMAN}) *\{{")
_BARE_WRAPPER = re.compile(rf"({_STYLE}|{_ROMAN}) +([A-Za-z0-9])(?![A-Za-z0-9])")
_FUNCTION = re.compile(r"(?:arc)?(?:sin|cos|tan|cot|csc)h?|arcsec|log|ln|exp|gcd|lcm|det|lim")
_OPERATOR = re.compile(r"max|min|sec|deg|dim|ker")  # words that are units, too
_UNIT_WORD = r"(?:[kcmd]?m|[km]?g|ft|in|yd|s|h|hr|[A-Za-z]{4,})(?: ?\^ ?(?:\d|\{-?\d\}))?"
_UNIT = re.compile(rf"(?:~|\\[,; ]| )*{_UNIT_WORD}(?:(?:[ ~/.]|\\[,; ]|\\cdot)+{_UNIT_WORD})*")
_NUMBER_OF = re.compile(r"(\\?[$€£]?-?[\d.,/]+\\?%?) +([A-Za-z][A-Za-z .]*)")


def _unwrap(command: str, content: str) -> str:
    r"""Take off a wrapper that changes looks only; words and units end up in ``\text{}``."""
    inner = content.strip()
    if mathematics := re.fullmatch(r"\$([^$]*)\$|\\\((.*)\\\)", inner, re.S):
        return f"{{{mathematics[1] or mathematics[2]}}}"
    roman, is_text = re.fullmatch(_ROMAN, command), "text" in command
    if roman and _FUNCTION.fullmatch(inner) or "operator" in command and _OPERATOR.fullmatch(inner):
        return rf"\{inner} "
    if inner in ("i", "e", "") or (inner == "d" and command != r"\text"):
        return inner or " "
    if roman and re.fullmatch(r"\^ ?\\circ *[CF]?", inner):
        return inner
    words = re.fullmatch(r"[^\d\\{}$^_=+*<>|]*", inner) and re.search(r"[A-Za-z]", inner)
    if words and (roman or len(inner) > 1 or is_text):
        return rf"\text{{{content}}}"
    if roman and _UNIT.fullmatch(inner):
        return re.sub(r"(?<![A-Za-z\\])[A-Za-z]+", r"\\text{\g<0>}", content)
    if (roman or is_text) and re.search(r"(?<![A-Za-z\\])[A-Za-z]{2}", inner):
        if number := _NUMBER_OF.fullmatch(inner):
            return rf"{number[1]} \text{{ {number[2]}}}"
        if command == r"\text":
            return rf"\text{{{content}}}"
    return inner if re.fullmatch(r"\w+|(?:[^\w\\]|\\[$%])+", inner) else f"{{{inner}}}"


_TABLES = tomllib.loads(Path(__file__).with_name("latex.toml").read_text(encoding="utf-8"))
_SYMBOLS = str.maketrans(_TABLES["symbols"])
_SYNONYMS = {n: command for command, names in _TABLES["synonyms"].items() for n in names.split()}
_SYNONYM = re.compile(rf"\\({'|'.join(_SYNONYMS)})(?![A-Za-z])\s*")
_ONE_SPELLING = [
    (re.compile(pattern.replace("\n", "")), new) for pattern, new in _TABLES["one_spelling"]
]
_plain = partial(unicodedata.normalize, "NFKC")
# 1,234 and 1 234 are numbers unless brackets make them lists; the separator stays the same.
_THOUSANDS = re.compile(r"(?<![\d.,_^])\d{1,3}([, ])\d{3}(?:\1\d{3})*(?!\d|\1\d)")
_MIXED = re.compile(r"(?<![\d/^_{.])(\d+) (\d+)/(\d+)(?!\d)")


def spell(text: str) -> str:
    r"""Return LaTeX in one spelling.

    Unicode becomes LaTeX (``½``, ``√2``, ``x²``, full-width digits, thin spaces), commands that
    only change looks go, synonyms become one command, and separators of thousands are taken out.
    """
    text = re.sub("[¼-¾⅐-⅞]", lambda x: rf"\frac{{{_plain(x[0]).replace('⁄', '}{')}}}", text)
    text = re.sub("[⁰¹²³⁴-⁹⁻]+", lambda run: f"^{{{_plain(run[0])}}}", text)
    text = re.sub("[₀-₉]+", lambda run: f"_{{{_plain(run[0])}}}", text)
    text = _plain(text.translate(_SYMBOLS))
    text = _SYNONYM.sub(lambda command: _SYNONYMS[command[1]], text)
    text = re.sub(r"\{ *\\(rm|bf|it|sf|tt) +", r"\\math\1{", text)
    text = _BARE_WRAPPER.sub(r"\1{\2}", text)
    text = re.sub(r"\\(mathbb|mathcal|vec|bar|hat|overline) +([A-Za-z])", r"\\\1{\2}", text)
    for wrapper in reversed([*_WRAPPER.finditer(text)]):  # the inner ones first
        closing = closing_brace(text, wrapper.end() - 1)
        if closing is not None:
            new = _unwrap(wrapper[0].rstrip(" {"), text[wrapper.end() : closing])
            text = text[: wrapper.start()] + new + text[closing + 1 :]
    for pattern, replacement in _ONE_SPELLING:
        text = pattern.sub(replacement, text)
    text = text.strip()
    depth = depths(re.sub(r"(?<!\\)[{}]", " ", text))  # braces that only group make no lists
    spaced = re.search(r"\d, +\d", text) is not None  # (1,000, 2,000)

    def join_thousands(number: re.Match) -> str:
        listed = depth[number.start()] > 0 and number[1] == "," and not spaced
        return number[0] if listed else number[0].replace(number[1], "")

    return _MIXED.sub(r"\1\\frac{\2}{\3}", _THOUSANDS.sub(join_thousands, text))


def squeeze(text: str) -> str:
    """Return spelled LaTeX without the blanks and groups that carry no meaning."""
    text = re.sub(r"([_^]) *\{ *(\w) *\}", r"\1\2", text)
    text = re.sub(r"(\\\{[^{}|:]*):", r"\1|", text)  # {x : ...}
    return re.sub(r"(\\[A-Za-z]+ (?=[A-Za-z])|(?<=\d) (?=\d))| ", r"\1", text)
