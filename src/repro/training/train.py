"""The `train` step: backbone and training set in, trained model and metrics out."""

import copy
import os
import pickle
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from accelerate.utils import broadcast_object_list
from datasets import Dataset
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedTokenizerBase,
    PrinterCallback,
    set_seed,
)
from transformers.utils.logging import disable_progress_bar
from trl import GRPOConfig

from repro.benchmarks import prompts
from repro.evaluation import engines
from repro.files import jsonl
from repro.process_reward import segments
from repro.process_reward.settings import resolve
from repro.training import vllm_rollouts
from repro.training.callbacks import (
    ROLLOUT,
    CheckpointManifest,
    MetricsFile,
    ProgressLine,
    newest_complete_checkpoint,
)
from repro.training.critic import CriticSettings
from repro.training.stop_on_signal import EXIT_STATUS, StopOnSignal
from repro.training.trainer import ReProTrainer
from repro.verify import thinking
from repro.verify.maths import correctness

METRICS = "training.jsonl"


def train_run(
    settings: dict,
    model_dir: str | Path,
    train_file: str | Path,
    work_dir: str | Path,
    output_dir: str | Path,
    on_row: Callable[[dict], None] | None = None,
) -> None:
    """Train one run to its end, continuing from the newest complete checkpoint in `work_dir`.

    Writes `output_dir/model` (safetensors, tokenizer, generation config) and
    `output_dir/training.jsonl`. Several processes that were launched together share the work; the
    first of them writes.

    Args:
        settings: the run's resolved settings: `algorithm`, `seed`, `training`, `process_reward`.
        model_dir: the backbone, a Hugging Face model directory with safetensors.
        train_file: JSONL with `problem` and `answer`.
        work_dir: checkpoints and metrics so far, of this run only; deleting it starts the run anew.
        output_dir: receives the final files only.
        on_row: called with each step's metrics row; after a resume it sees the steps since the
            checkpoint again.

    Raises:
        ValueError: settings, model or data are not usable; the message names what.
        SystemExit: SIGTERM ended it early, with a checkpoint; status 143.
        RuntimeError: training ended before the last step for any other reason.
    """
    training, work_dir, output_dir = settings["training"], Path(work_dir), Path(output_dir)
    process_reward = settings["process_reward"] and resolve(settings["process_reward"])
    args = trainer_arguments(training, settings["seed"], work_dir)
    trusted = settings["backbone_settings"].get("trust_remote_code", False)
    thinks = settings["backbone_settings"].get("thinking", thinking.REQUIRED)
    args.trust_remote_code = trusted  # TRL loads the model once more, for the reference and vLLM
    work_dir.mkdir(parents=True, exist_ok=True)

    disable_progress_bar()  # transformers' own, for weights loaded and saved, cut through ours
    set_seed(settings["seed"])
    tokenizer = AutoTokenizer.from_pretrained(model_dir, trust_remote_code=trusted)
    check_tokenizer(tokenizer, thinks)
    prompt = settings["backbone_settings"].get("prompt")
    dataset = load_prompts(train_file, tokenizer, training, settings["seed"], prompt)
    model = AutoModelForCausalLM.from_pretrained(
        model_dir, dtype=torch.float32, use_safetensors=True, trust_remote_code=trusted
    )
    generation_config = copy.deepcopy(model.generation_config)
    stop = StopOnSignal(training["updates_per_generation"])
    trainer = ReProTrainer(
        model=model,
        processing_class=tokenizer,
        reward_funcs=correctness_reward(tokenizer, thinks),
        args=args,
        train_dataset=dataset,
        algorithm=settings["algorithm"],
        process_reward=process_reward or None,
        gamma=training["gamma"],
        **critic_arguments(training),
        callbacks=[
            MetricsFile(work_dir / METRICS, on_row),
            CheckpointManifest(),
            stop,
            ProgressLine(f"train {settings['backbone']}/{settings['method']}", f"{ROLLOUT}reward"),
        ],
    )
    trainer.remove_callback(PrinterCallback)  # it prints the logs of every step
    is_first = trainer.is_world_process_zero()
    checkpoint = newest_complete_checkpoint(work_dir) if is_first else None
    [checkpoint] = broadcast_object_list([checkpoint])  # what one finds, all load
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except pickle.UnpicklingError as error:  # torch's, of a file that holds more than tensors
        raise ValueError(
            f"{checkpoint}: not loaded, because a file of it would run code or is damaged; delete "
            f"the folder to go on from the checkpoint before ({str(error).splitlines()[0]})"
        ) from None
    if stop.stopped_at is not None:
        print(
            f"stopped by SIGTERM; a checkpoint was written at step {stop.stopped_at} of "
            f"{training['steps']}, from which the next call goes on",
            file=sys.stderr,
        )
        raise SystemExit(EXIT_STATUS)
    if trainer.state.global_step < training["steps"]:
        raise RuntimeError(
            f"training stopped at step {trainer.state.global_step} of {training['steps']}"
        )
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)  # gathered by all processes
    if is_first:
        trained = trainer.accelerator.unwrap_model(trainer.model)
        trained.generation_config = generation_config  # TRL's sampling settings are not the model's
        _write_outputs(trained, weights, tokenizer, work_dir / METRICS, output_dir)


