"""Scoring files of generations, ours and those of others, through to the score file."""

import json

import pytest

from repro import sandbox
from repro.benchmarks import prompts
from repro.commands.cli import main
from repro.config.resolved import ScoreSettings
from repro.evaluation import score
from repro.files import jsonl
from repro.verify import programs

ANSWERS = ["2", "5", "0.5"]
ASKED = "<|user|>Q{}?\nPlease reason step by step, and put your final answer within \\boxed{{}}."
WAIT = "1 + 1 = 3\n\nWait, that is wrong.\n\n1 + 1 = 2"
CHECK = "1 + 1 = 2\n\nLet me double-check: 1 + 1 = 2."


def row(doc_id, sample, text, tokens=9, finish="stop", **more) -> dict:
    found = {"benchmark": "aime24", "doc_id": doc_id, "sample": sample, "text": text}
    return {**found, "n_tokens": tokens, "finish_reason": finish, **more}


def ours(doc_id, sample, text, tokens, reasoning, finish="stop") -> dict:
    """A row with all fields, as `generate` writes them."""
    asked = {"prompt": ASKED.format(doc_id), "n_reasoning_tokens": reasoning, "seed": 0}
    return row(doc_id, sample, text, tokens, finish, **asked)


ROWS = [
    ours(0, 0, "so 2</think>\\boxed{2}", 12, 10),
    ours(0, 1, f"{WAIT}</think>\\boxed{{2}}", 45, 40),
    ours(1, 0, f"{CHECK}</think>\\boxed{{3}}", 33, 30),
    ours(1, 1, "\\boxed{5}", 64, 64, finish="length"),
    ours(2, 0, "one half</think>\\boxed{\\frac{1}{2}}", 6, 4),
    ours(2, 1, "one half</think>\\boxed{1}", 6, 2),
]


@pytest.fixture
def files(tmp_path):
    problems = [{"problem": f"Q{n}?", "answer": answer} for n, answer in enumerate(ANSWERS)]
    jsonl.write(tmp_path / "data.jsonl", problems)
    return tmp_path / "generations.jsonl", tmp_path / "data.jsonl", tmp_path / "s/scores.json"


def wrong_in(files, rows, benchmark="aime24", **settings) -> list[str]:
    """Score rows and return what is wrong with them."""
    jsonl.write(files[0], rows)
    return score.score_file(benchmark, *files, ScoreSettings(**settings))


def scored(files, rows, benchmark="aime24", **settings) -> dict:
    """Score rows that fit and return the score file."""
    assert wrong_in(files, rows, benchmark, **settings) == []
    return json.loads(files[2].read_text())


def verdicts(scores: dict) -> dict[int, list[int]]:
    return {problem["doc_id"]: problem["correct"] for problem in scores["problems"]}


