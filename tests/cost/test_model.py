"""Sizes and formulas: parameters, seconds of passes, of sampling and of steps, bytes."""

import json
import random

import pytest
from tests.cost.conftest import changed

from repro.config.backbones import DirectoryBackbone, HubBackbone
from repro.config.models import Experiment
from repro.config.settings import Run
from repro.cost import jobs, model

HUB = jobs.NUMBERS["models"]
# Two layers 8 wide with two heads of 4 for queries and one for keys, an MLP of 16, 10 tokens.
SIZES = {"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2}
SIZES |= {"num_key_value_heads": 1, "intermediate_size": 16, "vocab_size": 10}
SIZES |= {"tie_word_embeddings": True}
SHAPE = model.measure(SIZES)
N = SHAPE.parameters
INFINITE = float("inf")


@pytest.mark.parametrize("architecture", ["qwen2", "qwen3"])
def test_parameters_of_a_tiny_backbone_are_exact(architecture, smoke):
    from repro.tinyworld import tokenizer
    from repro.training import supervised

    chosen = changed(smoke.backbones["tiny-qwen3"], architecture=architecture)
    rng = random.Random(0)
    texts = [text for _ in range(500) for text in supervised.example(rng)]
    made = supervised.create(chosen, tokenizer.train(architecture, texts, vocabulary=512))
    shape = jobs.read_shape("tiny", changed(smoke, backbones={"tiny": chosen}))
    assert shape.parameters == made.num_parameters()


@pytest.mark.parametrize("repo", HUB)
def test_parameters_of_a_hub_backbone_are_exact(repo):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        made = AutoModelForCausalLM.from_config(AutoConfig.for_model(**HUB[repo]))
    assert model.measure(HUB[repo]).parameters == made.num_parameters()


def test_an_unknown_backbone_is_read_from_its_download_or_refused(paper, tmp_path):
    mine = HubBackbone(source="hub", repo="Qwen/Qwen3-1.7b", revision="main")
    folder = tmp_path / "backbones/mine"
    paper = changed(
        paper,
        results_dir=str(tmp_path),
        backbones={"mine": mine, "own": DirectoryBackbone(source="directory", path=str(folder))},
    )
    with pytest.raises(ValueError, match=r"backbones\.mine: its size is not known"):
        jobs.read_shape("mine", paper)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(SIZES))
    assert jobs.read_shape("mine", paper) == jobs.read_shape("own", paper) == SHAPE


def on(**changes) -> model.Sampler:
    """SHAPE on a device without limits but for one FLOP a second."""
    device = {"flops": 1.0, "bandwidth": INFINITE, "memory": INFINITE, "waiting": 0.0}
    lengths = {"prompt": 3, "longest": 20, "sampled": 10, "padded": False, "number_bytes": 2}
    return model.Sampler(SHAPE, **{**device, **lengths, **changes})


def test_a_pass_is_two_flop_a_parameter_and_token_and_causal_attention():
    assert on().pass_seconds(3, 10, 5) == 3 * (2 * N * 10 + 2 * 2 * 8 * 10**2)
    # Asking a cache costs the probes alone.
    assert on().pass_seconds(3, 8, 100) == 3 * 8 * (2 * N + 4 * 2 * 8 * 100)


def test_a_token_takes_as_long_as_its_flop_or_its_bytes():
    """Twenty tokens of each response, each with half of the others before it."""
    one = {"prompt": 0, "sampled": 20}
    assert on(**one).sampling_seconds(3, fit=3) == 20 * 3 * (2 * N + 4 * 2 * 8 * 10)
    slow = on(flops=INFINITE, bandwidth=1.0, waiting=7, **one)
    # Keys and values of one head of four numbers, in two layers.
    assert slow.sampling_seconds(3, fit=3) == 20 * (7 + 2 * (N + 3 * 10 * 2 * 2 * 4))


def test_places_that_become_free_are_filled():
    continuous = on(flops=INFINITE, waiting=1)
    assert continuous.sampling_seconds(4, fit=4) == 20  # the longest response
    assert continuous.sampling_seconds(40, fit=4) == 40 * 10 / 4  # the mean of all
    # Keys and values of one head of four numbers, in two layers, two bytes each: 32 a token.
    assert on().count_fitting(32 * 13 * 5) == 5


def read_training(
    config: Experiment, method: str, *changes: str, backbone: str = "Qwen3-1.7B"
) -> model.Training:
    hardware, name = ("H100-80G", backbone) if config.gpus else ("cpu-core", "tiny-qwen3")
    assume = jobs.read_assumptions(config, hardware, changes)
    return jobs.read_training(config, Run(name, method, 0), assume)


def count_passes(config: Experiment, method: str, **training) -> float:
    """Seconds of a step in units of one forward over all rollouts, sampling left out."""
    other = changed(config, training=training)
    job = read_training(other, method, "probe_tokens=1e-9")
    sampling = job.sampler.sampling_seconds(job.rows, job.rows)
    width = job.sampler.prompt + job.sampler.longest
    one = job.sampler.pass_seconds(job.rows, width, width / 2)
    passes = (job.step_seconds() - sampling / job.settings.updates_per_generation) / one
    return pytest.approx(passes, rel=1e-6)


