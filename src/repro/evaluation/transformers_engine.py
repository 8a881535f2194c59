"""Batched sampling with transformers' `generate`: the engine that runs everywhere."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, GenerationConfig

from repro.config.models import Sampling
from repro.evaluation.decoding import Completion, Decoder, Request
from repro.files import digests


class TransformersEngine:
    """A causal language model in float32 on a CPU, in bfloat16 on a GPU."""

    def __init__(self, model_dir: str | Path, trust_remote_code: bool = False) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self.decoder = Decoder(model_dir, trust_remote_code)
        self.model = AutoModelForCausalLM.from_pretrained(
            model_dir, dtype=dtype, use_safetensors=True, trust_remote_code=trust_remote_code
        )
        self.model.to(self.device).eval()
        pad_id, eos_ids = self.decoder.tokenizer.pad_token_id, sorted(self.decoder.eos_ids)
        # Sampling defaults that a model ships (top-k, repetition penalty) must not leak in.
        self.model.generation_config = GenerationConfig(
            eos_token_id=eos_ids, pad_token_id=eos_ids[0] if pad_id is None else pad_id
        )

    @torch.inference_mode()
    def generate(self, requests: list[Request], sampling: Sampling) -> list[list[Completion]]:
        """Return n completions for each request, in order; all requests must want as many.

        Deterministic for the same requests in the same order, on one machine: their seeds together
        seed the batch, because `generate` draws from one random state.
        """
        (n,), prompts = {request.n for request in requests}, [one.prompt for one in requests]
        # The chat template wrote any bos token already.
        batch = self.decoder.tokenizer(
            prompts, add_special_tokens=False, padding=True, return_tensors="pt"
        ).to(self.device)  # (B, P)
        torch.manual_seed(digests.to_integer(" ".join(str(request.seed) for request in requests)))
        chosen, drawn = {"do_sample": False}, 1
        if sampling.temperature > 0:  # else all completions of a prompt are the same
            chosen, drawn = {"do_sample": True, "temperature": sampling.temperature}, n
            chosen |= {"top_p": sampling.top_p, "top_k": sampling.top_k or 0}
        sequences = self.model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_new_tokens=sampling.max_new_tokens,
            num_return_sequences=drawn,
            **chosen,
        )  # (B · drawn, P + N)
        rows = sequences[:, batch["input_ids"].shape[1] :].tolist()
        completions = [self.decoder.completion(row) for row in rows]
        starts = range(0, len(completions), drawn)
        return [completions[start : start + drawn] * (n // drawn) for start in starts]
