"""The one trainer: TRL's GRPOTrainer with this project's advantages.

What changes against TRL 1.16, and nothing else:

* `_generate_and_score_completions` replaces `advantages` (B,) by the total advantage (B, T) of
  `repro.algorithms`, adds `values` and `returns` for PPO's critic and logs the rollout's metrics;
* `_calculate_rewards` remembers the rewards of all processes;
* `_generate_single_turn` scores the responses from the cache that generation leaves behind, or
  gives each its seed where vLLM generates;
* `_get_per_token_logps_and_entropies`, where TRL asks for the old log-probabilities and nothing
  is scored yet, scores the responses from the cache of that same forward;
* `_compute_loss` and `training_step` hand each micro-batch to PPO's critic as well;
* checkpoints hold the critic.

Old log-probabilities are TRL's own: computed where the policy moves between two uses of a rollout,
and left out with one update per generation, where they are the current ones and the ratio is
exactly 1.
"""

import functools
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate.utils import set_seed
from torch import Tensor
from transformers import DynamicCache
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR
from trl import GRPOTrainer
from trl.models.utils import disable_gradient_checkpointing

from repro.algorithms import ADVANTAGES
from repro.algorithms.batch import Batch, ProcessTerm
from repro.process_reward import one_pass, reward, scores
from repro.process_reward.one_pass import CachedForward, causal_lm
from repro.process_reward.settings import ProcessRewardSettings
from repro.training import model_card, rollout_metrics, sharding, supported, vllm_rollouts
from repro.training.critic import Critic, CriticSettings, explained_variance
from repro.training.generation_record import recording
from repro.training.process_scoring import ProcessScorer


@dataclass(frozen=True)
class Rollout:
    """A generation batch on its way through TRL; each field is None until it is known.

    Attributes:
        answers: ground truths of the B local responses.
        cuts: their cut points, (B, k + 2).
        objective: J there, (B, k + 2).
        rewards: outcome rewards of all processes, (G,), groups in consecutive rows.
    """

    answers: list[str] | None = None
    cuts: Tensor | None = None
    objective: Tensor | None = None
    rewards: Tensor | None = None


