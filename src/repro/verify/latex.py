r"""LaTeX text: balanced groups, one spelling for what looks the same, and splitting at the top."""

import re
import unicodedata
from collections.abc import Callable


def closing_brace(text: str, opening: int) -> int | None:
    r"""Return where the group ends that opens at ``opening``; ``\{`` and ``\}`` are content."""
    depth, position = 0, opening
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
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


def split(text: str, separator: re.Pattern) -> list[str]:
    """Split where ``separator`` stands outside all brackets; its groups are kept as parts."""
    depth, parts, start = depths(text), [], 0
    for match in separator.finditer(text):
        if depth[match.start()] == 0:
            parts += [text[start : match.start()], *match.groups()]
            start = match.end()
    return [*parts, text[start:]]


def _replace_groups(text: str, command: re.Pattern, replace: Callable[[str, str], str]) -> str:
    """Replace every ``command{content}``, the inner ones first, by ``replace(command, content)``."""
    end = len(text)
    while found := [match for match in command.finditer(text, 0, end)]:
        match = found[-1]
        end = match.start()
        closing = closing_brace(text, match.end() - 1)
        if closing is not None:
            new = replace(match[0].rstrip(" {"), text[match.end() : closing])
            text = text[: match.start()] + new + text[closing + 1 :]
    return text


_STYLE = (
    r"\\(?:boldsymbol|bm|pmb|math(?:bf|it|sf|tt|scr|normal|ord|op|bin|rel)|text(?:bf|it|sf|tt|sc)"
    r"|emph|underline|uline|ensuremath|mathstrut|[fm]box|hbox|smash|(?:text)?color *(?:\[\w+\])?"
    r" *\{[^{}]*\})"
)
_ROMAN = r"\\(?:text(?:rm|normal|up|md)?|mathrm|operatorname\*?|mbox)"
_WRAPPER = re.compile(rf"(?:{_STYLE}|{_ROMAN}) *\{{")
_FUNCTION = re.compile(
    r"(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?|log|ln|exp|gcd|lcm|max|min|det|lim|deg|dim|ker"
)


def _unwrap(command: str, content: str) -> str:
    r"""Take off a wrapper that changes looks only; words and units end up in ``\text{}``."""
    inner = content.strip()
    roman = re.match(rf"{_ROMAN}$", command) is not None
    if re.match(r"\\(?:operatorname|text$|mathrm)", command) and _FUNCTION.fullmatch(inner):
        return rf"\{inner} "
    if inner in ("i", "e") or inner == "d" and command != r"\text" or not inner:
        return inner or " "
    words = re.fullmatch(r"[^\d\\{}$^_=+*<>|]*", inner) and re.search(r"[A-Za-z]", inner)
    if words and (roman or len(inner) > 1 or "text" in command):
        return rf"\text{{{content}}}"
    if roman and (unit := re.fullmatch(r"(~*[A-Za-z/. ]+)(\^ ?(?:\d|\{-?\d\})|[²³])", inner)):
        return rf"\text{{{unit[1]}}}{unit[2]}"
    if command == r"\text" and re.search(r"[A-Za-z]{2}", re.sub(r"\\[A-Za-z]+", "", inner)):
        number = re.fullmatch(r"(\\?[$€£]?-?[\d.,/]+\\?%?) +([A-Za-z][A-Za-z .]*)", inner)
        return rf"{number[1]} \text{{ {number[2]}}}" if number else rf"\text{{{content}}}"
    return inner if re.fullmatch(r"\w+|(?:[^\w\\]|\\[$%])+", inner) else f"{{{inner}}}"


