import pytest

from repro.evaluation import tasks
from repro.files import jsonl


def write(path, rows):
    jsonl.write(path, rows)
    return path


def test_the_papers_seven_benchmarks_are_there():
    assert set(tasks.BENCHMARKS) >= {"aime24", "aime25", "math500", "lmb", "gpqa", "mbpp", "lcb"}


def test_docs_and_repeats(data_dir):
    task = tasks.load("aime24", data_dir / "aime24.jsonl", 3)
    assert task.config.repeats == 3
    assert [doc["answer"] for doc in task.eval_docs] == ["1", "2", "3", "4", "5", "6"]
    assert tasks.verifier(task) == "math"


def test_answers_that_look_like_dates_stay_text(tmp_path):
    """The json loader of datasets would make a time stamp of this column."""
    file = write(tmp_path / "x.jsonl", [{"problem": "Which day?", "answer": "2024-01-01"}])
    task = tasks.load("aime25", file, 1)
    assert task.doc_to_target(task.eval_docs[0]) == "2024-01-01"


def test_unknown_benchmark_lists_the_choices(tmp_path):
    with pytest.raises(ValueError, match="'gsm8k' is unknown, choose from aime24, aime25, "):
        tasks.load("gsm8k", tmp_path / "x.jsonl", 1)


def test_missing_field_names_file_and_line(tmp_path):
    file = write(tmp_path / "x.jsonl", [{"problem": "?", "answer": "1"}, {"problem": "?"}])
    with pytest.raises(ValueError, match=r"x\.jsonl, line 2: field 'answer' is missing"):
        tasks.load("aime24", file, 1)


@pytest.mark.parametrize("samples", [0, -1, 1.5, "4", True])
def test_samples_must_be_a_positive_number(data_dir, samples):
    with pytest.raises(ValueError, match="aime24: samples must be a whole number of at least 1"):
        tasks.load("aime24", data_dir / "aime24.jsonl", samples)


def test_empty_and_absent_files(tmp_path):
    with pytest.raises(ValueError, match="no problems for benchmark aime24"):
        tasks.load("aime24", write(tmp_path / "x.jsonl", []), 1)
    with pytest.raises(FileNotFoundError, match="absent"):
        tasks.load("aime24", tmp_path / "absent.jsonl", 1)
