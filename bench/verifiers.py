r"""How often the verifiers err on real benchmark files: `python bench/verifiers.py FOLDER`.

The folder holds math500_part.jsonl and mbpp_part.jsonl (or others given by name).
Mathematics: every reference solution must verify; the gold answers of other problems, and perturbed
gold answers, must be rejected unless they are equal after all. Programs: every reference program
must pass its tests, and the programs of other problems must fail them. Exceptions are listed.
"""

import argparse
import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from repro import sandbox
from repro.files import jsonl
from repro.verify import answers, maths, programs


def boxed(answer: str) -> str:
    """Return a response whose final answer is ``answer``."""
    return f"a thought</think>Therefore $\\boxed{{{answer}}}$."


def accepted(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return those (gold answer, other answer) that the verifier takes for equal."""
    verdicts = maths.verify([boxed(other) for _, other in pairs], [gold for gold, _ in pairs])
    return [pair for pair, verdict in zip(pairs, verdicts, strict=True) if verdict]


def different_golds(golds: list[str]) -> list[tuple[str, str]]:
    """Return all ordered pairs of gold answers that are not spelled the same."""
    distinct = {answers.read(gold): gold for gold in golds}
    return [(a, b) for a in distinct.values() for b in distinct.values() if a is not b]


def perturbations(gold: str) -> dict[str, list[str]]:
    """Return answers of another value, by kind: what a careless verifier would let pass.

    Every one differs in value from ``gold`` by construction: signs of 0 stay, brackets beside an
    infinity too, and a ratio is turned over only where its two halves differ.
    """
    value = answers.read(gold).value
    return {
        "sign": _signs(value),
        "plus one": _plus_one(value),
        "digit": _digits(value),
        "ratio": _ratios(value),
        "bracket": _brackets(value),
        "order": _orders(value),
        "missing": _missing(value),
    }


_BRACKETED = re.compile(r"(?P<left>[(\[])(?P<inside>[^()\[\]]+)(?P<right>[)\]])")
_SWAPPED = {"(": "[", "[": "(", ")": "]", "]": ")"}


def _is_expression(value: str) -> bool:
    return not re.search(r"^[(\[]-?[\d\\]|[,=_:]|\\(?:text|in|cup|begin|pm|\{|%)", value)


def _signs(value: str) -> list[str]:
    negated = [f"-({value})"] if _is_expression(value) and value != "0" else []
    toggled = [
        value[: sign.start()] + ("-" if sign[0] == "+" else "+") + value[sign.end() :]
        for sign in re.finditer(r"[+-]", value)
    ]
    return negated + toggled


def _plus_one(value: str) -> list[str]:
    return [f"{value}+1"] if _is_expression(value) else []


def _digits(value: str) -> list[str]:
    return [
        value[: digit.start()] + str((int(digit[0]) + 1) % 10) + value[digit.end() :]
        for digit in re.finditer(r"\d", value)
    ]


def _ratios(value: str) -> list[str]:
    ratios = re.finditer(r"\\frac ?(?:\{([^{}]+)\}|(\d)) ?(?:\{([^{}]+)\}|(\d))", value)
    return [
        value[: ratio.start()]
        + rf"\frac{{{ratio[3] or ratio[4]}}}{{{ratio[1] or ratio[2]}}}"
        + value[ratio.end() :]
        for ratio in ratios
        if (ratio[1] or ratio[2]) != (ratio[3] or ratio[4])
    ]


def _brackets(value: str) -> list[str]:
    if "\\begin" in value or "," not in value:
        return []
    swapped = []
    for pair in _BRACKETED.finditer(value):
        ends = [end.strip() for end in pair["inside"].split(",")]
        for end, position in ((ends[0], pair.start("left")), (ends[-1], pair.start("right"))):
            if len(ends) == 2 and "infty" not in end:
                other = _SWAPPED[value[position]]
                swapped.append(value[:position] + other + value[position + 1 :])
    return swapped


def _orders(value: str) -> list[str]:
    pair = re.fullmatch(r"\(([^()]+)\)", value)
    parts = [part.strip() for part in pair[1].split(",")] if pair else []
    return [f"({', '.join(parts[::-1])})"] if parts != parts[::-1] else []


def _missing(value: str) -> list[str]:
    parts = value.split(",")
    return [",".join(parts[:-1])] if len(parts) > 1 and not re.search(r"[(\[{]", value) else []


def respellings(gold: str) -> list[str]:
    """Return other spellings of the same answer: what a model may write for it."""
    rewritten = [
        gold.replace("-", "−").replace("\\pi", "π"),
        gold.replace(r"\frac", r"\dfrac"),
        re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"\1/\2", gold),
        re.sub(
            r"(?<!\\left)([(\[])", r"\\left\1", re.sub(r"(?<!\\right)([)\]])", r"\\right\1", gold)
        ),
        re.sub(r"\\(?:left|right)", "", gold).replace("pmatrix", "bmatrix"),
        re.sub(r" (?![a-zA-Z])", "", gold),
        re.sub(r"([,+])", r"\1\\, ", gold) if not re.search(r"\d,\\?!?\d{3}", gold) else gold,
        re.sub(r"_(\d+)", r"_{\1}", gold),
        f"${gold}$.",
        rf"\displaystyle {gold}",
        rf"\mathbf{{{gold}}}" if gold.isdigit() else gold,
        f"{gold}.0" if gold.isdigit() else gold,
        rf"{gold}\text{{ units}}" if gold.isdigit() else gold,
        f"x = {gold}" if gold.isdigit() else gold,
    ]
    return sorted({spelling for spelling in rewritten if spelling != gold})


def verify_programs(pairs: list[tuple[str, dict]], run_program: Callable) -> list[bool]:
    """Tell for each (program, MBPP problem) whether the program passes the problem's tests."""

    def judge(pair: tuple[str, dict]) -> bool:
        program, problem = pair
        response = f"</think>\n```python\n{program}\n```"
        return programs.verify_mbpp(response, problem, run_program, sandbox.Limits())

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(judge, pairs))


