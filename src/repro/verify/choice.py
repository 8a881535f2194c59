r"""Multiple-choice answers: the last ``ANSWER: X`` or ``\boxed{X}`` after the thought."""

import re

from repro.verify.answers import split_thought

# Marks around a letter that only change its looks. No two alternatives match the same text, and a
# box starts with none of its own kind: a hostile response takes no more than linear time.
_LOOKS = (
    r"\\(?:(?:text)?color\s*\{\w+\}|(?:[fmh]box|text[a-z]*|math(?:bf|rm|sf|it|tt|normal)|bm"
    r"|boldsymbol|underline|emph|bf|bfseries|it|itshape|rm|sf|tt|tiny|small|normalsize|[lL]arge"
    r"|LARGE|[hH]uge|displaystyle|textstyle|left|right|quad)(?![A-Za-z])|[$,;:!>([ ])"
)
_OPENING = rf"(?:[\s*_$(){{}}\[<\"'`“”‘’«（【~]|{_LOOKS}|(?:[Oo]ption|[Cc]hoice|[Ll]etter)\b)*"
_LETTER = r"(?P<letter>[A-J])(?!['’]?[A-Za-z0-9])"
# A word behind "A" or "I" makes that a word too ("A proton", "I think"), except for words that
# follow no article ("A because it is lighter").
_WORD = (
    r"(?:(?<=A)[^\S\n]+(?!(?:because|since|as|is|are|was|has|can|must|should|would|will|seems|and"
    r"|for|with|which|by|but|if|so|thus|hence|therefore|then|due|based|from|per|when|where|while"
    r"|only|alone|the|this|that|these|it|its|in|on|at)(?![\w-]))[a-z]"
    r"|(?<=I)[^\S\n]+(?!(?:because|since|is|for|due)(?![\w-]))[a-z])"
)
_SPOILT = "|".join(  # what makes the letter no choice
    [
        # A second letter: "A or B", "A B", "A - B".
        r"(?:[^\w\n]|text)*(?:\bor\b|\band\b|\bvs\b|[/,;&|+])(?:[^\w\n]|(?:text|or|also|even|maybe"
        rf"|perhaps|possibly|option|choice)\b)*[A-J]\b(?!{_WORD})",
        r"[^\S\n]+(?:[-−] ?)?[A-J][^\w\n]*(?:\n|\Z)",
        # A quantity: "C_2", "C^2", "A(x)", "C-H", "B = 3", "A \times B".
        r"_[A-Za-z0-9{]|\^|\([a-z](?:,[^()\n]*)?\)|[-–][A-Z0-9]",
        r"[^\S\n]*(?:[=+](?!>)|<(?![-!|])|>[^\S\n]*[\w$\\=(-])",
        r"[^\S\n]*\\(?:times|cdot|c[au]p|o(?:plus|times)|pm|mp|div|wedge|vee|land|lor)\b",
        _WORD,
    ]
)
_SETTLED = rf"{_LETTER}(?P<spoilt>{_SPOILT})?"
_ANSWER = re.compile(
    r"(?<![A-Za-z0-9])[Aa](?:nswer|NSWER)\b[\s*_}\"'`]*[:：]"
    rf"{_OPENING}(?:\\boxed{_OPENING})?{_SETTLED}"
)
_BOX = re.compile(rf"\\boxed\s*\{{{_OPENING}{_SETTLED}")
_TAG = re.compile(r"</?(?P<name>[a-z]\w*|[A-Z]{2,})[^<>\n]*>|<!--[^<>\n]*-->")
_ENDS_A_LINE = {"br", "p", "div", "li", "answer", "think"}


def chosen_letter(response: str) -> str | None:
    """Return the capital letter a response settles on, or None.

    None for an unclosed thought, and where the last statement names several letters. A further
    ``</think>`` in the answer is a tag like any other: the last statement counts.
    """
    answer = split_thought(response)[1]
    if answer is None:
        return None
    answer = _TAG.sub(_without_tag, answer)
    matches = [*_ANSWER.finditer(answer), *_BOX.finditer(answer)]
    last = max(matches, key=lambda match: match.start("letter"), default=None)
    return last["letter"] if last and last["spoilt"] is None else None


def _without_tag(tag: re.Match) -> str:
    if tag[0] == "<answer>":
        return "\nANSWER: "
    return "\n" if (tag["name"] or "").lower() in _ENDS_A_LINE else "*"


def verify(response: str, letter: str) -> bool:
    """Tell whether the response chooses ``letter``."""
    return chosen_letter(response) == letter
