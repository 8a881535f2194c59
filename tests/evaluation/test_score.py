import json

import pytest

from repro import jsonl
from repro.evaluation import score


def write(path, rows):
    jsonl.write(path, rows)
    return path


def row(doc_id, sample, text, tokens, reasoning, finish="stop", benchmark="aime24", question="Q"):
    return {
        "benchmark": benchmark,
        "doc_id": doc_id,
        "sample": sample,
        "prompt": f"<|user|>{question}{doc_id}?\nPlease reason step by step, and put your final "
        "answer within \\boxed{}.<|end|><|assistant|><think>\n",
        "text": text,
        "n_tokens": tokens,
        "n_reasoning_tokens": reasoning,
        "finish_reason": finish,
        "seed": 0,
    }


WAIT = "1 + 1 = 3\n\nWait, that is wrong.\n\n1 + 1 = 2"
CHECK = "1 + 1 = 2\n\nLet me double-check: 1 + 1 = 2."
ROWS = [
    row(0, 0, "so 2</think>\\boxed{2}", 12, 10),
    row(0, 1, f"{WAIT}</think>\\boxed{{2}}", 45, 40),
    row(1, 0, f"{CHECK}</think>\\boxed{{3}}", 33, 30),
    row(1, 1, "\\boxed{5}", 64, 64, finish="length"),
    row(2, 0, "ok</think>\\boxed{\\frac{1}{2}}", 6, 4),
    row(2, 1, "ok</think>\\boxed{1}", 6, 2),
]
ANSWERS = ["2", "5", "0.5"]


@pytest.fixture
def files(tmp_path):
    problems = [{"problem": f"Q{n}?", "answer": answer} for n, answer in enumerate(ANSWERS)]
    return (
        tmp_path / "generations.jsonl",
        write(tmp_path / "data.jsonl", problems),
        tmp_path / "s" / "scores.json",
    )


def run(files, rows, evaluation, benchmark="aime24"):
    generations, data, output = files
    write(generations, rows)
    return score.run(benchmark, generations, data, output, evaluation)


@pytest.fixture
def two_samples(evaluation):
    return evaluation | {"benchmarks": {"aime24": {"samples": 2}}}


def test_golden_case(files, two_samples):
    """Every number computed by hand."""
    scores = run(files, ROWS[::-1], two_samples)
    assert json.loads(files[2].read_text()) == scores
    assert scores["problems"] == [
        {
            "doc_id": 0,
            "accuracy": 1.0,
            "correct": [1, 1],
            "tokens": [10, 40],
            "truncated": [0, 0],
            "backtracking": [0, 1],
            "overthinking": [0, 1],
        },
        {
            "doc_id": 1,
            "accuracy": 0.0,
            "correct": [0, 0],
            "tokens": [30, 64],
            "truncated": [0, 1],
            "backtracking": [0, 0],
            "overthinking": [1, 0],
        },
        {
            "doc_id": 2,
            "accuracy": 0.5,
            "correct": [1, 0],
            "tokens": [4, 2],
            "truncated": [0, 0],
            "backtracking": [0, 0],
            "overthinking": [0, 0],
        },
    ]
    assert scores["aggregates"] == {
        "accuracy": 0.5,
        # sd of (1, 0, 0.5) over problems is 0.5; over sqrt(3), not sqrt(6)
        "accuracy_se": pytest.approx(0.5 / 3**0.5),
        "tokens_mean": pytest.approx(25.0),
        "tokens_median": 20.0,  # of 2, 4, 10, 30, 40, 64
        "truncation_rate": pytest.approx(1 / 6),
        "backtracking_per_1k": pytest.approx(1000 / 150),
        "overthinking_segments": pytest.approx(2 / 6),
    }
    assert (scores["benchmark"], scores["samples"], scores["n_problems"]) == ("aime24", 2, 3)


