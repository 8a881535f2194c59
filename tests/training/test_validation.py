"""Validation along the way, kept models, and which of them is evaluated."""

import os
import signal
import time

import pytest
import torch
from test_train import assert_same_result
from tests.training import children
from tests.training.conftest import even_length, make_settings, run_of
from transformers import AutoModelForCausalLM, TrainerState

from repro.config.models import Training
from repro.config.resolved import ScoreSettings
from repro.config.words import validate
from repro.evaluation.score import score_file
from repro.files import jsonl
from repro.training import checkpoints, train
from repro.training.validation import Validation

VALIDATION = {"every": 2, "benchmarks": ["aime24", "math500"], "samples": 2, "problems": 3}


@pytest.fixture(scope="module")
def data(tmp_path_factory, train_file):
    """A folder with training problems and those of two benchmarks."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("aime24", "math500"):
        rows = [{"problem": f"{i} + {i}", "answer": str(2 * i)} for i in range(5)]
        jsonl.write(folder / f"{name}.jsonl", rows)
    (folder / "train.jsonl").write_bytes(train_file.read_bytes())
    return folder


@pytest.fixture(scope="module")
def validated(backbones, data, tmp_path_factory):
    """An uninterrupted run that validates every 2 steps and keeps the models of steps 2 and 4."""
    folder = tmp_path_factory.mktemp("validated")
    settings = make_settings(validation=VALIDATION, keep={"every": 2}, evaluate=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "correctness", even_length)
        places = data / "train.jsonl", folder / "work", folder / "out"
        train.train_run(run_of(settings), backbones["qwen3"], *places)
    return settings, folder


def rows_without_time(folder):
    rows = jsonl.read(folder / "validation.jsonl")
    return [{key: row[key] for key in row if key != "seconds"} for row in rows]


def test_it_asks_the_same_problems_at_every_time(validated, data):
    _, folder = validated
    rows = jsonl.read(folder / "out/validation.jsonl")
    times = [(step, name) for step in (0, 2, 4, 6) for name in VALIDATION["benchmarks"]]
    assert [(row["step"], row["benchmark"]) for row in rows] == times
    assert all(row["seconds"] > 0 for row in rows)
    asked = {}
    for row in rows:
        path = folder / f"out/validation/{row['benchmark']}/{row['step']}.jsonl"
        responses = jsonl.read(path)
        assert [(r["doc_id"], r["sample"]) for r in responses] == [
            (doc, sample) for doc in range(3) for sample in range(2)
        ]
        asked.setdefault(row["benchmark"], []).append([r["prompt"] for r in responses])
        # The file is one of generations: the command that scores any other scores it alike.
        scores = folder / "again.json"
        data_file = data / f"{row['benchmark']}.jsonl"
        score_file(row["benchmark"], path, data_file, scores, ScoreSettings(thinking="required"))
        again = jsonl.read_json(scores)["aggregates"]
        assert again["accuracy"]["value"] == row["accuracy"]
        assert again["tokens_mean"]["value"] == row["reasoning_tokens"]
    assert all(prompts == of[0] for of in asked.values() for prompts in of)
    texts = [jsonl.read(folder / f"out/validation/aime24/{step}.jsonl") for step in (0, 6)]
    assert [r["text"] for r in texts[0]] != [r["text"] for r in texts[1]], "the policy has changed"


def test_it_does_not_touch_the_training(validated, finished_without, tmp_path):
    settings, folder = validated
    kept = AutoModelForCausalLM.from_pretrained(folder / "out/checkpoints/4", dtype=torch.float32)
    assert kept.num_parameters() > 0
    last = folder / "work/model/model.safetensors"
    assert last.read_bytes() == (finished_without / "out/model/model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def finished_without(backbones, data, tmp_path_factory):
    """The same run without any validation."""
    folder = tmp_path_factory.mktemp("without")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "correctness", even_length)
        places = data / "train.jsonl", folder / "work", folder / "out"
        train.train_run(run_of(make_settings()), backbones["qwen3"], *places)
    return folder


def test_a_named_step_is_the_runs_model(validated):
    _, folder = validated
    chosen = jsonl.read_json(folder / "out/checkpoint.json")
    assert chosen == {"step": 4, "steps": 6, "rule": "4"}
    weights = [
        (folder / place / "model.safetensors").read_bytes()
        for place in ("out/model", "out/checkpoints/4", "out/checkpoints/2", "work/model")
    ]
    assert weights[0] == weights[1]
    assert len(set(weights)) == 3


def test_another_choice_trains_nothing_again(validated, backbones, data, tmp_path, monkeypatch):
    settings, folder = validated
    settings = {**settings, "training": {**settings["training"], "evaluate": "best-validation"}}
    monkeypatch.setattr(
        train.ReProTrainer, "training_step", lambda *_: pytest.fail("it trains again")
    )
    places = data / "train.jsonl", folder / "work", tmp_path / "out"
    train.train_run(run_of(settings), backbones["qwen3"], *places)
    rows = jsonl.read(folder / "out/validation.jsonl")
    means = {
        step: sum(row["accuracy"] for row in rows if row["step"] == step) / 2 for step in (2, 4, 6)
    }
    best = min(step for step in means if means[step] == max(means.values()))
    chosen = jsonl.read_json(tmp_path / "out/checkpoint.json")
    assert chosen["step"] == best
    assert chosen["accuracy"] == means[best]


def test_killed_in_the_middle_of_a_validation(validated, backbones, data, tmp_path):
    """SIGKILL while the responses after step 4 are being scored; then the run is started again."""
    settings, whole = validated
    work = tmp_path / "work"
    paths = [backbones["qwen3"], data / "train.jsonl", work, tmp_path / "out"]
    process = children.start(children.train_run, settings, paths, tmp_path / "said", 1)
    deadline = time.monotonic() + 120
    while not (work / "validation/aime24/4.jsonl").exists():
        assert process.is_alive(), (tmp_path / "said").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.join(120)
    assert not (work / "checkpoint-4").exists(), "the checkpoint comes after the validation"
    train.train_run(run_of(settings), *paths)
    assert_same_result(tmp_path / "out", whole / "out")
    assert rows_without_time(tmp_path / "out") == rows_without_time(whole / "out")
    for file in (whole / "out/validation").rglob("*.jsonl"):
        again = tmp_path / "out" / file.relative_to(whole / "out")
        assert again.read_bytes() == file.read_bytes()


BEST = {"evaluate": "best-validation"}
NEVER = {"keep": {"every": 5}, "validation": {"every": 3, "benchmarks": ["aime24"]}}


def choose(validated, **training):
    return checkpoints.choose_step(validate({"steps": 12, **training}, Training), validated)


def test_the_best_of_the_kept_and_validated_steps():
    rows = [
        {"step": step, "benchmark": name, "accuracy": accuracy}
        for step, accuracies in {0: (1, 1), 4: (0.2, 0.6), 8: (0.5, 0.3), 12: (0.1, 0.1)}.items()
        for name, accuracy in zip(("a", "b"), accuracies, strict=True)
    ]
    how = {"validation": {"every": 4, "benchmarks": ["a", "b"]}, "keep": {"every": 2}}
    best = choose(rows, **BEST, **how)
    assert best == {"step": 4, "steps": 12, "rule": "best-validation", "accuracy": 0.4}
    assert choose(rows, **how)["step"] == 12
    unscored = [row | {"accuracy": None} if row["benchmark"] == "b" else row for row in rows]
    assert choose(unscored, **BEST, **how)["step"] == 8, "no sandbox could score b"


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"evaluate": 5}, "evaluate = 5 is not kept; allowed: last"),
        ({"evaluate": 5, "keep": {"every": 4}}, "allowed: last, 12, or below it a mul"),
        (BEST, "needs validation and keep"),
        (BEST | NEVER, "no kept step is validated"),
        ({"top_p": 0.9, "rollouts": {"engine": "vllm"}}, "top_p = 0.9 does not go with"),
    ],
)
def test_choices_that_cannot_be_made_are_refused(training, message):
    with pytest.raises(ValueError, match=message):
        validate({"steps": 12, **training}, Training, "training")


@pytest.mark.parametrize(("resumed_at", "kept"), [(0, []), (2, [0, 2]), (4, [0, 2, 4])])
def test_rows_after_the_checkpoint_that_a_run_resumes_from_are_dropped(tmp_path, resumed_at, kept):
    jsonl.write(tmp_path / "validation.jsonl", [{"step": step} for step in (0, 2, 4)])
    resumed, again = object.__new__(Validation), []
    resumed.work_dir, resumed.validate = tmp_path, again.append
    state = TrainerState(global_step=resumed_at, is_world_process_zero=True)
    resumed.on_train_begin(None, state, None)
    assert [row["step"] for row in jsonl.read(tmp_path / "validation.jsonl")] == kept
    assert again == [0] * (resumed_at == 0)  # not a second row of step 0