def test_a_step_makes_the_passes_that_the_trainer_makes(smoke):
    assert count_passes(smoke, "grpo") == 1 + 3  # reference; forward, backward
    assert count_passes(smoke, "grpo", kl_coef=0) == 3
    assert count_passes(smoke, "grpo", gradient_checkpointing=True) == 1 + 4
    assert count_passes(smoke, "grpo+repro") == 1 + 3  # asks the cache that sampling leaves
    assert count_passes(smoke, "ppo") == 1 + 1 + 2 * 3  # values; the critic learns too
    two = {"updates_per_generation": 2}  # old log-probabilities; two updates share a generation
    assert count_passes(smoke, "reinforce_pp", **two) == (1 + 1) / 2 + 3


def test_probes_are_as_many_as_segments_at_most(paper, smoke):
    for config, most in ((paper, 8192 / 50), (smoke, 38.4 / 8)):
        asked = []
        for k in (3, "all", 1000):
            other = changed(config, process_reward={"k": k})
            asked.append(read_training(other, "grpo+repro", "probe_tokens=1").probe_tokens - 2)
        assert asked == pytest.approx([3, most, most])


def test_repro_needs_a_forward_where_sampling_leaves_no_cache(paper):
    for engine, memory, forwards in [("vllm", 84e9, 1), ("transformers", 1e15, 0)]:
        config = changed(paper, training={"rollouts": {"engine": engine}})
        plain, job = (read_training(config, m, f"memory={memory}") for m in ("grpo", "grpo+repro"))
        forward = job.sampler.pass_seconds(2048, 16384 + 200, (16384 + 200) / 2)
        query = job.sampler.pass_seconds(2048, 12 * 8, 16384 / 2 + 200)
        expected = pytest.approx(forwards * forward + query)
        assert job.step_seconds() - plain.step_seconds() == expected


def test_rollouts_fit_into_what_training_leaves_or_into_vllms_share(paper):
    n, cache = 1_720_574_976, 2 * 2 * 28 * 8 * 128  # bytes of a token
    expected = (0.28 * 84e9 - 2 * n - 5e9) / (cache * (200 + 0.5 * 16384))
    assert read_training(paper, "ppo").count_fitting() == pytest.approx(expected)
    paper = changed(paper, training={"rollouts": {"engine": "transformers"}})
    free = 0.9 * 84e9 - 28 * n  # two learners of 12 bytes, the reference's weights
    expected = free / (cache * (200 + 16384))
    assert read_training(paper, "ppo").count_fitting() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("strategy", "method", "parts"),
    # Weights and optimizer of all that learns, and the reference's weights; gradients.
    [
        ("ddp", "grpo", (8, 8, 4)),
        ("ddp", "ppo+repro", (12, 16, 8)),
        ("zero2", "ppo+repro", (12, 2, 1)),
        ("fsdp", "ppo+repro", (1.5, 2, 1)),
        ("zero3", "ppo+repro", (1.5, 2, 1)),
    ],
)
def test_what_a_process_holds(paper_on_eight, strategy, method, parts):
    one_token = {"max_completion_tokens": 1, "rollouts": {"engine": "transformers"}}
    config = changed(paper_on_eight, training={"parallel": {"strategy": strategy}, **one_token})
    job = read_training(config, method, "prompt_tokens=1e-9")
    n = job.sampler.shape.parameters
    assert job.held_bytes() == pytest.approx(sum(parts[:2]) * n)
    assert job.peak_bytes() == pytest.approx(sum(parts) * n, rel=1e-3)


WIDE = {"hidden_size": 256, "intermediate_size": 1024, "num_attention_heads": 4}
WIDE |= {"num_key_value_heads": 2, "head_dim": 64}


def kept_for_backward(family: str, layers: int, tokens: int) -> int:
    """Bytes that autograd keeps of a forward in bfloat16 autocast, weights left out."""
    import torch
    from transformers import AutoConfig, AutoModel

    sizes = {**WIDE, "num_hidden_layers": layers, "vocab_size": 32}
    decoder = AutoModel.from_config(AutoConfig.for_model(family, **sizes)).train()
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", torch.bfloat16):
        decoder(input_ids=torch.zeros(1, tokens, dtype=torch.long), use_cache=False)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize("family", ["qwen2", "qwen3"])
def test_activations_are_what_autograd_keeps(family):
    by_tokens = [  # of one layer more; two lengths, so that weights drop out
        kept_for_backward(family, 2, tokens) - kept_for_backward(family, 1, tokens)
        for tokens in (64, 192)
    ]
    counted = (by_tokens[1] - by_tokens[0]) / 128
    shape = model.measure({**SIZES, **WIDE, "num_hidden_layers": 1})
    one_layer = shape.activation_bytes(1, False) / 2  # of a layer more than there are
    assert counted < one_layer < 1.25 * counted