def test_a_single_problem_has_no_standard_error(files, evaluation):
    write(files[1], [{"problem": "Q0?", "answer": "2"}])
    evaluation["benchmarks"] = {"aime24": {"samples": 2}}
    aggregates = run(files, ROWS[:2], evaluation)["aggregates"]
    assert aggregates["accuracy"] == 1.0
    assert aggregates["accuracy_se"] is None


def changed(index, **fields):
    return [*ROWS[:index], ROWS[index] | fields, *ROWS[index + 1 :]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:-1], "5 rows, expected 3 problems x 2 samples; doc 2, sample 1 is missing"),
        ([*ROWS, ROWS[0]], "line 7: doc 0, sample 0 is there twice"),
        ([*ROWS, row(3, 0, "", 1, 1)], "line 7: doc 3, sample 0 is outside the 3 problems"),
        (changed(1, sample=2), "line 2: doc 0, sample 2 is outside"),
        (changed(1, benchmark="lmb"), "line 2: benchmark is 'lmb', expected 'aime24'"),
        (changed(1, text=None), "line 2: field 'text' must be str, got None"),
        (changed(1, n_reasoning_tokens=1.5), "line 2: field 'n_reasoning_tokens' must be int"),
        (changed(1, finish_reason="eos"), "line 2: finish_reason must be stop or length"),
        (changed(3, prompt="another question"), "prompt of doc 1, sample 1 does not contain"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(files, two_samples, rows, message):
    with pytest.raises(ValueError, match=message):
        run(files, rows, two_samples)
    assert not files[2].exists()


def test_a_torn_line_is_named(files, two_samples):
    write(files[0], ROWS)
    with open(files[0], "a") as file:
        file.write('{"benchmark": "ai')
    with pytest.raises(ValueError, match=r"generations\.jsonl, line 7: not valid JSON"):
        score.run("aime24", *files, two_samples)


def test_gpqa(files, evaluation, data_dir):
    from repro.benchmarks import prompts

    doc = json.loads((data_dir / "gpqa.jsonl").read_text())
    right = prompts.gpqa_letter(doc)
    wrong = "A" if right != "A" else "B"
    rows = [
        row(0, n, f"x</think>ANSWER: {letter}", 5, 2, benchmark="gpqa")
        | {"prompt": prompts.gpqa(doc)}
        for n, letter in enumerate([right, wrong])
    ]
    evaluation["benchmarks"] = {"gpqa": {"samples": 2}}
    files = files[0], data_dir / "gpqa.jsonl", files[2]
    assert run(files, rows, evaluation, "gpqa")["problems"][0]["correct"] == [1, 0]


CODE = {
    "mbpp": (
        {"text": "Square.", "test_list": ["assert square(3) == 9"], "test_setup_code": ""},
        ["def square(x): return x * x", "def square(x): return 1", "while True: pass"],
    ),
    "lcb": (
        {
            "question_content": "Print the sum.",
            "starter_code": "",
            "public_test_cases": '[{"input": "1 2", "output": "3", "testtype": "stdin"}]',
            "private_test_cases": '[{"input": "3 4", "output": "7", "testtype": "stdin"}]',
            "metadata": "{}",
        },
        ["print(sum(map(int, input().split())))", "print(3)", "while True: pass"],
    ),
}


@pytest.mark.parametrize("benchmark", CODE)
def test_code(benchmark, files, evaluation):
    from repro.benchmarks import prompts

    doc, programs = CODE[benchmark]
    write(files[1], [doc])
    rows = [
        row(0, n, f"x</think>```python\n{program}\n```", 5, 2, benchmark=benchmark)
        | {"prompt": getattr(prompts, benchmark)(doc)}
        for n, program in enumerate(programs)
    ]
    evaluation |= {"benchmarks": {benchmark: {"samples": 3}}, "code_timeout_s": 1}
    assert run(files, rows, evaluation, benchmark)["problems"][0]["correct"] == [1, 0, 0]
    with pytest.raises(
        ValueError, match="code_execution: 'none' is unknown, choose from subprocess"
    ):
        run(files, rows, evaluation | {"code_execution": "none"}, benchmark)