def test_golden_case(files):
    """Every number computed by hand."""
    scores = scored(files, ROWS[::-1], samples=2)
    columns = ("correct", "tokens", "truncated", "backtracking", "verification", "hesitation")
    columns += ("length", "answer")
    by_hand = [
        ([1, 1], [10, 40], [0, 0], [0, 1], [0, 0], [0, 0], [12, 45], [0, 0]),
        ([0, 0], [30, 64], [0, 1], [0, 0], [1, 0], [0, 0], [33, 64], [0, None]),
        ([1, 0], [4, 2], [0, 0], [0, 0], [0, 0], [0, 0], [6, 6], [0, 1]),
    ]
    assert scores["problems"] == [
        {"doc_id": doc, "math_verify": values[0], **dict(zip(columns, values, strict=True))}
        for doc, values in enumerate(by_hand)
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


@pytest.mark.parametrize("docs", [[0, 2], [1, 2], [2]])
def test_a_file_may_hold_some_of_the_problems_and_fields(files, docs):
    """Without token counts there are no token statistics, and accuracy all the same."""
    rows = [row(doc, 0, f"so</think>\\boxed{{{ANSWERS[doc]}}}") for doc in docs]
    scores = scored(files, [*rows, row(docs[0], 1, "so</think>\\boxed{99}")])
    assert verdicts(scores) == {docs[0]: [1, 0], **{doc: [1] for doc in docs[1:]}}
    assert scores["missing"] == 2  # of three problems one has two responses
    assert scores["aggregates"]["accuracy"]["value"] == (len(docs) - 0.5) / len(docs)
    assert scores["aggregates"]["tokens_mean"] is None
    assert scores["aggregates"]["backtracking_per_1k"] is None


def changed(index, **fields):
    return [*ROWS[:index], ROWS[index] | fields, *ROWS[index + 1 :]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:-1], "1 of 3 problems lack responses: doc 2 has 1 of 2"),
        ([*ROWS, ROWS[0]], "line 7: doc 0, sample 0 is there twice"),
        ([*ROWS, row(3, 0, "")], "line 7: doc_id is 3; the data file has 3 problems"),
        ([*ROWS, row(1, 2, "")], "line 7: sample is 2, but only 0 to 1 are wanted"),
        ([*ROWS, row(-1, 0, "")], "line 7: doc_id = -1: Input should be greater than or equal"),
        (changed(1, benchmark="lmb"), "line 2: benchmark is 'lmb', expected 'aime24'"),
        (changed(1, text=None), "line 2: text = null: Input should be a valid string"),
        (changed(1, n_reasoning_tokens=1.5), "line 2: n_reasoning_tokens = 1.5: Input should"),
        (changed(1, finish_reason="eos"), 'finish_reason = "eos": Input should be'),
        ([{k: v for k, v in ROWS[0].items() if k != "text"}, *ROWS[1:]], "'text' is missing"),
    ],
)
def test_what_does_not_fit_is_named_and_the_rest_is_scored(files, rows, message):
    wrong = wrong_in(files, rows, samples=2)
    assert any(message in line and str(files[0]) in line for line in wrong), wrong
    scores = json.loads(files[2].read_text())
    counted = sum(len(problem["correct"]) for problem in scores["problems"])
    assert counted == len(rows) - len(scores["left_out"]) >= 5
    assert verdicts(scores)[1] == [0, 0]
    assert jsonl.read(files[0]) == rows


@pytest.mark.parametrize("line", [b'{"benchmark": "ai', b"\xff\xfe", b"[1, 2]", b"[" * 100_000])
def test_a_torn_line_in_the_middle_costs_no_other(files, line):
    jsonl.write(files[0], ROWS)
    lines, mark = files[0].read_bytes().splitlines(keepends=True), b"\xef\xbb\xbf"
    # The mark of the byte order is no part of a first line.
    files[0].write_bytes(b"".join([mark, *lines[:2], line + b"\n", *lines[2:]]))
    files[1].write_bytes(mark + files[1].read_bytes())
    (wrong,) = score.score_file("aime24", *files, ScoreSettings(samples=2))
    assert f"{files[0]}, line 3: " in wrong
    assert json.loads(files[2].read_text())["aggregates"]["accuracy"]["value"] == 0.5


LCB = {"question_content": "Print the sum.", "starter_code": "", "metadata": "{}"}
for kind, case in (("public", ("1 2", "3")), ("private", ("3 4", "7"))):
    tests = [{"input": case[0], "output": case[1], "testtype": "stdin"}]
    LCB[f"{kind}_test_cases"] = json.dumps(tests)
MBPP = {"text": "Square.", "test_list": ["assert square(3) == 9"], "test_setup_code": ""}
CODE = {  # a problem, and programs: right, wrong, endless
    "mbpp": (MBPP, ["def square(x): return x * x", "def square(x): return 1", "while 1: pass"]),
    "lcb": (LCB, ["print(sum(map(int, input().split())))", "print(3)", "while 1: pass"]),
}


