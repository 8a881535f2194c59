"""What the task files say, and what is said of a file that says something else."""

import pytest

from repro.benchmarks import declared
from repro.files import jsonl

GOOD = """
task: aime99
task_alias: AIME99
output_type: generate_until
test_split: test
doc_to_text: !function prompts.math
doc_to_target: !function prompts.math_answer
metadata:
  version: 1.0
  verifier: math
  question: problem
  fields: [problem, answer]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(declared, "FOLDER", tmp_path)
    declared.benchmarks.cache_clear()
    yield tmp_path
    declared.benchmarks.cache_clear()


def test_the_papers_seven_come_first_in_its_order():
    assert tuple(declared.benchmarks())[:7] == declared.PAPER
    titles = [declared.benchmarks()[name].title for name in declared.PAPER]
    assert titles == ["AIME24", "AIME25", "MATH500", "LMB", "GPQA-D", "MBPP", "LCB"]
    in_domain = [name for name in declared.PAPER if declared.benchmarks()[name].in_domain]
    assert in_domain == ["aime24", "aime25", "math500", "lmb"]


def test_others_come_after_them_by_name(folder):
    for name in ("zebra", "aime24", "lcb", "ant"):
        (folder / f"{name}.yaml").write_text(GOOD.replace("task: aime99", f"task: {name}"))
    assert list(declared.benchmarks()) == ["aime24", "lcb", "ant", "zebra"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("task: aime99", "task: aime", ["task = 'aime'", "the name of the file"]),
        ("task_alias: AIME99\n", "", ["key 'task_alias' is missing"]),
        ("verifier: math", "verifier: maths", ["verifier", "'maths'", "'math', 'choice'"]),
        (
            "question: problem",
            "question: Problem",
            ["metadata.question = 'Problem'; allowed: problem, answer"],
        ),
        ("[problem, answer]", "problem", ["fields", "'problem'", "a valid list"]),
        ("prompts.math_answer", "prompts.maths", ["prompts.py has no function 'maths'"]),
        ("doc_to_text", "doc_to_txt", ["key 'doc_to_text' is missing"]),
        ("metadata:", "meta:", ["key 'verifier' is missing"]),
        ("task: aime99", "task: [", ["while parsing"]),
    ],
)
def test_a_task_file_that_is_wrong_is_refused(folder, old, new, words):
    assert GOOD.count(old) == 1
    (folder / "aime99.yaml").write_text(GOOD)
    assert declared.benchmarks()["aime99"].title == "AIME99"
    declared.benchmarks.cache_clear()
    (folder / "aime99.yaml").write_text(GOOD.replace(old, new))
    with pytest.raises(ValueError, match="aime99.yaml: ") as refused:
        declared.benchmarks()
    for word in words:
        assert word in str(refused.value)
    assert "\n" not in str(refused.value)


def test_rows_hold_the_declared_fields_only(tmp_path):
    jsonl.write(tmp_path / "x.jsonl", [{"problem": "1 + 1", "answer": "2", "id": 1}])
    assert declared.read_rows(tmp_path / "x.jsonl", "aime24") == [
        {"problem": "1 + 1", "answer": "2"}
    ]
