"""What every engine takes and gives, and how token ids become a completion: all must agree."""

import bisect
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from transformers import AutoConfig, AutoTokenizer, GenerationConfig

from repro.verify.answers import THINK_CLOSE, THINK_OPEN
from repro.verify.thinking import answer_place


@dataclass(frozen=True)
class Request:
    """One prompt and how many completions of it are wanted; they share the prompt's prefill."""

    prompt: str  # with the chat template, bos token included where the model wants one
    n: int
    seed: int  # the same requests with the same seeds give the same completions


@dataclass(frozen=True)
class Completion:
    """One response."""

    text: str  # without special tokens, but with <think> and </think>
    n_tokens: int  # generated tokens, a closing eos included
    n_reasoning_tokens: int  # up to and including </think>, or before the answer; or all of them
    finish_reason: Literal["stop", "length"]


class Decoder:
    """A model's tokenizer and the tokens that end its responses."""

    def __init__(
        self, model_dir: str | Path, trust_remote_code: bool = False, has_tags: bool = True
    ) -> None:
        """Read tokenizer, config and generation config; ValueError: none names an eos token.

        `has_tags` says what ends a thought: </think>, or else the beginning of the final answer.
        """
        self.has_tags = has_tags
        self.tokenizer = AutoTokenizer.from_pretrained(
            model_dir, padding_side="left", trust_remote_code=trust_remote_code
        )
        config = AutoConfig.from_pretrained(model_dir, trust_remote_code=trust_remote_code)
        known = [getattr(config, "eos_token_id", None), self.tokenizer.eos_token_id]
        if (Path(model_dir) / "generation_config.json").is_file():  # which counts before the others
            known.insert(0, GenerationConfig.from_pretrained(model_dir).eos_token_id)
        eos = next((ids for ids in known if ids is not None), ())
        own = {self.tokenizer.eos_token_id} - {None}  # vLLM always stops at it, too
        self.eos_ids = ({eos} if isinstance(eos, int) else set(eos)) | own
        if not self.eos_ids:
            raise ValueError(f"{model_dir}: no eos token is stated")
        if self.tokenizer.pad_token is None:  # nothing after an eos is read
            self.tokenizer.pad_token = self.tokenizer.convert_ids_to_tokens(min(self.eos_ids))
        thinking = {self.tokenizer.convert_tokens_to_ids(tag) for tag in (THINK_OPEN, THINK_CLOSE)}
        # Some tokenizers call the thought's tags special; the answer needs them.
        self._hidden_ids = (set(self.tokenizer.all_special_ids) | self.eos_ids) - thinking

    def completion(self, ids: list[int]) -> Completion:
        """Return the completion that was generated as ``ids``; anything after an eos is padding."""
        end = next((place for place, token in enumerate(ids) if token in self.eos_ids), len(ids))
        ids = ids[: end + 1]  # the eos token itself counts as generated
        text, thought = self.text(ids), len(ids)
        if not self.has_tags:  # the tokens before the one that holds the answer's first character
            thought = bisect.bisect_right(
                range(1, thought + 1), answer_place(text), key=lambda n: len(self.text(ids[:n]))
            )
        elif THINK_CLOSE in text:  # the fewest tokens whose text holds it, which is one or several
            thought = bisect.bisect_left(
                range(thought), True, key=lambda n: THINK_CLOSE in self.text(ids[:n])
            )
        reason = "stop" if ids and ids[-1] in self.eos_ids else "length"
        return Completion(text, len(ids), thought, reason)

    def text(self, ids: list[int]) -> str:
        """Decode without special tokens, but with the thought's tags."""
        visible = [token for token in ids if token not in self._hidden_ids]
        return self.tokenizer.decode(visible, clean_up_tokenization_spaces=False)
