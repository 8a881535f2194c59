"""PPO's critic: a value model with its own optimizer and schedule.

It starts as a copy of the policy's decoder under a head of zeros, is never part of the policy nor
of the Trainer's optimizer, and is saved with every checkpoint. Over several processes it is
replicated, or sharded where the policy is (FSDP). Loss: value clipping of PPO,
1/2 max((V - R)^2, (clip(V, V_old +- c) - R)^2), the mean over all tokens of a step.
"""

import copy
from contextlib import nullcontext
from pathlib import Path

import torch
from accelerate import Accelerator
from pydantic import Field
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.checkpoint import state_dict
from torch.distributed.tensor import DTensor
from torch.optim import AdamW
from transformers import PreTrainedModel, get_constant_schedule_with_warmup

from repro.config.models import Training, ValueLearning
from repro.training import padding, sharding

WEIGHTS, OPTIMIZER = "critic.safetensors", "critic_optimizer.pt"
# Whole tensors by name, whether the model is sharded or not.
WHOLE = state_dict.StateDictOptions(full_state_dict=True, cpu_offload=True)


class CriticSettings(ValueLearning):
    """Settings of the critic, by default those of the co-author's script."""

    weight_decay: float = Field(0.01, ge=0, description="AdamW's weight decay.")
    max_grad_norm: float = Field(1.0, gt=0, description="Gradients are clipped to this norm.")


def critic_settings(training: Training) -> CriticSettings:
    """Return the critic's settings, which it shares with the policy in part."""
    return CriticSettings(
        **training.critic.model_dump(exclude={"gpu_memory"}),
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
    )


class ValueModel(nn.Module):
    """A copy of the policy's decoder and a linear head: the value before each token."""

    def __init__(self, policy: PreTrainedModel) -> None:
        super().__init__()
        self.decoder = copy.deepcopy(policy.base_model)
        # Made without drawing random numbers: every algorithm samples the same first rollout. At
        # zero the first advantages are the plain returns.
        self.head = nn.utils.skip_init(nn.Linear, policy.config.get_text_config().hidden_size, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.to(policy.device, policy.dtype)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, length: int) -> Tensor:
        """Value before each of the last `length` tokens, (B, length), 0 after the longest row."""
        ids, mask, kept = padding.trim(input_ids, attention_mask, length)
        hidden = self.decoder(ids, attention_mask=mask, use_cache=False)
        states = hidden.last_hidden_state[:, -kept - 1 : -1]  # (B, N, H)
        return padding.restore(self.head(states).squeeze(-1).float(), length)


class Critic:
    """The value model of a policy that is not yet wrapped; ValueError: one with adapters."""

    def __init__(
        self,
        policy: PreTrainedModel,
        settings: CriticSettings,
        accelerator: Accelerator,
        gradient_checkpointing: bool = False,
    ) -> None:
        if hasattr(policy, "get_base_model"):
            raise ValueError("model: PPO's critic cannot be copied from a policy with adapters")
        self.settings, self.accelerator, self.model = settings, accelerator, ValueModel(policy)
        if gradient_checkpointing:
            self.model.decoder.gradient_checkpointing_enable({"use_reentrant": False})
        if accelerator.is_fsdp2:  # accelerate would shard it with the policy's optimizer only
            sharding.shard(self.model, set(policy._no_split_modules or ()), accelerator)
        self.optimizer = AdamW(
            self.model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.schedule = get_constant_schedule_with_warmup(self.optimizer, settings.warmup_steps)
        self.wrapped = self.model if accelerator.is_fsdp2 else accelerator.prepare_model(self.model)

    @torch.no_grad()
    def values(
        self, input_ids: Tensor, attention_mask: Tensor, length: int, batch_size: int
    ) -> Tensor:
        """Values at sampling time, (B, length) in float32."""
        self.model.eval()
        rows = zip(input_ids.split(batch_size), attention_mask.split(batch_size), strict=True)
        with self.accelerator.autocast():
            return torch.cat([self.model(ids, mask, length) for ids, mask in rows])

    def backward(self, inputs: dict[str, Tensor], tokens: Tensor | float) -> dict[str, Tensor]:
        """Accumulate the gradients of one micro-batch; return sums over its tokens, for metrics.

        `inputs` is the policy's micro-batch with `values` and `returns`, (B, T) each; `tokens` are
        those of the whole step, divided by the number of processes.
        """
        self.wrapped.train()
        mask, old, returns = inputs["completion_mask"], inputs["values"], inputs["returns"]
        # Sharded, a critic gives its gradients away at once, as the policy does.
        sync = self.accelerator.sync_gradients or self.accelerator.is_fsdp2
        with nullcontext() if sync else self.accelerator.no_sync(self.wrapped):
            with self.accelerator.autocast():
                values = self.wrapped(*padding.join(inputs))
            clip = self.settings.value_clip
            clipped = old + (values - old).clamp(-clip, clip)
            free, kept = (values - returns).square(), (clipped - returns).square()
            losses = torch.maximum(free, kept) / 2
            (losses * mask).sum().div(tokens).backward()
        error = returns - old  # explained variance describes the values that made the advantages
        quantities = {
            "tokens": torch.ones_like(returns),
            "value_loss": losses.detach(),
            "value_clip_fraction": (kept > free).float(),
            "error": error,
            "error_squared": error.square(),
            "return": returns,
            "return_squared": returns.square(),
        }
        return {name: (value * mask).sum().double() for name, value in quantities.items()}

    def step(self) -> float:
        """Clip, update, advance the schedule; returns the norm of the gradients before clipping."""
        parameters = list(self.model.parameters())
        norm = nn.utils.clip_grad_norm_(parameters, self.settings.max_grad_norm)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad()
        return (norm.full_tensor() if isinstance(norm, DTensor) else norm).item()

    def save(self, folder: str | Path) -> None:
        """Write weights, optimizer and schedule into a checkpoint; every process calls it."""
        weights = state_dict.get_model_state_dict(self.model, options=WHOLE)
        optimizer = state_dict.get_optimizer_state_dict(self.model, self.optimizer, options=WHOLE)
        if self.accelerator.is_main_process:
            save_file(weights, Path(folder) / WEIGHTS)
            torch.save((optimizer, self.schedule.last_epoch), Path(folder) / OPTIMIZER)

    def load(self, folder: str | Path) -> None:
        """Read them back."""
        weights, path = load_file(Path(folder) / WEIGHTS), Path(folder) / OPTIMIZER
        state_dict.set_model_state_dict(self.model, weights, options=WHOLE)
        state, step = torch.load(path, map_location="cpu", weights_only=True)
        state_dict.set_optimizer_state_dict(self.model, self.optimizer, state, options=WHOLE)
        self.schedule.last_epoch = step
        for group in self.optimizer.param_groups:
            group["betas"] = tuple(group["betas"])  # it came back as a list


def explained_variance(sums: dict[str, float]) -> float:
    """1 - Var(R - V) / Var(R) over all tokens, from sums; 0 where all returns are alike."""
    n, names = max(sums["tokens"], 1.0), ("error", "return")
    found = (sums[f"{name}_squared"] / n - (sums[name] / n) ** 2 for name in names)
    error, spread = (max(variance, 0.0) for variance in found)
    return 1 - error / spread if spread > 1e-12 else 0.0
