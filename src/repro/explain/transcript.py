"""A question and a response to it, read from a file or generated, in a model's own tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from repro.benchmarks import prompts
from repro.process_reward.probes import CLOSE_THOUGHT, make_probe
from repro.process_reward.segments import START_OF_THOUGHT

TEMPERATURE, TOP_P = 0.6, 0.95  # the paper's, at evaluation


@dataclass(frozen=True)
class Transcript:
    """One response to one question.

    Attributes:
        question: as given.
        answer: its ground truth.
        prompt: the tokens of the question in the chat template, up to where the response begins.
        response: the tokens of the response, at least one, without end-of-sequence token.
        source: where the response comes from, in words.
        opened_by: what holds `<think>`: `chat template`, `response`, or None where nothing does.
    """

    question: str
    answer: str
    prompt: list[int]
    response: list[int]
    source: str
    opened_by: str | None


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
    """Load a model, and read or generate its response to a question.

    Args:
        folder: a model directory with safetensors weights, fast tokenizer and chat template.
        question: put to the model in the words of the mathematics benchmarks.
        answer: the ground truth.
        file: text of the response, with or without `</think>`; white space at its end is taken for
            the editor's. None samples a response at temperature 0.6, top-p 0.95.
        seed: of the sampling.
        max_new_tokens: of the sampling; fewer where the model's context ends before.
        trust_remote_code: whether Python files in the folder may run.

    Returns:
        The model in evaluation mode (on the GPU where there is one), its tokenizer, the transcript.

    Raises:
        ValueError: an unusable folder or file, an empty question, answer or response, or more
            tokens than the model's context holds.
        FileNotFoundError: no such file.
    """
    # Whatever is cheap to check comes before the weights are loaded.
    if not question.strip():
        raise ValueError(f"question: {question!r}; expected a text not empty")
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens: {max_new_tokens}; expected an integer >= 1")
    text = None if file is None else _read(file)
    tokenizer = load_tokenizer(folder, trust_remote_code)
    probe = make_probe(tokenizer, answer, prefix=CLOSE_THOUGHT)  # the longest
    message = {"role": "user", "content": prompts.math({"problem": question})}
    prompt = tokenizer.apply_chat_template([message], tokenize=False, add_generation_prompt=True)
    prompt_ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]  # BOS is in the template
    response = []
    if text is not None:
        response = tokenizer(without_second_opening(text, prompt), add_special_tokens=False)
        response = response["input_ids"]
        if not response:
            raise ValueError(f"{file}: empty; expected the text of a response")
    config = _from_pretrained(AutoConfig, folder, trust_remote_code).get_text_config()
    limit = getattr(config, "max_position_embeddings", None) or 2**31
    room = limit - len(prompt_ids) - len(probe.ids)
    if room < max(1, len(response)):
        raise ValueError(
            f"{folder}: a context of {limit} tokens is too short for the prompt's "
            f"{len(prompt_ids)}, the response's {len(response)} and the probe's {len(probe.ids)}"
        )

    model = load_model(folder, trust_remote_code)
    eos = model.generation_config.eos_token_id
    eos = tokenizer.eos_token_id if eos is None else eos
    eos = [eos] if isinstance(eos, int) else list(eos or ())
    source = str(file)
    if text is None:
        response = sample(model, prompt_ids, eos, seed, min(max_new_tokens, room))
        source = f"sampled: temperature {TEMPERATURE}, top-p {TOP_P}, seed {seed}"
    if response and response[-1] in eos:
        response = response[:-1]
    if not response:
        raise ValueError(f"response ({source}): empty; expected a token before the end")
    opened = opened_by(prompt, tokenizer.decode(response))
    transcript = Transcript(question, answer, prompt_ids, response, source, opened)
    return model, tokenizer, transcript


def opened_by(prompt: str, response: str) -> str | None:
    """Return what holds `<think>`: `chat template`, `response`, or None where nothing does."""
    if prompt.rstrip().endswith(START_OF_THOUGHT):
        return "chat template"
    return "response" if response.lstrip().startswith(START_OF_THOUGHT) else None


def load_tokenizer(folder: str | Path, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """Load a fast tokenizer with a chat template.

    Raises:
        ValueError: there is none.
    """
    tokenizer = _from_pretrained(AutoTokenizer, folder, trust_remote_code)
    if tokenizer.chat_template is None or not tokenizer.is_fast:
        raise ValueError(f"{folder}: expected a fast tokenizer with a chat template")
    return tokenizer


def load_model(folder: str | Path, trust_remote_code: bool = False) -> PreTrainedModel:
    """Load a model in evaluation mode, on the GPU where there is one.

    Raises:
        ValueError: an unusable folder.
    """
    # bfloat16 moves J by more than a weak segment does, and on a CPU it is slow as well.
    on_gpu = torch.cuda.is_available()
    dtype = "auto" if on_gpu else torch.float32
    options = {"use_safetensors": True, "dtype": dtype}
    model = _from_pretrained(AutoModelForCausalLM, folder, trust_remote_code, **options)
    return model.to("cuda" if on_gpu else "cpu").eval()


def without_second_opening(response: str, prompt: str) -> str:
    """Drop the response's own `<think>` where the prompt ends in an opened thought already."""
    opened = prompt.rstrip()
    if not opened.endswith(START_OF_THOUGHT) or not response.lstrip().startswith(START_OF_THOUGHT):
        return response
    return response.lstrip().removeprefix(START_OF_THOUGHT).removeprefix(prompt[len(opened) :])


def sample(
    model: PreTrainedModel, prompt: Sequence[int], eos: list[int], seed: int, max_new_tokens: int
) -> list[int]:
    """Sample one response; it ends in one of the tokens `eos` unless it is cut."""
    ids = torch.tensor([prompt], device=model.device)
    # Sampling defaults that a model ships (top-k, repetition penalty) must not leak in.
    model.generation_config = GenerationConfig(eos_token_id=eos, pad_token_id=min(eos, default=0))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        found = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=max_new_tokens,
            do_sample=True,
            temperature=TEMPERATURE,
            top_p=TOP_P,
            top_k=0,
            use_cache=True,
        )
    return found[0, len(prompt) :].tolist()


def _read(path: str | Path) -> str:
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        return Path(path).read_text(encoding="utf-8-sig").rstrip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text (byte {error.start})") from None


def _from_pretrained(kind, folder: str | Path, trust_remote_code: bool, **options):
    if not (Path(folder) / "config.json").is_file():
        raise ValueError(f"{folder}: not a model directory, it holds no config.json")
    try:
        return kind.from_pretrained(
            folder, local_files_only=True, trust_remote_code=trust_remote_code, **options
        )
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: {str(error).splitlines()[0]}") from None
