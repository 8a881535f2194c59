"""The outcome reward of RL training: verified correctness."""

from repro.verify import maths


def correctness(responses: list[str], answers: list[str]) -> list[float]:
    r"""Return 1.0 for each response whose last ``\boxed{}`` after the thought is correct, else 0.0.

    Args:
        responses: decoded completions (``<think>``, ``</think>`` kept).
        answers: gold answers, one per response.

    Raises:
        ValueError: the two lists differ in length.
    """
    return [float(correct) for correct in maths.verify(responses, answers)]
