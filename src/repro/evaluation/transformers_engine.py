"""Batched sampling with transformers' `generate`: the engine that runs everywhere."""

from pathlib import Path
from typing import Self

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedModel

from repro.config.models import Sampling
from repro.evaluation.decoding import Completion, Decoder, Request
from repro.files import digests


class TransformersEngine:
    """A loaded causal language model in evaluation mode, with the decoder of its folder."""

    def __init__(self, model: PreTrainedModel, decoder: Decoder) -> None:
        self.model, self.decoder = model, decoder

    @classmethod
    def load(cls, model_dir: str | Path, trust_remote_code: bool = False) -> Self:
        """Load a model, in float32 on a CPU, in bfloat16 on a GPU."""
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
        model = AutoModelForCausalLM.from_pretrained(
            model_dir, dtype=dtype, use_safetensors=True, trust_remote_code=trust_remote_code
        )
        return cls(model.to(device).eval(), Decoder(model_dir, trust_remote_code))

    @torch.no_grad()  # tensors of inference mode could not enter a backward pass later
    def generate(self, requests: list[Request], sampling: Sampling) -> list[list[Completion]]:
        """Return n completions for each request, in order; all requests must want as many.

        Deterministic for the same requests in the same order, on one machine: their seeds together
        seed the batch, because `generate` draws from one random state.
        """
        (n,), prompts = {request.n for request in requests}, [one.prompt for one in requests]
        # The chat template wrote any bos token already.
        batch = self.decoder.tokenizer(
            prompts, add_special_tokens=False, padding=True, return_tensors="pt"
        ).to(self.model.device)  # (B, P)
        torch.manual_seed(digests.to_integer(" ".join(str(request.seed) for request in requests)))
        chosen, drawn = {"do_sample": False}, 1
        if sampling.temperature > 0:  # else all completions of a prompt are the same
            chosen, drawn = {"do_sample": True, "temperature": sampling.temperature}, n
            chosen |= {"top_p": sampling.top_p, "top_k": sampling.top_k or 0}
        pad_id, eos_ids = self.decoder.tokenizer.pad_token_id, sorted(self.decoder.eos_ids)
        own = self.model.generation_config
        # Sampling defaults that a model ships (top-k, repetition penalty) must not leak in.
        self.model.generation_config = GenerationConfig(
            eos_token_id=eos_ids, pad_token_id=eos_ids[0] if pad_id is None else pad_id
        )
        sequences = self.model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_new_tokens=sampling.max_new_tokens,
            num_return_sequences=drawn,
            **chosen,
        )  # (B · drawn, P + N)
        self.model.generation_config = own
        rows = sequences[:, batch["input_ids"].shape[1] :].tolist()
        completions = [self.decoder.completion(row) for row in rows]
        starts = range(0, len(completions), drawn)
        return [completions[start : start + drawn] * (n // drawn) for start in starts]
