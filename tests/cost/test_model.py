"""Sizes and formulas: parameters, bytes, seconds of passes, of sampling and of steps."""

import json
import random
from dataclasses import replace

import pytest
from tests.cost.conftest import changed

from repro.config.backbones import DirectoryBackbone, HubBackbone
from repro.config.models import Experiment
from repro.config.settings import Run
from repro.cost import assumptions, jobs, model

HUB = assumptions.numbers()["models"]
# Two layers 8 wide with two heads of 4 for queries and one for keys, an MLP of 16, 10 tokens.
SHAPE = model.Shape(2, 8, 2, 1, 4, 16, 10, tied=True, qkv_bias=False, qk_norm=False)


@pytest.mark.parametrize("architecture", ["qwen2", "qwen3"])
def test_parameters_of_a_tiny_backbone_are_exact(architecture, smoke):
    from repro.tinyworld import tokenizer
    from repro.training import supervised

    chosen = changed(smoke.backbones["tiny-qwen3"], architecture=architecture)
    rng = random.Random(0)
    texts = [text for _ in range(500) for text in supervised.example(rng)]
    made = supervised.create(chosen, tokenizer.train(architecture, texts, vocabulary=512))
    assert jobs.read_shape("tiny", chosen, "results").parameters == made.num_parameters()


@pytest.mark.parametrize("repo", HUB)
def test_parameters_of_a_hub_backbone_are_exact(repo):
    import torch
    import transformers

    sizes = HUB[repo]
    family = {"deepseek-ai": "Qwen2", "Qwen": "Qwen3", "tencent": "HunYuanDenseV1"}
    family = family[repo.partition("/")[0]]
    config = getattr(transformers, f"{family}Config")(
        num_hidden_layers=sizes["layers"],
        hidden_size=sizes["hidden_size"],
        num_attention_heads=sizes["heads"],
        num_key_value_heads=sizes["key_value_heads"],
        head_dim=sizes["head_dim"],
        intermediate_size=sizes["intermediate_size"],
        vocab_size=sizes["vocabulary"],
        tie_word_embeddings=sizes["tied"],
    )
    with torch.device("meta"):
        made = getattr(transformers, f"{family}ForCausalLM")(config)
    assert model.Shape(**sizes).parameters == made.num_parameters()


