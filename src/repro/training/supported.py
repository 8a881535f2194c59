"""What the trainer refuses, by name and before anything expensive.

Each of TRL's options does what TRL says or is refused here; `tests/training/trl_options.txt` lists
those that do, so that a new version of TRL is looked at field by field.
"""

import inspect
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path

from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from repro.algorithms import ADVANTAGES
from repro.config.words import validate
from repro.files import jsonl
from repro.process_reward.settings import ProcessRewardSettings
from repro.verify import thinking

# Options of TRL that must have its default, by when that holds: why.
REFUSED = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SETTINGS = "repro_trainer.json"


def check(
    args: tuple,
    kwargs: Mapping,
    algorithm: str,
    process_reward: ProcessRewardSettings | Mapping | None,
    gamma: float,
    lam: float,
) -> ProcessRewardSettings | None:
    """Check the arguments of `ReProTrainer`, before a model is loaded.

    `args` and `kwargs` are those for `trl.GRPOTrainer`. Returns the process reward's settings with
    all filled in. ValueError: an argument, an option or a row of the dataset is not usable.
    """
    if algorithm not in ADVANTAGES:
        raise ValueError(f"algorithm: {algorithm!r}; allowed: {', '.join(ADVANTAGES)}")
    for name, value in (("gamma", gamma), ("lam", lam)):
        if not 0 < value <= 1:
            raise ValueError(f"{name}: {value}; expected a number in (0, 1]")
    if process_reward is not None:
        process_reward = validate(process_reward, ProcessRewardSettings, "process_reward").filled()
    given = inspect.signature(GRPOTrainer).bind(*args, **kwargs).arguments
    for name in ("tools", "environment_factory", "rollout_func"):
        if given.get(name) is not None:
            raise ValueError(f"{name}: not supported; a response is one uninterrupted text")
    has_process_reward, dataset = process_reward is not None, given.get("train_dataset")
    if given.get("args") is not None:
        check_options(given["args"], algorithm, has_process_reward)
    if isinstance(dataset, Dataset):  # a stream is looked at rollout by rollout
        known = ("prompt", "answer", "image", "images")
        rows = dataset.select_columns([name for name in dataset.column_names if name in known])
        check_rows(rows, has_process_reward, "train_dataset[{}]")
    return process_reward


def check_thinking(stated: str, process_reward: ProcessRewardSettings | None) -> bool:
    """Return whether a model closes its thoughts with a tag; ValueError: a setting needs one."""
    if stated not in thinking.STATED:
        raise ValueError(f"thinking: {stated!r}; allowed: {', '.join(thinking.STATED)}")
    if stated == thinking.NONE and process_reward and process_reward.close_thought:
        raise ValueError("process_reward.close_thought: no thought to close with thinking 'none'")
    return stated == thinking.REQUIRED


def check_options(args: GRPOConfig, algorithm: str, has_process_reward: bool) -> None:
    """Refuse, by ValueError, options of TRL that would be ignored, or would train another thing."""
    per_token = has_process_reward or algorithm != "grpo"
    refused = REFUSED["always"] | (REFUSED["per_token"] if per_token else {})
    refused |= REFUSED["with_process_reward"] if has_process_reward else {}
    refused |= REFUSED["with_critic"] if algorithm == "ppo" else {}
    for option in fields(args):
        name, value = option.name, getattr(args, option.name)
        if name in refused and value != option.default:
            raise ValueError(f"{name}: {value!r}; {refused[name]}; allowed: {option.default!r}")
    if args.use_vllm and args.vllm_importance_sampling_correction and args.top_p < 1:
        raise ValueError(  # TRL issue 6789
            f"top_p: {args.top_p}; vLLM's probabilities are those within the nucleus and the "
            "trainer's are not, so that vllm_importance_sampling_correction would correct for the "
            "nucleus; allowed: 1.0, or vllm_importance_sampling_correction = False"
        )
    if per_token and args.loss_type in ("luspo", "vespo"):
        raise ValueError(
            f"loss_type: {args.loss_type!r}; it weights whole responses, and here each token has "
            "an advantage; allowed: dapo, grpo, bnpo, dr_grpo, cispo, sapo"
        )


def check_rows(rows: Iterable[Mapping], needs_answer: bool, where: str) -> None:
    """Refuse rows of a dataset that show images, or have no ground truth where it is needed.

    ValueError: the message names the row as `where` does, `{}` being its number from 0.
    """
    for number, row in enumerate(rows):
        prompt, answer, name = row.get("prompt"), row.get("answer"), where.format(number)
        contents = [] if isinstance(prompt, str) else [m.get("content") for m in prompt or ()]
        parts = [part for content in contents if isinstance(content, list) for part in content]
        shows_more = any(part.get("type") != "text" for part in parts)
        if row.get("image") is not None or row.get("images") or shows_more:
            raise ValueError(f"{name}: an image; not scored; allowed: text alone")
        if needs_answer and not (isinstance(answer, str) and answer.strip()):
            raise ValueError(
                f"{name}: answer: {answer!r} ({type(answer).__name__}) to the prompt "
                f"{str(prompt)[:80]!r}; the probe boxes it; allowed: a text that is not empty"
            )


def check_resume(folder: Path, trainer) -> None:
    """Refuse, by ValueError, to go on from a checkpoint that was trained with other settings."""
    before, now = jsonl.read_json(folder / SETTINGS), settings_of(trainer)
    if "process_reward.alpha" in before:  # from when there was no other rule
        before.setdefault("process_reward.rule", "repro")
    differing = [
        f"{name}: {now.get(name)!r}; {folder} was trained with {before.get(name)!r}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    if differing:
        raise ValueError(f"{'; '.join(differing)}; allowed: the same, or another output_dir")


def settings_of(trainer) -> dict:
    """Return what a `ReProTrainer` trains with; a checkpoint has it as `SETTINGS`."""
    own = trainer.process_reward.model_dump() if trainer.process_reward else {"variant": None}
    found = {name: getattr(trainer, name) for name in ("algorithm", "gamma", "lam")}
    return found | {f"process_reward.{name}": value for name, value in own.items()}
