"""Two folders of results: equal where only times and places differ, else what differs is named."""

import shutil

import pytest
import torch
from safetensors.torch import save_file

from repro.commands.cli import main
from repro.files import jsonl
from repro.records import compare_results
from tests import run_folder

RUN = "runs/tiny/grpo+repro~alpha=0.3/0"
ZEROS = "\0" * 16
TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.zeros(4)}


@pytest.fixture
def pair(tmp_path):
    """Return a folder of results with a file of each kind, and a copy of it."""
    first = tmp_path / "first"
    run = run_folder.write(first)
    for model in (first / "backbones/tiny", run / "model"):
        model.mkdir(parents=True)
        save_file(TENSORS, model / "model.safetensors")
        (model / "config.json").write_text('{"hidden_size": 3}')
    (first / "runs/tiny/original/0").mkdir(parents=True)
    (first / "runs/tiny/original/0/model").symlink_to(first / "backbones/tiny")
    jsonl.write(first / "data/aime24.jsonl", [{"answer": str(answer)} for answer in (1, 2, 3)])
    rows = [{"step": 1, "reward": 0.5, "step_seconds": 2.0, "entropy": float("nan")}]
    jsonl.write(run / "training.jsonl", rows)
    jsonl.write(run / "objective.jsonl", [{"doc_id": 0, "objective": [-1.0, -0.5]}])
    record = {"code": "abc", "packages": {"torch": "2"}, "git_commit": "1", "seconds": 3.0}
    jsonl.write_json(run / "provenance.json", record)
    jsonl.write_json(run / "mlflow.json", {"run_id": "1"})
    for folder in ("tables", "figures"):
        (first / folder).mkdir()
    (first / "tables/main.csv").write_text("method,aime24\ngrpo,41.2\nppo,40.0\n")
    (first / "tables/main.md").write_text("| method |\n| GRPO |\n")
    (first / "figures/curve.png").write_bytes(b"\xff\xd8\xff PNG 1")
    (first / "mlflow.db").write_bytes(b"1")
    shutil.copytree(first, second := tmp_path / "second", symlinks=True)
    return first, second


def edit(path, old: str, new: str) -> None:
    """Put something in the place of what a file holds once."""
    content = path.read_bytes()
    assert content.count(old.encode()) == 1
    path.write_bytes(content.replace(old.encode(), new.encode()))


def differences(pair) -> list[tuple[str, str]]:
    found = compare_results.compare(*pair).dropna(subset="difference")
    return [*zip(found["kind"], found["file"], strict=True)]


def test_a_copy_is_equal_whatever_it_is_of(pair, capsys):
    assert dict(compare_results.compare(*pair)["kind"].value_counts()) == {
        **{"provenance.json": 1, "data": 1, "backbones": 2, "settings.json": 1, "model": 4},
        **{"training.jsonl": 1, "generations": 2, "scores": 2, "objective.jsonl": 1},
        **{"tables": 2, "figures": 1},
    }
    assert main(["compare", *map(str, pair)]) == 0
    assert capsys.readouterr().out.split()[-3:] == ["training.jsonl", "1", "0"]


def test_times_places_and_the_state_of_git_do_not_count(pair):
    second = pair[1]
    edit(second / RUN / "training.jsonl", '"step_seconds": 2.0', '"step_seconds": 9.0')
    others = '"directory": "/elsewhere", "finished_before": ["aime24"], "git_commit": "2"'
    edit(second / RUN / "provenance.json", '"git_commit": "1"', others)
    edit(second / RUN / "mlflow.json", '"1"', '"2"')
    (second / "mlflow.db").write_bytes(b"2")
    (second / "report.html").write_text("made later")
    assert differences(pair) == []


def test_in_how_many_files_weights_lie_does_not_count(pair):
    model = pair[1] / RUN / "model"
    (model / "model.safetensors").unlink()
    for number, (name, tensor) in enumerate(TENSORS.items(), start=1):
        save_file({name: tensor}, model / f"model-0000{number}-of-00002.safetensors")
    (model / "model.safetensors.index.json").write_text("{}")
    assert differences(pair) == []


@pytest.mark.parametrize(
    ("kind", "name", "old", "new", "told"),
    [
        ("data", "data/aime24.jsonl", '"3"', '"7"', 'row 3/answer: "3" against "7"'),
        ("backbones", "backbones/tiny/config.json", "3", '3, "x": 4', 'x: "(nothing)" against 4'),
        (
            "model",
            f"{RUN}/model/model.safetensors",
            ZEROS,
            ZEROS[1:] + "1",
            'b.bias: "float32 [4] ',
        ),
        ("training.jsonl", f"{RUN}/training.jsonl", "0.5", "0.7", "row 1/reward: 0.5 against 0.7"),
        ("scores", f"{RUN}/scores/mbpp.json", "[\n    1", "[\n    0", "correct/0: 1 against 0"),
        (
            *("objective.jsonl", f"{RUN}/objective.jsonl", "-0.5]", "-0.5, 0.0]"),
            'row 1/objective/2: "(nothing)" against 0.0',
        ),
        ("tables", "tables/main.csv", "40.0", "40.1", 'line 3: "ppo,40.0" against "ppo,40.1"'),
        ("figures", "figures/curve.png", "PNG 1", "PNG 2", 'content: "9 bytes, SHA-256 '),
    ],
)
def test_one_changed_value_is_found_and_named(pair, capsys, kind, name, old, new, told):
    edit(pair[1] / name, old, new)
    name = name.replace("/model.safetensors", "/*.safetensors")
    assert differences(pair) == [(kind, name)]
    assert main(["compare", *map(str, pair)]) == 1
    said = capsys.readouterr()
    [difference] = [line for line in said.out.splitlines() if line.startswith(f"{name}: ")]
    assert told in difference
    assert said.err == f"error: {pair[0]} and {pair[1]} differ\n"


def test_what_is_missing_is_named(pair, capsys):
    first, second = pair
    shutil.rmtree(second / RUN / "model")
    (first / "tables/main.md").unlink()
    assert main(["compare", str(first), str(second)]) == 1
    said = capsys.readouterr().out
    assert f"{RUN}/model/*.safetensors: only in {first}" in said
    assert f"tables/main.md: only in {second}" in said


def test_what_cannot_be_compared_is_said(pair, tmp_path, capsys):
    assert main(["compare", str(pair[0]), str(tmp_path / "nowhere")]) == 1
    assert f"{tmp_path}/nowhere: no folder of results" in capsys.readouterr().err
    (pair[1] / RUN / "training.jsonl").write_text('{"step": 1, "rew')
    assert main(["compare", *map(str, pair)]) == 1
    assert "training.jsonl, line 1: not valid JSON" in capsys.readouterr().err
