"""Damaged files of problems are refused before any job: file, line and field are named."""

import json
import os
import tempfile
from pathlib import Path

import pytest

from repro.benchmarks import declared
from repro.config import settings
from repro.files import jsonl, strict_yaml
from repro.report import claims, published
from tests.bad_configs import FILE
from tests.paths import DATA, ROOT, needs_data

REAL = strict_yaml.read(ROOT / "config/real_data.yaml")
FILES = {name: REAL["benchmarks"][name]["file"] for name in REAL["benchmarks"]}


def resolve(**changes) -> None:
    settings.resolve({**REAL, **changes}, FILE)


@pytest.fixture
def folder(tmp_path):
    for name in FILES.values():
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    return tmp_path


def row(number: int, **fields):
    """Change fields of one row, counted from 1; a field of None is taken away."""

    def damage(content: bytes) -> bytes:
        rows = [json.loads(line) for line in content.splitlines()]
        changed = {**rows[number - 1], **fields}
        rows[number - 1] = {key: value for key, value in changed.items() if value != "GONE"}
        return "".join(json.dumps(row) + "\n" for row in rows).encode()

    return damage


DAMAGED = {
    "a torn last line": ("aime24", lambda c: c[:-40], "line 30: not valid JSON"),
    "garbage": ("aime24", lambda c: c + bytes(range(256)), "line 31: not valid JSON (Expecting"),
    "null bytes": ("aime24", lambda c: c + b"\0" * 64, "line 31: not valid JSON"),
    "Latin-1": ("aime24", lambda c: c.replace(b"walk", b"w\xe9lk", 1), "line 1: not UTF-8 text"),
    "UTF-16": ("aime24", lambda c: c.decode().encode("utf-16"), "line 1: not UTF-8 text"),
    "a list of rows": ("aime24", lambda c: b"[1, 2]\n" + c, "line 1: wanted a JSON object"),
    "nesting": ("aime24", lambda c: b"[" * 100_000 + c, "line 1: not valid JSON"),
    "digits": ("aime24", lambda c: b'{"id": ' + b"1" * 5000 + b"}\n" + c, "line 1: not valid JSON"),
    "an empty file": ("aime24", lambda c: b"", "no problems for benchmark aime24"),
    "blank lines": ("aime24", lambda c: b"\n \n\n", "no problems for benchmark aime24"),
    "a field gone": ("aime25", row(7, answer="GONE"), "line 7: field 'answer' is missing"),
    "a field renamed": ("math500", row(1, problem="GONE"), "line 1: field 'problem' is missing"),
    "an empty field": (
        "aime24",
        row(3, problem=" "),
        "line 3: field 'problem' = ' '; allowed: a t",
    ),
    "a null": ("aime24", row(3, answer=None), "line 3: field 'answer' = 'None'; allowed: a text"),
    "a number": ("aime24", row(4, problem=17), "line 4: field 'problem' = '17'; allowed: a text"),
    "a list": ("aime24", row(4, answer=["1"]), "line 4: field 'answer' = "),
    "true": ("aime24", row(4, answer=True), "line 4: field 'answer' = 'True'"),
    "NaN": ("aime24", row(1, answer=float("nan")), "line 1: field 'answer' = 'nan'"),
    "other types": (
        "aime24",
        row(9, answer=9),
        "line 9: field 'answer' is of type int; allowed: s",
    ),
    "half a character": ("aime24", row(2, problem="\ud800"), "line 2: field 'problem' = "),
    "an id twice": ("aime24", row(8, id=63), "line 8: field 'id' = 63 stands in line 4 too"),
    "a task twice": ("mbpp", row(5, task_id=12), "line 5: field 'task_id' = 12 stands in line 1"),
    "tests in a text": ("mbpp", row(2, test_list="assert"), "line 2: field 'test_list' = 'assert'"),
    "no tests": ("mbpp", row(2, test_list=[]), "line 2: field 'test_list' = '[]'; allowed: a list"),
    "tests that are numbers": ("mbpp", row(2, test_list=[1]), "line 2: field 'test_list' = '[1]'"),
}


@needs_data
@pytest.mark.parametrize("own", [False, True], ids=["data_dir", "path"])
@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_file_is_refused(damaged, own, folder):
    name, damage, said = DAMAGED[damaged]
    file = folder / FILES[name]
    changes, key = {"data_dir": str(folder)}, f"data_dir = '{folder}'"
    if own:
        benchmarks = {name: {"samples": 1, "path": str(file)}}
        changes = {"data_source": "tinyworld", "data_dir": None, "benchmarks": benchmarks}
        key = f"benchmarks.{name}.path = '{file}'"
    resolve(**changes)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError) as refused:
        resolve(**changes)
    assert str(refused.value).startswith(f"{FILE}: {key}: {file}")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 700


