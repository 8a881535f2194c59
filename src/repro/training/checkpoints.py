"""The models that a training keeps along the way, and which of them is evaluated."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from transformers import GenerationConfig, PreTrainedTokenizerBase, Trainer, TrainerCallback

from repro.config.models import Training
from repro.files import jsonl, model_folder

KEPT = "kept"  # below the folder of the work: STEP, model folders


def save_model(
    trainer: Trainer,
    tokenizer: PreTrainedTokenizerBase,
    generation_config: GenerationConfig,
    folder: Path,
) -> None:
    """Write the policy as a model folder; every process calls it.

    A run that is killed here resumes from an earlier checkpoint and writes it again.
    """
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)  # gathered by all
    if not trainer.is_world_process_zero():
        return
    model = trainer.accelerator.unwrap_model(trainer.model)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, state_dict=weights)
    generation_config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


class KeptModels(TrainerCallback):
    """Saves the model of every so many steps; the last one is the run's own and saved anyway."""

    def __init__(self, every: int, save: Callable[[int], None]) -> None:
        self.every, self.save = every, save

    def on_step_end(self, args, state, control, **kwargs):
        """Save where it is time, before the step's checkpoint."""
        if state.global_step % self.every == 0 and state.global_step < state.max_steps:
            self.save(state.global_step)


def choose_step(training: Training, validated: Sequence[dict]) -> dict:
    """Return which step's model is evaluated, and why.

    Args:
        training: the run's settings.
        validated: the rows of validation.jsonl.

    Returns:
        `step`, `steps` (of the training), `rule` (`last`, `STEP` or `best-validation`) and, of the
        best one, `accuracy`: the mean over the benchmarks of the validation (0 of one that no
        sandbox could score at any step), of equal ones the earlier step's.
    """
    found = {"step": training.steps, "steps": training.steps, "rule": str(training.evaluate)}
    if isinstance(training.evaluate, int):
        return found | {"step": training.evaluate}
    if training.evaluate == "last":
        return found
    kept = [step for step in kept_steps(training) if step % training.validation.every == 0]
    means = {
        step: fmean(row["accuracy"] or 0.0 for row in validated if row["step"] == step)
        for step in [*kept, training.steps]
    }
    best = max(means, key=means.get)  # of equal ones the first
    return found | {"step": best, "accuracy": means[best]}


def kept_steps(training: Training) -> list[int]:
    """Return the steps whose models a training keeps, without the last."""
    every = training.keep.every if training.keep else training.steps
    return list(range(every, training.steps, every))


def publish(training: Training, work_dir: Path, output_dir: Path) -> None:
    """Put the chosen model, the kept ones and the metrics into the run's folder.

    `work_dir` has the final model as `model`. Weights are linked where the file system can.
    """
    metrics = {name: work_dir / name for name in ("training.jsonl", "validation.jsonl")}
    rows = {name: jsonl.read(file) for name, file in metrics.items() if file.exists()}
    chosen = choose_step(training, rows.get("validation.jsonl", []))
    last = chosen["step"] == training.steps
    model = work_dir / "model" if last else work_dir / KEPT / str(chosen["step"])
    output_dir.mkdir(parents=True, exist_ok=True)
    _copy(model, output_dir / "model")
    if training.keep:
        (output_dir / "checkpoints").mkdir(exist_ok=True)  # there without any model, too
        for step in kept_steps(training):
            _copy(work_dir / KEPT / str(step), output_dir / "checkpoints" / str(step))
    if training.validation:
        _copy(work_dir / "validation", output_dir / "validation")
    for name, of_file in rows.items():
        jsonl.write(output_dir / name, of_file)
    jsonl.write_json(output_dir / "checkpoint.json", chosen)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder in the place of what was there; large files are links to the same content."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=model_folder.link)