def trainer_arguments(training: dict, seed: int, work_dir: Path) -> GRPOConfig:
    """Translate the project's training settings into TRL's, with TRL's deviating defaults set back.

    Raises:
        ValueError: sizes that do not divide each other, or vLLM is wanted and not installed.
    """
    rollouts = training["prompts_per_step"] * training["num_generations"]
    world = int(os.environ.get("WORLD_SIZE", 1))
    micro, updates = training["micro_batch_size"], training["updates_per_generation"]
    if rollouts % (micro * world):
        raise ValueError(
            f"training.micro_batch_size: {micro} (on {world} processes) does not divide "
            f"the {rollouts} rollouts of a step (prompts_per_step x num_generations)"
        )
    if training["save_every"] % updates:
        raise ValueError(
            f"training.save_every: {training['save_every']} is no multiple of "
            f"updates_per_generation = {updates}; a run can be resumed only between two generations"
        )
    rollout_engine = vllm_rollouts.arguments(training)
    if rollout_engine:
        engines.check_name("vllm")
    cuda = torch.cuda.is_available()
    if not cuda:  # of several processes accelerate would name it cpu:0, where torch loads nothing
        os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"
    return GRPOConfig(
        output_dir=str(work_dir),
        max_steps=training["steps"],
        # A generation batch is one optimizer step (or `updates` of them) over its micro-batches.
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=rollouts // (micro * world),
        num_generations=training["num_generations"],
        num_iterations=updates,
        max_completion_length=training["max_completion_tokens"],
        temperature=training["temperature"],
        top_p=training["top_p"],
        top_k=0,
        shuffle_dataset=False,  # `load_prompts` fixes the order for the whole run
        learning_rate=training["learning_rate"],
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=training["warmup_steps"],
        weight_decay=training["weight_decay"],
        max_grad_norm=training["max_grad_norm"],
        epsilon=training["clip_low"],
        epsilon_high=training["clip_high"],
        delta=training["dual_clip"],
        beta=training["kl_coef"],
        use_bias_correction_kl=False,
        loss_type="dapo",  # the mean over all tokens of a step
        mask_truncated_completions=False,
        **rollout_engine,
        vllm_importance_sampling_correction=False,
        disable_dropout=True,
        bf16=training["dtype"] == "bfloat16",  # autocast; the weights stay float32
        gradient_checkpointing=training["gradient_checkpointing"],
        seed=seed,
        data_seed=seed,
        save_strategy="steps",
        save_steps=training["save_every"],
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        log_completions=False,
        report_to="none",
        disable_tqdm=True,
        use_cpu=not cuda,
        dataloader_pin_memory=cuda,
    )


def critic_arguments(training: dict) -> dict:
    """Translate the settings that only PPO has into the trainer's arguments."""
    if "critic" not in training:
        return {}
    shared = {key: training[key] for key in ("weight_decay", "max_grad_norm")}
    return {"lam": training["lam"], "critic": CriticSettings(**training["critic"], **shared)}


