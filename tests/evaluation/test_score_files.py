"""Generations files of others: gaps, marks of thinking, choices in another order, two scorers."""

import json

import pytest

from repro.benchmarks import prompts
from repro.commands.cli import main
from repro.evaluation import score
from repro.files import jsonl

ANSWERS = ["2", "5", "0.5", "7"]


def response(doc_id, text, finish="stop", **more):
    return {
        "benchmark": "aime24",
        "doc_id": doc_id,
        "sample": 0,
        "text": text,
        "n_tokens": 9,
        "finish_reason": finish,
        **more,
    }


def right(doc_id, **more):
    return response(doc_id, f"so</think>\\boxed{{{ANSWERS[doc_id]}}}", **more)


@pytest.fixture
def files(tmp_path):
    problems = [{"problem": f"Q{n}?", "answer": answer} for n, answer in enumerate(ANSWERS)]
    jsonl.write(tmp_path / "data.jsonl", problems)
    return tmp_path / "generations.jsonl", tmp_path / "data.jsonl", tmp_path / "scores.json"


def score_rows(files, rows, **options) -> dict:
    jsonl.write(files[0], rows)
    assert score.score_file("aime24", *files, **options) == []
    return json.loads(files[2].read_text())


def verdicts(scores: dict) -> dict[int, list[int]]:
    return {problem["doc_id"]: problem["correct"] for problem in scores["problems"]}


@pytest.mark.parametrize("docs", [[0, 2], [1, 2], [3], [1, 3], [0, 1, 2, 3]])
def test_any_problems_may_be_missing(files, docs):
    wrong = response(docs[0], "so</think>\\boxed{99}", sample=1)
    found = verdicts(score_rows(files, [right(doc) for doc in docs] + [wrong]))
    assert found == {docs[0]: [1, 0], **{doc: [1] for doc in docs[1:]}}


def test_a_bad_line_in_the_middle_costs_no_other(files):
    jsonl.write(files[0], [right(doc) for doc in range(4)])
    lines = files[0].read_bytes().splitlines(keepends=True)
    files[0].write_bytes(b"".join([lines[0], b"{torn\n", *lines[2:]]))
    (message,) = score.score_file("aime24", *files)
    assert f"{files[0]}, line 2: not valid JSON" in message
    assert verdicts(json.loads(files[2].read_text())) == {0: [1], 2: [1], 3: [1]}


def test_a_byte_order_mark_is_no_part_of_the_first_line(files):
    jsonl.write(files[0], [right(doc) for doc in range(4)])
    for file in files[:2]:
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert score.score_file("aime24", *files) == []
    assert verdicts(json.loads(files[2].read_text())) == {doc: [1] for doc in range(4)}


def plain(doc_id, finish="stop", **more):
    """A response of a model that does not think, or whose server took the thought away."""
    return response(doc_id, f"So it is \\boxed{{{ANSWERS[doc_id]}}}.", finish, **more)


@pytest.mark.parametrize(
    ("rows", "thinking"),
    [
        ([plain(0), plain(1)], "none"),
        ([plain(0), plain(1, "length")], "none"),
        ([right(0), right(1)], "required"),
        ([right(0), plain(1, "length")], "required"),  # a draft in a thought that was cut off
        ([plain(0, "length", prompt="Q0?<think>\n")], "required"),
        ([response(0, "<think>\nit is \\boxed{2}", "length")], "required"),
    ],
)
def test_auto_takes_what_the_responses_show_and_says_so(files, rows, thinking, capsys):
    scores = score_rows(files, rows)
    assert scores["thinking"] == thinking
    assert f"{files[0]}: thinking {thinking}" in capsys.readouterr().err
    # Where no thought is closed, a box counts only for models that do not think.
    closed = ["</think>" in row["text"] for row in rows]
    expected = [[int(closes or thinking == "none")] for closes in closed]
    assert list(verdicts(scores).values()) == expected


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([right(0), plain(1)], "1 of 2 responses close a thought .* 1 ended by themselves"),
        ([plain(0, prompt="Q0?<think>")], "0 of 1 responses close .* 1 open one"),
        ([plain(0, "length")], "all 1 responses were cut off"),
        ([response(0, "so[/THINK]\\boxed{2}")], r"the mark '\[/THINK\]', and only </think>"),
    ],
)
def test_auto_refuses_what_does_not_tell(files, rows, message):
    jsonl.write(files[0], rows)
    with pytest.raises(ValueError, match=message + ".*--thinking required or none"):
        score.score_file("aime24", *files)
    assert not files[2].exists()


