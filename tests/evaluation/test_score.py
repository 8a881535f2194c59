import json

import pytest

from repro import sandbox
from repro.benchmarks import prompts
from repro.evaluation import score
from repro.files import jsonl
from repro.verify import programs


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
    row(2, 0, "one half</think>\\boxed{\\frac{1}{2}}", 6, 4),
    row(2, 1, "one half</think>\\boxed{1}", 6, 2),
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


def run(files, rows, benchmark="aime24", **options) -> dict:
    """Score rows that fit and return the score file."""
    generations, data, output = files
    write(generations, rows)
    assert score.score_file(benchmark, generations, data, output, **options) == []
    return json.loads(output.read_text())


def test_golden_case(files):
    """Every number computed by hand."""
    scores = run(files, ROWS[::-1], samples=2)
    nothing = {"verification": [0, 0], "hesitation": [0, 0]}
    assert scores["problems"] == [
        {
            "doc_id": 0,
            "correct": [1, 1],
            "math_verify": [1, 1],
            "tokens": [10, 40],
            "truncated": [0, 0],
            "backtracking": [0, 1],
            **nothing,
        },
        {
            "doc_id": 1,
            "correct": [0, 0],
            "math_verify": [0, 0],
            "tokens": [30, 64],
            "truncated": [0, 1],
            "backtracking": [0, 0],
            **nothing,
            "verification": [1, 0],
        },
        {
            "doc_id": 2,
            "correct": [1, 0],
            "math_verify": [1, 0],
            "tokens": [4, 2],
            "truncated": [0, 0],
            "backtracking": [0, 0],
            **nothing,
        },
    ]
    aggregates = scores["aggregates"]
    assert aggregates["accuracy"]["value"] == 0.5
    # sd of (1, 0, 0.5) over problems is 0.5; over sqrt(3), not sqrt(6)
    assert aggregates["accuracy"]["se"] == pytest.approx(0.5 / 3**0.5)
    assert aggregates["tokens_mean"]["value"] == pytest.approx(25.0)
    assert aggregates["tokens_median"]["value"] == 20.0  # of 2, 4, 10, 30, 40, 64
    assert aggregates["truncation"]["value"] == pytest.approx(1 / 6)
    assert aggregates["backtracking_per_1k"]["value"] == pytest.approx(1000 / 150)
    assert (scores["benchmark"], scores["samples"], scores["n_problems"]) == ("aime24", 2, 3)
    assert (scores["left_out"], scores["missing"], scores["not_scored"]) == ([], 0, None)


def test_a_single_problem_has_no_standard_error(files):
    write(files[1], [{"problem": "Q0?", "answer": "2"}])
    accuracy = run(files, ROWS[:2])["aggregates"]["accuracy"]
    assert accuracy["value"] == 1.0
    assert accuracy["se"] is None


def test_a_file_may_hold_some_of_the_problems_and_fields(files):
    """Without token counts there are no token statistics, and accuracy all the same."""
    rows = [{k: v for k, v in row.items() if k not in ("prompt", "n_reasoning_tokens", "seed")}
            for row in ROWS[:3]]  # fmt: skip
    scores = run(files, rows)
    assert [problem["correct"] for problem in scores["problems"]] == [[1, 1], [0]]
    assert scores["missing"] == 2  # problem 1 has one response, problem 2 none
    assert scores["aggregates"]["accuracy"]["value"] == 0.5
    assert scores["aggregates"]["tokens_mean"] is None
    assert scores["aggregates"]["backtracking_per_1k"] is None


def changed(index, **fields):
    return [*ROWS[:index], ROWS[index] | fields, *ROWS[index + 1 :]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:-1], "1 of 3 problems lack responses: doc 2 has 1 of 2"),
        ([*ROWS, ROWS[0]], "line 7: doc 0, sample 0 is there twice"),
        ([*ROWS, row(3, 0, "", 1, 1)], "line 7: doc_id is 3, but the data file has 3 problems"),
        ([*ROWS, row(1, 2, "", 1, 1)], "line 7: sample is 2, but only 0 to 1 are wanted"),
        ([*ROWS, row(-1, 0, "", 1, 1)], "line 7: field 'doc_id' must be at least 0, got -1"),
        (changed(1, benchmark="lmb"), "line 2: benchmark is 'lmb', expected 'aime24'"),
        (changed(1, text=None), "line 2: field 'text' must be str, got None"),
        (changed(1, n_reasoning_tokens=1.5), "line 2: field 'n_reasoning_tokens' must be int"),
        (changed(1, finish_reason="eos"), "line 2: finish_reason must be stop or length"),
        ([{k: v for k, v in ROWS[0].items() if k != "text"}, *ROWS[1:]], "'text' is missing"),
    ],
)
def test_what_does_not_fit_is_named_and_the_rest_is_scored(files, rows, message):
    generations, data, output = files
    write(generations, rows)
    before = generations.read_bytes()
    wrong = score.score_file("aime24", generations, data, output, samples=2)
    assert any(message in line and str(generations) in line for line in wrong)
    scores = json.loads(output.read_text())
    counted = sum(len(problem["correct"]) for problem in scores["problems"])
    assert counted == len(rows) - len(scores["left_out"]) >= 5
    assert scores["problems"][1]["correct"] == [0, 0]
    assert generations.read_bytes() == before


