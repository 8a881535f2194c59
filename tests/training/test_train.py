"""The `train` step end to end on random models: outputs, metrics, kills, damaged checkpoints."""

import hashlib
import json
import os
import shutil
import signal
import time
from itertools import chain
from pathlib import Path

import pytest
import torch
from tests.training import children
from tests.training.conftest import run_of
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, TrainerState

from repro.files import jsonl
from repro.training import train
from repro.training.callbacks import MetricsFile, newest_complete_checkpoint
from repro.training.prompts import check_tokenizer, load_prompts
from repro.verify.maths import correctness

PROCESS = [
    *("process_reward_mean", "process_reward_std", "cut_points"),
    *("objective_baseline", "objective_end", "box_share"),
]
CRITIC = ["value_loss", "value_clip_fraction", "explained_variance", "critic_grad_norm"]
SAMPLER = ["sampler_kl", "sampler_ratio_max", "sampler_corrected"]
COLUMNS = [
    *("step", "reward", "accuracy", "reasoning_tokens", "response_tokens", "truncation_rate"),
    *("backtracking_per_1k", "backtracking_responses", *PROCESS, "entropy", "kl", "loss"),
    *("grad_norm", "learning_rate", *CRITIC, *SAMPLER, "step_seconds"),
]


def assert_same_result(first: Path, second: Path):
    weights = [(out / "model" / "model.safetensors").read_bytes() for out in (first, second)]
    assert weights[0] == weights[1], "weights differ"
    rows = [jsonl.read(out / "training.jsonl") for out in (first, second)]
    for row in chain(*rows):
        del row["step_seconds"]
    assert rows[0] == rows[1]


def assert_same_checkpoint(first: Path, second: Path):
    """Weights, optimizer, schedule, random state and, for PPO, the critic's."""
    names = {path.name for path in second.iterdir()}
    assert {path.name for path in first.iterdir()} == names
    hold_times_and_paths = {"trainer_state.json", "training_args.bin", "manifest.json", "README.md"}
    for name in names - hold_times_and_paths:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_outputs(finished, backbones):
    out = finished / "out"
    assert {path.name for path in out.iterdir()} == {"checkpoint.json", "model", "training.jsonl"}
    files = {path.name for path in (out / "model").iterdir()}
    assert {"model.safetensors", "config.json", "generation_config.json"} <= files
    assert {"tokenizer.json", "chat_template.jinja"} <= files
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pkl"))]
    configs = [GenerationConfig.from_pretrained(f) for f in (out / "model", backbones["qwen3"])]
    assert configs[0].to_dict() == configs[1].to_dict()
    trained = AutoModelForCausalLM.from_pretrained(out / "model", dtype=torch.float32)
    before = AutoModelForCausalLM.from_pretrained(backbones["qwen3"], dtype=torch.float32)
    for after, first in zip(trained.parameters(), before.parameters(), strict=True):
        assert not torch.equal(after, first)


def test_metrics_rows(finished):
    rows = jsonl.read(finished / "out" / "training.jsonl")
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    for row in rows:
        assert list(row) == COLUMNS
        # Of the first rollout only, which two updates share.
        unknown = SAMPLER if row["step"] <= 2 else ["box_share", *SAMPLER]
        assert [column for column in row if row[column] is None] == unknown, "without vLLM"
        assert 0 < row["reasoning_tokens"] <= row["response_tokens"] <= 24
        assert 1 <= row["cut_points"] <= 5
        assert row["objective_baseline"] < 0
        assert row["objective_end"] < 0
        assert row["grad_norm"] > 0
    assert [row["learning_rate"] for row in rows] == [0, 5e-4, 1e-3, 1e-3, 1e-3, 1e-3]
    assert rows[0]["kl"] == 0
    assert rows[-1]["kl"] > 0


def test_plain_grpo_on_qwen2(settings, backbones, train_file, tmp_path):
    settings["process_reward"] = None
    settings["training"]["updates_per_generation"] = 2
    places = train_file, tmp_path / "work", tmp_path / "out"
    train.train_run(run_of(settings), backbones["qwen2"], *places)
    rows = jsonl.read(tmp_path / "out" / "training.jsonl")
    assert len(rows) == 6
    assert all(row[key] is None for row in rows for key in [*PROCESS, *CRITIC])
    assert all(0 <= row["reward"] <= 1 for row in rows)
    assert all(a["reward"] == b["reward"] for a, b in zip(rows[::2], rows[1::2], strict=True))


