"""Build a tiny backbone: supervised training on thoughts that overthink, by transformers' Trainer.

The model learns the form, the arithmetic and the bad habits; the data never contain a pair of
summands that a benchmark may ask for.
"""

import random
import zlib
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    DataCollatorForSeq2Seq,
    GenerationConfig,
    PreTrainedModel,
    Qwen2Tokenizer,
    Trainer,
    TrainingArguments,
    set_seed,
)
from transformers.utils.logging import disable_progress_bar

from repro.benchmarks import prompts
from repro.config.backbones import TinyBackbone
from repro.config.resolved import stated
from repro.files import digests
from repro.tinyworld import CONTEXT, problems, thoughts, tokenizer
from repro.training.callbacks import ProgressLine, train_to_end

# What the backbone has seen: mostly mathematics, every out-of-domain dress a little.
MIXTURE = {"aime24": 4, "aime25": 4, "math500": 5, "lmb": 5, "gpqa": 4, "mbpp": 2, "lcb": 2}
PROMPT = {"gpqa": prompts.gpqa, "mbpp": prompts.mbpp, "lcb": prompts.lcb}  # others: prompts.math
ASKED_EARLY = 0.15  # of the examples; see `encode`
BOX = r"\boxed{"
OPENING = {"qwen2": "", "qwen3": "<think>\n"}  # by the model itself; Qwen2's prompt has it


def build(backbone: TinyBackbone, name: str, output_dir: str | Path, work_dir: str | Path) -> None:
    """Train a tiny backbone and save it as an ordinary transformers model directory.

    A training that was killed goes on from its newest complete checkpoint, to the same bits. They
    lie below `work_dir`, in a folder named by a hash of settings and examples, so that no training
    continues another. `name` is for the progress display.

    SystemExit, status 143: SIGTERM ended it early, with a checkpoint.
    """
    disable_progress_bar()  # transformers' own, for weights loaded and saved, cut through ours
    set_seed(backbone.seed)
    rng = random.Random(backbone.seed)
    examples = [
        example(rng, backbone.prompt.math) for _ in range(backbone.steps * backbone.batch_size)
    ]
    recipe = {key: value for key, value in stated(backbone).items() if key != "chat_template"}
    work_dir = Path(work_dir) / digests.of_values([recipe, examples])
    architecture = backbone.architecture
    vocabulary = learn_vocabulary(architecture, examples[:4000])
    model = create(backbone, vocabulary)
    rows = [
        encode(vocabulary, architecture, *row, early=rng.random() < ASKED_EARLY) for row in examples
    ]
    rows = batches_of_similar_length(rows, backbone.batch_size, rng)
    often = max(1, backbone.steps // 20)
    arguments = TrainingArguments(
        output_dir=str(work_dir),
        max_steps=backbone.steps,
        per_device_train_batch_size=backbone.batch_size,
        learning_rate=backbone.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=often,
        weight_decay=0.01,
        adam_beta2=0.98,
        train_sampling_strategy="sequential",
        logging_steps=often,
        save_steps=max(1, backbone.steps // 10),
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        seed=backbone.seed,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
    )
    trainer = Trainer(
        *(model, arguments),
        data_collator=DataCollatorForSeq2Seq(vocabulary, label_pad_token_id=-100),
        train_dataset=rows,
        callbacks=[ProgressLine(f"backbone {name}", "loss")],
    )
    train_to_end(trainer)
    model.save_pretrained(output_dir)
    vocabulary.save_pretrained(output_dir)


def learn_vocabulary(architecture: str, examples: Iterable[tuple[str, str, str]]) -> Qwen2Tokenizer:
    """Train the tokenizer on examples, large enough that each word of a prompt is one token.

    So the prompts of the training set have one length, and a batch of them needs no padding.
    """
    texts = chain.from_iterable(
        (f"user\n{prompt}", f"assistant\n<think>\n{thought}\n", f"\n\n{answer}")
        for prompt, thought, answer in examples
    )
    return tokenizer.train(architecture, texts, vocabulary=608)


def example(rng: random.Random, asked: str | None = None) -> tuple[str, str, str]:
    """Draw one training example: the user's prompt, the thought, the answer it leads to.

    ``asked`` is the template of the prompts of mathematics.
    """
    kind = rng.choices(list(MIXTURE), list(MIXTURE.values()))[0]
    problem = problems.draw(rng, kind, rng.randrange(10**6), problems.DIGITS, False)
    thought, result = thoughts.think(rng, *problem.summands)
    own = PROMPT.get(kind)
    prompt = own(problem.document) if own else prompts.math(problem.document, asked)
    return prompt, thought, problems.answer(problem, result)


def encode(
    vocabulary: Qwen2Tokenizer,
    architecture: str,
    prompt: str,
    thought: str,
    answer: str,
    early: bool,
) -> dict[str, list[int]]:
    """Return one example: the whole response bears loss, the prompt does not (label -100).

    An early one asks for a boxed answer at a random cut point, as the surrogate objective does, and
    only the answer, that of the whole thought, bears loss: thoughts do not become shorter.
    """
    start = vocabulary.apply_chat_template(
        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
    )
    opening, in_box = OPENING[architecture], 0
    rest = f"{opening}{thought}\n</think>\n\n{answer}{vocabulary.eos_token}"
    if early and answer.startswith(BOX):
        segments = thought.split("\n\n")
        kept = zlib.crc32(thought.encode()) % (len(segments) + 2)  # 0: nothing, the last: all of it
        seen = "".join(f"{segment}\n\n" for segment in segments[:kept])
        if kept > len(segments):
            seen = f"{thought}\n</think>"
        start, rest = start + opening * bool(kept) + seen, answer
        spans = vocabulary(answer, add_special_tokens=False, return_offsets_mapping=True)
        in_box = sum(end <= len(BOX) for _, end in spans.offset_mapping)  # bear no loss either
    start_ids, rest_ids = vocabulary([start, rest], add_special_tokens=False).input_ids
    return {
        "input_ids": start_ids + rest_ids,
        "attention_mask": [1] * (len(start_ids) + len(rest_ids)),
        "labels": [-100] * (len(start_ids) + in_box) + rest_ids[in_box:],
    }


def batches_of_similar_length(rows: list[dict], size: int, rng: random.Random) -> list[dict]:
    """Order rows so that a batch needs little padding and consecutive batches stay mixed."""
    ordered = []
    for first in range(0, len(rows), 4 * size):
        some = sorted(rows[first : first + 4 * size], key=lambda row: len(row["input_ids"]))
        batches = [some[i : i + size] for i in range(0, len(some), size)]
        rng.shuffle(batches)
        ordered += chain.from_iterable(batches)
    return ordered


def create(backbone: TinyBackbone, vocabulary: Qwen2Tokenizer) -> PreTrainedModel:
    """Create the untrained model: Qwen2 for R1-Distill's place, Qwen3 for Qwen3's."""
    names = ("bos_token_id", "eos_token_id", "pad_token_id")
    tokens = {name: getattr(vocabulary, name) for name in names}
    sizes = backbone.sizes(len(vocabulary)) | {"max_position_embeddings": CONTEXT}
    config = AutoConfig.for_model(**sizes, **tokens)
    model = AutoModelForCausalLM.from_config(config)
    model.generation_config = GenerationConfig(**tokens)
    return model
