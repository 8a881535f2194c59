"""What a sandbox costs: `python bench/sandbox.py`.

The time of one small program from call to verdict, for each route that works here, against starting
the bare interpreter, interleaved; and programs per second with one thread a core. Programs are a
function with three asserts, as in MBPP, and a script with all of LiveCodeBench's imports.
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from timing import interleaved

from repro import sandbox
from repro.sandbox import routes
from repro.verify import programs

TESTS = ["assert square(3) == 9", "assert square(-2) == 4", "assert square(0.5) == 0.25"]
FUNCTION = {"test_list": TESTS, "test_setup_code": ""}
CASES = json.dumps([{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}])
SCRIPT = {"public_test_cases": CASES, "private_test_cases": "[]", "metadata": "{}"}
PROGRAMS = {
    "function": (programs.verify_mbpp, "def square(x): return x * x", FUNCTION),
    "script": (programs.verify_lcb, "print(sum(map(int, input().split())))", SCRIPT),
}


def judge(route: str, kind: str) -> Callable[[], None]:
    """Return what runs one program of a kind once and insists that it passes."""
    run = sandbox.runner(route)
    verify, program, doc = PROGRAMS[kind]
    response = f"</think>\n```python\n{program}\n```"

    def once() -> None:
        assert verify(response, doc, run, sandbox.Limits())

    return once


def bare() -> None:
    """Start the interpreter and nothing else."""
    subprocess.run([routes.INTERPRETER, "-I", "-S", "-c", "pass"], check=True)


def per_second(once: Callable[[], None], count: int) -> float:
    """Return how many times a second all cores together get through it."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        start = time.perf_counter()
        list(threads.map(lambda _: once(), range(count)))
        return count / (time.perf_counter() - start)


def main() -> None:
    """Print a table: milliseconds per program and programs per second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=50)
    options = parser.parse_args()
    routes = []
    for route in ("none", "namespaces", "bubblewrap"):
        try:
            routes.append(sandbox.describe(route))
        except sandbox.SandboxUnavailable as error:
            print(error)
    variants = {(route, kind): judge(route, kind) for route in routes for kind in PROGRAMS}
    seconds = interleaved({("bare", ""): bare} | variants, options.repeats)
    bare_ms = 1000 * seconds["bare", ""]
    print(f"bare interpreter: {bare_ms:.1f} ms, {os.cpu_count()} cores")
    print("| route | program | ms | over bare (ms) | programs/s |\n|---|---|--:|--:|--:|")
    for (route, kind), once in variants.items():
        ms = 1000 * seconds[route, kind]
        rate = per_second(once, 4 * options.repeats)
        print(f"| {route} | {kind} | {ms:.1f} | {ms - bare_ms:.1f} | {rate:.0f} |", flush=True)


if __name__ == "__main__":
    main()