def test_a_large_file_is_read_to_its_end(tmp_path):
    rows = [{"id": n, "problem": f"{n} " * 5000, "answer": "1"} for n in range(1000)]
    jsonl.write(tmp_path / "aime24.jsonl", rows)
    file = tmp_path / "aime24.jsonl"
    assert file.stat().st_size > 16 << 20
    benchmarks = {"aime24": {"path": str(file)}}
    own = {"data_source": "tinyworld", "data_dir": None, "benchmarks": benchmarks}
    resolve(**own)
    with open(file, "a") as torn:
        torn.write('{"id": 1000, "prob')
    with pytest.raises(ValueError, match="line 1001: not valid JSON"):
        resolve(**own)
    settings.resolve({**REAL, **own}, FILE, read_data=False)  # as jobs elsewhere do


def test_more_problems_than_there_are_is_refused(tmp_path):
    file = tmp_path / "aime24.jsonl"
    jsonl.write(file, [{"problem": "1 + 1", "answer": "2"}])
    own = {"data_source": "tinyworld", "data_dir": None}
    with pytest.raises(ValueError, match=r"aime24\.problems = 2; allowed: null or at most 1"):
        resolve(**own, benchmarks={"aime24": {"path": str(file), "problems": 2}})


@needs_data
def test_training_problems_are_checked_too(folder):
    train = folder / "train.jsonl"
    changes = {"data_dir": str(folder), "methods": ["original", "grpo"], "objective": {}}
    changes["training"] = {"max_prompt_tokens": 256, "max_completion_tokens": 64}
    with pytest.raises(ValueError, match="has no train.jsonl; wanted: .*train.jsonl"):
        resolve(**changes)
    train.write_text('{"problem": "1 + 1", "answer": "2"}\n{"question": "2 + 2", "answer": "4"}\n')
    with pytest.raises(ValueError, match="line 2: field 'problem' is missing; train needs problem"):
        resolve(**changes)
    train.write_text('{"problem": "1 + 1", "answer": "2"}\n')
    resolve(**changes)


@needs_data
def test_a_folder_or_an_unreadable_file_in_its_place_is_refused(folder):
    file = folder / FILES["aime24"]
    file.unlink()
    file.mkdir()
    with pytest.raises(ValueError, match="has no aime24.jsonl; wanted: "):
        resolve(data_dir=str(folder))
    file.rmdir()
    file.symlink_to(file)
    with pytest.raises(ValueError, match="has no aime24.jsonl|Too many levels"):
        resolve(data_dir=str(folder))


def test_a_file_without_permission_is_refused():
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to other users
        os.chmod(folder, 0o755)
        file = Path(folder) / "aime24.jsonl"
        jsonl.write(file, [{"problem": "1 + 1", "answer": "2"}])
        file.chmod(0)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            with pytest.raises(ValueError, match=r"aime24\.jsonl: Permission denied; wanted: prob"):
                declared.check_file(file, "aime24")
        finally:
            if root:
                os.seteuid(0)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda c: c[: len(c) // 2] + b"\xff" + c[len(c) // 2 :], "byte 0xff is not UTF-8"),
        (lambda c: c + b"rule: {}\n", "'rule' stands in line"),
        (lambda c: c.replace(b"level: 0.95", b"level: 95"), "rule.level = 95; allowed: a number"),
        (lambda c: b"", "expected a mapping of keys to values, found nothing"),
        (lambda c: c.replace(b"claims:", b"claims:\n\t", 1), "not valid YAML"),
    ],
)
def test_a_damaged_claims_file_is_refused(damage, said, tmp_path):
    content = (ROOT / "config/claims.yaml").read_bytes()
    (tmp_path / "claims.yaml").write_bytes(damage(content))
    with pytest.raises(ValueError, match=r"claims\.yaml") as refused:
        claims.load(tmp_path / "claims.yaml")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda c: c[:-200], "EOF inside string"),
        (lambda c: c.replace(b"30.6", b"thirty"), "line 2: value = 'thirty'"),
        (lambda c: c.replace(b"metric,", b"metrics,", 1), "columns"),
        (lambda c: c + b"\xff\xfe", "not a CSV file"),
        (lambda c: b"", "not a CSV file"),
        (lambda c: c + c.splitlines()[1] + b"\n", "twice"),
    ],
)
def test_damaged_published_numbers_are_refused(damage, said, tmp_path):
    content = (ROOT / "config/paper_results.csv").read_bytes()
    (tmp_path / "paper_results.csv").write_bytes(damage(content))
    with pytest.raises(ValueError, match=r"paper_results\.csv") as refused:
        published.load(tmp_path / "paper_results.csv")
    assert said in str(refused.value)
