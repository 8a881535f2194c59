"""A question and a response to it, read from a file or generated, in a model's own tokens."""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from repro.benchmarks import prompts
from repro.evaluation.decoding import Decoder
from repro.files import model_folder
from repro.process_reward.probes import CLOSE_THOUGHT, make_probe
from repro.process_reward.segments import START_OF_THOUGHT

TEMPERATURE, TOP_P = 0.6, 0.95  # the paper's, at evaluation


@dataclass(frozen=True)
class Transcript:
    """One response to one question."""

    question: str
    answer: str  # its ground truth
    prompt: list[int]  # tokens of the question in the chat template, up to the response's first
    response: list[int]  # its tokens, at least one, without the end of the sequence
    source: str  # where the response comes from, in words


def load(
    folder: str | Path,
    question: str,
    answer: str,
    file: str | Path | None = None,
    *,
    seed: int = 0,
    max_new_tokens: int = 2048,
    trust_remote_code: bool = False,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, Transcript]:
    """Load a model and its tokenizer, and read or generate its response to a question.

    The question is put in the words of the mathematics benchmarks, to a model directory with
    safetensors weights, fast tokenizer and chat template. The text in `file` may have `</think>`;
    white space at its end is taken for the editor's. Without a file a response is sampled, of
    `max_new_tokens` at most and as many as the context holds.

    Raises:
        ValueError: an unusable folder or file, an empty question, answer or response, or more
            tokens than the model's context holds.
    """
    if not question.strip():
        raise ValueError(f"question: {question!r}; expected a text not empty")
    text, source = None, f"sampled: temperature {TEMPERATURE}, top-p {TOP_P}, seed {seed}"
    if file is not None:
        text, source = _read(Path(file)), str(file)
    model_folder.check(folder, trust_remote_code=trust_remote_code)
    decoder = Decoder(folder, trust_remote_code)
    message = {"role": "user", "content": prompts.math({"problem": question})}
    tokenizer = decoder.tokenizer
    prompt = tokenizer.apply_chat_template([message], tokenize=False, add_generation_prompt=True)
    prompt_ids, response = encode(tokenizer, prompt), []
    if text is not None:
        response = encode(tokenizer, without_second_opening(text, prompt))
        if not response:
            raise ValueError(f"{file}: empty; expected the text of a response")
    room = room_for_response(folder, tokenizer, prompt_ids, answer)
    if room < max(1, len(response)):
        raise ValueError(
            f"{folder}: the context is too short for a prompt of {len(prompt_ids)} tokens, a "
            f"response of {len(response)} and the probe: {room} are left for the response"
        )
    model = load_model(folder, trust_remote_code)
    if text is None:
        response = sample(model, prompt_ids, decoder.eos_ids, seed, min(max_new_tokens, room))
    if response and response[-1] in decoder.eos_ids:
        response = response[:-1]
    if not response:
        raise ValueError(f"response ({source}): empty; expected a token before the end")
    return model, tokenizer, Transcript(question, answer, prompt_ids, response, source)


def load_model(folder: str | Path, trust_remote_code: bool = False) -> PreTrainedModel:
    """Load a model in evaluation mode, on the GPU where there is one."""
    # bfloat16 moves J by more than a weak segment does, and on a CPU it is slow as well.
    on_gpu = torch.cuda.is_available()
    dtype = "auto" if on_gpu else torch.float32
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, trust_remote_code=trust_remote_code
    )
    return model.to("cuda" if on_gpu else "cpu").eval()


def encode(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Return the tokens of a text; where a model wants BOS the chat template has written it."""
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def room_for_response(
    folder: str | Path, tokenizer: PreTrainedTokenizerBase, prompt: list[int], answer: str
) -> int:
    """Return how many tokens a model's context leaves between a prompt and the longest probe."""
    limit = model_folder.read_size(folder, "max_position_embeddings") or 2**31
    return limit - len(prompt) - len(make_probe(tokenizer, answer, prefix=CLOSE_THOUGHT).ids)


def without_second_opening(response: str, prompt: str) -> str:
    """Drop the response's own `<think>` where the prompt ends in an opened thought already."""
    opened = prompt.rstrip()
    if not opened.endswith(START_OF_THOUGHT) or not response.lstrip().startswith(START_OF_THOUGHT):
        return response
    return response.lstrip().removeprefix(START_OF_THOUGHT).removeprefix(prompt[len(opened) :])


def sample(
    model: PreTrainedModel, prompt: list[int], eos: set[int], seed: int, max_new_tokens: int
) -> list[int]:
    """Sample one response; it ends in one of the tokens `eos` unless it is cut."""
    ids = torch.tensor([prompt], device=model.device)
    # Sampling defaults that a model ships (top-k, repetition penalty) must not leak in.
    model.generation_config = GenerationConfig(eos_token_id=sorted(eos), pad_token_id=min(eos))
    how = {"do_sample": True, "temperature": TEMPERATURE, "top_p": TOP_P, "top_k": 0}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        mask = torch.ones_like(ids)
        found = model.generate(ids, attention_mask=mask, max_new_tokens=max_new_tokens, **how)
    return found[0, len(prompt) :].tolist()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").rstrip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text (byte {error.start})") from None
