"""A policy whose parameters are sharded over processes: FSDP2, or DeepSpeed's ZeRO-3.

Gathering a parameter takes all processes at once. What depends on a process's own responses, such
as how many tokens are sampled or asked in a query pass, must therefore find the whole policy there.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from transformers import PreTrainedModel
from trl.models import unwrap_model_for_generation


def check(accelerator: Accelerator, has_critic: bool) -> None:
    """Refuse, by ValueError, FSDP1, and PPO's critic with DeepSpeed."""
    kind = accelerator.distributed_type
    if kind == DistributedType.FSDP and not accelerator.is_fsdp2:
        raise ValueError("fsdp_version: 1; allowed: 2")
    if kind == DistributedType.DEEPSPEED and has_critic:
        allowed = "allowed: one process, data parallel, FSDP"
        raise ValueError(f"distributed_type: DEEPSPEED, which trains no critic of PPO; {allowed}")


def keep_precision(accelerator: Accelerator) -> None:
    """Let FSDP2 sum gradients in float32 and leave what the policy computes as it is.

    In bfloat16 accelerate's policy would sum gradients in it and round log-probabilities to it. And
    every micro-batch gives its gradients away: each process would hold those of all parameters
    until the last one. Call it before a model is sharded.
    """
    if not accelerator.is_fsdp2:
        return
    plugin = accelerator.state.fsdp_plugin
    if policy := plugin.mixed_precision_policy:
        exact = replace(policy, reduce_dtype=torch.float32, output_dtype=None)
        plugin.mixed_precision_policy = exact
    accelerator.gradient_state.plugin_kwargs["sync_each_batch"] = True


@contextmanager
def whole(policy: PreTrainedModel, wrapped: nn.Module, accelerator: Accelerator) -> Iterator[None]:
    """Hold all parameters of the policy in every process; a no-op where they are not sharded.

    `wrapped` is the policy as the trainer calls it.
    """
    if not isinstance(policy, FSDPModule):
        sharded = getattr(accelerator.state.deepspeed_plugin, "zero_stage", 0) == 3
        with unwrap_model_for_generation(wrapped, accelerator) if sharded else nullcontext():
            yield
        return
    units = [module for module in policy.modules() if isinstance(module, FSDPModule)]
    policy.set_reshard_after_forward(False)  # by itself a layer lets go of its parameters
    for unit in units:
        unit.unshard()
    try:
        yield
    finally:
        for unit in units:
            unit.reshard()
        policy.set_reshard_after_forward(True)
        # Used last in a forward and first in its backward: accelerate keeps it in between.
        policy.get_output_embeddings().set_reshard_after_forward(False, recurse=False)


def shard(model: nn.Module, layer_classes: set[str], accelerator: Accelerator) -> None:
    """Shard a model over all processes by FSDP2, in place: each layer a unit, the rest one more.

    Parameters are gathered and gradients summed in the same precision as those of the policy.
    """
    policy = accelerator.state.fsdp_plugin.mixed_precision_policy or MixedPrecisionPolicy()
    for module in list(model.modules()):
        if type(module).__name__ in layer_classes:
            fully_shard(module, mp_policy=policy)
    fully_shard(model, mp_policy=policy)
