"""TRL's trainer, with RePro's objective measured on each rollout.

What changes against TRL 1.16:

* `_generate_single_turn` scores the responses from the cache that generation leaves behind, or
  gives each its seed where vLLM generates;
* `_get_per_token_logps_and_entropies` leaves out the columns that are padding in all of its rows.
  Where TRL asks it for the old log-probabilities and nothing is scored yet, it scores the responses
  from the cache of that same forward.

The objective is a measurement: it is taken in evaluation mode, so dropout never changes it. Where a
policy is random in training, the old log-probabilities stay those of TRL, from its own forward.
"""

import functools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel
from trl import GRPOTrainer
from trl.models.utils import disable_gradient_checkpointing

from repro.process_reward.logits import causal_lm
from repro.process_reward.measured import Measured
from repro.process_reward.one_pass import CachedForward, why_not
from repro.process_reward.settings import ProcessRewardSettings
from repro.training import padding, sharding, vllm_rollouts
from repro.training.generation_record import GenerationRecord
from repro.training.process_scoring import ProcessScorer, Responses


@dataclass
class Rollout:
    """A generation batch on its way through TRL; each field is None until it is known."""

    answers: list[str] | None = None  # ground truths of the B responses of this process
    measured: Measured | None = None  # of these B, without their outcome
    rewards: Tensor | None = None  # of all processes, (G,), groups in consecutive rows
    box: list[Tensor] = field(default_factory=list)  # `box_sums` of each chunk of the first rollout