def code_files(files, benchmark="mbpp", texts=None) -> tuple:
    """Write one problem and, without texts, its three programs."""
    doc, programs = CODE[benchmark]
    jsonl.write(files[1], [doc])
    asked = {"benchmark": benchmark, "prompt": getattr(prompts, benchmark)(doc)}
    texts = texts or [f"x</think>```python\n{program}\n```" for program in programs]
    return files, [row(0, n, text, **asked) for n, text in enumerate(texts)], benchmark


@pytest.mark.parametrize(("benchmark", "name"), [("mbpp", "none"), ("lcb", "auto")])
def test_code(benchmark, name, files):
    sandbox.runner(name)  # raises where this machine has none, and so fails: CI has one
    scores = scored(*code_files(files, benchmark), sandbox=name, code_timeout_s=1)
    assert scores["problems"][0]["correct"] == [1, 0, 0]
    assert scores["problems"][0]["answer"] == [0, 1, 2]  # none equals another
    assert scores["sandbox"]


def test_without_a_sandbox_programs_stay_unscored_and_it_is_said(files, monkeypatch):
    def unavailable(name):
        raise sandbox.SandboxUnavailable("install bubblewrap")

    monkeypatch.setattr(sandbox, "runner", unavailable)
    scores = scored(*code_files(files))
    assert scores["not_scored"] == "install bubblewrap"
    assert (scores["problems"], scores["aggregates"]) == ([], {})


def test_a_program_that_several_responses_give_is_run_once(files, monkeypatch):
    asked = []

    def passes(text, doc, run_program, limits):
        asked.append(programs.choose(programs.fenced_blocks(text)))
        return "right" in (asked[-1] or "")

    monkeypatch.setitem(score.PROGRAMS, "mbpp", passes)
    given = ["right", "wrong", "right", "right 2"]
    texts = [f"x{n}</think>\n```python\n{program}\n```" for n, program in enumerate(given)]
    scores = scored(*code_files(files, texts=[*texts, "x</think>no program"]), sandbox="none")
    assert verdicts(scores) == {0: [1, 0, 1, 1, 0]}
    assert scores["problems"][0]["answer"][-1] is None
    assert len(asked) == len(set(asked)) == 4


def test_programs_with_the_same_example_of_use_are_judged_apart(files):
    bodies, use = ("x * x", "x + 1"), "\n```python\nprint(square(2))\n```"
    texts = [f"x</think>```python\ndef square(x):\n    return {b}\n```{use}" for b in bodies]
    assert verdicts(scored(*code_files(files, texts=texts), sandbox="none")) == {0: [1, 0]}


def right(doc_id, **more):
    return row(doc_id, 0, f"so</think>\\boxed{{{ANSWERS[doc_id]}}}", **more)


def plain(doc_id, finish="stop", **more):
    """A response of a model that does not think, or whose server took the thought away."""
    return row(doc_id, 0, f"So it is \\boxed{{{ANSWERS[doc_id]}}}.", finish=finish, **more)


@pytest.mark.parametrize(
    ("rows", "thinking"),
    [
        ([plain(0), plain(1)], "none"),
        ([plain(0), plain(1, "length")], "none"),
        ([right(0), right(1)], "required"),
        ([right(0), plain(1, "length")], "required"),  # a draft in a thought that was cut off
        ([plain(0, "length", prompt="Q0?<think>\n")], "required"),
        ([row(0, 0, "<think>\nit is \\boxed{2}", finish="length")], "required"),
    ],
)
def test_auto_takes_what_the_responses_show_and_says_so(files, rows, thinking, capsys):
    scores = scored(files, rows)
    assert scores["thinking"] == thinking
    assert f"{files[0]}: thinking {thinking}" in capsys.readouterr().err
    # Where no thought is closed, a box counts only for models that do not think.
    closed = ["</think>" in row["text"] for row in rows]
    expected = [[int(closes or thinking == "none")] for closes in closed]
    assert list(verdicts(scores).values()) == expected


