"""A run's own responses: what the objective file says, and which one the case study shows."""

from pathlib import Path

import pytest

from repro.config.resolved import Judging
from repro.evaluation.decoding import Decoder
from repro.explain import explanation, responses
from repro.explain.explanation import Transcript, explain_each
from repro.files import jsonl
from repro.records.experiment import RunFolder

SETTINGS = Judging(variant="paper", w=0.1, answer_only=True)
STRAIGHT = "<think>\n1 + 1 = 2\n\nso it is 2\n</think>\\boxed{2}"
CORRECTED = "<think>\n1 + 1 = 3\n\nwait, that is wrong.\n\n1 + 1 = 2\n</think>\\boxed{2}"
LONG = "x " * 5000  # too long for the context


@pytest.fixture
def write(folder, tmp_path):
    """Return a function from texts and verdicts of first responses to a run and its problems."""
    run, data = RunFolder(tmp_path / "tiny/grpo/0"), tmp_path / "data/aime24.jsonl"
    for made in (run.path / "generations", data.parent):
        made.mkdir(parents=True)
    (run.path / "model").symlink_to(folder)

    def written(given: list[tuple[str, int]]) -> tuple[RunFolder, Path]:
        asked, rows, scores = [f"What is {doc} + 1?" for doc in range(len(given))], [], []
        for doc, (text, right) in enumerate(given):
            row = {"doc_id": doc, "prompt": asked[doc]}
            rows += [row | {"sample": 1, "text": ""}, row | {"sample": 0, "text": text}]
            scores.append({"doc_id": doc, "correct": [right, 1]})
        jsonl.write(run.path / "generations/aime24.jsonl", rows)
        jsonl.write_json(run.path / "scores/aime24.json", {"problems": scores})
        jsonl.write(data, [{"id": 1, "problem": text, "answer": "2"} for text in asked])
        return run, data

    return written


def test_rows_say_what_the_explanation_of_a_response_says(folder, write, tmp_path, capsys):
    run, data = write([(CORRECTED, 0), (LONG, 1), (STRAIGHT, 1)])
    output = tmp_path / "objective.jsonl"
    responses.write_objectives(SETTINGS, run, {"aime24": data}, output, problems=5)
    rows = jsonl.read(output)
    found = [(row["doc_id"], row["sample"], row["correct"]) for row in rows]
    assert found == [(0, 0, 0), (2, 0, 1)]
    assert "left out 1 responses" in capsys.readouterr().err
    tokenizer = Decoder(folder).tokenizer
    tokens = (explanation.encode(tokenizer, text) for text in ("What is 0 + 1?", CORRECTED))
    alone = Transcript("", "2", *tokens, "")
    [expected] = explain_each(explanation.load_model(folder), tokenizer, alone, [SETTINGS])
    stretches = [expected.baseline, *expected.stretches]
    ends, shares, objectives = zip(*rows[0]["points"], strict=True)
    assert shares[0] == 0 and shares[-1] == 1 and ends == tuple(s.end for s in stretches)
    assert objectives == pytest.approx([stretch.objective for stretch in stretches])
    labels, rewards = zip(*rows[0]["segments"], strict=True)
    assert labels == (None, "backtracking", None)
    assert rewards == pytest.approx([stretch.reward for stretch in expected.stretches])


def test_files_that_do_not_belong_together_or_fit_nowhere_are_refused(write, tmp_path):
    (run, data), output = write([(LONG, 1), (STRAIGHT, 1)]), tmp_path / "o.jsonl"
    file = run.path / "scores/aime24.json"
    jsonl.write_json(file, {"problems": jsonl.read_json(file)["problems"][:1]})
    with pytest.raises(ValueError, match="doc 1 is not scored or not there"):
        responses.write_objectives(SETTINGS, run, {"aime24": data}, output, problems=2)
    assert not output.exists()
    responses.write_objectives(SETTINGS, run, {"aime24": data}, output, problems=1)
    with pytest.raises(ValueError, match="no response fits into the model's context"):
        responses.write_case_study(SETTINGS, run, "aime24", write([(LONG, 1)])[1], output)


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ([(CORRECTED, 0), (STRAIGHT, 1), (CORRECTED, 1), (CORRECTED, 1)], 2),
        ([(CORRECTED, 0), (STRAIGHT, 1), (STRAIGHT, 1)], 1),
        ([(STRAIGHT, 0), (CORRECTED, 0)], 0),
        ([(LONG, 1), (STRAIGHT, 0)], 1),
    ],
)
def test_the_first_correct_response_that_corrects_itself_is_shown(write, tmp_path, given, chosen):
    output, (run, data) = tmp_path / "out/case.png", write(given)
    responses.write_case_study(SETTINGS, run, "aime24", data, output, "Not the paper's.")
    assert output.read_bytes().startswith(b"\x89PNG")
    assert output.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    page = output.with_suffix(".html").read_text(encoding="utf-8")
    verdict = "correct" if given[chosen][1] else "wrong"
    for text in (f"What is {chosen} + 1?", f"doc {chosen}, sample 0, {verdict}", "tiny, GRPO"):
        assert text in page
    assert "<dd>closed by &lt;/think&gt;" in page and "Not the paper&#39;s." in page
    segments = given[chosen][0].count("\n\n") + 1  # each is a cut point, whatever k is
    assert f'id="segment-{segments}"' in page
