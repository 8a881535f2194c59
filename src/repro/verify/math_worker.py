"""The process that compares two mathematical answers, started by ``repro.verify.maths``.

Protocol: one JSON list ``[question, gold, prediction]`` a line in, ``true`` or ``false`` a line
out; an empty line out says that the imports are done. The worker ends with its standard input.
"""

import json
import logging
import resource
import signal
import sys

import math_verify
from latex2sympy2_extended import NormalizationConfig
from math_verify import ExprExtractionConfig, LatexExtractionConfig

from repro.verify.math_equal import compare

MEMORY_BYTES = 2 << 30

_GOLD = [LatexExtractionConfig(), ExprExtractionConfig()]
_NORMALIZATION = NormalizationConfig(
    nits=False, malformed_operators=False, basic_latex=True, equations=True, boxed="all", units=True
)
_RESPONSE = [
    LatexExtractionConfig(
        try_extract_without_anchor=False,
        boxed_match_priority=0,
        normalization_config=_NORMALIZATION,
    )
]


def compare_plain(gold: str, response: str) -> bool:
    """Tell what math-verify says by itself, called as OpenCompass's MATHVerifyEvaluator calls it.

    The prediction comes first in its call of ``verify``, although that function is not symmetric;
    a gold answer that does not parse counts as wrong.
    """
    parsed_gold, parsed = (
        math_verify.parse(text, config, extraction_mode="first_match", parsing_timeout=None)
        for text, config in ((f"${gold}$", _GOLD), (response, _RESPONSE))
    )
    return bool(parsed_gold) and math_verify.verify(parsed, parsed_gold, timeout_seconds=None)


def verdict(gold: str, prediction: str, question: str = "strict") -> bool:
    """Compare; what cannot be compared is not equal, and is named on stderr."""
    try:
        return bool((compare if question == "strict" else compare_plain)(gold, prediction))
    # A hostile expression makes sympy raise anything. It is printed, so that a fault of ours does
    # not pass for many wrong answers.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        print(f"not compared: {gold[:80]!r} and {prediction[:80]!r}: {reason}", file=sys.stderr)
        return False


def main() -> None:
    """Answer questions until standard input closes; ``argv[1]`` is the CPU limit in seconds."""
    logging.disable(logging.CRITICAL)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    memory = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (memory, hard))
    print(flush=True)
    for line in sys.stdin:
        # The signal's default action ends the process even inside a big-number power in C, where
        # no Python handler (and so none of math-verify's own time limits) would ever run. CPU time,
        # not wall time: the verdict must not depend on what else the machine is doing.
        question, gold, prediction = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, float(sys.argv[1]))
        equal = verdict(gold, prediction, question)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(equal), flush=True)


if __name__ == "__main__":
    main()
