"""Tiny models of several architectures and random left-padded batches for them."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoConfig, AutoModelForCausalLM

from repro.process_reward.probes import Probe

VOCABULARY = 50
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,  # so that attention is far from uniform
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
WINDOW = {"sliding_window": 5}  # shorter than the sequences below
SOME_LAYERS_SLIDE = {"use_sliding_window": True, "max_window_layers": 2, **WINDOW}
MIXED = {"layer_types": ["sliding_attention", "full_attention"] * 2, "head_dim": 16, **WINDOW}
VISION = {"hidden_size": 16, "intermediate_size": 24}
VISION |= {"num_hidden_layers": 1, "num_attention_heads": 2}
MODELS = {  # the model type and its settings
    "qwen2": ("qwen2", {}),
    "qwen2, some layers sliding": ("qwen2", SOME_LAYERS_SLIDE),
    "qwen3": ("qwen3", {"head_dim": 16}),
    "mistral, all layers sliding": ("mistral", WINDOW),
    "gemma2": ("gemma2", MIXED),
    "gemma3": ("gemma3_text", MIXED),
    # As checkpoints of 4B parameters and more: the text model's sizes are one level down.
    "gemma3 with vision": ("gemma3", MIXED),
    "granite": ("granite", {"logits_scaling": 3.0}),
    "cohere": ("cohere", {"logit_scale": 0.3}),
    "hunyuan": ("hunyuan_v1_dense", {"head_dim": 16}),
}
PROBES = (
    Probe((5, 6, 7), (True, True, True)),
    Probe((9,), (True,)),  # a single token
    Probe((1, 2, 3, 4, 5), (False, False, True, True, False)),
    Probe((8, 7, 6, 5, 4, 3, 2, 1), (False, *[True] * 7)),  # longer than the window
)


def new_model(kind: str):
    model_type, settings = MODELS[kind]
    chosen = SIZES | settings
    if model_type == "gemma3":
        chosen = {"text_config": chosen, "vision_config": VISION}
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **chosen)).eval()


@cache
def _shared(kind: str):
    return new_model(kind)


def model_of(kind: str, attention: str = "sdpa"):
    """The same weights each time; to be left as they are."""
    model = _shared(kind)
    model.set_attn_implementation(attention)
    return model


@dataclass(frozen=True)
class Rows:
    """A batch, both unpadded (for the loop) and padded (for the one pass)."""

    prompts: list[list[int]]
    completions: list[list[int]]
    cuts: list[list[int]]
    probes: list[list[Probe]]

    @property
    def prompt_length(self) -> int:
        return max(map(len, self.prompts))

    def padded(self) -> tuple[Tensor, Tensor]:
        """Token ids and attention mask, (B, P + T) each."""

        def join(left: list[Tensor], right: list[Tensor]) -> Tensor:
            prompts = pad_sequence(left, batch_first=True, padding_side="left")
            return torch.cat([prompts, pad_sequence(right, batch_first=True)], dim=1)

        halves = [list(map(torch.tensor, half)) for half in (self.prompts, self.completions)]
        return join(*halves), join(*([torch.ones_like(ids) for ids in half] for half in halves))

    def cut_table(self) -> Tensor:
        """Cut points, (B, C), often with more columns than any row has."""
        width = max(6, *map(len, self.cuts))
        return torch.tensor([[*row, *[-1] * (width - len(row))] for row in self.cuts])


def random_rows(seed: int, rows: int = 5) -> Rows:
    generator = torch.Generator().manual_seed(seed)

    def numbers(low: int, high: int, count: int) -> list[int]:
        return torch.randint(low, high, (count,), generator=generator).tolist()

    prompts = [numbers(3, VOCABULARY, n) for n in numbers(1, 9, rows)]
    # The longest response is cut at the length limit; one is a single token.
    lengths = [20, 1, *numbers(4, 20, rows - 2)]
    completions = [numbers(3, VOCABULARY, n) for n in lengths]
    cuts = [sorted({0, n, *numbers(0, n + 1, 3)}) for n in lengths]
    cuts[-1] = [0]  # a row with the empty thought alone
    probes = [
        [PROBES[(i + j) % len(PROBES)] for j in range(len(row))] for i, row in enumerate(cuts)
    ]
    return Rows(prompts, completions, cuts, probes)