_VULGAR = re.compile("[¼-¾⅐-⅞]")
_RAISED = re.compile("[⁰¹²³⁴-⁹⁻]+")
_LOWERED = re.compile("[₀-₉]+")
_SYMBOLS = str.maketrans(
    {"−": "-", "–": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": "/", "⁄": "/"}
    | {"π": r"\pi ", "∞": r"\infty ", "°": r"^\circ ", "±": r"\pm ", "∅": r"\emptyset "}
    | {"≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∈": r"\in ", "∪": r"\cup ", "∩": r"\cap "}
    | {"∓": r"\mp ", "≡": r"\equiv ", "≈": r"\approx ", "∖": r"\setminus ", "ℝ": r"\mathbb{R}"}
    | {"∨": r"\lor ", "∧": r"\land ", "∥": r"\parallel ", "⊥": r"\perp ", "…": r"\dots "}
    | {"θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "∠": r"\angle ", "→": r"\to "}
)
_SYNONYMS = {
    name: command
    for command, names in {
        r"\le ": r"leq leqslant leqq",
        r"\ge ": r"geq geqslant geqq",
        r"\ne ": r"neq",
        "<": "lt",
        ">": "gt",
        r"\dots ": r"ldots cdots dotsc dotsb dotsm dotso",
        r"\pmod ": r"mod bmod",
        r"\perp ": "bot",
        "|": r"mid lvert rvert vert",
        r"\{": "lbrace",
        r"\}": "rbrace",
        r"\setminus ": "backslash smallsetminus",
        r"\emptyset ": "varnothing",
        r"\to ": "rightarrow longrightarrow",
        r"\lor ": "vee",
        r"\land ": "wedge",
        r"\frac": "dfrac tfrac cfrac",
        r"\infty ": "infinity",
        "i": "imath",
        ":": "colon",
    }.items()
    for name in names.split()
}
_SYNONYM = re.compile(rf"\\({'|'.join(_SYNONYMS)})(?![A-Za-z])\s*")
_LOOKS = "|".join(
    ["displaystyle|textstyle|scriptstyle|quad|qquad|limits|nolimits|thinspace|enspace|bf|rm|it"]
    + ["nonumber|notag|hfill|large|Large|normalsize|centering|boldmath|unit"]
)
_ONE_SPELLING = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (r"√\s*(?=\{)", r"\\sqrt"),
        (r"√\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"√\s*(\d+|[A-Za-z])", r"\\sqrt{\1}"),
        (r"\\not\s*=|(?<![\d)])!=", r"\\ne "),
        (r"<=", r"\\le "),
        (r">=", r"\\ge "),
        (r"(?<=\d)\s*(?:\{,\}|,\s*\\!|\\!\s*,)(?:\s|\\!)*(?=\d{3}(?!\d))", ""),  # thousands
        (r"(?<=\d)\{([,:])\}(?=\d)", r"\1"),
        (r"\{\}", " "),
        (r"(\\\\) *\[ *-?[\d.]* *(?:pt|mm|cm|ex|em|in)? *\]", r"\1 "),  # space between rows
        (r"\\tag\*? *\{[^{}]*\}|\\[hv]space\*? *\{[^{}]*\}|\\h?phantom *\{[^{}]*\}", ""),
        (r"\\!|(?<!\\)\$|(?<!\\)\\[()\[\]]", ""),
        (rf"(?<!\\)\\[,;:> ]|\\\\\s*$|~|\\(?:{_LOOKS})(?![A-Za-z])|\s", " "),
        (r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])\s*\.?", ""),
        (r"\^ *(\\frac *(?:\{[^{}]*\}|\d) *(?:\{[^{}]*\}|\d))", r"^{\1}"),
        (r"(?:\\text\{ *)?\b(?:percent|pct)\b *\}?|(?<!\\)%", r"\\%"),
        (r"(?:\^ *)?\\degree(?![A-Za-z])|\^ *\{ *\\circ *\}", r"^\\circ"),
        (r"(?:\( *)?(?:\\text\{ *)?(?<![\\p])(?:\\p)?mod *\}? *\{?(\d+)\}? *\)?$", r"\\pmod{\1}"),
        (r"\\pmod *(\d+)", r"\\pmod{\1}"),
        (r"(?<=[.\d]\d)[eE](-?\d+)(?!\d)|(?<=\d)[eE]([-+]\d\d)(?!\d)", r"\\cdot 10^{\1\2}"),
        (r"\\begin *\{([bpv]?)small(matrix)\}(.*?)\\end *\{[bpv]?smallmatrix\}",
         r"\\begin{\1\2}\3\\end{\1\2}"),
        (r"\( *(\\begin\{)(matrix\}.*?\\end\{)(matrix\}) *\)", r"\1p\2p\3"),
        (r"\[ *(\\begin\{)(matrix\}.*?\\end\{)(matrix\}) *\]", r"\1b\2b\3"),
        (r"(\\begin *\{[pbv]?matrix\}) *\{[lcr]+\}", r"\1"),
        (r"  +", " "),
    ]
]  # fmt: skip
# 1,234 and 1 234 are numbers unless brackets make them lists; the separator stays the same.
_THOUSANDS = re.compile(r"(?<![\d.,_^])\d{1,3}([, ])\d{3}(?:\1\d{3})*(?!\d|\1\d)")
_MIXED = re.compile(r"(?<![\d/^_{.])(\d+) (\d+)/(\d+)(?!\d)")


def spell(text: str) -> str:
    r"""Return LaTeX in one spelling.

    Unicode becomes LaTeX (``½``, ``√2``, ``x²``, full-width digits, thin spaces), commands that
    only change looks go, synonyms become one command, and separators of thousands are taken out.
    """
    text = _VULGAR.sub(_vulgar_fraction, text)
    text = _RAISED.sub(lambda run: "^{" + unicodedata.normalize("NFKC", run[0]) + "}", text)
    text = _LOWERED.sub(lambda run: "_{" + unicodedata.normalize("NFKC", run[0]) + "}", text)
    text = unicodedata.normalize("NFKC", text).translate(_SYMBOLS)
    text = _SYNONYM.sub(lambda command: _SYNONYMS[command[1]], text)
    text = _replace_groups(text, _WRAPPER, _unwrap)
    for pattern, replacement in _ONE_SPELLING:
        text = pattern.sub(replacement, text)
    return _join_thousands(text.strip())


def _vulgar_fraction(character: re.Match) -> str:
    upper, lower = unicodedata.normalize("NFKC", character[0]).split("⁄")
    return rf"\frac{{{upper}}}{{{lower}}}"


def _join_thousands(text: str) -> str:
    depth = depths(re.sub(r"(?<!\\)[{}]", " ", text))  # braces that only group make no lists
    spaced = re.search(r"\d, +\d", text) is not None  # (1,000, 2,000)

    def join(number: re.Match) -> str:
        listed = depth[number.start()] > 0 and number[1] == "," and not spaced
        return number[0] if listed else number[0].replace(number[1], "")

    return _MIXED.sub(r"\1\\frac{\2}{\3}", _THOUSANDS.sub(join, text))


def squeeze(text: str) -> str:
    """Return spelled LaTeX without the blanks and groups that carry no meaning."""
    text = re.sub(r"([_^]) *\{ *(\w) *\}", r"\1\2", text)
    text = re.sub(r"\\text\{ *if *\}|\\text\{ *\}", "", text)
    return re.sub(r"(\\[A-Za-z]+ (?=[A-Za-z])|(?<=\d) (?=\d))| ", r"\1", text)
