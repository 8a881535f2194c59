"""Objective and process reward along one thought; `page` shows them.

All segments are cut points unless `k` is given, so that every paragraph has its reward.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from repro.explain.transcript import Transcript
from repro.process_reward import one_pass, repeat_loop, reward, scores, segments
from repro.process_reward.probes import Probe, probes_at_cuts
from repro.process_reward.segments import START_OF_THOUGHT, Thought
from repro.process_reward.settings import ProcessRewardSettings


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
    parameters: int  # their number
    dtype: str  # of the weights
    settings: ProcessRewardSettings  # `k` is the number of segments kept at most
    segments: int  # in the thought, kept or not
    opened_by: str | None  # what holds `<think>`: `chat template`, `response`, or nothing
    closed: bool  # whether the response holds `</think>`
    baseline: Stretch  # the empty thought; its score is 0 where the variant starts from 0
    stretches: tuple[Stretch, ...]  # the thought from its first token to its end, at least one
    rest: str  # what follows the thought; it bears no process reward


def explain(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    transcript: Transcript,
    settings: ProcessRewardSettings,
    k: int | None = None,
) -> Explanation:
    """Score one transcript, by a model in evaluation mode with its fast tokenizer.

    The `k` of the settings decides nothing: `k` segments are kept, or every one.

    Raises:
        ValueError: an empty answer, or an objective that is not finite.
    """
    chosen, response = settings.filled(), transcript.response
    texts = segments.TokenTexts(tokenizer)
    asked, told = ([texts[i] for i in ids] for ids in (transcript.prompt, response))
    thought = segments.find_thought(told, chosen.separator)
    opened_by = "response" if "".join(told).lstrip().startswith(START_OF_THOUGHT) else None
    if "".join(asked).rstrip().endswith(START_OF_THOUGHT):
        opened_by = "chat template"
    chosen = chosen.model_copy(update={"k": k or max(1, len(thought.starts))})
    opened_at = segments.opened_at("".join(asked), told) if chosen.close_thought else None

    def probes(cuts: list[int]) -> list[Probe]:
        closed_at = thought.end if thought.closed else None
        how = {"opened_at": opened_at, "closed_at": closed_at, "answer_only": chosen.answer_only}
        return probes_at_cuts(tokenizer, transcript.answer, cuts, **how)

    cuts, objective = _objective_at_cuts(model, transcript, thought, chosen.k, probes)
    score = scores.score(objective, chosen.score_weight, chosen.ema)  # (1, C)
    rewards = reward.process_reward(score, chosen.initial_score)  # (1, C - 1)
    if chosen.initial_score == "zero":
        score[:, 0] = 0.0  # what the first reward is counted from
    magnitude = scores.magnitude(objective)
    stability = scores.stability(scores.moving_average(objective, chosen.ema))
    values = torch.cat([objective, magnitude, stability, score]).T.tolist()  # C rows of 4

    def decode(start: int, end: int) -> str:
        return tokenizer.decode(response[start:end], clean_up_tokenization_spaces=False)

    columns = zip([0, *cuts[:-1]], cuts, values, [None, *rewards[0].tolist()], strict=True)
    baseline, *stretches = [
        Stretch(start, end, decode(start, end), *row, gain) for start, end, row, gain in columns
    ]
    return Explanation(
        transcript=transcript,
        model=model.name_or_path,
        parameters=model.num_parameters(),
        dtype=str(model.dtype).removeprefix("torch."),
        settings=chosen,
        segments=len(thought.starts),
        opened_by=opened_by,
        closed=thought.closed,
        baseline=baseline,
        stretches=tuple(stretches),
        rest=decode(thought.end, len(response)),
    )


@torch.no_grad()
def _objective_at_cuts(
    model: PreTrainedModel,
    transcript: Transcript,
    thought: Thought,
    k: int,
    probes: Callable[[list[int]], list[Probe]],
) -> tuple[list[int], Tensor]:
    """Return the C cut points and J there, (1, C) in float64 on the CPU.

    A forward per cut point is made where the model's cache cannot be cut.
    """
    prompt, response = transcript.prompt, transcript.response
    ids = torch.tensor([[*prompt, *response]], device=model.device)  # (1, P + T)
    if one_pass.why_not(model) is None:
        mask = torch.ones_like(ids)
        forward, _, entropies = one_pass.cached_forward(model, ids, mask, len(prompt))
        cuts = segments.cut_points(thought, entropies[0].tolist(), k)
        points = segments.pad_cut_points([cuts], len(cuts)).to(model.device)
        found = one_pass.surrogate_objective(model, forward, points, [probes(cuts)])
    else:
        logits = model(input_ids=ids, use_cache=False, logits_to_keep=len(response) + 1).logits
        entropies = torch.distributions.Categorical(logits=logits[0, :-1].float()).entropy()
        cuts = segments.cut_points(thought, entropies.tolist(), k)
        rows = ([prompt], [response], [cuts], [probes(cuts)])
        found = repeat_loop.surrogate_objective(model, *rows, batch_size=8)  # perhaps long ones
    return cuts, found.double().cpu()