class ReProTrainer(GRPOTrainer):
    """GRPOTrainer with a choice of algorithm and RePro's process reward.

    Args:
        algorithm: `ppo`, `reinforce_pp`, `reinforce_pp_baseline` or `grpo`.
        process_reward: settings of RePro's process reward, as `ProcessRewardSettings` or a mapping
            of some of its fields; None trains the plain algorithm. The dataset then needs a column
            `answer`, the ground truth that the probe boxes.
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
        process_reward: ProcessRewardSettings | Mapping | None = None,
        gamma: float = 1.0,
        lam: float = 1.0,
        critic: CriticSettings | None = None,
        **kwargs,
    ) -> None:
        process_reward = supported.check(args, kwargs, algorithm, process_reward, gamma, lam)
        super().__init__(*args, **kwargs)
        sharding.check(self.accelerator, has_critic=algorithm == "ppo")
        if self.use_vllm:  # its engine seeded this process by the process's rank
            set_seed(self.args.seed, device_specific=True)
        self.algorithm, self.process_reward = algorithm, process_reward
        self.gamma, self.lam = gamma, lam
        self._name, self._paper = model_card.name_and_paper(algorithm, process_reward is not None)
        self._scorer = ProcessScorer(
            self._tokenizer,
            process_reward or ProcessRewardSettings(),
            self.eos_token_ids,
            self.args.per_device_train_batch_size,
        )
        self._cache_can_be_cut = one_pass.why_not(causal_lm(self.model)) is None
        self._rollout: Rollout | None = None
        self._micro_batch: dict[str, Tensor] = {}
        self._critic_sums: dict[str, Tensor] = {}
        self.critic = None
        if algorithm == "ppo":
            self.critic = Critic(
                self.model,
                critic or CriticSettings(),
                self.accelerator,
                self.args.gradient_checkpointing,
            )

    def _generate_and_score_completions(self, inputs):
        if not self.model.training:
            return super()._generate_and_score_completions(inputs)
        where = f"train_dataset: row {{}} of the rollout after step {self.state.global_step}"
        supported.check_rows(inputs, self.process_reward is not None, where)
        answers = [row["answer"] for row in inputs] if self.process_reward else None
        self._rollout = Rollout(answers)
        out = super()._generate_and_score_completions(inputs)
        if self.process_reward is not None and self._rollout.objective is None:
            self._score_by_one_pass(*_prompts_and_completions(out))
        rollout, self._rollout = self._rollout, None

        first = self.accelerator.process_index * len(inputs)
        rows = slice(first, first + len(inputs))
        batch = Batch(
            rewards=rollout.rewards.double(),
            mask=out["completion_mask"],
            num_generations=self.num_generations,
            rows=rows,
            gamma=self.gamma,
            lam=self.lam,
            sum_over_processes=functools.partial(self.accelerator.reduce, reduction="sum"),
        )
        if self.critic is not None:
            ids, attention, length = _prompts_and_completions(out)
            out["values"] = self.critic.values(
                ids, attention, length, self.args.per_device_train_batch_size
            )
            batch = replace(batch, values=out["values"].double())
        process, sums = None, self._response_sums(out, rollout.rewards[rows])
        if self.process_reward is not None:
            process, process_sums = self._process_term(rollout)
            sums |= process_sums
        estimate = ADVANTAGES[self.algorithm](batch, process)
        out["advantages"] = estimate.advantages.float()
        means = rollout_metrics.token_means(out["advantages"], out["completion_mask"])
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
            total = (rewards * weights).nansum(dim=1)
            self._rollout = replace(self._rollout, rewards=total)
        return rewards

    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        if self.use_vllm:
            with self._seeded_engine():
                return super()._generate_single_turn(prompt_ids, *args, **kwargs)
        # TRL gathers the policy itself for ZeRO-3, not for FSDP2.
        with self._whole_policy() if self.accelerator.is_fsdp2 else nullcontext():
            if self._rollout is None or self.process_reward is None or not self._cache_can_be_cut:
                return super()._generate_single_turn(prompt_ids, *args, **kwargs)
            return self._generate_and_score(prompt_ids, *args, **kwargs)

    def _generate_and_score(self, prompt_ids, *args, **kwargs):
        """Sample with transformers, and score from the cache that is left if it is of use."""
        model = self.accelerator.unwrap_model(self.model)
        with recording(model, self.temperature) as record:
            completion_ids, log_probs = super()._generate_single_turn(prompt_ids, *args, **kwargs)
        if record.is_usable(len(prompt_ids)):
            with self._without_checkpointing(), self._whole_policy():
                forward, mask, entropies = record.forward(model, prompt_ids, completion_ids)
                cuts, objective = self._scorer.from_cache(
                    model, forward, mask, entropies, self._rollout.answers
                )
            self._rollout = replace(self._rollout, cuts=cuts, objective=objective)
        return completion_ids, log_probs

    def _seeded_engine(self):
        """Seed the responses of vLLM in this process; a server's are its own affair."""
        if self.vllm_mode != "colocate":
            return nullcontext()
        engine = self.accelerator.process_index // self.vllm_tensor_parallel_size
        llm, step = self.vllm_generation.llm, self.state.global_step
        return vllm_rollouts.seeded(llm, self.args.seed, step, engine)

    def _get_per_token_logps_and_entropies(
        self, model, input_ids, attention_mask, logits_to_keep, *args, **kwargs
    ):
        # The first question about the policy while a rollout is scored is for the old
        # log-probabilities, if TRL asks for them at all; later ones concern the reference model.
        unscored = self._rollout is not None and self._rollout.objective is None
        if unscored and self.process_reward and model is self.model and self._asks_for_old():
            log_probs = self._score_by_one_pass(input_ids, attention_mask, logits_to_keep)
            return log_probs, None, None
        return super()._get_per_token_logps_and_entropies(
            model, input_ids, attention_mask, logits_to_keep, *args, **kwargs
        )

    def _asks_for_old(self) -> bool:
        """Whether TRL computes old log-probabilities of a rollout (its own condition)."""
        generate_every = self.args.steps_per_generation * self.num_iterations
        return self.args.gradient_accumulation_steps % generate_every != 0 or (
            self.use_vllm and self.vllm_importance_sampling_correction
        )

    def _without_checkpointing(self):
        """Gradient checkpointing would silently drop every cache."""
        kwargs = self.args.gradient_checkpointing_kwargs
        return disable_gradient_checkpointing(self.model, kwargs)

    def _whole_policy(self):
        """What is scored differs between processes, so nothing may be gathered on the way."""
        return sharding.whole(self.model, self.model_wrapped, self.accelerator)

    @torch.no_grad()
    def _score_by_one_pass(self, input_ids: Tensor, attention_mask: Tensor, length: int) -> Tensor:
        """Score a rollout from TRL's own forward, in chunks; returns its log-probabilities (B, T).

        Never more than one chunk's cache is alive.
        """
        model = self.accelerator.unwrap_model(self.model)
        size, found = self.args.per_device_train_batch_size, []
        with self._without_checkpointing(), self._whole_policy():
            for start in range(0, len(input_ids), size):
                rows = slice(start, start + size)
                answers = self._rollout.answers[rows]
                found.append(
                    self._score_chunk(model, input_ids[rows], attention_mask[rows], length, answers)
                )
        log_probs, cuts, objective = (torch.cat(parts) for parts in zip(*found, strict=True))
        self._rollout = replace(self._rollout, cuts=cuts, objective=objective)
        return log_probs

    def _score_chunk(self, model, ids, mask, length, answers) -> tuple[Tensor, Tensor, Tensor]:
        """Log-probabilities (N, T), cut points and objective (N, k + 2) of some responses."""
        cache, hidden = DynamicCache(), []
        policy = self.model
        if self._cache_can_be_cut:
            policy = functools.partial(self.model, past_key_values=cache)
        handle = causal_lm(model).base_model.register_forward_hook(
            lambda _module, _arguments, output: hidden.append(output.last_hidden_state)
        )
        try:
            log_probs, entropies, _ = super()._get_per_token_logps_and_entropies(
                policy, ids, mask, length, compute_entropy=True
            )
        finally:
            handle.remove()
        prompt_length = ids.shape[1] - length
        completion_mask = mask[:, prompt_length:]
        with self.accelerator.autocast():
            if self._cache_can_be_cut:
                # TRL passes no position ids: transformers counts columns, padding included.
                positions = torch.arange(ids.shape[1], device=ids.device).expand(ids.shape)
                forward = CachedForward(cache, ids, mask, positions, prompt_length, hidden[0])
                scored = self._scorer.from_cache(
                    model, forward, completion_mask, entropies, answers
                )
            else:
                prompts = [
                    row[:prompt_length][kept[:prompt_length].bool()].tolist()
                    for row, kept in zip(ids, mask, strict=True)
                ]
                scored = self._scorer.from_repeats(
                    model, prompts, ids[:, prompt_length:], completion_mask, entropies, answers
                )
        return log_probs, *scored

    def _process_term(self, rollout: Rollout) -> tuple[ProcessTerm, dict[str, float]]:
        """The process rewards of all processes, and the sums of this one for the metrics."""
        chosen = self.process_reward
        score = scores.score(rollout.objective, chosen.score_weight, chosen.ema)
        valid = rollout.cuts[:, 1:] >= 0  # (B, k + 1)
        rewards = reward.process_reward(score, chosen.initial_score) * valid
        term = ProcessTerm(
            # Groups may straddle processes, so every one of them sees all (G, k + 1) rewards.
            rewards=self.accelerator.gather(rewards),
            mask=self.accelerator.gather(valid),
            positions=rollout.cuts[:, 1:] - 1,
            alpha=chosen.alpha,
            variant=chosen.variant,
        )
        return term, rollout_metrics.process_sums(rollout.objective, rewards, valid)

    def _response_sums(self, out: dict, rewards: Tensor) -> dict[str, float]:
        completions = [
            row[mask.bool()].tolist()
            for row, mask in zip(out["completion_ids"], out["completion_mask"], strict=True)
        ]
        return rollout_metrics.response_sums(
            self._tokenizer.batch_decode(completions, skip_special_tokens=True),
            [len(ids) for ids in completions],
            [ids[-1] not in self.eos_token_ids for ids in completions],
            [self._scorer.thought(ids) for ids in completions],
            rewards,
        )

    def _over_processes(self, sums: Mapping[str, float | Tensor]) -> dict[str, float]:
        values = torch.tensor([float(value) for value in sums.values()], dtype=torch.float64)
        values = self.accelerator.reduce(values.to(self.accelerator.device), reduction="sum")
        return dict(zip(sums, values.tolist(), strict=True))

    def _compute_loss(self, model, inputs):
        self._micro_batch = inputs
        return super()._compute_loss(model, inputs)

    def training_step(self, model, inputs, num_items_in_batch):
        """One micro-batch of the policy, and the same one of the critic."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        if self.critic is not None:
            self._train_critic(self._micro_batch)
        self._micro_batch = {}
        return loss

    def _train_critic(self, micro_batch: dict[str, Tensor]) -> None:
        # As TRL's token mean: tokens of one optimizer step over all processes, per process.
        tokens = micro_batch["num_items_in_batch"] / self.accelerator.num_processes
        tokens = tokens * self.current_gradient_accumulation_steps / self.args.steps_per_generation
        for name, value in self.critic.backward(micro_batch, tokens.clamp(min=1.0)).items():
            self._critic_sums[name] = self._critic_sums.get(name, 0.0) + value
        if not self.accelerator.sync_gradients:
            return
        metrics = {"critic_grad_norm": self.critic.step()}
        sums, self._critic_sums = self._over_processes(self._critic_sums), {}
        for name in ("value_loss", "value_clip_fraction"):
            metrics[name] = sums[name] / sums["tokens"]
        metrics["explained_variance"] = explained_variance(sums)
        for name, value in metrics.items():
            self._metrics["train"][name].append(value)

    def _save_checkpoint(self, model, trial):
        super()._save_checkpoint(model, trial)
        folder = Path(self._get_output_dir(trial=trial))
        folder /= f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
        if self.args.should_save:
            supported.write_settings(folder, self)
        if self.critic is not None:
            self.critic.save(folder)

    def _load_optimizer_and_scheduler(self, checkpoint):
        if checkpoint is not None:
            supported.check_resume(Path(checkpoint), self)
        super()._load_optimizer_and_scheduler(checkpoint)
        if self.critic is not None and checkpoint is not None:
            self.critic.load(checkpoint)


def _prompts_and_completions(out: dict[str, Tensor]) -> tuple[Tensor, Tensor, int]:
    """Token ids and attention mask of prompts with completions, (B, P + T) each, and T."""
    ids = torch.cat([out["prompt_ids"], out["completion_ids"]], dim=1)
    attention = torch.cat([out["prompt_mask"], out["completion_mask"]], dim=1)
    return ids, attention, out["completion_ids"].shape[1]
