"""Batched sampling with a transformers model.

The loop is our own because of what ``generate`` does to many short responses beside a few long
ones: it computes every row until the last one has ended, and copies the whole key-value cache at
every step. Here finished rows leave the batch, the cache grows in place, and prompts that repeat
within a batch are read once.
"""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.cache_utils import DynamicLayer

from repro.evaluation.engines import Completion, Sampling
from repro.verify.answers import THINK_CLOSE, THINK_OPEN

# Rows leave the batch when the living ones have shrunk to this share: copying has a price too.
_COMPACT_BELOW = 0.75


class TransformersEngine:
    """A causal language model in float32 on a CPU, in bfloat16 on a GPU."""

    def __init__(self, model_dir: str | Path) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self.tokenizer = AutoTokenizer.from_pretrained(model_dir)
        self.model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=dtype)
        self.model.to(self.device).eval()
        self.eos_ids = _eos_ids(self.model, self.tokenizer)
        thinking = {self.tokenizer.convert_tokens_to_ids(tag) for tag in (THINK_OPEN, THINK_CLOSE)}
        added = self.tokenizer.added_tokens_decoder
        special = {token_id for token_id, token in added.items() if token.special}
        # Some tokenizers call the thinking tags special; the answer begins where they end.
        self._hidden_ids = (special | self.eos_ids) - thinking

    @torch.inference_mode()
    def generate(self, prompts: list[str], sampling: Sampling) -> list[Completion]:
        """Return one completion per prompt, in order.

        Deterministic for the same prompts in the same order with the same seed, on one machine.
        """
        rows = self._sample(prompts, sampling)
        return [self._completion(row, sampling) for row in rows]

    def _sample(self, prompts: list[str], sampling: Sampling) -> list[list[int]]:
        generator = torch.Generator(self.device).manual_seed(sampling.seed)
        eos = torch.tensor(sorted(self.eos_ids), device=self.device)
        distinct = list(dict.fromkeys(prompts))
        index = torch.tensor([distinct.index(prompt) for prompt in prompts], device=self.device)
        ids, mask = self._pad_left(distinct)  # (D, P)
        cache = _growing_cache(self.model.config)
        logits = self._step(ids, mask, (mask.cumsum(1) - 1).clamp(min=0), cache)  # (D, V)
        cache.batch_select_indices(index)
        logits, mask = logits[index], mask[index]  # (B, V), (B, P)
        alive = torch.arange(len(prompts), device=self.device)  # rows of the batch still running
        tokens = torch.empty(
            len(prompts), sampling.max_new_tokens, dtype=torch.long, device=self.device
        )  # (B, N)
        lengths = torch.zeros_like(alive)  # (B,)
        running = torch.ones_like(alive, dtype=torch.bool)  # (A,)
        for step in range(sampling.max_new_tokens):
            drawn = _draw(logits, sampling, generator)  # (A,)
            tokens[alive, step] = drawn
            lengths[alive[running]] = step + 1
            running &= ~torch.isin(drawn, eos)
            left = int(running.sum())
            if left == 0 or step + 1 == sampling.max_new_tokens:
                break
            if left < _COMPACT_BELOW * len(alive):
                keep = running.nonzero().squeeze(1)
                cache.batch_select_indices(keep)
                alive, mask, drawn, running = alive[keep], mask[keep], drawn[keep], running[keep]
            mask = torch.cat([mask, mask.new_ones(len(alive), 1)], dim=1)
            positions = mask.sum(1, keepdim=True) - 1
            logits = self._step(drawn.unsqueeze(1), mask, positions, cache)
        return [row[:length] for row, length in zip(tokens.tolist(), lengths.tolist(), strict=True)]

    def _step(self, ids, mask, positions, cache) -> torch.Tensor:
        output = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return output.logits[:, -1].float()

    def _pad_left(self, prompts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ids and mask, both (D, P). The chat template wrote any bos token already."""
        rows = self.tokenizer(prompts, add_special_tokens=False)["input_ids"]
        width = max(map(len, rows))
        ids = torch.tensor([[0] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        return ids.to(self.device), mask.to(self.device)

    def _completion(self, ids: list[int], sampling: Sampling) -> Completion:
        stopped = ids[-1] in self.eos_ids
        assert stopped or len(ids) == sampling.max_new_tokens
        text = self._decode(ids)
        return Completion(
            text=text,
            n_tokens=len(ids),
            n_reasoning_tokens=self._thought_length(ids) if THINK_CLOSE in text else len(ids),
            finish_reason="stop" if stopped else "length",
        )

    def _decode(self, ids: list[int]) -> str:
        visible = [token for token in ids if token not in self._hidden_ids]
        return self.tokenizer.decode(visible, clean_up_tokenization_spaces=False)

    def _thought_length(self, ids: list[int]) -> int:
        """Count the tokens after which the text first holds ``</think>``, one token or several."""
        low, high = 1, len(ids)
        while low < high:
            middle = (low + high) // 2
            if THINK_CLOSE in self._decode(ids[:middle]):
                high = middle
            else:
                low = middle + 1
        return low


def _draw(logits: torch.Tensor, sampling: Sampling, generator: torch.Generator) -> torch.Tensor:
    """Draw a token per row: temperature, then top-k, then top-p: (A, V) -> (A,)."""
    if sampling.temperature == 0:
        return logits.argmax(-1)
    vocabulary = logits.shape[-1]
    top_k = min(sampling.top_k or vocabulary, vocabulary)
    probabilities, order = _sorted_head(logits / sampling.temperature, top_k, sampling.top_p)
    cumulative = probabilities.cumsum(-1)
    # A token belongs to the nucleus if the tokens before it hold less than top_p together.
    inside = cumulative - probabilities < sampling.top_p
    mass = (probabilities * inside).sum(-1, keepdim=True)
    # Inverse of the cumulative distribution: a fraction of multinomial's time on a CPU.
    threshold = mass * torch.rand(mass.shape, generator=generator, device=mass.device)
    choice = (cumulative <= threshold).sum(-1, keepdim=True)
    choice = choice.minimum(inside.sum(-1, keepdim=True) - 1)  # rounding at the upper end
    return order.gather(-1, choice).squeeze(1)


def _sorted_head(
    logits: torch.Tensor, top_k: int, top_p: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the most probable tokens of each row, in order, at least ``top_p`` of the mass.

    Sorting a whole vocabulary at every step would cost more than a small model's forward pass.
    """
    vocabulary = logits.shape[-1]
    if top_k < vocabulary:
        values, order = logits.topk(top_k)
        return values.softmax(-1), order
    probabilities = logits.softmax(-1)
    for size in (64, 1024, vocabulary):
        values, order = probabilities.topk(min(size, vocabulary))
        if size >= vocabulary or bool((values.sum(-1) >= top_p).all()):
            break
    return values, order


class _GrowingLayer(DynamicLayer):
    """A cache layer with room to spare, so that a step writes one column and copies nothing."""

    _buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(self, key_states, value_states, *args, **kwargs):
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
        start = self.keys.shape[-2]
        end = start + key_states.shape[-2]
        if self._buffers is None or end > self._buffers[0].shape[-2]:
            self._buffers = tuple(
                old.new_empty(*old.shape[:2], end + max(64, end // 4), old.shape[-1])
                for old in (self.keys, self.values)
            )
            self._buffers[0][:, :, :start], self._buffers[1][:, :, :start] = self.keys, self.values
        self._buffers[0][:, :, start:end], self._buffers[1][:, :, start:end] = (
            key_states,
            value_states,
        )
        self.keys, self.values = (buffer[:, :, :end] for buffer in self._buffers)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        super().batch_select_indices(indices)
        self._buffers = None


def _growing_cache(config) -> DynamicCache:
    """Return an empty cache; layers of other kinds (sliding windows) stay what the model wants."""
    cache = DynamicCache(config=config)
    cache.layers = [
        _GrowingLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers
    ]
    return cache


def _eos_ids(model, tokenizer) -> set[int]:
    eos = model.generation_config.eos_token_id
    if eos is None:
        eos = tokenizer.eos_token_id
    ids = {eos} if isinstance(eos, int) else set(eos or ())
    if not ids:
        raise ValueError(
            f"{tokenizer.name_or_path}: neither generation_config nor tokenizer has an eos token"
        )
    return ids
