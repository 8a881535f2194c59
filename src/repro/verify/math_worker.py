"""The process in which math-verify runs, started by ``repro.verify.math``.

Imports nothing of repro. Protocol: one JSON list ``[gold, prediction]`` a line in, ``true`` or
``false`` a line out; an empty line out says that the imports are done. The worker ends with its
standard input.
"""

import json
import logging
import resource
import signal
import sys

MEMORY_BYTES = 2 << 30


def main() -> None:
    """Answer comparisons until standard input closes; ``argv[1]`` is the CPU limit in seconds."""
    from math_verify import parse, verify

    logging.disable(logging.CRITICAL)
    limit_s = float(sys.argv[1])
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    memory = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (memory, hard))
    print(flush=True)
    for line in sys.stdin:
        # The signal's default action ends the process even inside a big-number power in C, where
        # no Python handler (and so none of math-verify's own time limits) would ever run. CPU time,
        # not wall time: the verdict must not depend on what else the machine is doing.
        signal.setitimer(signal.ITIMER_PROF, limit_s)
        gold, prediction = json.loads(line)
        try:
            equal = verify(
                parse(f"\\boxed{{{gold}}}", parsing_timeout=None),
                parse(f"\\boxed{{{prediction}}}", parsing_timeout=None),
                timeout_seconds=None,
            )
        # Whatever a hostile expression makes sympy raise, it is not the gold answer.
        except Exception:
            equal = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(bool(equal)), flush=True)


if __name__ == "__main__":
    main()
