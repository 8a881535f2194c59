"""The `train` step: backbone and training set in, trained model and metrics out."""

import copy
import functools
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase, set_seed
from transformers.utils.logging import disable_progress_bar

from repro.config.resolved import RunSettings
from repro.training import callbacks, checkpoints
from repro.training.arguments import trainer_arguments
from repro.training.critic import critic_settings
from repro.training.prompts import check_tokenizer, load_prompts
from repro.training.trainer import ReProTrainer
from repro.verify import thinking
from repro.verify.maths import correctness

METRICS = "training.jsonl"


def train_run(
    run: RunSettings,
    model_dir: str | Path,
    train_file: str | Path,
    work_dir: str | Path,
    output_dir: str | Path,
) -> None:
    """Train one run to its end, continuing from the newest complete checkpoint in `work_dir`.

    Several processes that were launched together share the work; the first of them writes.

    Args:
        run: all that decides the weights.
        model_dir: the backbone, a Hugging Face model directory with safetensors.
        train_file: JSONL with `problem` and `answer`; the problems of a validation lie beside it.
        work_dir: checkpoints and metrics so far, of this run only; without it the run starts again.
        output_dir: receives `model` (safetensors, tokenizer, generation config), `training.jsonl`,
            `checkpoint.json` (which step's model it is), and what was kept and validated.

    Raises:
        ValueError: model or data are not usable; the message names what.
        SystemExit, RuntimeError: see `train_to_end`.
    """
    training, backbone = run.training, run.backbone_settings
    work_dir, output_dir = Path(work_dir), Path(output_dir)
    args = trainer_arguments(run, work_dir)
    work_dir.mkdir(parents=True, exist_ok=True)
    disable_progress_bar()  # transformers' own, for weights loaded and saved, cut through ours
    set_seed(run.seed)
    trusted = backbone.trust_remote_code
    tokenizer = AutoTokenizer.from_pretrained(model_dir, trust_remote_code=trusted)
    check_tokenizer(tokenizer, backbone.thinking)
    dataset = load_prompts(train_file, tokenizer, run)
    model = AutoModelForCausalLM.from_pretrained(
        model_dir, dtype=torch.float32, use_safetensors=True, trust_remote_code=trusted
    )
    generation_config = copy.deepcopy(model.generation_config)
    title = f"train {run.backbone}/{run.method}/{run.seed}"
    shown = "rollout/reward", "rollout/reasoning_tokens"
    progress = callbacks.ProgressLine(title, *shown)
    trainer = ReProTrainer(
        model=model,
        processing_class=tokenizer,
        reward_funcs=correctness_reward(tokenizer, backbone.thinking),
        args=args,
        train_dataset=dataset,
        algorithm=run.algorithm,
        process_reward=run.process_reward,
        thinking=backbone.thinking,
        gamma=training.gamma,
        lam=training.lam,
        critic=critic_settings(training),
        callbacks=[callbacks.MetricsFile(work_dir / METRICS), progress],
    )
    # TRL's sampling settings are not the model's.
    save = functools.partial(checkpoints.save_model, trainer, tokenizer, generation_config)
    if training.validation:
        from repro.training.validation import Validation  # and with it lm-eval

        data_dir = Path(train_file).parent
        trainer.add_callback(Validation(trainer, run, model_dir, data_dir, work_dir))
    if training.keep:
        kept = work_dir / checkpoints.KEPT
        keep = checkpoints.KeptModels(training.keep.every, lambda step: save(kept / str(step)))
        trainer.add_callback(keep)
    callbacks.train_to_end(trainer, training.updates_per_generation)
    save(work_dir / "model")
    if trainer.is_world_process_zero():
        checkpoints.publish(training, work_dir, output_dir)


def correctness_reward(
    tokenizer: PreTrainedTokenizerBase, thinks: str = thinking.REQUIRED
) -> Callable[..., list[float]]:
    """Return TRL's reward function: verified correctness, 0 or 1; `thinks` is `required` or `none`.

    It decodes the responses as the evaluation does, whatever response parser the tokenizer carries.
    """

    def correct(completion_ids: list[list[int]], answer: list[str], **_) -> list[float]:
        texts = tokenizer.batch_decode(completion_ids, skip_special_tokens=True)
        return correctness([thinking.as_closed(text, thinks) for text in texts], answer)

    return correct
