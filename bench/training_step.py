"""What process rewards add to a training step: GRPO + RePro against TRL's own GRPOTrainer.

All trainers hold the same weights and sample with the same seed, so that each of a round of steps
sees the same prompts and the same responses; the learning rate is 0, so that this stays so. Other
rules are measured by their methods' names: --methods grpo+repro grpo+length~alpha=0.3 grpo+vps
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from timing import peak_memory
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from trl import GRPOTrainer

from repro.config import settings
from repro.config.resolved import RunSettings
from repro.files import jsonl
from repro.tinyworld import problems
from repro.training import train
from repro.training.arguments import trainer_arguments
from repro.training.prompts import load_prompts
from repro.training.trainer import ReProTrainer


def make_trainer(kind: str, folder: str, run: RunSettings, work: Path):
    """Return `stock`, `grpo` or a method with a process reward, ready to take single steps."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    train_file = work / "train.jsonl"
    jsonl.write(train_file, problems.generate("train", 200, 0))
    arguments = {
        "model": model,
        "reward_funcs": train.correctness_reward(tokenizer),
        "args": trainer_arguments(run, work / kind),
        "train_dataset": load_prompts(train_file, tokenizer, run),
        "processing_class": tokenizer,
    }
    if kind == "stock":
        trainer = GRPOTrainer(**arguments)
    else:
        trainer = ReProTrainer(**arguments, process_reward=run.process_reward)
    trainer.model.train()
    trainer.create_optimizer()
    trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
    return trainer


def step(trainer, batch: list[dict], seed: int) -> float:
    """Take one step, rollout included; returns its seconds."""
    set_seed(seed)
    trainer.state.global_step = 1  # the first step also measures the box's own share of -J
    started = time.perf_counter()
    trainer.training_step(trainer.model, batch, None)
    torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), 1.0)
    trainer.optimizer.step()
    trainer.optimizer.zero_grad()
    return time.perf_counter() - started


def main() -> None:
    """Measure interleaved steps and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", required=True, help="a tiny backbone's model directory")
    parser.add_argument("--pairs", type=int, default=11, help="rounds of one step each")
    parser.add_argument("--methods", nargs="+", default=["grpo+repro"], help="beside grpo")
    options = parser.parse_args()
    experiment = settings.read(Path(__file__).parents[1] / "config/config.yaml")
    kinds, trainers = ["stock", "grpo", *options.methods], {}
    still = {"learning_rate": 0.0, "warmup_steps": 0, "steps": 100}
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            method = "grpo" if kind == "stock" else kind
            run = settings.run_settings(experiment, "tiny-qwen3", method, 0)
            run = run.model_copy(update={"training": run.training.model_copy(update=still)})
            trainers[kind] = make_trainer(kind, options.backbone, run, Path(folder))
        batches = list(trainers["stock"].get_train_dataloader())
        seconds = {kind: [] for kind in kinds}
        for number in range(options.pairs + 1):
            for kind in kinds if number % 2 else reversed(kinds):
                seconds[kind].append(step(trainers[kind], batches[number], number))
    for kind in kinds:
        ratios = [ours / stock for ours, stock in zip(seconds[kind], seconds["stock"], strict=True)]
        print(
            f"| {kind} | {statistics.median(seconds[kind][1:]):.2f} | "
            f"{statistics.median(ratios[1:]):.3f} | {min(ratios[1:]):.3f}-{max(ratios[1:]):.3f} |"
        )
    print(f"{options.pairs} steps each, interleaved; peak memory {peak_memory():.0f} MiB")


if __name__ == "__main__":
    main()
