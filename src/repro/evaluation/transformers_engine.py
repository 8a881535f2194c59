"""Batched sampling with transformers' `generate`: the engine that runs everywhere."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from repro.evaluation.engines import Completion, Sampling
from repro.verify.answers import THINK_CLOSE, THINK_OPEN


class TransformersEngine:
    """A causal language model in float32 on a CPU, in bfloat16 on a GPU."""

    def __init__(self, model_dir: str | Path) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self.tokenizer = AutoTokenizer.from_pretrained(model_dir, padding_side="left")
        self.model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=dtype)
        self.model.to(self.device).eval()
        self.eos_ids = _eos_ids(self.model, self.tokenizer)
        self.pad_id = self.tokenizer.pad_token_id
        if self.pad_id is None:
            self.pad_id = min(self.eos_ids)
        # Sampling defaults that a model ships (top-k, repetition penalty) must not leak in.
        self.model.generation_config = GenerationConfig(
            eos_token_id=sorted(self.eos_ids), pad_token_id=self.pad_id
        )
        thinking = {self.tokenizer.convert_tokens_to_ids(tag) for tag in (THINK_OPEN, THINK_CLOSE)}
        self._hidden_ids = set(self.tokenizer.all_special_ids) | self.eos_ids
        self._hidden_ids -= thinking  # some tokenizers call them special; the answer needs them

    @torch.inference_mode()
    def generate(self, prompts: list[str], sampling: Sampling) -> list[Completion]:
        """Return one completion per prompt, in order.

        Deterministic for the same prompts in the same order with the same seed, on one machine.
        """
        # The chat template wrote any bos token already.
        batch = self.tokenizer(prompts, add_special_tokens=False, padding=True, return_tensors="pt")
        torch.manual_seed(sampling.seed)
        how = {"do_sample": False}
        if sampling.temperature > 0:
            how = {
                "do_sample": True,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "top_k": sampling.top_k or 0,
            }
        sequences = self.model.generate(
            input_ids=batch["input_ids"].to(self.device),
            attention_mask=batch["attention_mask"].to(self.device),
            max_new_tokens=sampling.max_new_tokens,
            **how,
        )  # (B, P + N)
        rows = sequences[:, batch["input_ids"].shape[1] :].tolist()
        return [self._completion(self._until_eos(row), sampling) for row in rows]

    def _until_eos(self, ids: list[int]) -> list[int]:
        """Cut off the padding behind a finished row; the eos token itself counts as generated."""
        for position, token in enumerate(ids):
            if token in self.eos_ids:
                return ids[: position + 1]
        return ids

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
        """Count the tokens after which the text first holds `</think>`, one token or several."""
        low, high = 1, len(ids)
        while low < high:
            middle = (low + high) // 2
            if THINK_CLOSE in self._decode(ids[:middle]):
                high = middle
            else:
                low = middle + 1
        return low


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