class ScoringTrainer(GRPOTrainer):
    """GRPOTrainer that knows RePro's objective of the rollout at hand.

    A subclass starts a rollout by putting a `Rollout` with its answers into `_rollout`.
    """

    _rollout: Rollout | None = None
    _log_probs: Tensor | None = None  # the policy's latest, (B, T)

    def __init__(
        self, *args, process_reward: ProcessRewardSettings | None, has_tags: bool, **kwargs
    ) -> None:
        super().__init__(*args, **kwargs)
        self.process_reward = process_reward
        chosen = process_reward or ProcessRewardSettings().filled()
        self._scorer = ProcessScorer(self._tokenizer, chosen, self.eos_token_ids, has_tags)
        self._why_not_cut = why_not(self.model)
        self._is_checked = False
        self._is_random = is_random_in_training(self.model)

    def create_accelerator_and_postprocess(self) -> None:
        """Set how FSDP rounds before any model is sharded."""
        super().create_accelerator_and_postprocess()
        sharding.keep_precision(self.accelerator)

    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        if self.use_vllm:
            if self.vllm_mode != "colocate":  # a server draws with seeds that it chooses
                return super()._generate_single_turn(prompt_ids, *args, **kwargs)
            engine = self.accelerator.process_index // self.vllm_tensor_parallel_size
            llm, step = self.vllm_generation.llm, self.state.global_step
            with vllm_rollouts.seeded(llm, self.args.seed, step, engine):
                return super()._generate_single_turn(prompt_ids, *args, **kwargs)
        # TRL samples in training mode: with dropout each step of the cache has its own policy.
        wanted = self._rollout is not None and self.process_reward and not self._is_random
        # TRL gathers the policy itself for ZeRO-3, not for FSDP2.
        with self._whole_policy() if self.accelerator.is_fsdp2 else nullcontext():
            if not wanted or self._why_not_cut:
                return super()._generate_single_turn(prompt_ids, *args, **kwargs)
            return self._generate_and_score(prompt_ids, *args, **kwargs)

    def _generate_and_score(self, prompt_ids, *args, **kwargs):
        """Sample with transformers, and score from the cache that is left if it is of use."""
        record = GenerationRecord(self.temperature)
        model = causal_lm(self.accelerator.unwrap_model(self.model))
        with model.register_forward_hook(record.add):
            completion_ids, log_probs = super()._generate_single_turn(prompt_ids, *args, **kwargs)
        if record.is_usable(len(prompt_ids)):
            with self._scoring() as model:
                forward, mask, entropies = record.forward(model, prompt_ids, completion_ids)
                ids = forward.input_ids[:, forward.prompt_length :]
                given = Responses(prompt_ids, ids, mask, entropies, self._rollout.answers)
                self._rollout.measured = self._score(model, given, forward)
        return completion_ids, log_probs

    def _get_per_token_logps_and_entropies(
        self, model, input_ids, attention_mask, logits_to_keep, batch_size=None, **kwargs
    ):
        # The first question about the policy while a rollout is scored is for the old
        # log-probabilities, if TRL asks for them at all; later ones concern the reference model.
        unscored = self._rollout is not None and self._rollout.measured is None
        wanted = unscored and self.process_reward and not self._is_random
        if wanted and model is self.model and self._asks_for_old():
            return self._score_by_one_pass(input_ids, attention_mask, logits_to_keep), None, None
        forward = super()._get_per_token_logps_and_entropies
        if not all(value is None or isinstance(value, bool) for value in kwargs.values()):
            kwargs["batch_size"] = batch_size  # images belong to columns: nothing is cut off
            return forward(model, input_ids, attention_mask, logits_to_keep, **kwargs)
        size, found = batch_size or len(input_ids), []
        for ids, mask in zip(input_ids.split(size), attention_mask.split(size), strict=True):
            ids, mask, length = padding.trim(ids, mask, logits_to_keep)
            *columns, aux_loss = forward(model, ids, mask, length, **kwargs)
            # TRL's own value on padding is 0, too.
            padded = (c if c is None else padding.restore(c, logits_to_keep) for c in columns)
            found.append((*padded, aux_loss))
        log_probs, entropies, aux_losses = zip(*found, strict=True)
        entropies = None if entropies[0] is None else torch.cat(entropies)
        aux_loss = None if aux_losses[0] is None else torch.stack(aux_losses).mean()
        log_probs = torch.cat(log_probs)
        if model is not self.ref_model:
            self._log_probs = log_probs.detach()
        return log_probs, entropies, aux_loss

    def _asks_for_old(self) -> bool:
        """Whether TRL computes old log-probabilities of a rollout (its own condition)."""
        generate_every = self.args.steps_per_generation * self.num_iterations
        return self.args.gradient_accumulation_steps % generate_every != 0 or (
            self.use_vllm and self.vllm_importance_sampling_correction
        )

    def _whole_policy(self):
        """What is scored differs between processes, so nothing may be gathered on the way."""
        return sharding.whole(self.model, self.model_wrapped, self.accelerator)

    @contextmanager
    def _scoring(self) -> Iterator[PreTrainedModel]:
        """Hold the whole policy as it evaluates, in the precision of training."""
        was_training, checkpointing = self.model.training, self.args.gradient_checkpointing_kwargs
        self.model.eval()
        try:
            with (
                torch.no_grad(),
                # Checkpointing would silently drop every cache.
                disable_gradient_checkpointing(self.model, checkpointing),
                self._whole_policy(),
                self.accelerator.autocast(),
            ):
                yield self.accelerator.unwrap_model(self.model)
        finally:
            self.model.train(was_training)

    def _score_by_one_pass(self, input_ids: Tensor, attention_mask: Tensor, length: int) -> Tensor:
        """Score a rollout from TRL's own forward, in chunks; returns its log-probabilities (B, T).

        Never more than one chunk's cache is alive.
        """
        if self._why_not_cut and self.accelerator.is_main_process:
            warnings.warn(
                f"{self._why_not_cut}: the process reward is computed by a forward per cut point, "
                "for which plain training has one forward",
                stacklevel=2,
            )
        size, log_probs, parts = self.args.per_device_train_batch_size, [], []
        with self._scoring() as model:
            for start in range(0, len(input_ids), size):
                rows = slice(start, start + size)
                answers = self._rollout.answers[rows]
                ids, mask, kept = padding.trim(input_ids[rows], attention_mask[rows], length)
                found, measured = self._score_chunk(model, ids, mask, kept, answers)
                log_probs.append(padding.restore(found, length))
                parts.append(measured)
        width, columns = max(part.cuts.shape[1] for part in parts), {}
        for name, behind in (("cuts", -1), ("objective", 0), ("entropies", 0)):
            values = [padding.restore(getattr(part, name), width, behind) for part in parts]
            columns[name] = torch.cat(values)
        lengths = torch.cat([part.lengths for part in parts])
        self._rollout.measured = Measured(**columns, lengths=lengths)
        return torch.cat(log_probs)

    def _score_chunk(self, model, ids, mask, length, answers) -> tuple[Tensor, Measured]:
        """Log-probabilities (N, T) of some responses, and what is measured of them."""
        cache, hidden = DynamicCache(), []
        policy = self.model
        if not self._why_not_cut:
            policy = functools.partial(self.model, past_key_values=cache)
        with causal_lm(model).base_model.register_forward_hook(
            lambda _module, _arguments, output: hidden.append(output.last_hidden_state)
        ):
            log_probs, entropies, _ = super()._get_per_token_logps_and_entropies(
                policy, ids, mask, length, compute_entropy=True
            )
        prompt_length, forward = ids.shape[1] - length, None
        asked, given = mask.bool().tensor_split([prompt_length], dim=1)
        prompts = [row[: len(kept)][kept].tolist() for row, kept in zip(ids, asked, strict=True)]
        if not self._why_not_cut:
            # TRL passes no position ids: transformers counts columns, padding included.
            positions = torch.arange(ids.shape[1], device=ids.device).expand(ids.shape)
            forward = CachedForward(cache, ids, mask, positions, prompt_length, hidden[0])
        responses = Responses(prompts, ids[:, prompt_length:], given, entropies, answers)
        return log_probs, self._score(model, responses, forward)

    def _score(
        self, model: PreTrainedModel, given: Responses, forward: CachedForward | None
    ) -> Measured:
        """Score responses; of the first rollout also what of -J the box has, not the answer."""
        found = self._scorer.score(model, given, forward)
        if self.state.global_step == 0:
            sums = self._scorer.box_sums(model, given, forward, found.objective)
            self._rollout.box.append(sums)
        return found

    def _check_objective(self, out: dict[str, Tensor]) -> None:
        """Compare the longest thought of the first rollout with the repeat loop, once.

        `why_not` knows the architectures whose cache cannot be cut only by name. Where the two
        differ by more than rounding, in any process, the whole training uses the loop.
        """
        if self._is_checked or self._why_not_cut:
            return
        self._is_checked, measured = True, self._rollout.measured
        row = int(measured.cuts.amax(dim=1).argmax())
        cuts, answer = measured.cuts[row], self._rollout.answers[row]
        cuts = cuts[cuts >= 0].tolist()
        prompt = out["prompt_ids"][row][out["prompt_mask"][row].bool()].tolist()
        thought = out["completion_ids"][row, : cuts[-1]].tolist()
        with self._scoring() as model:
            expected = self._scorer.by_loop(model, prompt, thought, cuts, answer)
        error = (measured.objective[row, : len(cuts)] - expected).abs().mean()
        # Wrong masks and positions are off by 0.2 to 2, rounding to bfloat16 by 0.01 to 0.05.
        is_rounded = self.accelerator.mixed_precision != "no" or model.dtype.itemsize < 4
        allowed = (0.1 + 0.01 * expected.abs().mean()) * (1.0 if is_rounded else 0.1)
        is_off = (~(error <= allowed)).float()
        if self.accelerator.reduce(is_off, reduction="sum") > 0:
            self._why_not_cut = (
                f"{type(causal_lm(model)).__name__}: J from the cache is not that of the repeat "
                f"loop (a response of the first rollout is off by {error:.2g} in the mean)"
            )
            self._rollout.box.clear()
            self._score_by_one_pass(*padding.join(out))


def is_random_in_training(model: nn.Module) -> bool:
    """Whether two forwards in training mode differ: dropout, dropped layers or paths, jitter."""
    return any(
        (name == "p" and isinstance(module, nn.modules.dropout._DropoutNd) and value > 0)
        or (("drop" in name or "jitter" in name) and type(value) is float and value > 0)
        for module in model.modules()
        for name, value in vars(module).items()
    )
