"""What does not fit into a GPU's memory, and the bytes that say so."""

from dataclasses import replace

import pytest
from tests.cost.conftest import changed

from repro.config.models import Experiment
from repro.config.settings import Run
from repro.cost import assumptions, jobs, memory, model
from repro.cost.estimate import estimate


def list_notes(config: Experiment, backbone: str = "") -> list[str]:
    """What of one backbone, or of all, does not fit."""
    found = [note for note in estimate(config).notes if note.startswith("OUT OF MEMORY")]
    assert len(set(found)) == len(found)
    return [note for note in found if f" {backbone}" in note]


def read_training(config: Experiment, method: str) -> model.Training:
    assume = assumptions.read(config, "H100-80G", [])
    return jobs.read_training(config, Run("Qwen3-1.7B", method, 0), assume)


def test_the_paper_fits_but_for_its_largest_backbone(paper, smoke):
    large = list_notes(paper, "Qwen3-8B")
    assert len(large) == 2  # with a critic and without
    assert all("alone take" in note and "strategy = fsdp" in note for note in large)
    assert list_notes(paper) == large
    assert not estimate(smoke).notes


def test_on_eight_gpus_that_share_the_model_all_of_it_fits(paper_on_eight):
    assert not list_notes(paper_on_eight)
    found = list_notes(changed(paper_on_eight, training={"parallel": {"strategy": "ddp"}}))
    assert {note.split(":")[1] for note in found if "alone take" in note} == {
        " train Qwen3-8B with critic",
        " train Qwen3-8B",
    }


@pytest.mark.parametrize(
    ("strategy", "parts"),
    # Weights, optimizer and gradients of policy and critic, and the reference's weights.
    [("ddp", (12, 16, 8)), ("zero2", (12, 2, 1)), ("fsdp", (1.5, 2, 1)), ("zero3", (1.5, 2, 1))],
)
def test_what_a_process_holds(paper, strategy, parts):
    job = replace(read_training(paper, "ppo+repro"), processes=8, strategy=strategy)
    held, _ = memory.update_bytes(job)
    assert held == pytest.approx(sum(parts) * job.sampler.shape.parameters)


def test_gathered_parts_of_shared_weights_are_counted(paper):
    """A matrix of Qwen3-8B's vocabulary is larger than its layers: 151,936 x 4,096 numbers."""
    assume = assumptions.read(paper, "H100-80G", [])
    job = jobs.read_training(paper, Run("Qwen3-8B", "grpo+repro", 0), assume)
    job, shape, matrix = (
        replace(job, processes=8, strategy="fsdp"),
        job.sampler.shape,
        151_936 * 4_096,
    )
    # Weights and gradients in bfloat16, their sum in float32; the output matrix stays.
    assert memory.unit_bytes(shape) == (2 + 2 + 4) * matrix + 2 * matrix
    layer = 4_096 * (2 * 4_096 + 2 * 1_024 + 3 * 12_288 + 2) + 2 * 128
    few_words = replace(shape, vocabulary=1_000)
    # The last norm is counted with the layers.
    expected = (2 + 2 + 4) * (layer + 4_096 / 36) + 2 * 1_000 * 4_096
    assert memory.unit_bytes(few_words) == pytest.approx(expected)
    held, updating = memory.update_bytes(job)
    assert updating - held > memory.unit_bytes(shape)


@pytest.mark.parametrize(
    ("change", "words", "also_without_critic"),
    [
        ({"micro_batch_size": 8}, "an update takes 130 GB with micro_batch_size = 8", True),
        ({"micro_batch_size": 2}, "an update takes 80 GB with micro_batch_size = 2", False),
        ({"gradient_checkpointing": False}, "an update takes", True),
        ({"rollouts": {"sleep": False}}, "an update takes 95 GB", False),
        ({"rollouts": {"gpu_memory": 0.4}}, "holds 49 GB and vLLM 34 GB, 76 GB are", False),
        ({"rollouts": {"gpu_memory": 0.1}}, "no room for the cache of a single", True),
        ({"rollouts": {"engine": "transformers"}}, "2,048 responses are sampled at once", True),
    ],
)
def test_what_does_not_fit_on_the_gpu_is_said(paper, change, words, also_without_critic):
    found = list_notes(changed(paper, training=change), "Qwen3-1.7B")
    with_critic = "OUT OF MEMORY: train Qwen3-1.7B with critic: "
    assert any(note.startswith(with_critic) and words in note for note in found)
    plain = [note for note in found if note.startswith("OUT OF MEMORY: train Qwen3-1.7B: ")]
    assert bool(plain) == also_without_critic


def test_responses_of_an_evaluation_by_transformers_need_room(paper):
    found = list_notes(changed(paper, evaluation={"engine": "transformers"}))
    assert any("generate Qwen3-1.7B: 1,024 responses" in note for note in found)


def test_a_critic_doubles_what_learns_and_its_gradients(paper):
    for method, bytes_each in (("grpo", 20), ("ppo+repro", 36)):
        # A learner has weights, two moments and gradients, four bytes each; the reference weights.
        job = read_training(paper, method)
        assert memory.update_bytes(job)[0] == bytes_each * job.sampler.shape.parameters


def test_the_table_shows_the_peak_of_a_training(paper):
    line = next(one for one in estimate(paper).lines if one.path[1:] == ("Qwen3-1.7B", "ppo"))
    job = read_training(paper, "ppo")
    n, width = job.sampler.shape.parameters, 200 + 16384
    batch = 2048 * width * 32
    # Sampling: 28 bytes a parameter, the batch, vLLM's 0.28 of 84 GB. Learning: 8 more of
    # gradients, layers' inputs in float32, and the larger of the bfloat16 weights and two layers.
    sampling = 28 * n + batch + 0.28 * 84e9
    layers = 28 * 4 * 2048 * width
    two = 2 * (32 * 2048 + 8 * 6144 + 8 * 24 * 128) * width
    learning = 36 * n + batch + layers + max(two, 2 * n)
    assert line.memory_bytes == pytest.approx(max(sampling, learning))


def kept_for_backward(family: str, layers: int, tokens: int) -> int:
    """Bytes that autograd keeps of a forward in bfloat16 autocast, weights left out."""
    import torch
    import transformers

    sizes = {"hidden_size": 256, "intermediate_size": 1024, "num_attention_heads": 4}
    sizes |= {"num_key_value_heads": 2, "head_dim": 64, "num_hidden_layers": layers}
    config = getattr(transformers, f"{family}Config")(vocab_size=32, **sizes)
    decoder = getattr(transformers, f"{family}Model")(config).train()
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", torch.bfloat16):
        decoder(input_ids=torch.zeros(1, tokens, dtype=torch.long), use_cache=False)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize("family", ["Qwen2", "Qwen3"])
def test_activations_are_what_autograd_keeps(family):
    by_tokens = [  # of one layer more; two lengths, so that weights drop out
        kept_for_backward(family, 2, tokens) - kept_for_backward(family, 1, tokens)
        for tokens in (64, 192)
    ]
    counted = (by_tokens[1] - by_tokens[0]) / 128
    shape = model.Shape(0, 256, 4, 2, 64, 1024, 32, tied=True, qkv_bias=False, qk_norm=False)
    layer = memory.activation_bytes(shape, 1000, False) - memory.activation_bytes(shape, 0, False)
    assert counted < layer / 1000 < 1.25 * counted
