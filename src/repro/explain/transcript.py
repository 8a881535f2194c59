"""A question and a response to it, read from a file, in a model's own tokens."""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from repro.benchmarks import prompts
from repro.evaluation.decoding import Decoder
from repro.files import model_folder
from repro.process_reward.probes import CLOSE_THOUGHT, LEAD_IN, make_probe
from repro.process_reward.segments import START_OF_THOUGHT


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
    file: str | Path,
    trust_remote_code: bool = False,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, Transcript]:
    """Load a model and its tokenizer, and read a response to a question.

    The question is put in the words of the mathematics benchmarks. White space at the end of `file`
    is taken for the editor's.

    ValueError: an unusable folder or file, an empty question, answer or response, or more tokens
    than the model's context holds.
    """
    model_folder.check(folder, trust_remote_code=trust_remote_code)
    tokenizer = Decoder(folder, trust_remote_code).tokenizer
    try:
        text = Path(file).read_text(encoding="utf-8-sig").rstrip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: not UTF-8 text (byte {error.start})") from None
    made = make(folder, tokenizer, question, answer, text, str(file))
    return load_model(folder, trust_remote_code), tokenizer, made


def make(
    folder: str | Path,
    tokenizer: PreTrainedTokenizerBase,
    question: str,
    answer: str,
    text: str,
    source: str,
) -> Transcript:
    """Return a transcript of a text that answers a question; ValueError as of `load`."""
    if not question.strip():
        raise ValueError(f"question: {question!r}; expected a text not empty")
    message = {"role": "user", "content": prompts.math({"problem": question})}
    prompt = tokenizer.apply_chat_template([message], tokenize=False, add_generation_prompt=True)
    prompt_ids = encode(tokenizer, prompt)
    response = encode(tokenizer, without_second_opening(text, prompt))
    if not response:
        raise ValueError(f"{source}: empty; expected the text of a response")
    room = room_for_response(folder, tokenizer, prompt_ids, answer)
    if room < len(response):
        raise ValueError(
            f"{source}: a prompt of {len(prompt_ids)} tokens, a response of {len(response)} and "
            f"the probe do not fit into the context of {folder}: {room} are left for the response"
        )
    return Transcript(question, answer, prompt_ids, response, source)


def load_model(folder: str | Path, trust_remote_code: bool = False) -> PreTrainedModel:
    """Load a model in evaluation mode, on the GPU where there is one."""
    # bfloat16 moves J by more than a weak segment does, and on a CPU it is slow as well.
    device, dtype = ("cuda", "auto") if torch.cuda.is_available() else ("cpu", torch.float32)
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, trust_remote_code=trust_remote_code
    )
    return model.to(device).eval()


def encode(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Return the tokens of a text; where a model wants BOS the chat template has written it."""
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def room_for_response(
    folder: str | Path, tokenizer: PreTrainedTokenizerBase, prompt: list[int], answer: str
) -> int:
    """Return how many tokens a model's context leaves between a prompt and the longest probe."""
    limit = model_folder.read_size(folder, "max_position_embeddings") or 2**31
    longest = make_probe(tokenizer, answer, prefix=CLOSE_THOUGHT + LEAD_IN)
    return limit - len(prompt) - len(longest.ids)


def without_second_opening(response: str, prompt: str) -> str:
    """Drop the response's own `<think>` where the prompt ends in an opened thought already."""
    opened = prompt.rstrip()
    if not opened.endswith(START_OF_THOUGHT) or not response.lstrip().startswith(START_OF_THOUGHT):
        return response
    return response.lstrip().removeprefix(START_OF_THOUGHT).removeprefix(prompt[len(opened) :])