@pytest.mark.parametrize(
    "line", [b'{"benchmark": "ai', b"\xff\xfe", b"[1, 2]", b"7", b"[" * 100_000]
)
def test_a_torn_line_in_the_middle_costs_no_other(files, line):
    write(files[0], ROWS)
    lines = files[0].read_bytes().splitlines(keepends=True)
    files[0].write_bytes(b"".join([*lines[:2], line + b"\n", *lines[2:]]))
    (wrong,) = score.score_file("aime24", *files, samples=2)
    assert f"{files[0]}, line 3: " in wrong
    assert json.loads(files[2].read_text())["aggregates"]["accuracy"]["value"] == 0.5


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no line can be scored; it is empty"),
        ([{"text": "x"}], "no line can be scored; line 1: field 'benchmark' is missing"),
        (changed(3, prompt="another question"), "prompt of doc 1, sample 1 does not contain"),
    ],
)
def test_a_file_that_answers_nothing_here_is_refused(files, rows, message):
    write(files[0], rows)
    with pytest.raises(ValueError, match=message):
        score.score_file("aime24", *files, samples=2)
    assert not files[2].exists()


def test_the_chat_template_may_change_the_blanks_of_the_problem(files):
    write(files[1], [{"problem": "  Q0?\n\n", "answer": "2"}])
    run(files, ROWS[:2])


def test_gpqa(files, data_dir):
    doc = json.loads((data_dir / "gpqa.jsonl").read_text())
    right = prompts.gpqa_letter(doc)
    wrong = "A" if right != "A" else "B"
    rows = [
        row(0, n, f"x</think>ANSWER: {letter}", 5, 2, benchmark="gpqa")
        | {"prompt": prompts.gpqa(doc)}
        for n, letter in enumerate([right, wrong])
    ]
    files = files[0], data_dir / "gpqa.jsonl", files[2]
    assert run(files, rows, "gpqa")["problems"][0]["correct"] == [1, 0]


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


def code_files(benchmark, files) -> tuple:
    """Write one problem and three programs: right, wrong, endless."""
    doc, programs = CODE[benchmark]
    write(files[1], [doc])
    rows = [
        row(0, n, f"x</think>```python\n{program}\n```", 5, 2, benchmark=benchmark)
        | {"prompt": getattr(prompts, benchmark)(doc)}
        for n, program in enumerate(programs)
    ]
    return files, rows, benchmark


@pytest.mark.parametrize("benchmark", CODE)
@pytest.mark.parametrize("name", ["auto", "none"])
def test_code(benchmark, name, files):
    if name == "auto":
        sandbox.runner(name)  # raises where this machine has none, and so fails: CI has one
    scores = run(*code_files(benchmark, files), sandbox_name=name, timeout_s=1)
    assert scores["problems"][0]["correct"] == [1, 0, 0]
    assert scores["sandbox"]


def test_unknown_sandbox_is_refused(files):
    with pytest.raises(ValueError, match="'docker' is unknown, choose from auto, bubblewrap"):
        run(*code_files("mbpp", files), sandbox_name="docker")


def test_without_a_sandbox_programs_stay_unscored_and_it_is_said(files, monkeypatch):
    def unavailable(name):
        raise sandbox.SandboxUnavailable("install bubblewrap")

    monkeypatch.setattr(sandbox, "runner", unavailable)
    scores = run(*code_files("mbpp", files))
    assert scores["not_scored"] == "install bubblewrap"
    assert (scores["problems"], scores["aggregates"]) == ([], {})


def test_a_program_that_several_responses_give_is_run_once(monkeypatch):
    asked = []

    def passes(text, doc, run_program, limits):
        asked.append(programs.extract_program(text))
        return "right" in (asked[-1] or "")

    monkeypatch.setitem(score.PROGRAMS, "mbpp", passes)
    judge, _ = score._judge("mbpp", "none", 1.0, 2)
    texts = [
        f"<think>{thought}</think>\n```python\n{program}\n```"
        for thought, program in [("a", "right"), ("b", "wrong"), ("c", "right"), ("d", "right 2")]
    ]
    texts.append("<think>no program</think>")
    assert judge({}, "", texts)["correct"] == [True, False, True, True, False]
    assert len(asked) == 4
    assert set(asked) == {"right\n", "wrong\n", "right 2\n", None}


def test_programs_with_the_same_example_of_use_are_judged_apart():
    doc = {"test_list": ["assert square(3) == 9"], "test_setup_code": ""}
    use = "\n```python\nprint(square(2))\n```"
    bodies = ("x * x", "x + 1")
    texts = [f"x</think>```python\ndef square(x):\n    return {b}\n```{use}" for b in bodies]
    judge, _ = score._judge("mbpp", "none", 2.0, 1)
    assert judge(doc, "", texts)["correct"] == [True, False]
