"""Objective and process reward along one thought; `page` shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from repro.explain.transcript import Transcript
from repro.measure.behaviours import classify
from repro.process_reward import one_pass, reward, scores
from repro.process_reward.one_pass import CachedForward
from repro.process_reward.segments import Thought
from repro.process_reward.settings import ProcessRewardSettings
from repro.training.process_scoring import ProcessScorer, Responses


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
    stretches: tuple[Stretch, ...]  # the thought from its first token to its end, at least one
    rest: str  # what follows the thought; it bears no process reward

    @property
    def points(self) -> tuple[Stretch, ...]:
        """All cut points, the empty thought first."""
        return self.baseline, *self.stretches

    def row(self) -> dict:
        """Return what an objective file has of it; see `responses.write_objectives`."""
        tokens = self.stretches[-1].end
        points = [[p.end, p.end / max(tokens, 1), p.objective] for p in self.points]
        segments = [[classify(stretch.text), stretch.reward] for stretch in self.stretches]
        return {"tokens": tokens, "points": points, "segments": segments}


@torch.no_grad()
def explain_each(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    transcript: Transcript,
    settings: Sequence[ProcessRewardSettings],
    has_tags: bool = True,
) -> list[Explanation]:
    """Score one transcript by each of some settings, from one forward where the model allows it.

    The model is in evaluation mode, its tokenizer a fast one. `has_tags` says what ends a thought;
    see `segments.find_thought`.

    ValueError: an empty answer, or an objective that is not finite.
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