def test_a_model_without_tags_is_trained_with_repro(settings, backbones, train_file, tmp_path):
    """Cut points lie before the final answer, of which random samples have none: so in all text."""
    settings["backbone_settings"]["thinking"] = "none"
    settings["training"]["steps"] = 2
    places = train_file, tmp_path / "work", tmp_path / "out"
    train.train_run(run_of(settings), backbones["qwen3"], *places)
    rows = jsonl.read(tmp_path / "out" / "training.jsonl")
    assert [row["reasoning_tokens"] == row["response_tokens"] for row in rows] == [True, True]
    for row in rows:
        assert row["cut_points"] > 1 and row["objective_end"] < 0
        assert row["process_reward_std"] > 0


@pytest.fixture
def interrupted(backbones, train_file, tmp_path):
    """Return the paths of a run, and a function that ends the run by a signal."""
    work, said = tmp_path / "work", tmp_path / "said"
    paths = [backbones["qwen3"], train_file, work, tmp_path / "out"]

    def end(settings, rows, sent):
        """Send it after some rows; return the exit status and what was said."""
        threads = torch.get_num_threads()
        process = children.start(children.train_run, settings, paths, said, threads)
        deadline, metrics = time.monotonic() + 120, work / "training.jsonl"
        while not (metrics.exists() and metrics.read_text().count("\n") >= rows):
            assert process.is_alive(), said.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.kill(process.pid, sent)
        process.join(120)
        assert not (tmp_path / "out").exists()
        return process.exitcode, said.read_text()

    return paths, end


def test_sigterm_ends_it_with_a_checkpoint(finished, interrupted):
    """In the first of two updates of a generation: it ends after the second, and not in success."""
    paths, end = interrupted
    settings, (*_, work, out) = jsonl.read_json(finished / "settings.json"), paths
    settings["training"]["save_every"] = 6
    status, said = end(settings, 2, signal.SIGTERM)
    assert status == 143
    assert "a checkpoint was written at step 4 of 6" in said
    assert newest_complete_checkpoint(work).name == "checkpoint-4"
    assert len(jsonl.read(work / "training.jsonl")) == 4
    train.train_run(run_of(settings), *paths)
    assert_same_result(out, finished / "out")


