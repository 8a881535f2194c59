"""From a rollout to its cut points and surrogate objectives, with tokens as TRL hands them over."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from repro import methods
from repro.process_reward import one_pass, repeat_loop, segments
from repro.process_reward.measured import Measured
from repro.process_reward.one_pass import CachedForward
from repro.process_reward.probes import Probe, box_sums, probes_at_cuts
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

    The tokenizer is a fast one, the settings are filled, and `eos_token_ids` end a response.
    `has_tags` says what ends a thought; see `find_thought`.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        settings: ProcessRewardSettings,
        eos_token_ids: Sequence[int],
        has_tags: bool = True,
    ) -> None:
        self.tokenizer, self.settings, self.eos_token_ids = tokenizer, settings, eos_token_ids
        self.has_tags = has_tags
        # One by one: a whole decode gives no token boundaries. A character split over several
        # tokens becomes replacement characters, which does not move the ASCII marks looked for.
        self._token_text = functools.cache(lambda token_id: tokenizer.decode([token_id]))

    def thought(self, completion_ids: Sequence[int]) -> segments.Thought:
        """Find the segments of one response, its end-of-sequence token left out."""
        texts, separator = self._texts(completion_ids), self.settings.separator
        return segments.find_thought(texts, separator, self.has_tags)

    def _texts(self, completion_ids: Sequence[int]) -> list[str]:
        texts = [self._token_text(i) for i in completion_ids]
        return texts[:-1] if texts and completion_ids[-1] in self.eos_token_ids else texts

    def score(
        self, model: PreTrainedModel, responses: Responses, forward: CachedForward | None
    ) -> Measured:
        """Score B responses from the cache of a forward made anyway, or by a forward per cut point.

        Without a cached forward, for a model whose cache cannot be cut, each response is scored by
        itself: padding would move a learnt prompt or a length-dependent rotary embedding.
        """
        cuts, rows, k = [], [], methods.as_number(self.settings.k)
        counted = responses.mask.sum(dim=1)  # (B,)
        lengths, entropies = counted.tolist(), responses.entropies.tolist()
        for row, (ids, length) in enumerate(zip(responses.ids.tolist(), lengths, strict=True)):
            thought = self.thought(ids[:length])
            points = segments.cut_points(thought, entropies[row], k)
            if self.settings.rule == "random_cuts":  # the same ones for the same response
                points = segments.draw_cut_points(thought, points, seed=str(ids[:length]))
            cuts.append(points)
            rows.append((responses.prompts[row], ids[:length], cuts[row], responses.answers[row]))
        width = max(2, *map(len, cuts))  # a column of rewards even where all responses are empty
        padded = [row + [-1] * (width - len(row)) for row in cuts]
        table = torch.tensor(padded, device=responses.ids.device)  # (B, C)
        if forward is not None:
            probes = [self._probes(*row) for row in rows]
            objective = one_pass.surrogate_objective(model, forward, table, probes).double()
        else:
            objective = table.new_zeros(table.shape, dtype=torch.float64)
            for row, given in enumerate(rows):
                objective[row, : len(cuts[row])] = self.by_loop(model, *given)
        before_a_token = (table >= 0) & (table < counted[:, None])
        at_cuts = responses.entropies.gather(1, table.where(before_a_token, 0))
        return Measured(table, objective, at_cuts.where(before_a_token, 0.0), counted)

    def box_sums(
        self, model: PreTrainedModel, given: Responses, forward: CachedForward | None, found: Tensor
    ) -> Tensor:
        """Return what `probes.box_sums` does of responses whose objective, (B, C), is `found`."""
        only = not self.settings.answer_only
        settings = self.settings.model_copy(update={"answer_only": only})
        other = ProcessScorer(self.tokenizer, settings, self.eos_token_ids, self.has_tags)
        both = [found, other.score(model, given, forward).objective]
        return box_sums(self.tokenizer, given.answers, *(both if only else both[::-1]))

    def by_loop(
        self,
        model: PreTrainedModel,
        prompt: Sequence[int],
        completion: Sequence[int],
        cuts: list[int],
        answer: str,
    ) -> Tensor:
        """Return the objective of one response at some cut points, (C,), from a forward each."""
        probes = self._probes(prompt, completion, cuts, answer)
        return repeat_loop.surrogate_objective(model, prompt, completion, cuts, probes).double()

    def _probes(
        self, prompt: Sequence[int], completion: Sequence[int], cuts: list[int], answer: str
    ) -> list[Probe]:
        opened_at = closed_at = None
        if self.settings.close_thought:
            asked, thought = "".join(map(self._token_text, prompt)), self.thought(completion)
            opened_at = segments.opened_at(asked, self._texts(completion))
            closed_at = thought.end if thought.closed else None
        return probes_at_cuts(
            *(self.tokenizer, answer, cuts),
            opened_at=opened_at,
            closed_at=closed_at,
            answer_only=self.settings.answer_only,
            lead_in=self.settings.lead_in or "",
        )
