"""The objective file of a run: what stands in it, and what is refused."""

import pytest

from repro.config.resolved import Judging
from repro.explain import objectives, transcript
from repro.explain.explanation import explain
from repro.explain.transcript import Transcript
from repro.files import jsonl

SETTINGS = Judging(variant="paper", w=0.1, k=3, answer_only=True)
PROBLEM = {"id": 1, "problem": "What is 1 + 1?", "answer": "2"}
TEXT = "<think>\n1 + 1 = 3\n\nwait, that is wrong.\n\n1 + 1 = 2\n</think>\\boxed{2}"


@pytest.fixture
def files(tmp_path) -> dict:
    rows = [
        {"doc_id": doc, "sample": sample, "prompt": f"{PROBLEM['problem']}", "text": TEXT}
        for doc in (0, 1)
        for sample in (0, 1)
    ]
    jsonl.write(tmp_path / "generations.jsonl", rows[::-1])
    jsonl.write(tmp_path / "data.jsonl", [PROBLEM, PROBLEM])
    problems = [{"doc_id": doc, "correct": [doc, 1]} for doc in (0, 1)]
    jsonl.write_json(tmp_path / "scores.json", {"problems": problems})
    return {
        "generations": tmp_path / "generations.jsonl",
        "scores": tmp_path / "scores.json",
        "data": tmp_path / "data.jsonl",
    }


def test_rows_say_what_the_explanation_of_a_response_says(folder, files, tmp_path):
    output = tmp_path / "objective.jsonl"
    objectives.write_objectives(SETTINGS, folder, {"aime24": files}, output, problems=5)
    rows = jsonl.read(output)
    assert [(row["doc_id"], row["sample"], row["correct"]) for row in rows] == [
        (0, 0, 0),
        (1, 0, 1),
    ]
    tokenizer, model = transcript.load_tokenizer(folder), transcript.load_model(folder)
    prompt, response = (
        tokenizer(text, add_special_tokens=False)["input_ids"]
        for text in (PROBLEM["problem"], TEXT)
    )
    expected = explain(
        model,
        tokenizer,
        Transcript("", "2", prompt, response, "", None),
        SETTINGS,
    )
    points = rows[0]["points"]
    assert points[0][:2] == [0, 0.0] and points[-1][1] == 1.0
    stretches = [expected.baseline, *expected.stretches]
    assert [point[0] for point in points] == [stretch.end for stretch in stretches]
    assert [point[2] for point in points] == pytest.approx([s.objective for s in stretches])
    assert [reward for _, reward in rows[0]["segments"]] == pytest.approx(
        [stretch.reward for stretch in expected.stretches]
    )
    assert "backtracking" in [label for label, _ in rows[0]["segments"]]
    assert len(rows[0]["segments"]) == len(points) - 1


def test_only_so_many_problems(folder, files, tmp_path):
    objectives.write_objectives(
        SETTINGS, folder, {"aime24": files}, tmp_path / "o.jsonl", problems=1
    )
    assert len(jsonl.read(tmp_path / "o.jsonl")) == 1


def test_what_the_context_cannot_hold_is_left_out_and_counted(folder, files, tmp_path, capsys):
    rows = jsonl.read(files["generations"])
    rows[-1]["text"] = "x " * 5000
    jsonl.write(files["generations"], rows)
    objectives.write_objectives(
        SETTINGS, folder, {"aime24": files}, tmp_path / "o.jsonl", problems=2
    )
    assert len(jsonl.read(tmp_path / "o.jsonl")) == 1
    assert "left out 1 responses" in capsys.readouterr().err


def test_files_that_do_not_belong_together_are_refused(folder, files, tmp_path):
    jsonl.write_json(files["scores"], {"problems": []})
    with pytest.raises(ValueError, match="doc 0 is not scored or not there"):
        objectives.write_objectives(
            SETTINGS, folder, {"aime24": files}, tmp_path / "o.jsonl", problems=1
        )
    assert not (tmp_path / "o.jsonl").exists()
