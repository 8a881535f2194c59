"""An ordinary TRL script with RePro in it: your model, your dataset, your reward.

    python examples/grpo_with_repro.py MODEL DATASET.jsonl OUTPUT_DIR

The dataset has the columns `prompt` (a conversation or a text) and `answer`, the ground truth.
"""

import sys

import torch
from datasets import load_dataset
from trl import GRPOConfig

from repro.training.trainer import ReProTrainer  # was: from trl import GRPOTrainer

model, data, output = sys.argv[1:]


def boxed(completions, answer, **_):
    """Reward the right answer in a box."""
    texts = [c if isinstance(c, str) else c[-1]["content"] for c in completions]
    return [float(f"\\boxed{{{a}}}" in text) for text, a in zip(texts, answer, strict=True)]


trainer = ReProTrainer(
    model=model,
    reward_funcs=boxed,
    args=GRPOConfig(
        output,
        max_steps=2,
        max_completion_length=64,
        logging_steps=1,
        bf16=torch.cuda.is_available(),
    ),
    train_dataset=load_dataset("json", data_files=data, split="train"),
    process_reward={"alpha": 0.05, "k": 20},  # the one line that adds RePro
)
trainer.train()
