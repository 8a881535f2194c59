"""Prompts (user messages) and gold answers, as functions that protocols and task files name."""

import tomllib
from pathlib import Path

from repro.files import digests

_TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
LETTERS = "ABCD"
OPTIONS = ("Correct Answer", *(f"Incorrect Answer {number}" for number in (1, 2, 3)))


def math(doc: dict, template: str | None = None) -> str:
    """Return ``template`` with ``problem`` or ``question`` in the place of ``{problem}``."""
    problem = doc["problem"] if "problem" in doc else doc["question"]
    return (template or _TEXTS["math"]).replace("{problem}", problem)


def messages(content: str, system: str | None = None) -> list[dict]:
    """Return a conversation with one user message, after a system prompt where there is one."""
    before = [{"role": "system", "content": system}] if system else []
    return [*before, {"role": "user", "content": content}]


def math_answer(doc: dict) -> str:
    """Return the gold answer as LaTeX without a box."""
    return str(doc["answer"])


def gpqa(doc: dict) -> str:
    """Return the question with its four choices in their frozen order."""
    return _TEXTS["gpqa"].format(doc["Question"].strip(), with_letters(gpqa_choices(doc)))


def with_letters(choices: list[str]) -> str:
    """Return four choices as lines ``A) ...`` to ``D) ...``."""
    lines = zip(LETTERS, choices, strict=True)
    return "\n".join(f"{letter}) {choice}" for letter, choice in lines)


def gpqa_choices(doc: dict) -> list[str]:
    """Return the four choices in their frozen order."""
    return [doc[field].strip() for field in choice_order(doc)]


def gpqa_letter(doc: dict) -> str:
    """Return the letter under which the prompt shows the correct choice."""
    return LETTERS[choice_order(doc).index("Correct Answer")]


def choice_order(doc: dict) -> list[str]:
    """Return the choices' field names, in a frozen order: a hash of record id and field sorts."""
    return sorted(OPTIONS, key=lambda field: digests.to_integer(f"{doc['Record ID']}:{field}", 32))


def turned_gpqa(doc: dict) -> str:
    """Return the question with its four choices as OpenCompass asks, in simple-evals' words."""
    return _TEXTS["turned_gpqa"].format(doc["Question"], with_letters(turned_choices(doc)))


def turned_choices(doc: dict) -> list[str]:
    """Return the four choices in the order that the row's place in the data file decides."""
    return [doc[field] for field in _turned(doc)]


def turned_letter(doc: dict) -> str:
    """Return the letter under which `turned_gpqa` shows the correct choice."""
    return LETTERS[_turned(doc).index("Correct Answer")]


def _turned(doc: dict) -> tuple[str, ...]:
    """Let row i of GPQA, counted from 1, begin with option i % 4; the correct one is option 0."""
    first = (doc["row"] + 1) % 4
    return OPTIONS[first:] + OPTIONS[:first]


def mbpp(doc: dict) -> str:
    """Return the task and its three tests (Austin et al. 2021, arXiv 2108.07732)."""
    return _TEXTS["mbpp"].format(doc["text"], "\n".join(doc["test_list"]))


def lcb(doc: dict) -> str:
    """Return the problem with its starter code, or with the stdin convention where it has none."""
    starter = doc["starter_code"].rstrip()
    task = _TEXTS["lcb_starter" if starter else "lcb_stdin"].format(starter)
    return _TEXTS["lcb"].format(doc["question_content"], task)