def test_killed_between_two_checkpoints_it_resumes_to_the_same_bits(finished, interrupted):
    """SIGKILL after a row that no checkpoint covers yet; then the run is started again."""
    paths, end = interrupted
    settings, (*_, work, out) = jsonl.read_json(finished / "settings.json"), paths
    status, _ = end(settings, 3, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert newest_complete_checkpoint(work).name in ("checkpoint-2", "checkpoint-4")
    with open(work / "training.jsonl", "a") as file:
        file.write('{"step": 99, "rew')  # a line torn by the kill
    train.train_run(run_of(settings), *paths)
    assert_same_result(out, finished / "out")
    assert_same_checkpoint(work / "checkpoint-6", finished / "work" / "checkpoint-6")


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(
    finished, backbones, train_file, tmp_path
):
    work = tmp_path / "work"
    for damaged in ("model.safetensors", "rng_state.pth", "critic_optimizer.pt", "optimizer.pt"):
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(finished / "work", work)
        file = work / "checkpoint-6" / damaged
        if damaged == "optimizer.pt":  # as long as it was
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 1
            file.write_bytes(content)
        else:
            os.truncate(file, 100)
        assert newest_complete_checkpoint(work).name == "checkpoint-4"
    (work / "checkpoint-5").mkdir()  # a killed save; it must not count among those that are kept
    settings = jsonl.read_json(finished / "settings.json")
    train.train_run(run_of(settings), backbones["qwen3"], train_file, work, tmp_path / "out")
    assert_same_result(tmp_path / "out", finished / "out")
    assert not (work / "checkpoint-5").exists() and (work / "checkpoint-4").exists()


def test_killed_before_the_outputs_it_only_writes_them(finished, backbones, train_file, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(finished / "work", work)
    rows = (work / "training.jsonl").read_bytes()
    run = run_of(jsonl.read_json(finished / "settings.json"))
    train.train_run(run, backbones["qwen3"], train_file, work, tmp_path / "out")
    assert (work / "training.jsonl").read_bytes() == rows
    assert_same_result(tmp_path / "out", finished / "out")


def test_a_checkpoint_without_manifest_is_not_complete(tmp_path):
    for step in (9, 10):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    assert newest_complete_checkpoint(tmp_path) is None
    digest = hashlib.sha256(b"{}").hexdigest()
    manifest = tmp_path / "checkpoint-9" / "manifest.json"
    manifest.write_text(json.dumps({"trainer_state.json": digest}) + "\n")
    assert newest_complete_checkpoint(tmp_path).name == "checkpoint-9"


def test_rows_are_those_of_the_steps_up_to_the_checkpoint_whatever_was_left(tmp_path):
    file = tmp_path / "training.jsonl"
    file.write_text('{"step": 1}\n{"step": 7}\n{"st')
    updates = [{"step": 1, "rollout/reward": 0.5, "loss": 1.0}, {"step": 2, "loss": 0.5}]
    state = TrainerState(log_history=[*updates, {"step": 2, "train_loss": 0.75}])
    MetricsFile(file).on_train_begin(None, state, None)
    rows = [(row["step"], row["reward"], row["loss"]) for row in jsonl.read(file)]
    assert rows == [(1, 0.5, 1.0), (2, 0.5, 0.5)]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_gradient_that_is_not_finite_ends_every_process_before_a_checkpoint(tmp_path, is_first):
    state = TrainerState(is_world_process_zero=is_first, global_step=3)
    logs = {"loss": 1.0, "grad_norm": float("nan")}
    with pytest.raises(RuntimeError, match="step 3: the norm of the gradient is nan"):
        MetricsFile(tmp_path / "training.jsonl").on_log(None, state, None, logs)


@pytest.mark.parametrize(
    ("limit", "answer", "message"),
    [
        (3, "2", r"no prompt of 2 has at most training\.max_prompt_tokens = 3 tokens"),
        (120, "", r"train\.jsonl, line 2: field 'answer' = '': String should"),
    ],
)
def test_a_training_set_that_cannot_be_used(settings, backbones, tmp_path, limit, answer, message):
    settings["training"]["max_prompt_tokens"] = limit
    path = tmp_path / "train.jsonl"
    jsonl.write(path, [{"problem": "1", "answer": "1"}, {"problem": "2", "answer": answer}])
    tokenizer = AutoTokenizer.from_pretrained(backbones["qwen3"])
    with pytest.raises(ValueError, match=message):
        load_prompts(path, tokenizer, run_of(settings))


def test_the_order_of_prompts_is_a_chain_of_permutations(settings, backbones, train_file):
    tokenizer = AutoTokenizer.from_pretrained(backbones["qwen3"])
    settings["training"]["steps"] = 10  # 20 prompts from a set of 7
    answers = load_prompts(train_file, tokenizer, run_of(settings))["answer"]
    assert len(answers) == 20
    everything = {str(2 * i) for i in range(7)}
    assert set(answers[:7]) == set(answers[7:14]) == everything
    other = load_prompts(train_file, tokenizer, run_of({**settings, "seed": 1}))["answer"]
    assert list(answers) != list(other)


def test_a_backbone_is_asked_in_its_own_words(settings, backbones, train_file):
    tokenizer = AutoTokenizer.from_pretrained(backbones["qwen3"])
    settings["backbone_settings"]["prompt"] = {"system": "Think.", "math": "Add: {problem}"}
    rows = load_prompts(train_file, tokenizer, run_of(settings))
    for row in rows:
        system, user = row["prompt"]
        assert system == {"role": "system", "content": "Think."}
        assert user["role"] == "user" and user["content"].startswith("Add: ")


def test_a_tokenizer_that_loses_the_end_of_the_thought_is_refused(backbones):
    tokenizer = AutoTokenizer.from_pretrained(backbones["qwen3"])
    check_tokenizer(tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": ["</think>"]})
    with pytest.raises(ValueError, match="</think> is a special token and is lost in decoding"):
        check_tokenizer(tokenizer)
    check_tokenizer(tokenizer, "none")  # a model that does not think writes no such mark


def test_a_model_that_does_not_think_is_rewarded_for_its_whole_response(backbones, monkeypatch):
    monkeypatch.setattr(train, "correctness", correctness)
    tokenizer = AutoTokenizer.from_pretrained(backbones["qwen3"])
    texts = ["so \\boxed{2}", "2</think>\\boxed{2}", "\\boxed{2}</think>\\boxed{3}"]
    ids = [tokenizer(text)["input_ids"] for text in texts]
    for thinks, rewards in (("required", [0, 1, 0]), ("none", [1, 1, 0])):
        reward = train.correctness_reward(tokenizer, thinks)
        assert reward(completion_ids=ids, answer=["2"] * 3) == rewards
