"""From token ids to a completion, the same for every engine: texts and counts must agree."""

from pathlib import Path

from transformers import AutoConfig, AutoTokenizer, GenerationConfig

from repro.evaluation.requests import Completion
from repro.verify.answers import THINK_CLOSE, THINK_OPEN


class Decoder:
    """A model's tokenizer and the tokens that end its responses."""

    def __init__(self, model_dir: str | Path, trust_remote_code: bool = False) -> None:
        """Read tokenizer, config and generation config; ValueError: none names an eos token."""
        self.tokenizer = AutoTokenizer.from_pretrained(
            model_dir, padding_side="left", trust_remote_code=trust_remote_code
        )
        self.eos_ids = _eos_ids(Path(model_dir), self.tokenizer, trust_remote_code)
        thinking = {self.tokenizer.convert_tokens_to_ids(tag) for tag in (THINK_OPEN, THINK_CLOSE)}
        self._hidden_ids = set(self.tokenizer.all_special_ids) | self.eos_ids
        self._hidden_ids -= thinking  # some tokenizers call them special; the answer needs them

    def completion(self, ids: list[int]) -> Completion:
        """Return the completion that was generated as ``ids``; anything after an eos is padding."""
        end = next((place for place, token in enumerate(ids) if token in self.eos_ids), len(ids))
        ids = ids[: end + 1]  # the eos token itself counts as generated
        text = self.text(ids)
        return Completion(
            text=text,
            n_tokens=len(ids),
            n_reasoning_tokens=self._thought_length(ids) if THINK_CLOSE in text else len(ids),
            finish_reason="stop" if ids and ids[-1] in self.eos_ids else "length",
        )

    def text(self, ids: list[int]) -> str:
        """Decode without special tokens, but with the thought's tags."""
        visible = [token for token in ids if token not in self._hidden_ids]
        return self.tokenizer.decode(visible, clean_up_tokenization_spaces=False)

    def _thought_length(self, ids: list[int]) -> int:
        """Count the tokens after which the text first holds `</think>`, one token or several."""
        low, high = 1, len(ids)
        while low < high:
            middle = (low + high) // 2
            if THINK_CLOSE in self.text(ids[:middle]):
                high = middle
            else:
                low = middle + 1
        return low


def _eos_ids(model_dir: Path, tokenizer, trust_remote_code: bool) -> set[int]:
    """Return the ids that end a response: the generation config's, else config's or tokenizer's."""
    eos = None
    if (model_dir / "generation_config.json").is_file():
        eos = GenerationConfig.from_pretrained(model_dir).eos_token_id
    config = AutoConfig.from_pretrained(model_dir, trust_remote_code=trust_remote_code)
    for other in (getattr(config, "eos_token_id", None), tokenizer.eos_token_id):
        eos = other if eos is None else eos
    ids = {eos} if isinstance(eos, int) else set(eos or ())
    if not ids:
        raise ValueError(f"{model_dir}: neither generation_config nor tokenizer has an eos token")
    return ids
