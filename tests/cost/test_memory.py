"""What does not fit into a GPU's memory, and the bytes that say so."""

import dataclasses

import pytest
from plans import estimate

from repro import settings
from repro.cost import assumptions, memory, model


def notes(config: dict, backbone: str, **changes: float) -> list[str]:
    """The notes on one backbone."""
    found = estimate(config, **changes).notes
    assert len(set(found)) == len(found)
    memory_notes = [note for note in found if note.startswith("OUT OF MEMORY")]
    return [note for note in memory_notes if f" {backbone}" in note]


def test_the_paper_fits_but_for_its_largest_backbone(paper, smoke):
    large = notes(paper, "Qwen3-8B")
    assert len(large) == 2  # with a critic and without
    assert all("alone take" in note and "strategy = fsdp" in note for note in large)
    assert [n for n in estimate(paper).notes if n.startswith("OUT OF MEMORY")] == large
    assert not estimate(smoke).notes


def test_on_eight_gpus_that_share_the_model_all_of_it_fits(paper_on_eight):
    def too_large(config: dict) -> list[str]:
        return [n for n in estimate(config).notes if n.startswith("OUT OF MEMORY")]

    assert not too_large(paper_on_eight)
    paper_on_eight["training"]["parallel"]["strategy"] = "ddp"
    assert {note.split(":")[1] for note in too_large(paper_on_eight) if "alone take" in note} == {
        " train Qwen3-8B with critic",
        " train Qwen3-8B",
    }


@pytest.mark.parametrize(
    ("strategy", "parts"),
    # Weights, optimizer and gradients of policy and critic, and the reference's weights.
    [("ddp", (12, 16, 8)), ("zero2", (12, 2, 1)), ("fsdp", (1.5, 2, 1)), ("zero3", (1.5, 2, 1))],
)
def test_what_a_process_holds(paper, strategy, parts):
    shape = model.shape("Qwen3-1.7B", paper["backbones"]["Qwen3-1.7B"], "results")
    assume = assumptions.read(paper, "H100-80G", {})
    run = settings.run_settings(paper, "Qwen3-1.7B", "ppo+repro", 0)
    held, _ = memory.update_bytes(run, shape, assume, model.Spread(8, strategy))
    assert held == pytest.approx(sum(parts) * shape.parameters)


def test_gathered_parts_of_shared_weights_are_counted(paper):
    """A matrix of Qwen3-8B's vocabulary is larger than its layers: 151,936 x 4,096 numbers."""
    shape = model.shape("Qwen3-8B", paper["backbones"]["Qwen3-8B"], "results")
    matrix = 151_936 * 4_096
    # Weights and gradients in bfloat16, their sum in float32; the output matrix stays.
    assert memory.unit_bytes(shape) == (2 + 2 + 4) * matrix + 2 * matrix
    layer = 4_096 * (2 * 4_096 + 2 * 1_024 + 3 * 12_288 + 2) + 2 * 128
    few_words = dataclasses.replace(shape, vocabulary=1_000)
    # The last norm is counted with the layers.
    expected = (2 + 2 + 4) * (layer + 4_096 / 36) + 2 * 1_000 * 4_096
    assert memory.unit_bytes(few_words) == pytest.approx(expected)
    run = settings.run_settings(paper, "Qwen3-8B", "grpo+repro", 0)
    assume = assumptions.read(paper, "H100-80G", {})
    held, updating = memory.update_bytes(run, shape, assume, model.Spread(8, "fsdp"))
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
    for key, value in change.items():
        if isinstance(value, dict):
            paper["training"][key] |= value
        else:
            paper["training"][key] = value
    found = notes(paper, "Qwen3-1.7B")
    with_critic = "OUT OF MEMORY: train Qwen3-1.7B with critic: "
    assert any(note.startswith(with_critic) and words in note for note in found)
    plain = [note for note in found if note.startswith("OUT OF MEMORY: train Qwen3-1.7B: ")]
    assert bool(plain) == also_without_critic


def test_responses_of_an_evaluation_by_transformers_need_room(paper):
    paper["evaluation"]["engine"] = "transformers"
    assert any("generate Qwen3-1.7B: 1,024 responses" in n for n in notes(paper, "Qwen3-1.7B"))


def test_a_critic_doubles_what_learns_and_its_gradients(paper):
    shape = model.shape("Qwen3-1.7B", paper["backbones"]["Qwen3-1.7B"], "results")
    assume = assumptions.read(paper, "H100-80G", {})
    held = {
        method: memory.update_bytes(
            settings.run_settings(paper, "Qwen3-1.7B", method, 0), shape, assume
        )[0]
        for method in ("grpo", "ppo+repro")
    }
    # A learner has weights, two moments and gradients, four bytes each; the reference weights.
    assert held == {"grpo": 20 * shape.parameters, "ppo+repro": 36 * shape.parameters}


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
    shape = model.Shape(
        layers=0,
        hidden_size=256,
        heads=4,
        key_value_heads=2,
        head_dim=64,
        intermediate_size=1024,
        vocabulary=32,
        tied=True,
        qkv_bias=False,
        qk_norm=False,
    )
    layer = memory.activation_bytes(shape, 1000, False) - memory.activation_bytes(shape, 0, False)
    assert counted < layer / 1000 < 1.25 * counted
