import pytest

from repro.evaluation import tasks
from repro.files import jsonl


def test_answers_that_look_like_dates_stay_text(tmp_path):
    """The json loader of datasets would make a time stamp of this column."""
    jsonl.write(tmp_path / "x.jsonl", [{"problem": "Which day?", "answer": "2024-01-01"}])
    task = tasks.load("aime25", tmp_path / "x.jsonl", 1)
    assert task.doc_to_target(task.eval_docs[0]) == "2024-01-01"


@pytest.mark.parametrize(
    ("benchmark", "rows", "message"),
    [
        ("gsm8k", [], "'gsm8k' is unknown; allowed: .*aime25, "),
        (
            "aime24",
            [{"problem": "?", "answer": "1"}, {"problem": "?"}],
            "line 2: field 'answer'",
        ),
        ("aime24", [], "no problems for benchmark aime24"),
    ],
)
def test_what_cannot_be_a_task_is_named(benchmark, rows, message, tmp_path):
    jsonl.write(tmp_path / "x.jsonl", rows)
    with pytest.raises(ValueError, match=message):
        tasks.load(benchmark, tmp_path / "x.jsonl", 1)
