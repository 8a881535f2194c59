"""From a rollout to its cut points and surrogate objectives, with tokens as TRL hands them over."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from repro.process_reward import one_pass, repeat_loop, segments
from repro.process_reward.one_pass import CachedForward
from repro.process_reward.probes import Probe, probes_at_cuts
from repro.process_reward.settings import ProcessRewardSettings


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

    def from_cache(
        self,
        model: PreTrainedModel,
        forward: CachedForward,
        completion_mask: Tensor,
        entropies: Tensor,
        answers: Sequence[str],
    ) -> tuple[Tensor, Tensor]:
        """Score responses from the cache of a forward that was made anyway.

        Args:
            model: the policy.
            forward: its cached forward over prompts and responses, B rows.
            completion_mask: (B, T), 1 on the responses' tokens.
            entropies: of the policy at each token, (B, T).
            answers: the B ground truths.

        Returns:
            Cut points (B, k + 2), -1 where a response has fewer, and the objective there, of the
            same shape in float64.
        """
        prompts, ids = forward.input_ids.tensor_split([forward.prompt_length], dim=1)
        cuts, probes = self._cut(prompts.tolist(), ids, completion_mask, entropies, answers)
        return cuts, one_pass.surrogate_objective(model, forward, cuts, probes).double()

    def from_repeats(
        self,
        model: PreTrainedModel,
        prompts: Sequence[Sequence[int]],
        completion_ids: Tensor,
        completion_mask: Tensor,
        entropies: Tensor,
        answers: Sequence[str],
    ) -> tuple[Tensor, Tensor]:
        """Score responses by a forward per cut point, for a model whose cache cannot be cut.

        Without padding, which moves a learnt prompt or a length-dependent rotary embedding.
        """
        cuts, probes = self._cut(prompts, completion_ids, completion_mask, entropies, answers)
        rows = zip(completion_ids, completion_mask, strict=True)
        completions = [ids[mask.bool()].tolist() for ids, mask in rows]
        each = [[cut for cut in row if cut >= 0] for row in cuts.tolist()]
        found = _repeat(model, prompts, completions, each, probes)
        return cuts, functional.pad(found, (0, cuts.shape[1] - found.shape[1]))

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

    def _cut(
        self,
        prompts: Sequence[Sequence[int]],
        ids: Tensor,
        mask: Tensor,
        entropies: Tensor,
        answers: Sequence[str],
    ) -> tuple[Tensor, list[list[Probe]]]:
        k, cuts, probes, lengths = self.settings.k, [], [], mask.sum(dim=1).tolist()
        rows = zip(prompts, ids.tolist(), lengths, entropies.tolist(), answers, strict=True)
        for prompt, row, length, entropy, answer in rows:
            thought = self.thought(row[:length])
            cuts.append(segments.cut_points(thought, entropy, k))
            probes.append(self._probes(prompt, row[:length], answer, cuts[-1], thought))
        return segments.pad_cut_points(cuts, k + 2).to(ids.device), probes

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