@pytest.mark.parametrize(("thinking", "correct"), [("required", [[1], [0]]), ("none", [[1], [1]])])
def test_a_stated_setting_decides_mixed_files(files, thinking, correct):
    scores = score_rows(files, [right(0), plain(1)], thinks=thinking)
    assert list(verdicts(scores).values()) == correct


def test_a_second_mark_is_text_and_the_last_answer_counts(files):
    texts = ["a</think>\\boxed{9}</think>\\boxed{2}", "a</think>\\boxed{2}</think>", "\\boxed{2}"]
    texts.append("\\boxed{2}</think>\\boxed{2}</think>\\boxed{9}")
    rows = [response(0, text, sample=number) for number, text in enumerate(texts)]
    assert verdicts(score_rows(files, rows, thinks="required")) == {0: [1, 1, 0, 0]}


def test_choices_in_another_order_are_refused(tmp_path):
    doc = {
        "Record ID": "rec1",
        "Question": "Which is the largest?",
        "Correct Answer": "40",
        "Incorrect Answer 1": "4",
        "Incorrect Answer 2": "-4 m",
        "Incorrect Answer 3": "1",
    }
    jsonl.write(tmp_path / "data.jsonl", [doc])
    order = prompts.gpqa_choices(doc)
    files = tmp_path / "generations.jsonl", tmp_path / "data.jsonl", tmp_path / "scores.json"

    def answer(choices, form):
        lines = [form.format(*pair) for pair in zip("ABCD", choices, strict=True)]
        prompt = f"<user>{doc['Question']}\n\n" + "\n".join(lines) + "<assistant><think>"
        text = f"x</think>ANSWER: {prompts.gpqa_letter(doc)}"
        row = response(0, text, prompt=prompt, benchmark="gpqa")
        jsonl.write(files[0], [row])
        return score.score_file("gpqa", *files)

    for form in ("{}) {}", "{}. {}", "({}) {}", "{}: {}", "**{}.** {}"):
        assert answer(order, form) == []
        assert json.loads(files[2].read_text())["problems"][0]["correct"] == [1]
    for other in (order[::-1], [order[1], order[0], *order[2:]], [*order[:3], "2"]):
        with pytest.raises(ValueError, match="doc 0, sample 0 shows other choices, or in another"):
            answer(other, "{}) {}")


def test_both_scorers_are_recorded(files):
    """math-verify rounds decimals; this project's verifier does not."""
    jsonl.write(files[1], [{"problem": "Q0?", "answer": "0.3333333"}])
    rows = [response(0, f"x</think>\\boxed{{{box}}}", sample=n) for n, box in
            enumerate(["0.3333333", "\\frac{1}{3}", "0.5"])]  # fmt: skip
    scores = score_rows(files, rows)
    (problem,) = scores["problems"]
    assert problem["correct"] == [1, 0, 0]
    assert problem["math_verify"] == [1, 1, 0]


def test_the_command_takes_thinking_and_threads(files):
    jsonl.write(files[0], [plain(0), right(1)])
    arguments = ["score", "--benchmark", "aime24", "--generations", files[0], "--data", files[1]]
    arguments += ["--output", files[2], "--threads", "2"]
    assert main([*map(str, arguments)]) == 1
    assert main([*map(str, arguments), "--thinking", "none"]) == 0
    assert verdicts(json.loads(files[2].read_text())) == {0: [1], 1: [1]}
