"""Training on responses that are given, not sampled, so that layouts of the same batch compare."""

import json
import random
import zlib
from itertools import chain
from pathlib import Path

import torch
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType
from tests.training.conftest import make_trainer, run_of
from torch.distributed.checkpoint.state_dict import get_model_state_dict
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor
from transformers import PrinterCallback

from repro.training import train
from repro.training.critic import WHOLE
from repro.training.trainer import ReProTrainer

TEXTS = (
    "12\n\n3+4.\n\nabc\n\n7</think>\n\n\\boxed{2}",
    "5+5\n\n10.\n\nwait",
    "9</think>9",
    "1\n\n2",
)


class FixedRollouts(ReProTrainer):
    """Each response follows from its prompt and its place in the group."""

    def __init__(self, *args, **kwargs) -> None:
        self.facts = {"whole gradients": 0}
        self.facts |= {"gradients are bfloat16": True, "entropies are bfloat16": True}
        super().__init__(*args, **kwargs)
        self.facts["processes"] = self.accelerator.num_processes

    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        completions = []
        for local, prompt in enumerate(prompt_ids):
            row = self.accelerator.process_index * len(prompt_ids) + local
            rng = random.Random(f"{prompt}{row % self.num_generations}")
            text = rng.choice(TEXTS) + "".join(rng.choices("0123456789+.", k=rng.randrange(8)))
            ids = self._tokenizer(text, add_special_tokens=False)["input_ids"]
            completions.append([*ids, self._tokenizer.eos_token_id] if rng.random() < 0.7 else ids)
        return completions, None

    def _compute_loss(self, model, inputs):
        """Look at what the last micro-batch left behind."""
        models = [self.model] + ([self.critic.model] if self.critic else [])
        self.facts["whole gradients"] += sum(map(whole_gradients, models))
        for parameter in self.model.parameters():
            if self.model.training and parameter.grad is not None:
                self.facts["gradients are bfloat16"] &= is_bfloat16(parameter.grad)
        return super()._compute_loss(model, inputs)

    def _get_per_token_logps_and_entropies(self, *args, **kwargs):
        found = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        if found[1] is not None:
            self.facts["entropies are bfloat16"] &= is_bfloat16(found[1].detach())
        return found


def whole_gradients(model: torch.nn.Module) -> int:
    """Numbers of gradients that FSDP2 holds unsharded; 0 for any other model."""
    units = [module for module in model.modules() if isinstance(module, FSDPModule)]
    groups = chain.from_iterable(unit._get_fsdp_state()._fsdp_param_groups for unit in units)
    held = []
    for parameter in chain.from_iterable(group.fsdp_params for group in groups):
        whole = getattr(parameter, "_unsharded_param", None)
        held += [parameter.unsharded_accumulated_grad, getattr(whole, "grad", None)]
    return sum(gradient.numel() for gradient in held if gradient is not None)


def is_bfloat16(tensor: torch.Tensor) -> bool:
    """Whether each number of a tensor, or of this process's part, would fit into bfloat16."""
    local = tensor.to_local() if isinstance(tensor, DTensor) else tensor
    return torch.equal(local, local.bfloat16().to(local.dtype))


def chance(responses: list[str], answers: list[str]) -> list[float]:
    """A reward that depends on the text alone."""
    return [float(zlib.crc32(response.encode()) % 2) for response in responses]


def weights_after(settings: dict, model_dir: str, train_file: str, work_dir: str, **changes):
    """Train a case; return the weights of policy and critic, and the logs with facts behind.

    `changes`: `dtype` of the weights (float64); `resume`, a checkpoint to start from; others are
    set on TRL's arguments.
    """
    train.correctness = chance
    run, dtype = run_of(settings), changes.pop("dtype", torch.float64)
    resume = changes.pop("resume", None)
    trainer = make_trainer(
        *(FixedRollouts, (model_dir, train_file, work_dir), settings),
        dtype=dtype,
        options={"save_strategy": "no", **changes},
        algorithm=run.algorithm,
        process_reward=run.process_reward,
        gamma=run.training.gamma,
        lam=run.training.lam,
        critic=train.critic_settings(run.training),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=resume)
    found = {"policy": trainer.accelerator.get_state_dict(trainer.model_wrapped)}
    if trainer.critic is not None:
        found["critic"] = get_model_state_dict(trainer.critic.model, options=WHOLE)
    weights = {f"{of}.{name}": found[of][name].clone() for of in found for name in found[of]}
    log = [*trainer.state.log_history, trainer.facts]
    return weights, log, trainer.is_world_process_zero()


def allow_fsdp_on_a_cpu() -> None:
    """Let accelerate shard over gloo; by itself it does so on GPUs alone."""
    prepare = AcceleratorState.__init__

    def prepare_with_fsdp(self, *args, fsdp_plugin=None, **kwargs):
        prepare(self, *args, fsdp_plugin=fsdp_plugin, **kwargs)
        if fsdp_plugin is not None:
            PartialState._shared_state["distributed_type"] = DistributedType.FSDP
            self.distributed_type, self.fsdp_plugin = DistributedType.FSDP, fsdp_plugin
            if self._mixed_precision != "no":
                fsdp_plugin.set_mixed_precision(self._mixed_precision)

    AcceleratorState.__init__ = prepare_with_fsdp


def train_cases(cases: dict[str, tuple[dict, dict]], paths: list[str], output: str) -> None:
    """Train cases, each of settings and changes, one after another; leave weights and logs."""
    allow_fsdp_on_a_cpu()
    for name, (settings, changes) in cases.items():
        weights, log, is_first = weights_after(settings, *paths, **changes)
        if is_first:
            torch.save(weights, f"{output}/{name}.pt")
            Path(f"{output}/{name}.json").write_text(json.dumps(log))
