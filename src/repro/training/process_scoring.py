"""From a rollout to its cut points and surrogate objectives, with tokens as TRL hands them over."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from repro.process_reward import one_pass, repeat_loop, segments
from repro.process_reward.one_pass import CachedForward
from repro.process_reward.probes import Probe, probes_at_cuts
from repro.process_reward.settings import ProcessRewardSettings


@dataclass(frozen=True)
class Responses:
    """B responses and what they answer."""

    prompts: Sequence[Sequence[int]]
    ids: Tensor  # (B, T)
    mask: Tensor  # (B, T), 1 on tokens, which come first
    entropies: Tensor  # of the policy at each token, (B, T)
    answers: Sequence[str]  # ground truths


class ProcessScorer:
    """Finds the cut points of responses and computes the objective there.

    Args:
        tokenizer: a fast tokenizer.
        settings: of the process reward, filled.
        eos_token_ids: the tokens that end a response.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        settings: ProcessRewardSettings,
        eos_token_ids: Sequence[int],
    ) -> None:
        self.settings, self.eos_token_ids, self._tokenizer = settings, eos_token_ids, tokenizer
        self._token_texts = segments.TokenTexts(tokenizer)

    def thought(self, completion_ids: Sequence[int]) -> segments.Thought:
        """Find the segments of one response, its end-of-sequence token left out."""
        return segments.find_thought(self._texts(completion_ids), self.settings.separator)

    def _texts(self, completion_ids: Sequence[int]) -> list[str]:
        ids = list(completion_ids)
        if ids and ids[-1] in self.eos_token_ids:
            ids = ids[:-1]
        return [self._token_texts[i] for i in ids]

    def score(
        self, model: PreTrainedModel, responses: Responses, forward: CachedForward | None
    ) -> tuple[Tensor, Tensor]:
        """Score responses from the cache of a forward made anyway, or by a forward per cut point.

        Args:
            model: the policy.
            responses: B of them.
            forward: the policy's cached forward over them; None for a model whose cache cannot be
                cut, which then sees no padding: that would move a learnt prompt or a
                length-dependent rotary embedding.

        Returns:
            Cut points (B, k + 2), -1 where a response has fewer, and the objective there, of the
            same shape in float64.
        """
        cuts, probes, completions = [], [], []
        lengths, entropies = responses.mask.sum(dim=1).tolist(), responses.entropies.tolist()
        for row, (ids, length) in enumerate(zip(responses.ids.tolist(), lengths, strict=True)):
            completions.append(ids[:length])
            thought = self.thought(ids[:length])
            cuts.append(segments.cut_points(thought, entropies[row], self.settings.k))
            asked = responses.prompts[row], completions[row], responses.answers[row]
            probes.append(self._probes(*asked, cuts[row], thought))
        table = segments.pad_cut_points(cuts, self.settings.k + 2).to(responses.ids.device)
        if forward is not None:
            return table, one_pass.surrogate_objective(model, forward, table, probes).double()
        found = _repeat(model, responses.prompts, completions, cuts, probes)
        return table, functional.pad(found, (0, table.shape[1] - found.shape[1]))

    def by_loop(
        self,
        model: PreTrainedModel,
        prompt: list[int],
        completion: list[int],
        cuts: list[int],
        answer: str,
    ) -> Tensor:
        """Return the objective of one response at some cut points, (C,), from a forward each."""
        probes = self._probes(prompt, completion, answer, cuts, self.thought(completion))
        return _repeat(model, [prompt], [completion], [cuts], [probes])[0]

    def _probes(
        self,
        prompt: Sequence[int],
        completion: Sequence[int],
        answer: str,
        cuts: list[int],
        thought: segments.Thought,
    ) -> list[Probe]:
        opened_at = None
        if self.settings.close_thought:
            asked = "".join(self._token_texts[i] for i in prompt)
            opened_at = segments.opened_at(asked, self._texts(completion))
        return probes_at_cuts(
            *(self._tokenizer, answer, cuts),
            opened_at=opened_at,
            closed_at=thought.end if thought.closed else None,
            answer_only=self.settings.answer_only,
        )


def _repeat(model, prompts, completions, cuts, probes) -> Tensor:
    """Return the objective by a forward per cut point, (B, C), one response at a time."""
    rows = (prompts, completions, cuts, probes)
    return repeat_loop.surrogate_objective(model, *rows, batch_size=1).double()
