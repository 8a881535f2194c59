"""The paper's case study for anyone's transcript: objective and process reward along one thought.

Nothing is drawn here; `page` shows the result. All segments are cut points unless `k` is
given, so that every paragraph of the thought gets a reward of its own.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from repro.explain.transcript import Transcript
from repro.process_reward import one_pass, repeat_loop, reward, scores, segments
from repro.process_reward.probes import probes_at_cuts
from repro.process_reward.segments import Thought
from repro.process_reward.settings import ProcessRewardSettings


@dataclass(frozen=True)
class Stretch:
    """The text between two neighbouring cut points, and what stands at the second.

    Attributes:
        start: its first token, counted from the beginning of the response.
        end: the cut point after its last token; for the empty thought 0, as `start`.
        text: decoded.
        objective: J at `end`, in nats per answer token, at most 0.
        magnitude: S_magn at `end`.
        stability: S_stab at `end`.
        score: S at `end`.
        reward: the gain r_j = S_j - S_{j-1}; None for the empty thought.
    """

    start: int
    end: int
    text: str
    objective: float
    magnitude: float
    stability: float
    score: float
    reward: float | None


@dataclass(frozen=True)
class Explanation:
    """One transcript, scored.

    Attributes:
        transcript: what was scored.
        model: name or directory of the model.
        parameters: their number.
        dtype: of the weights.
        settings: of the process reward; `k` is the number of segments kept at most.
        segments: number of segments in the thought, kept or not.
        closed: whether the response holds `</think>`.
        baseline: the empty thought; its score is 0 where the variant starts from 0.
        stretches: the thought from its first token to its end, at least one.
        rest: what follows the thought; it bears no process reward.
    """

    transcript: Transcript
    model: str
    parameters: int
    dtype: str
    settings: ProcessRewardSettings
    segments: int
    closed: bool
    baseline: Stretch
    stretches: tuple[Stretch, ...]
    rest: str


def explain(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    transcript: Transcript,
    settings: ProcessRewardSettings,
    k: int | None = None,
) -> Explanation:
    """Score one transcript.

    Args:
        model: in evaluation mode.
        tokenizer: a fast one.
        transcript: its tokens are this tokenizer's.
        settings: of the process reward; their `k` decides nothing.
        k: how many segments are kept; None keeps every one.

    Raises:
        ValueError: an empty answer, or an objective that is not finite.
    """
    chosen, response = settings.filled(), transcript.response
    texts = segments.TokenTexts(tokenizer)
    thought = segments.find_thought([texts[i] for i in response], chosen.separator)
    chosen = chosen.model_copy(update={"k": k or max(1, len(thought.starts))})
    cuts, objective = objective_at_cuts(model, tokenizer, transcript, thought, chosen)

    score = scores.score(objective, chosen.score_weight, chosen.ema)  # (1, C)
    rewards = reward.process_reward(score, chosen.initial_score)  # (1, C - 1)
    if chosen.initial_score == "zero":
        score[:, 0] = 0.0  # what the first reward is counted from
    magnitude = scores.magnitude(objective)
    stability = scores.stability(scores.moving_average(objective, chosen.ema))
    values = torch.cat([objective, magnitude, stability, score]).T.tolist()  # C rows of 4

    def decode(start: int, end: int) -> str:
        return tokenizer.decode(
            response[start:end], skip_special_tokens=False, clean_up_tokenization_spaces=False
        )

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
        closed=thought.closed,
        baseline=baseline,
        stretches=tuple(stretches),
        rest=decode(thought.end, len(response)),
    )


@torch.no_grad()
def objective_at_cuts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    transcript: Transcript,
    thought: Thought,
    settings: ProcessRewardSettings,
) -> tuple[list[int], Tensor]:
    """Return the C cut points and J there, (1, C) in float64 on the CPU.

    Args:
        model: a forward per cut point is made where its cache cannot be cut.
        tokenizer: a fast one.
        transcript: one response.
        thought: its segments.
        settings: resolved.
    """
    opened_at = None
    if settings.close_thought:
        texts = segments.TokenTexts(tokenizer)
        asked, told = ([texts[i] for i in ids] for ids in (transcript.prompt, transcript.response))
        opened_at = segments.opened_at("".join(asked), told)

    def probes(cuts: list[int]):
        return probes_at_cuts(
            tokenizer,
            transcript.answer,
            cuts,
            opened_at=opened_at,
            closed_at=thought.end if thought.closed else None,
            answer_only=settings.answer_only,
        )

    prompt, response = transcript.prompt, transcript.response
    ids = torch.tensor([[*prompt, *response]], device=model.device)  # (1, P + T)
    if one_pass.why_not(model) is None:
        mask = torch.ones_like(ids)
        forward, _, entropies = one_pass.cached_forward(model, ids, mask, len(prompt))
        cuts = segments.cut_points(thought, entropies[0].tolist(), settings.k)
        points = segments.pad_cut_points([cuts], len(cuts)).to(model.device)
        found = one_pass.surrogate_objective(model, forward, points, [probes(cuts)])
        return cuts, found.double().cpu()
    entropies = [0.0] * len(response)
    if settings.k < len(thought.starts):  # else all are kept, whatever their entropies
        logits = model(input_ids=ids, use_cache=False, logits_to_keep=len(response) + 1).logits
        distribution = torch.distributions.Categorical(logits=logits[0, :-1].float())
        entropies = distribution.entropy().tolist()
    cuts = segments.cut_points(thought, entropies, settings.k)
    found = repeat_loop.surrogate_objective(
        model,
        [prompt],
        [response],
        [cuts],
        [probes(cuts)],
        batch_size=8,  # a single response, perhaps a very long one
    )
    return cuts, found.double().cpu()
