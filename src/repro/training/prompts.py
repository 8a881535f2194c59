"""What a run is trained on: its prompts in their order, in the words of its backbone."""

import random
from pathlib import Path

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from repro.benchmarks import declared, prompts
from repro.config.resolved import RunSettings
from repro.files import jsonl
from repro.process_reward import segments
from repro.verify import thinking


def load_prompts(
    train_file: str | Path, tokenizer: PreTrainedTokenizerBase, run: RunSettings
) -> Dataset:
    """Return the run's prompts in the order of training, one row per rollout group.

    The order is a chain of seeded permutations of the training set, long enough for all steps, so
    that the order does not depend on epochs or on where a run was interrupted. Prompts are
    conversations: TRL would give rendered strings a second BOS from tokenizers that add one.

    Raises:
        ValueError: a row without `problem` or `answer`, or no prompt within `max_prompt_tokens`.
    """
    declared.check_file(train_file, declared.TRAIN)
    training, asked, rows = run.training, run.backbone_settings.prompt, jsonl.read(train_file)
    turns = [prompts.messages(prompts.math(row, asked.math), asked.system) for row in rows]
    rendered = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)
    limit, short = training.max_prompt_tokens, []
    for prompt, row, ids in zip(turns, rows, rendered["input_ids"], strict=True):
        if len(ids) <= limit:
            short.append({"prompt": prompt, "answer": str(row["answer"])})
    if not short:
        allowed = f"training.max_prompt_tokens = {limit}"
        raise ValueError(f"{train_file}: no prompt of {len(rows)} has at most {allowed} tokens")
    if len(short) < len(rows):
        print(f"{train_file}: left out {len(rows) - len(short)} prompts over {limit} tokens")
    generations = -(-training.steps // training.updates_per_generation)
    wanted = generations * training.prompts_per_step
    generator, order = random.Random(run.seed), []
    while len(order) < wanted:
        order += generator.sample(range(len(short)), len(short))
    return Dataset.from_list(short).select(order[:wanted])


def check_tokenizer(tokenizer: PreTrainedTokenizerBase, thinks: str = thinking.REQUIRED) -> None:
    """Refuse a tokenizer whose decoding loses the end of the thought: every reward would be 0.

    Raises:
        ValueError: no chat template, or `</think>` does not survive decoding and the model thinks.
    """
    if tokenizer.chat_template is None:
        raise ValueError(f"{tokenizer.name_or_path}: the tokenizer has no chat template")
    mark = segments.END_OF_THOUGHT
    ids = tokenizer(mark, add_special_tokens=False)["input_ids"]
    if thinks == thinking.REQUIRED and mark not in tokenizer.decode(ids, skip_special_tokens=True):
        raise ValueError(
            f"{tokenizer.name_or_path}: {mark} is a special token and is lost in decoding; "
            "add it as an ordinary token (special: false)"
        )
