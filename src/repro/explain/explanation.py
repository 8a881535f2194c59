"""A response to a question in a model's own tokens, with objective and process reward along it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from repro.benchmarks import prompts
from repro.evaluation.decoding import Decoder
from repro.files import model_folder
from repro.measure.behaviours import classify
from repro.process_reward import one_pass, reward, scores
from repro.process_reward.one_pass import CachedForward
from repro.process_reward.probes import CLOSE_THOUGHT, LEAD_IN, make_probe
from repro.process_reward.segments import START_OF_THOUGHT, Thought
from repro.process_reward.settings import ProcessRewardSettings
from repro.training.process_scoring import ProcessScorer, Responses


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


@dataclass(frozen=True)
class Stretch:
    """The text between two neighbouring cut points, and the values at the second."""

    start: int  # its first token, counted from the beginning of the response
    end: int  # the cut point after its last token; 0 for the empty thought
    text: str  # decoded
    objective: float  # J, in nats per answer token, at most 0
    magnitude: float  # S_magn
    stability: float  # S_stab
    score: float  # S
    reward: float | None  # the gain r_j = S_j - S_{j-1}; None for the empty thought


@dataclass(frozen=True)
class Explanation:
    """One transcript, scored."""

    transcript: Transcript
    model: str  # name or directory
    weights: str  # their number and type, in words
    settings: ProcessRewardSettings
    thought: Thought  # its segments, kept or not
    has_tags: bool  # whether </think> ends the thought, or else the final answer
    baseline: Stretch  # the empty thought; its score is 0 where the variant starts from 0
    stretches: tuple[Stretch, ...]  # the thought from its first token to its end; none if empty
    rest: str  # what follows the thought; it bears no process reward

    @property
    def points(self) -> tuple[Stretch, ...]:
        """All cut points, the empty thought first."""
        return self.baseline, *self.stretches

    def row(self, benchmark: str, doc_id: int, correct: int) -> dict:
        """Return what an objective file has of it; see `responses.write_objectives`."""
        found = {"benchmark": benchmark, "doc_id": doc_id, "sample": 0, "correct": correct}
        tokens = self.points[-1].end
        points = [[p.end, p.end / max(tokens, 1), p.objective] for p in self.points]
        segments = [[classify(stretch.text), stretch.reward] for stretch in self.stretches]
        return found | {"tokens": tokens, "points": points, "segments": segments}


@torch.no_grad()
def explain_each(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    transcript: Transcript,
    settings: Sequence[ProcessRewardSettings],
    has_tags: bool = True,
) -> list[Explanation]:
    """Score one transcript by each of some settings, from one forward where the model allows it.

    The model is in evaluation mode, its tokenizer a fast one; `has_tags` as of
    `segments.find_thought`. ValueError: an empty answer, or an objective that is not finite.
    """
    prompt, response = transcript.prompt, transcript.response
    ids = torch.tensor([[*prompt, *response]], device=model.device)  # (1, P + T)
    mask, forward = torch.ones_like(ids), None
    if one_pass.why_not(model) is None:
        forward, _, entropies = one_pass.cached_forward(model, ids, mask, len(prompt))
    else:  # the model's cache cannot be cut: the scorer makes a forward per cut point
        logits = model(input_ids=ids, use_cache=False, logits_to_keep=len(response) + 1).logits
        entropies = torch.distributions.Categorical(logits=logits[:, :-1].float()).entropy()
    own = slice(len(prompt), None)
    given = Responses([prompt], ids[:, own], mask[:, own], entropies, [transcript.answer])
    scorers = [ProcessScorer(tokenizer, one.filled(), [], has_tags) for one in settings]
    return [_explain(model, transcript, scorer, given, forward) for scorer in scorers]


def _explain(
    model: PreTrainedModel,
    transcript: Transcript,
    scorer: ProcessScorer,
    given: Responses,
    forward: CachedForward | None,
) -> Explanation:
    chosen, response = scorer.settings, transcript.response
    thought = scorer.thought(response)
    measured = scorer.score(model, given, forward)
    cuts = measured.cuts[measured.cuts >= 0].tolist()
    objective = measured.objective[:, : len(cuts)].cpu()  # (1, C)
    score = scores.score(objective, chosen.score_weight, chosen.ema)  # (1, C)
    rewards = reward.process_reward(score, chosen.initial_score)  # (1, C - 1)
    if chosen.initial_score == "zero":
        score[:, 0] = 0.0  # what the first reward is counted from
    magnitude = scores.magnitude(objective)
    stability = scores.stability(scores.moving_average(objective, chosen.ema))
    values = torch.cat([objective, magnitude, stability, score]).T.tolist()  # C rows of 4

    def decode(start: int, end: int) -> str:
        return scorer.tokenizer.decode(response[start:end], clean_up_tokenization_spaces=False)

    columns = zip([0, *cuts[:-1]], cuts, values, [None, *rewards[0].tolist()], strict=True)
    baseline, *stretches = [
        Stretch(start, end, decode(start, end), *row, gain) for start, end, row, gain in columns
    ]
    return Explanation(
        transcript=transcript,
        model=model.name_or_path,
        weights=f"{model.num_parameters():,} parameters, {model.dtype}".replace("torch.", ""),
        settings=chosen,
        thought=thought,
        has_tags=scorer.has_tags,
        baseline=baseline,
        stretches=tuple(stretches),
        rest=decode(thought.end, len(response)),
    )
