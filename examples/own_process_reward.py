"""A process reward of your own.

python examples/own_process_reward.py MODEL DATASET.jsonl OUTPUT_DIR
"""

import sys

import torch
from datasets import load_dataset
from trl import GRPOConfig

from repro.training.trainer import ReProTrainer


def right(completions, answer, **_):
    """Reward the right answer in a box."""
    texts = [c if isinstance(c, str) else c[-1]["content"] for c in completions]
    return [float(f"\\boxed{{{a}}}" in text) for text, a in zip(texts, answer, strict=True)]


def progress_if_right(measured, settings):
    """Reward what each step adds to the answer's probability, in correct responses only."""
    return measured.probability.diff(dim=1) * measured.outcome[:, None]


model, data, output = sys.argv[1:]
on_gpu = torch.cuda.is_available()
ReProTrainer(
    model=model,
    reward_funcs=right,
    args=GRPOConfig(output, max_steps=2, max_completion_length=64, logging_steps=1, bf16=on_gpu),
    train_dataset=load_dataset("json", data_files=data, split="train"),
    process_reward={"rule": progress_if_right, "alpha": 0.3},
).train()
