"""The one trainer: TRL's GRPOTrainer with this project's advantages.

What changes against TRL 1.16, besides the scoring of rollouts in `policy_scoring`:

* `_generate_and_score_completions` replaces `advantages` (B,) by the total advantage (B, T) of
  `repro.algorithms`, adds `values` and `returns` for PPO's critic and logs the rollout's metrics;
* `_calculate_rewards` remembers the rewards of all processes;
* `_compute_loss` and `training_step` hand each micro-batch to PPO's critic as well, and measure how
  far vLLM's log-probabilities are from the policy's;
* checkpoints hold the critic.

Old log-probabilities are TRL's own: computed where the policy moves between two uses of a rollout,
and left out with one update per generation, where they are the current ones and the ratio is
exactly 1.
"""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from accelerate.utils import set_seed
from torch import Tensor
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from repro import methods
from repro.algorithms import ADVANTAGES
from repro.algorithms.batch import Batch, ProcessTerm
from repro.files import jsonl
from repro.process_reward import rules
from repro.process_reward.measured import Measured
from repro.process_reward.settings import ProcessRewardSettings
from repro.training import padding, rollout_metrics, sampler_mismatch, sharding, supported
from repro.training.critic import Critic, CriticSettings, explained_variance
from repro.training.policy_scoring import Rollout, ScoringTrainer

PAPER = {"title": "Rectifying LLM Thought from Lens of Optimization", "id": "2512.01925"}