def test_an_unknown_backbone_is_read_from_its_download_or_refused(tmp_path):
    chosen = HubBackbone(source="hub", repo="Qwen/Qwen3-1.7b", revision="main")
    with pytest.raises(ValueError, match=r"backbones\.mine.*did you mean 'Qwen/Qwen3-1\.7B'"):
        jobs.read_shape("mine", chosen, tmp_path)
    folder = tmp_path / "backbones/mine"
    folder.mkdir(parents=True)
    written = {"num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2}
    written |= {"num_key_value_heads": 1, "intermediate_size": 16, "vocab_size": 10}
    written |= {"model_type": "qwen3", "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(written))
    expected = replace(SHAPE, qk_norm=True)
    assert jobs.read_shape("mine", chosen, tmp_path) == expected
    of_yours = DirectoryBackbone(source="directory", path=str(folder))
    assert jobs.read_shape("mine", of_yours, "results") == expected


def read_training(config: Experiment, method: str, *changes: str) -> model.Training:
    name = "Qwen3-1.7B" if config.gpus else "tiny-qwen3"
    assume = assumptions.read(config, "H100-80G" if config.gpus else "cpu-core", changes)
    return jobs.read_training(config, Run(name, method, 0), assume)


def test_disk_of_a_run_is_weights_and_two_checkpoints(paper):
    n = 1_720_574_976
    assert model.run_bytes(read_training(paper, "grpo")) == (4 + 2 * 12) * n
    assert model.run_bytes(read_training(paper, "ppo+repro")) == (4 + 2 * 24) * n
    paper = changed(paper, training={"steps": paper.training.save_every})
    assert model.run_bytes(read_training(paper, "grpo")) == (4 + 12) * n


def on(**changes: float) -> model.Device:
    plain = {"flops": 1.0, "bandwidth": float("inf"), "memory": float("inf")}
    return model.Device(**{**plain, "layer_seconds": 0.0, "number_bytes": 2, **changes})


def test_a_pass_is_two_flop_a_parameter_and_token_and_causal_attention():
    n = SHAPE.parameters
    assert model.pass_seconds(SHAPE, on(), 3, 10, 1) == 3 * (2 * n * 10 + 2 * 2 * 8 * 10**2)
    waiting = model.pass_seconds(SHAPE, on(flops=float("inf"), layer_seconds=1), 6, 10, 2)
    assert waiting == 3 * 2  # three micro-batches through two layers


def test_asking_a_cache_costs_the_probes_alone():
    n = SHAPE.parameters
    assert model.query_seconds(SHAPE, on(), 3, 8, 100, 1) == 3 * 8 * (2 * n + 4 * 2 * 8 * 100)
    waiting = model.query_seconds(SHAPE, on(flops=float("inf"), layer_seconds=1), 6, 8, 100, 2)
    assert waiting == 3 * 2


def test_a_token_takes_as_long_as_its_flop_or_its_bytes():
    n = SHAPE.parameters
    assert model.token_seconds(SHAPE, on(), 3, 5, 7) == 7 + 3 * (2 * n + 4 * 2 * 8 * 5)
    slow = on(flops=float("inf"), bandwidth=1.0)
    # keys and values of one head of four numbers, in two layers
    assert model.token_seconds(SHAPE, slow, 3, 5, 7) == 7 + 2 * (n + 3 * 5 * 2 * 2 * 4)


def sampler(device: model.Device, scheduling: float | None) -> model.Sampler:
    return model.Sampler(SHAPE, device, prompt=3, mean=10, longest=20, scheduling=scheduling)


def test_a_padded_batch_that_does_not_fit_goes_in_rounds():
    padded = sampler(on(flops=float("inf"), layer_seconds=1.0), None)
    once = model.sampling_seconds(padded, 10, fit=10)
    assert once == 2 * 20 + 2  # two layers a token, and the prompt's pass
    assert model.sampling_seconds(padded, 10, fit=4) == 3 * once


def test_continuous_batching_takes_the_longest_response_or_the_mean_of_all():
    continuous = sampler(on(flops=float("inf")), 1)
    assert model.sampling_seconds(continuous, 4, fit=4) == 20
    assert model.sampling_seconds(continuous, 40, fit=4) == 40 * 10 / 4


def test_a_cache_holds_what_the_engine_keeps_of_a_response():
    # Keys and values of one head of four numbers, in two layers, two bytes each: 32 a token.
    assert sampler(on(), None).count_fitting(32 * 23 * 5) == 5  # padded to the longest
    assert sampler(on(), 1).count_fitting(32 * 13 * 5) == 5


def count_passes(config: Experiment, method: str, **training) -> float:
    """Seconds of a step in units of one forward over all rollouts, sampling left out."""
    other = changed(config, training=training)
    job = read_training(other, method, "probe_tokens=1e-9", "layer_seconds=1e-12")
    padded, device = job.sampler.padded, job.sampler.device
    sampling = model.sampling_seconds(job.sampler, job.rows, job.rows) / job.updates
    one = model.pass_seconds(job.sampler.shape, device, job.rows, padded, job.micro_batch)
    return pytest.approx((model.step_seconds(job) - sampling) / one, rel=1e-6)


def test_a_step_makes_the_passes_that_the_trainer_makes(smoke):
    assert count_passes(smoke, "grpo") == 1 + 3  # reference; forward, backward
    assert count_passes(smoke, "grpo", kl_coef=0) == 3
    assert count_passes(smoke, "grpo", gradient_checkpointing=True) == 1 + 4
    assert count_passes(smoke, "grpo+repro") == 1 + 3  # asks the cache that sampling leaves
    assert count_passes(smoke, "ppo") == 1 + 1 + 2 * 3  # values; the critic learns too
    two = {"updates_per_generation": 2}  # old log-probabilities; two updates share a generation
    assert count_passes(smoke, "reinforce_pp", **two) == (1 + 1) / 2 + 3


@pytest.mark.parametrize(
    ("engine", "memory", "forwards"),
    [("vllm", 84e9, 1), ("vllm", 1e15, 1), ("transformers", 84e9, 1), ("transformers", 1e15, 0)],
)
def test_repro_needs_a_forward_where_sampling_leaves_no_cache(paper, engine, memory, forwards):
    paper = changed(paper, training={"rollouts": {"engine": engine}})
    plain, job = (read_training(paper, m, f"memory={memory}") for m in ("grpo", "grpo+repro"))
    shape, device = job.sampler.shape, job.sampler.device
    forward = model.pass_seconds(shape, device, 2048, 16384 + 200, 1)
    query = model.query_seconds(shape, device, 2048, 22 * 8, 16384 / 2 + 200, 1)
    expected = pytest.approx(forwards * forward + query)
    assert model.step_seconds(job) - model.step_seconds(plain) == expected


def test_rollouts_fit_into_what_training_leaves_or_into_vllms_share(paper):
    n, cache = 1_720_574_976, 2 * 2 * 28 * 8 * 128  # bytes of a token
    expected = (0.28 * 84e9 - 2 * n - 5e9) / (cache * (200 + 0.5 * 16384))
    assert model.rollouts_that_fit(read_training(paper, "ppo")) == pytest.approx(expected)
    paper = changed(paper, training={"rollouts": {"engine": "transformers"}})
    free = 0.9 * 84e9 - 28 * n  # two learners of 12 bytes, the reference's weights
    expected = free / (cache * (200 + 16384))
    assert model.rollouts_that_fit(read_training(paper, "ppo")) == pytest.approx(expected)
