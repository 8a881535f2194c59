r"""LaTeX text: balanced groups, one spelling for what looks the same, and splitting at the top."""

import re
import unicodedata


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
        r"\le ": "leq leqslant leqq", r"\ge ": "geq geqslant geqq", r"\ne ": "neq",
        "<": "lt", ">": "gt", r"\dots ": "ldots cdots dotsc dotsb dotsm dotso",
        r"\pmod ": "mod bmod", r"\perp ": "bot", "|": "mid lvert rvert vert",
        r"\{": "lbrace", r"\}": "rbrace", "(": "langle", ")": "rangle",
        r"\setminus ": "backslash smallsetminus", r"\emptyset ": "varnothing",
        r"\to ": "rightarrow longrightarrow", r"\lor ": "vee", r"\land ": "wedge",
        r"\frac": "dfrac tfrac cfrac", r"\infty ": "infinity", "i": "imath", ":": "colon",
    }.items()
    for name in names.split()
}  # fmt: skip
_SYNONYM = re.compile(rf"\\({'|'.join(_SYNONYMS)})(?![A-Za-z])\s*")
_LOOKS = "|".join(
    ["displaystyle|textstyle|scriptstyle|quad|qquad|limits|nolimits|thinspace|enspace|bf|rm|it"]
    + ["nonumber|notag|hfill|large|Large|normalsize|centering|boldmath|unit"]
)
_REALS = r"(?:\\text\{ *)?\b(?:the set of )?all real(?: number)?s?,?"
_ALL_REALS = rf"{_REALS} *(?:\}}|$)(?! *\\text)"
_ALL_REALS_BUT = (
    rf"{_REALS}(?: *\}} *,? *\\text\{{)? *(?:except|but)(?: for)?(?: *\}}|(?! *\}}))([^{{}}]*)\}}?"
)
_ONE_SPELLING = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (r"√\s*(?=\{)", r"\\sqrt"),
        (r"√\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"√\s*(\d+|[A-Za-z])", r"\\sqrt{\1}"),
        (r"\\not\s*=|(?<![\d)])!=", r"\\ne "),
        (r"\.\.\.", r"\\dots "),
        (r"(?<=\w) *\\\| *(?=\w)", r"\\parallel "),
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
        (r"(?:\( *)?(?:\\text\{ *)?(?<![\\p])(?:\\p)?mod *\}? *\{?(\w+)\}? *\)?$", r"\\pmod{\1}"),
        (r"\\pmod *(\w+)", r"\\pmod{\1}"),
        (r"(?<=[.\d]\d)[eE](-?\d+)(?!\d)|(?<=\d)[eE]([-+]\d\d)(?!\d)", r"\\cdot 10^{\1\2}"),
        (r"\\begin *\{([bpv]?)small(matrix)\}(.*?)\\end *\{[bpv]?smallmatrix\}",
         r"\\begin{\1\2}\3\\end{\1\2}"),
        (r"\( *(\\begin\{)(matrix\}.*?\\end\{)(matrix\}) *\)", r"\1p\2p\3"),
        (r"\[ *(\\begin\{)(matrix\}.*?\\end\{)(matrix\}) *\]", r"\1b\2b\3"),
        (
            r"\\\{ *\\begin *\{(array|aligned)\} *(?:\{[lcr| ]+\})?(.*?)\\end *\{\1\}(?! *\\\})",
            r"\\begin{cases}\2\\end{cases}",
        ),
        (r"\^ *\{? *(?:\\top|\\intercal|\\text\{ *T *\}|T) *\}?(?![A-Za-z])", "^T"),
        (r"\\color *(?:\[\w+\])? *\{[^{}]*\}", " "),
        (r"(?<![_^}A-Za-z])\{ *(\\text\{[^{}]*\}) *\}", r"\1"),
        (_ALL_REALS, r"\\mathbb{R}"),
        (_ALL_REALS_BUT, r"\\mathbb{R} \\setminus \1"),
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
    text = _VULGAR.sub(lambda part: rf"\frac{{{_plain(part[0]).replace('⁄', '}{')}}}", text)
    text = _RAISED.sub(lambda run: f"^{{{_plain(run[0])}}}", text)
    text = _LOWERED.sub(lambda run: f"_{{{_plain(run[0])}}}", text)
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


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def squeeze(text: str) -> str:
    """Return spelled LaTeX without the blanks and groups that carry no meaning."""
    text = re.sub(r"([_^]) *\{ *(\w) *\}", r"\1\2", text)
    text = re.sub(r"(\\\{[^{}|:]*):", r"\1|", text)  # {x : ...}
    return re.sub(r"(\\[A-Za-z]+ (?=[A-Za-z])|(?<=\d) (?=\d))| ", r"\1", text)
