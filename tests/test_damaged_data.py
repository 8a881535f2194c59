"""Damaged files of problems are refused before any job: file, line and field are named."""

import json

import pytest

from repro.config import settings
from repro.files import jsonl, strict_yaml
from repro.report import published
from tests.bad_configs import FILE
from tests.paths import DATA, ROOT, needs_data

REAL = strict_yaml.read(ROOT / "config/real_data.yaml")
FILES = {name: REAL["benchmarks"][name]["file"] for name in REAL["benchmarks"]}


def resolve(read_data: bool = True, **changes) -> None:
    settings.resolve({**REAL, **changes}, FILE, read_data)


@pytest.fixture
def folder(tmp_path):
    for name in FILES.values():
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    return tmp_path


def row(number: int, **fields):
    """Change fields of one row, counted from 1; a field of GONE is taken away."""

    def damage(content: bytes) -> bytes:
        rows = [json.loads(line) for line in content.splitlines()]
        changed = {**rows[number - 1], **fields}
        rows[number - 1] = {key: value for key, value in changed.items() if value != "GONE"}
        return "".join(json.dumps(row) + "\n" for row in rows).encode()

    return damage


DAMAGED = [
    ("aime24", lambda c: c[:-40], "line 30: not valid JSON"),
    ("aime24", lambda c: c + bytes(range(256)), "line 31: not valid JSON (Expecting"),
    ("aime24", lambda c: c.replace(b"walk", b"w\xe9lk", 1), "line 1: not valid JSON ('utf-8'"),
    ("aime24", lambda c: b"[1, 2]\n" + c, "line 1: expected a JSON object"),
    ("aime24", lambda c: b"[" * 100_000 + c, "line 1: not valid JSON"),
    ("aime24", lambda c: b'{"id": ' + b"1" * 5000 + b"}\n" + c, "line 1: not valid JSON"),
    ("aime24", lambda c: b"\n \n\n", "no problems for benchmark aime24"),
    ("aime25", row(7, answer="GONE"), "line 7: field 'answer' is missing"),
    ("aime24", row(3, problem=" "), "line 3: field 'problem' = ' ': String should match"),
    ("aime24", row(3, answer=None), "line 3: field 'answer' = 'None': Input should be"),
    ("aime24", row(1, answer=float("nan")), "line 1: field 'answer' = 'nan'"),
    ("aime24", row(9, answer=9), "line 9: field 'answer' is of type int; allowed: s"),
    ("aime24", row(2, problem="\ud800"), "line 2: field 'problem' = "),
    ("mbpp", row(2, test_list="assert"), "line 2: field 'test_list' = 'assert'"),
    ("mbpp", row(2, test_list=[]), "line 2: field 'test_list' = '[]': List should have"),
]


@needs_data
@pytest.mark.parametrize(("name", "damage", "said"), DAMAGED)
def test_a_damaged_file_of_problems_is_refused(folder, name, damage, said):
    resolve(data_dir=str(folder))
    file = folder / FILES[name]
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError) as refused:
        resolve(data_dir=str(folder))
    assert str(refused.value).startswith(f"{FILE}: data_dir = '{folder}': {file}")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 700


def test_a_large_file_of_ones_own_is_read_to_its_end(tmp_path):
    file = tmp_path / "aime24.jsonl"
    rows = [{"id": n, "problem": f"{n} " * 5000, "answer": "1"} for n in range(1000)]
    jsonl.write(file, rows)
    assert file.stat().st_size > 16 << 20
    own = {"data_source": "tinyworld", "data_dir": None}
    own["benchmarks"] = {"aime24": {"path": str(file)}}
    resolve(**own)
    with pytest.raises(ValueError, match=r"aime24\.problems = 1001; allowed: null or at most 1000"):
        resolve(**own | {"benchmarks": {"aime24": {"path": str(file), "problems": 1001}}})
    with open(file, "a") as torn:
        torn.write('{"id": 1000, "prob')
    with pytest.raises(ValueError) as refused:
        resolve(**own)
    where = f"{FILE}: benchmarks.aime24.path = '{file}': {file}, line 1001: not valid JSON"
    assert str(refused.value).startswith(where)
    resolve(read_data=False, **own)  # as jobs elsewhere do


@needs_data
def test_training_problems_are_checked_too(folder):
    train = folder / "train.jsonl"
    changes = {"data_dir": str(folder), "grid": [{"methods": ["original", "grpo"]}]}
    changes["training"] = {"max_prompt_tokens": 256, "max_completion_tokens": 64}
    with pytest.raises(ValueError, match="train.jsonl: No such file.*; wanted: problems for train"):
        resolve(**changes)
    train.write_text('{"problem": "1 + 1", "answer": "2"}\n{"question": "2 + 2", "answer": "4"}\n')
    with pytest.raises(ValueError, match="line 2: field 'problem' is missing; train needs problem"):
        resolve(**changes)
    train.write_text('{"problem": "1 + 1", "answer": "2"}\n')
    resolve(**changes)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda c: c[:-200], "EOF inside string"),
        (lambda c: c.replace(b"30.6", b"thirty"), "to float: 'thirty'"),
        (lambda c: c.replace(b"metric,", b"metrics,", 1), "columns"),
        (lambda c: c + b"\xff\xfe", "can't decode byte"),
        (lambda c: c + c.splitlines()[1] + b"\n", "twice"),
    ],
)
def test_damaged_published_numbers_are_refused(damage, said, tmp_path):
    file = tmp_path / "paper_results.csv"
    file.write_bytes(damage((ROOT / "config/paper_results.csv").read_bytes()))
    with pytest.raises(ValueError, match=rf"paper_results\.csv.*{said}"):
        published.load(file)
