"""What generation leaves behind: its key-value cache and the entropy of every sampled token.

Sampling computes both anyway. Kept, they spare the process reward its forward over the responses:
only the short query pass remains.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from repro.process_reward.logits import causal_lm
from repro.process_reward.one_pass import CachedForward


@dataclass
class GenerationRecord:
    """Filled while the model generates."""

    temperature: float  # of the policy that the entropies describe
    cache: DynamicCache | None = None  # of the latest forward
    prompt_width: int = 0  # columns of the left-padded prompts
    entropies: list[Tensor] = field(default_factory=list)  # of each sampled token, T times (B,)

    def add(self, _module, _arguments, output) -> None:
        """Remember one decoding step: a forward hook of the causal language model."""
        self.cache = output.past_key_values
        if not self.entropies and isinstance(self.cache, DynamicCache):
            self.prompt_width = self.cache.get_seq_length()
        logits = output.logits[:, -1].float() / self.temperature  # (B, V)
        log_probs = logits.log_softmax(-1)
        self.entropies.append(-(log_probs.exp() * log_probs).sum(-1))

    def is_usable(self, rows: int) -> bool:
        """Whether one plain cache holds all rows in full; other engines leave none."""
        if type(self.cache) is not DynamicCache or len(self.entropies[0]) != rows:
            return False
        width, layers = self.prompt_width + len(self.entropies) - 1, self.cache.layers
        return all(not layer.is_sliding and layer.keys.shape[-2] == width for layer in layers)

    @torch.no_grad()
    def forward(
        self,
        model: PreTrainedModel,
        prompts: Sequence[Sequence[int]],
        completions: Sequence[Sequence[int]],
    ) -> tuple[CachedForward, Tensor, Tensor]:
        """Return a cached forward over B prompts and responses, the latters' mask and entropies.

        Both are (B, T). The last sampled token was never fed to the model; one more step adds it.
        """
        device, width = self.entropies[0].device, self.prompt_width
        shape = len(prompts), width + len(self.entropies)  # (B, P + T)
        input_ids = torch.zeros(shape, dtype=torch.long, device=device)
        attention_mask = torch.zeros_like(input_ids)
        for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
            tokens = slice(width - len(prompt), width + len(completion))
            input_ids[row, tokens] = torch.tensor([*prompt, *completion], device=device)
            attention_mask[row, tokens] = 1
        # As `generate` counts: rows that have ended go on with padding, which no cut looks at.
        position_ids = (attention_mask.cumsum(1) - 1).clamp(min=0)
        causal_lm(model).base_model(
            input_ids=input_ids[:, -1:],
            attention_mask=attention_mask,
            position_ids=position_ids[:, -1:],
            past_key_values=self.cache,
            use_cache=True,
        )
        forward = CachedForward(self.cache, input_ids, attention_mask, position_ids, width)
        return forward, attention_mask[:, width:], torch.stack(self.entropies, dim=1)
