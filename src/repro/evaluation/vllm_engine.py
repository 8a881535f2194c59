"""Continuous batching with vLLM: the engine of full-scale runs; its CPU build runs in the tests."""

from pathlib import Path

import torch
from vllm import LLM, SamplingParams  # `engines.load` prepared it

from repro.config.models import Sampling
from repro.evaluation.decoding import Completion, Decoder, Request


class VllmEngine:
    """A causal language model in float32 on a CPU, in bfloat16 on a GPU."""

    def __init__(
        self,
        model_dir: str | Path,
        max_length: int,
        trust_remote_code: bool = False,
        tensor_parallel: int = 1,
    ) -> None:
        """Load the model for sequences of at most ``max_length`` tokens, prompt included."""
        gpu = torch.cuda.is_available()
        self.decoder = Decoder(model_dir, trust_remote_code)
        self.llm = LLM(
            str(model_dir),
            load_format="safetensors",
            trust_remote_code=trust_remote_code,
            dtype="bfloat16" if gpu else "float32",
            enforce_eager=not gpu,  # compiling takes longer than a tiny model's whole evaluation
            max_model_len=max_length,
            tensor_parallel_size=tensor_parallel,
            generation_config="vllm",  # no sampling defaults of the model's own
            seed=0,  # every request has its own
        )

    def generate(self, requests: list[Request], sampling: Sampling) -> list[list[Completion]]:
        """Return n completions for each request, in order, each request with its own seed.

        vLLM promises the same tokens again only on the same hardware with the same batches.
        """
        prompts, greedy = [request.prompt for request in requests], sampling.temperature == 0
        # The chat template wrote any bos token already.
        encoded = self.decoder.tokenizer(prompts, add_special_tokens=False)["input_ids"]
        parameters = [
            SamplingParams(
                n=1 if greedy else request.n,
                seed=request.seed % 2**63,
                temperature=sampling.temperature,
                top_p=1.0 if greedy else sampling.top_p,
                top_k=0 if greedy else sampling.top_k or 0,
                max_tokens=sampling.max_new_tokens,
                stop_token_ids=sorted(self.decoder.eos_ids),
                detokenize=False,  # the decoder does it, as for every engine
            )
            for request in requests
        ]
        asked = [{"prompt_token_ids": ids} for ids in encoded]
        found = []
        outputs = self.llm.generate(asked, parameters, use_tqdm=False)
        for request, output in zip(requests, outputs, strict=True):
            drawn = [self.decoder.completion(list(one.token_ids)) for one in output.outputs]
            # Greedy completions of a prompt are all the same; vLLM refuses to make more than one.
            found.append(drawn * (request.n // len(drawn)))
        return found