def correctness_reward(
    tokenizer: PreTrainedTokenizerBase, thinks: str = thinking.REQUIRED
) -> Callable[..., list[float]]:
    """Return TRL's reward function: verified correctness, 0 or 1.

    It decodes the responses as the evaluation does, whatever response parser the tokenizer carries.

    Args:
        tokenizer: the policy's.
        thinks: whether the model thinks before it answers, `required` or `none`.
    """

    def correct(completion_ids: list[list[int]], answer: list[str], **_) -> list[float]:
        texts = tokenizer.batch_decode(completion_ids, skip_special_tokens=True)
        return correctness([thinking.as_closed(text, thinks) for text in texts], answer)

    return correct


def load_prompts(
    train_file: str | Path,
    tokenizer: PreTrainedTokenizerBase,
    training: dict,
    seed: int,
    prompt: dict | None = None,
) -> Dataset:
    """Return the run's prompts in the order of training, one row per rollout group.

    The order is a chain of seeded permutations of the training set, long enough for all steps, so
    that the order does not depend on epochs or on where a run was interrupted. Prompts are
    conversations: TRL would give rendered strings a second BOS from tokenizers that add one.

    Args:
        train_file: JSONL with `problem` and `answer`.
        tokenizer: its chat template decides the length of a prompt.
        training: `max_prompt_tokens`, `steps`, `prompts_per_step`, `updates_per_generation`.
        seed: of the order.
        prompt: how this backbone is asked: `system` and `math`, as in the configuration.

    Raises:
        ValueError: a row without `problem` or `answer`, or no prompt within `max_prompt_tokens`.
    """
    rows, prompt = [], prompt or {}
    for number, row in enumerate(jsonl.read(train_file), start=1):
        for field in ("problem", "answer"):
            if not str(row.get(field, "")).strip():
                raise ValueError(f"{train_file}, row {number}: field {field!r} is missing or empty")
        messages = prompts.messages(prompts.math(row, prompt.get("math")), prompt.get("system"))
        rows.append({"prompt": messages, "answer": str(row["answer"])})
    limit = training["max_prompt_tokens"]
    short = [row for row in rows if prompt_length(tokenizer, row["prompt"]) <= limit]
    if not short:
        raise ValueError(
            f"{train_file}: no prompt of {len(rows)} has at most "
            f"training.max_prompt_tokens = {limit} tokens"
        )
    if len(short) < len(rows):
        print(f"{train_file}: left out {len(rows) - len(short)} prompts over {limit} tokens")
    generations = -(-training["steps"] // training["updates_per_generation"])
    wanted = generations * training["prompts_per_step"]
    generator, order = random.Random(seed), []
    while len(order) < wanted:
        order += generator.sample(range(len(short)), len(short))
    return Dataset.from_list(short).select(order[:wanted])


def prompt_length(tokenizer: PreTrainedTokenizerBase, messages: list[dict]) -> int:
    """Number of tokens of a rendered prompt."""
    encoded = tokenizer.apply_chat_template(
        messages, tokenize=True, add_generation_prompt=True, return_dict=True
    )
    return len(encoded["input_ids"])


def check_tokenizer(tokenizer: PreTrainedTokenizerBase, thinks: str = thinking.REQUIRED) -> None:
    """Refuse a tokenizer whose decoding loses the end of the thought: every reward would be 0.

    Args:
        tokenizer: the policy's.
        thinks: whether the model thinks before it answers, `required` or `none`.

    Raises:
        ValueError: no chat template, or `</think>` does not survive decoding.
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


def _write_outputs(model, weights: dict, tokenizer, metrics: Path, output_dir: Path) -> None:
    """Write model and metrics; each appears whole or not at all."""
    output_dir.mkdir(parents=True, exist_ok=True)
    part, final = output_dir / "model.part", output_dir / "model"
    shutil.rmtree(part, ignore_errors=True)
    model.save_pretrained(part, state_dict=weights)
    tokenizer.save_pretrained(part)
    if final.exists():
        shutil.rmtree(final)
    part.rename(final)
    jsonl.write(output_dir / METRICS, jsonl.read(metrics))