def main() -> None:
    """Print one line a check, with its count, its seconds and the cases to look at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--math", default="math500_part.jsonl", help="file name, '' for none")
    parser.add_argument("--mbpp", default="mbpp_part.jsonl", help="file name, '' for none")
    options = parser.parse_args()
    if options.math:
        report_math(jsonl.read(options.folder / options.math))
    if options.mbpp:
        report_mbpp(jsonl.read(options.folder / options.mbpp))


def report_math(problems: list[dict]) -> None:
    """Print the mathematics part for rows with solution and answer."""
    golds = [problem["answer"] for problem in problems]
    started = time.perf_counter()
    solutions = [f"</think>{problem['solution']}" for problem in problems]
    verdicts = maths.verify(solutions, golds)
    rejected = [gold for gold, verdict in zip(golds, verdicts, strict=True) if not verdict]
    _line("reference solutions rejected", rejected, len(problems), started)
    started = time.perf_counter()
    pairs = [(gold, other) for gold in sorted(set(golds)) for other in respellings(gold)]
    _line(
        "respelled gold answers rejected",
        sorted({*pairs} - {*accepted(pairs)}),
        len(pairs),
        started,
    )
    started = time.perf_counter()
    pairs = different_golds(golds)
    _line("other problems' gold answers accepted", accepted(pairs), len(pairs), started)
    kinds = [perturbations(gold) for gold in sorted(set(golds))]
    for kind in kinds[0]:
        started = time.perf_counter()
        pairs = [
            (gold, other)
            for gold, perturbed in zip(sorted(set(golds)), kinds, strict=True)
            for other in perturbed[kind]
        ]
        _line(f"perturbed gold answers accepted: {kind}", accepted(pairs), len(pairs), started)


def report_mbpp(problems: list[dict]) -> None:
    """Print the programs part for rows of MBPP; the runner is the strongest that works here."""
    run_program = sandbox.runner("auto")
    started = time.perf_counter()
    verdicts = verify_programs([(problem["code"], problem) for problem in problems], run_program)
    failed = [p["task_id"] for p, verdict in zip(problems, verdicts, strict=True) if not verdict]
    _line("reference programs failed (task ids)", failed, len(problems), started)
    started = time.perf_counter()
    others = problems[1:] + problems[:1]
    pairs = [(other["code"], problem) for problem, other in zip(problems, others, strict=True)]
    verdicts = verify_programs(pairs, run_program)
    passed = [p["task_id"] for p, verdict in zip(problems, verdicts, strict=True) if verdict]
    _line("other problems' programs passed (task ids)", passed, len(problems), started)


def _line(name: str, cases: list, total: int, started: float) -> None:
    print(f"{name}: {len(cases)} of {total} ({time.perf_counter() - started:.1f} s)", flush=True)
    for case in cases:
        print(f"    {case}")


if __name__ == "__main__":
    main()
