"""The one trainer: TRL's GRPOTrainer with this project's advantages.

What changes against TRL 1.16, and nothing else:

* `_generate_and_score_completions` replaces `advantages` (B,) by the total advantage (B, T) of
  `repro.algorithms` and logs the rollout's metrics; with the process reward it also supplies
  `old_per_token_logps`;
* `_calculate_rewards` hands the reward functions decoded responses and remembers them and the
  rewards.

With the process reward one forward of the policy gives the old log-probabilities and the entropies
that rank the segments, and the surrogate objective is computed by the repeat loop of
`repro.process_reward.objective`. Without it no such forward is spent: TRL computes the old
log-probabilities where the policy moves between two uses of a rollout, and with one update per
generation they are the current ones, so that the ratio is exactly 1.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from trl import GRPOTrainer
from trl.models.utils import disable_gradient_checkpointing

from repro.algorithms import grpo
from repro.analysis import behaviours
from repro.process_reward import objective, reward, scores, segments
from repro.process_reward.settings import ProcessRewardSettings
from repro.verify.answers import split_thought


@dataclass
class Rollout:
    """What a generation batch left behind: local texts and token ids, rewards of all processes."""

    responses: list[str]
    completion_ids: list[list[int]]
    rewards: Tensor  # (global B,), groups in consecutive rows


class ReasoningTrainer(GRPOTrainer):
    """GRPOTrainer whose advantages are this project's.

    Args:
        process_reward: settings of RePro's process reward; None trains plain GRPO. The dataset then
            needs a column `answer`, the ground truth that the probe boxes.
        kwargs: as for `trl.GRPOTrainer`.
    """

    def __init__(self, *, process_reward: ProcessRewardSettings | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.process_reward = process_reward
        self._token_texts = segments.TokenTexts(self._tokenizer)
        self._rollout: Rollout | None = None

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        # Decoded as the evaluation decodes them, whatever response parser the tokenizer carries.
        responses = self._tokenizer.batch_decode(completion_ids_list, skip_special_tokens=True)
        rewards = super()._calculate_rewards(inputs, prompts, responses, completion_ids_list)
        weights = self.reward_weights.to(rewards.device)
        self._rollout = Rollout(responses, completion_ids_list, (rewards * weights).nansum(dim=1))
        return rewards

    def _generate_and_score_completions(self, inputs):
        out = super()._generate_and_score_completions(inputs)
        rollout, settings = self._rollout, self.process_reward
        completion_mask = out["completion_mask"]  # (B, T)
        local = slice(
            self.accelerator.process_index * len(inputs),
            (self.accelerator.process_index + 1) * len(inputs),
        )
        thoughts = self._find_thoughts(rollout)
        sums = self._rollout_sums(rollout, thoughts, rollout.rewards[local])

        outcome = grpo.outcome_advantage(rollout.rewards.double(), self.num_generations)[local]
        if settings is None:
            advantages = grpo.total_advantage(outcome, completion_mask)
        else:
            out["old_per_token_logps"], entropies = self._old_log_probs(out)
            cuts = self._cut_points(thoughts, entropies)
            objectives = self._objective(out, inputs, thoughts, cuts)
            rewards, valid = self._process_rewards(objectives, cuts)
            # Groups may straddle processes: each of them normalises the gathered (B, k + 1).
            normalized = reward.normalize_in_groups(
                self.accelerator.gather(rewards),
                self.accelerator.gather(valid),
                self.num_generations,
            )[local]
            placed = reward.place_before_cuts(normalized, cuts, completion_mask.shape[1])
            advantages = grpo.total_advantage(
                outcome, completion_mask, placed, settings.alpha, settings.gamma
            )
            sums |= _process_sums(objectives, rewards, valid)
        out["advantages"] = advantages.float()
        self._log_rollout(sums)
        return out

    def _find_thoughts(self, rollout: Rollout) -> list[segments.Thought]:
        separator = "\n\n" if self.process_reward is None else self.process_reward.separator
        thoughts = []
        for ids in rollout.completion_ids:
            text_ids = ids[:-1] if ids[-1] in self.eos_token_ids else ids
            texts = [self._token_texts[i] for i in text_ids]
            thoughts.append(segments.find_thought(texts, separator))
        return thoughts

    def _old_log_probs(self, out: dict) -> tuple[Tensor, Tensor]:
        """Log-probabilities of the completions and entropies of the sampling policy, (B, T)."""
        input_ids = torch.cat([out["prompt_ids"], out["completion_ids"]], dim=1)
        attention_mask = torch.cat([out["prompt_mask"], out["completion_mask"]], dim=1)
        checkpointing = self.args.gradient_checkpointing_kwargs
        with torch.no_grad(), disable_gradient_checkpointing(self.model, checkpointing):
            log_probs, entropies, _ = self._get_per_token_logps_and_entropies(
                self.model,
                input_ids,
                attention_mask,
                out["completion_ids"].shape[1],
                batch_size=self.args.per_device_train_batch_size,
                compute_entropy=True,
            )
        return log_probs, entropies

    def _cut_points(self, thoughts: list[segments.Thought], entropies: Tensor) -> Tensor:
        k = self.process_reward.k
        rows = [
            segments.cut_points(thought, row, k)
            for thought, row in zip(thoughts, entropies.tolist(), strict=True)
        ]
        return segments.pad_cut_points(rows, width=k + 2).to(entropies.device)  # (B, k + 2)

    def _objective(self, out, inputs, thoughts, cuts: Tensor) -> Tensor:
        """J at the cut points, (B, k + 2) in float64, 0 where a response has fewer."""
        settings = self.process_reward
        prefix = objective.CLOSE_THOUGHT if settings.close_thought else ""
        cut_lists, probes, made = [], [], {}
        for row, thought, example in zip(cuts.tolist(), thoughts, inputs, strict=True):
            cut_lists.append([cut for cut in row if cut >= 0])
            answer = example["answer"]
            if answer not in made:
                made[answer] = [
                    objective.make_probe(
                        self._tokenizer, answer, answer_only=settings.answer_only, prefix=text
                    )
                    for text in (prefix, prefix.removeprefix(segments.END_OF_THOUGHT))
                ]
            is_closed = [thought.closed and cut == thought.end for cut in cut_lists[-1]]
            probes.append([made[answer][closed] for closed in is_closed])
        prompts = [
            ids[mask.bool()].tolist()
            for ids, mask in zip(out["prompt_ids"], out["prompt_mask"], strict=True)
        ]
        checkpointing = self.args.gradient_checkpointing_kwargs
        with self.accelerator.autocast(), disable_gradient_checkpointing(self.model, checkpointing):
            found = objective.surrogate_objective(
                self.accelerator.unwrap_model(self.model),
                prompts,
                self._rollout.completion_ids,
                cut_lists,
                probes,
                batch_size=self.args.per_device_train_batch_size,
            )
        missing = cuts.shape[1] - found.shape[1]
        return torch.nn.functional.pad(found.double(), (0, missing))

    def _process_rewards(self, objectives: Tensor, cuts: Tensor) -> tuple[Tensor, Tensor]:
        """Process rewards of the cut points after the empty thought and their mask, (B, k + 1)."""
        settings = self.process_reward
        score = scores.score(objectives, settings.score_weight, settings.ema)
        valid = cuts[:, 1:] >= 0
        return reward.process_reward(score, settings.initial_score) * valid, valid

    def _rollout_sums(
        self, rollout: Rollout, thoughts: list[segments.Thought], rewards: Tensor
    ) -> dict[str, float]:
        """Sums over the local responses, of which `_log_rollout` makes means."""
        lengths = [len(ids) for ids in rollout.completion_ids]
        closed_at = zip(thoughts, lengths, strict=True)
        return {
            "responses": len(lengths),
            "reward": rewards.sum().item(),
            "accuracy": (rewards > 0.5).sum().item(),
            "reasoning_tokens": sum(t.end if t.closed else length for t, length in closed_at),
            "response_tokens": sum(lengths),
            "truncated": sum(ids[-1] not in self.eos_token_ids for ids in rollout.completion_ids),
            "backtracking": sum(
                behaviours.count(split_thought(text)[0]).backtracking for text in rollout.responses
            ),
        }

    def _log_rollout(self, sums: dict[str, float]) -> None:
        """Add a generation batch's metrics, over all processes, to TRL's metrics of the step."""
        values = torch.tensor(
            list(sums.values()), dtype=torch.float64, device=self.accelerator.device
        )
        total = dict(
            zip(sums, self.accelerator.reduce(values, reduction="sum").tolist(), strict=True)
        )
        n = total["responses"]
        row = {
            "reward": total["reward"] / n,
            "accuracy": total["accuracy"] / n,
            "reasoning_tokens": total["reasoning_tokens"] / n,
            "response_tokens": total["response_tokens"] / n,
            "truncation_rate": total["truncated"] / n,
            "backtracking_per_1k": behaviours.backtracking_per_1k(
                total["backtracking"], total["reasoning_tokens"]
            ),
        }
        if self.process_reward is not None:
            count = total["cuts"]
            mean = total["process_reward"] / max(count, 1)
            variance = (total["process_reward_squared"] - count * mean**2) / max(count - 1, 1)
            row |= {
                "process_reward_mean": mean,
                "process_reward_std": math.sqrt(max(variance, 0.0)),
                "cut_points": count / n + 1,
                "objective_baseline": total["objective_baseline"] / n,
                "objective_end": total["objective_end"] / n,
            }
        for name, value in row.items():
            self._metrics["train"][f"rollout/{name}"].append(value)


def _process_sums(objectives: Tensor, rewards: Tensor, valid: Tensor) -> dict[str, float]:
    """Local sums over the rewarded cut points; the empty thought is not one of them."""
    last = valid.sum(dim=1, keepdim=True)  # (B, 1)
    return {
        "cuts": valid.sum().item(),
        "process_reward": rewards.sum().item(),
        "process_reward_squared": rewards.square().sum().item(),
        "objective_baseline": objectives[:, 0].sum().item(),
        "objective_end": objectives.gather(1, last).sum().item(),
    }