class ReProTrainer(ScoringTrainer):
    """GRPOTrainer with a choice of algorithm and RePro's process reward.

    Args:
        algorithm: `ppo`, `reinforce_pp`, `reinforce_pp_baseline` or `grpo`.
        process_reward: settings of the process reward, as `ProcessRewardSettings` or a mapping of
            some of its fields, the name of a rule, or a rule of one's own, which is a function as
            `process_reward.rules` says. None trains the plain algorithm. Otherwise the dataset
            needs a column `answer`, the ground truth that the probe boxes.
        thinking: `required` where `</think>` ends the thought; `none` where the model has no such
            tags, so that its thought is what stands before the final answer.
        gamma: discount per token, of rewards and process rewards.
        lam: lambda of PPO's advantage estimate.
        critic: settings of PPO's critic.
        args, kwargs: as for `trl.GRPOTrainer`.

    Raises:
        ValueError: an argument, an option of TRL or a dataset that cannot be used; see `supported`.
    """

    _tag_names = ["trl", "grpo", "repro"]

    def __init__(
        self,
        *args,
        algorithm: str = "grpo",
        process_reward: ProcessRewardSettings | Mapping | str | Callable | None = None,
        thinking: str = "required",
        gamma: float = 1.0,
        lam: float = 1.0,
        critic: CriticSettings | None = None,
        **kwargs,
    ) -> None:
        if isinstance(process_reward, str) or callable(process_reward):
            process_reward = {"rule": process_reward}
        process_reward = supported.check(args, kwargs, algorithm, process_reward, gamma, lam)
        has_tags = supported.check_thinking(thinking, process_reward)
        super().__init__(*args, process_reward=process_reward, has_tags=has_tags, **kwargs)
        sharding.check(self.accelerator, has_critic=algorithm == "ppo")
        if self.use_vllm:  # its engine seeded this process by the process's rank
            set_seed(self.args.seed, device_specific=True)
        self.algorithm, self.gamma, self.lam = algorithm, gamma, lam
        # What TRL's model card says of the method: by itself it would call each one GRPO.
        rule = process_reward and process_reward.model_dump()["rule"]
        added = f" + {methods.RULES.get(rule, rule)}" if rule else ""
        self._name = methods.ALGORITHMS[algorithm] + added
        if process_reward or algorithm != "grpo":
            self._paper = PAPER if rule == "repro" else {}
        self._micro_batch: dict[str, Tensor] = {}
        self._critic_sums: dict[str, Tensor] = {}
        self._mismatch: list[dict[str, Tensor]] = []
        self.critic = None
        if algorithm == "ppo":
            chosen, checkpointing = critic or CriticSettings(), self.args.gradient_checkpointing
            self.critic = Critic(self.model, chosen, self.accelerator, checkpointing)

    def _generate_and_score_completions(self, inputs):
        if not self.model.training:
            return super()._generate_and_score_completions(inputs)
        where = f"train_dataset: row {{}} of the rollout after step {self.state.global_step}"
        supported.check_rows(inputs, self.process_reward is not None, where)
        answers = [row["answer"] for row in inputs] if self.process_reward else None
        self._rollout = Rollout(answers)
        out = super()._generate_and_score_completions(inputs)
        if self.process_reward is not None:
            if self._rollout.measured is None:
                self._score_by_one_pass(*padding.join(out))
            self._check_objective(out)
        rollout, self._rollout = self._rollout, None

        mask, first = out["completion_mask"], self.accelerator.process_index * len(inputs)
        rows = slice(first, first + len(inputs))
        if self.critic is not None:
            size = self.args.per_device_train_batch_size
            out["values"] = self.critic.values(*padding.join(out), size)
        tokens = zip(out["completion_ids"], mask.bool(), strict=True)
        completions = [ids[kept].tolist() for ids, kept in tokens]
        sums = rollout_metrics.response_sums(self._scorer, completions, rollout.rewards[rows])
        rewards, process = rollout.rewards.double(), None
        if self.process_reward is not None:
            rewards, process, process_sums = self._apply_rule(rollout, rows)
            sums |= process_sums
        batch = Batch(
            rewards=rewards,
            mask=mask,
            num_generations=self.num_generations,
            rows=rows,
            values=out["values"].double() if self.critic is not None else None,
            gamma=self.gamma,
            lam=self.lam,
            sum_over_processes=functools.partial(self.accelerator.reduce, reduction="sum"),
        )
        estimate = ADVANTAGES[self.algorithm](batch, process)
        out["advantages"] = estimate.advantages.float()
        means = out["advantages"].sum(dim=1) / mask.sum(dim=1).clamp(min=1)  # (B,)
        self._logs["advantages"].extend(self.accelerator.gather(means).tolist())  # over TRL's own
        if estimate.returns is not None:
            out["returns"] = estimate.returns.float()
        for name, value in rollout_metrics.means(self._over_processes(sums)).items():
            self._metrics["train"][f"rollout/{name}"].append(value)
        return out

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        if self._rollout is not None:
            if torch.isnan(rewards).all(dim=1).any():
                raise ValueError("reward_funcs: a response got None from every reward function")
            weights = self.reward_weights.to(rewards.device)
            self._rollout.rewards = (rewards * weights).nansum(dim=1)
        return rewards

    def _apply_rule(
        self, rollout: Rollout, rows: slice
    ) -> tuple[Tensor, ProcessTerm | None, dict[str, float]]:
        """Outcome rewards, (G,), process rewards if any, and this process's sums for metrics."""
        measured, pad = rollout.measured, self.accelerator.pad_across_processes
        columns = {
            # What processes gather has one width, C: of the response with most cut points in any.
            "cuts": pad(measured.cuts, dim=1, pad_index=-1),
            "objective": pad(measured.objective, dim=1),
            "entropies": pad(measured.entropies, dim=1),
            "lengths": measured.lengths,
        }
        measured = Measured(
            # Groups may straddle processes, so every one of them sees all G responses.
            **self.accelerator.gather(columns),
            outcome=rollout.rewards.double(),
            num_generations=self.num_generations,
            step=self.state.global_step,
        )
        outcome, mask = measured.outcome, measured.rewarded
        earned, term = rules.apply(measured, self.process_reward), None
        if earned.dim() == 1:
            outcome, rewards = earned, torch.zeros_like(measured.objective[:, 1:])
        else:
            rewards = torch.where(mask, earned, 0.0)  # (G, C - 1)
            positions, chosen = measured.cuts[rows, 1:] - 1, self.process_reward
            term = ProcessTerm(rewards, mask, positions, chosen.alpha, chosen.variant)
        local = measured.objective[rows], rewards[rows], mask[rows]
        return outcome, term, rollout_metrics.process_sums(*local, rollout.box)

    def _over_processes(self, sums: Mapping[str, float | Tensor]) -> dict[str, float]:
        values = torch.tensor([float(value) for value in sums.values()], dtype=torch.float64)
        values = self.accelerator.reduce(values.to(self.accelerator.device), reduction="sum")
        return dict(zip(sums, values.tolist(), strict=True))

    def _compute_loss(self, model, inputs):
        self._micro_batch, self._log_probs = inputs, None
        loss = super()._compute_loss(model, inputs)
        sampled = inputs.get("sampling_per_token_logps")
        # With top-p vLLM's are probabilities within the nucleus, which the policy's are not.
        if sampled is not None and self.top_p == 1 and self._log_probs is not None:
            # Those before the update; with one update per rollout they are the current ones.
            before = inputs.get("old_per_token_logps", self._log_probs)
            weights, mask = inputs.get("importance_sampling_ratio"), inputs["completion_mask"]
            self._mismatch.append(sampler_mismatch.measure(before, sampled, mask, weights))
        return loss

    def training_step(self, model, inputs, num_items_in_batch):
        """One micro-batch of the policy, and the same one of the critic."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        if self.critic is not None:
            self._train_critic(self._micro_batch)
        self._micro_batch = {}
        if self._mismatch and self.accelerator.sync_gradients:
            self._log_mismatch()
        return loss

    def _log_mismatch(self) -> None:
        measured, self._mismatch = self._mismatch, []
        found = {name: torch.stack([one[name] for one in measured]) for name in measured[0]}
        largest = self.accelerator.gather(found.pop("ratio_max").max()).max()
        sums = self._over_processes({name: values.sum() for name, values in found.items()})
        for name, value in sampler_mismatch.columns(sums, largest.item()).items():
            self._metrics["train"][name].append(value)

    def _train_critic(self, micro_batch: dict[str, Tensor]) -> None:
        # As TRL's token mean: tokens of one optimizer step over all processes, per process.
        tokens = micro_batch["num_items_in_batch"] / self.accelerator.num_processes
        tokens = tokens * self.current_gradient_accumulation_steps / self.args.steps_per_generation
        for name, value in self.critic.backward(micro_batch, tokens.clamp(min=1.0)).items():
            self._critic_sums[name] = self._critic_sums.get(name, 0.0) + value
        if not self.accelerator.sync_gradients:
            return
        metrics = self._metrics["train"]
        metrics["critic_grad_norm"].append(self.critic.step())
        sums, self._critic_sums = self._over_processes(self._critic_sums), {}
        for name in ("value_loss", "value_clip_fraction"):
            metrics[name].append(sums[name] / sums["tokens"])
        metrics["explained_variance"].append(explained_variance(sums))

    def _save_checkpoint(self, model, trial):
        super()._save_checkpoint(model, trial)
        folder = Path(self._get_output_dir(trial=trial))
        folder /= f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
        if self.args.should_save:
            jsonl.write(folder / supported.SETTINGS, [supported.settings_of(self)])
        if self.critic is not None:
            self.critic.save(folder)

    def _load_optimizer_and_scheduler(self, checkpoint):
        if checkpoint is not None:
            supported.check_resume(Path(checkpoint), self)
        super()._load_optimizer_and_scheduler(checkpoint)
        if self.critic is not None and checkpoint is not None:
            self.critic.load(checkpoint)