TELL = ".*--thinking required or none"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no line can be scored; it is empty"),
        ([{"text": "x"}], "no line can be scored; line 1: key 'benchmark' is missing"),
        (changed(3, prompt="another question"), "prompt of doc 1, sample 1 does not contain"),
        ([right(0), plain(1)], f"1 of 2 responses close a thought .* 1 ended by themselves{TELL}"),
        ([plain(0, prompt="Q0?<think>")], f"0 of 1 responses close .* 1 open one{TELL}"),
        ([plain(0, "length")], f"all 1 responses were cut off{TELL}"),
        ([row(0, 0, "so[/THINK]\\boxed{2}")], rf"the mark '\[/THINK\]', and only </think>{TELL}"),
    ],
)
def test_a_file_that_answers_nothing_here_or_does_not_tell_is_refused(files, rows, message):
    with pytest.raises(ValueError, match=message):
        wrong_in(files, rows)
    assert not files[2].exists()


def test_choices_in_another_order_are_refused(files, data_dir):
    doc = json.loads((data_dir / "gpqa.jsonl").read_text())
    order, letter = prompts.gpqa_choices(doc), prompts.gpqa_letter(doc)
    files = files[0], data_dir / "gpqa.jsonl", files[2]

    def answer(choices, form):
        lines = [form.format(*pair) for pair in zip("ABCD", choices, strict=True)]
        prompt = f"<user>{doc['Question']}\n\n" + "\n".join(lines) + "<assistant><think>"
        given = [letter, "A" if letter != "A" else "B"]
        rows = [row(0, n, f"x</think>ANSWER: {one}", prompt=prompt, benchmark="gpqa")
                for n, one in enumerate(given)]  # fmt: skip
        return verdicts(scored(files, rows, "gpqa"))

    for form in ("{}) {}", "{}. {}", "({}) {}", "{}: {}", "**{}.** {}"):
        assert answer(order, form) == {0: [1, 0]}
    for other in (order[::-1], [order[1], order[0], *order[2:]], [*order[:3], "2"]):
        with pytest.raises(ValueError, match="doc 0, sample 0 shows other choices, or in another"):
            answer(other, "{}) {}")


def test_both_scorers_are_recorded(files):
    """math-verify rounds decimals; this project's verifier does not."""
    jsonl.write(files[1], [{"problem": "Q0?", "answer": "0.3333333"}])
    boxes = ["0.3333333", "\\frac{1}{3}", "0.5"]
    rows = [row(0, n, f"x</think>\\boxed{{{box}}}") for n, box in enumerate(boxes)]
    (problem,) = scored(files, rows)["problems"]
    assert problem["correct"] == [1, 0, 0]
    assert problem["math_verify"] == [1, 1, 0]


def test_the_command_takes_thinking_and_threads(files, capsys):
    jsonl.write(files[0], [plain(0), right(1)])
    arguments = ["score", "--benchmark", "aime24", "--generations", files[0], "--data", files[1]]
    arguments = [*map(str, arguments), "--output", str(files[2]), "--threads", "2"]
    assert main(arguments) == 1
    for thinking, expected in (("none", {0: [1], 1: [1]}), ("required", {0: [0], 1: [1]})):
        assert main([*arguments, "--thinking", thinking]) == 0
        assert verdicts(json.loads(files[2].read_text())) == expected
    assert main([*arguments, "--sandbox", "docker"]) == 1
    assert 'score.sandbox = "docker": Input should be' in capsys.readouterr().err


def test_choices_are_equal_by_their_letter(files):
    from repro.benchmarks import declared

    fields = declared.benchmarks()["gpqa"].fields
    jsonl.write(files[1], [{field: field for field in fields}])
    texts = ["x</think>ANSWER: B", "x</think>it is \\boxed{B}", "x</think>no", "x</think>ANSWER: A"]
    rows = [row(0, n, text, benchmark="gpqa") for n, text in enumerate(texts)]
    assert scored(files, rows, "gpqa")["problems"][0]["answer"] == ["B", "B", None, "A"]
