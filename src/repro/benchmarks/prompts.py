"""Prompts and gold answers of the benchmarks; protocols and task files name these functions.

They make the user message only, in short words, because small contexts have to hold it.
"""

from repro.files import digests

MATH = "{problem}\nPlease reason step by step, and put your final answer within \\boxed{}."
LETTERS = "ABCD"


def math(doc: dict, template: str | None = None) -> str:
    """Return the problem with an instruction: by default DeepSeek-R1's (no system prompt).

    ``template`` is another one, with ``{problem}`` where the ``problem`` or ``question`` of the
    document goes; no other braces have a meaning in it.
    """
    return fill(template or MATH, doc)


def fill(template: str, doc: dict) -> str:
    """Return an instruction with a problem in the place of ``{problem}``."""
    problem = doc["question"] if "question" in doc else doc["problem"]
    return template.replace("{problem}", problem)


def messages(content: str, system: str | None = None) -> list[dict]:
    """Return a conversation with one user message, after a system prompt where there is one."""
    before = [{"role": "system", "content": system}] if system else []
    return [*before, {"role": "user", "content": content}]


def math_answer(doc: dict) -> str:
    """Return the gold answer as LaTeX without a box."""
    return str(doc["answer"])


def gpqa(doc: dict) -> str:
    """Return the question with its four choices in their frozen order."""
    lines = zip(LETTERS, gpqa_choices(doc), strict=True)
    choices = "\n".join(f"{letter}) {choice}" for letter, choice in lines)
    return (
        f"{doc['Question'].strip()}\n{choices}\n"
        'Please reason step by step. The last line must be "ANSWER: $LETTER".'
    )


def gpqa_choices(doc: dict) -> list[str]:
    """Return the four choices in their frozen order."""
    return [doc[field].strip() for field in choice_order(doc)]


def gpqa_letter(doc: dict) -> str:
    """Return the letter under which the prompt shows the correct choice."""
    return LETTERS[choice_order(doc).index("Correct Answer")]


def choice_order(doc: dict) -> list[str]:
    """Return the choices' field names, in a frozen order: a hash of record id and field sorts."""
    fields = ["Correct Answer", *(f"Incorrect Answer {number}" for number in (1, 2, 3))]
    return sorted(fields, key=lambda field: digests.to_integer(f"{doc['Record ID']}:{field}", 32))


def mbpp(doc: dict) -> str:
    """Return the task and its three tests (Austin et al. 2021, arXiv 2108.07732)."""
    tests = "\n".join(doc["test_list"])
    return (
        f"{doc['text']}\nYour code should pass these tests:\n{tests}\n"
        "Put the final code in a ```python block."
    )


def lcb(doc: dict) -> str:
    """Return the problem with its starter code, or with the stdin convention where it has none."""
    if doc["starter_code"].strip():
        task = f"Complete this code:\n```python\n{doc['starter_code'].rstrip()}\n```"
    else:
        task = "Read the input from stdin and print the answer."
    return f"{doc['question_content']}\n{task}\nPut the final code in a ```python block."


def no_target(doc: dict) -> str:
    """Return nothing: programs are judged by their tests."""
    return ""
