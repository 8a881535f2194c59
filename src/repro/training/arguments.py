"""The project's training settings as TRL's, with those of TRL's defaults that deviate set back."""

import os
from pathlib import Path

import torch
from trl import GRPOConfig

from repro.config.resolved import RunSettings
from repro.evaluation import engines


def trainer_arguments(run: RunSettings, work_dir: str | Path) -> GRPOConfig:
    """Return TRL's arguments for a run whose checkpoints go into `work_dir`.

    Raises:
        ValueError: rollouts by vLLM are wanted, and it is not installed.
    """
    training, rollouts = run.training, run.training.rollouts
    engines.check(rollouts.engine)
    vllm, cuda = rollouts.engine == "vllm", torch.cuda.is_available()
    micro, processes = training.micro_batch_size, int(os.environ.get("WORLD_SIZE", 1))
    if not cuda:  # of several processes accelerate would name it cpu:0, where torch loads nothing
        os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"
    return GRPOConfig(
        output_dir=str(work_dir),
        max_steps=training.steps,
        # A generation batch is one optimizer step (or `updates` of them) over its micro-batches.
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=training.responses_per_step // (micro * processes),
        num_generations=training.num_generations,
        num_iterations=training.updates_per_generation,
        max_completion_length=training.max_completion_tokens,
        temperature=training.temperature,
        top_p=training.top_p,
        shuffle_dataset=False,  # `load_prompts` fixes the order for the whole run
        learning_rate=training.learning_rate,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=training.warmup_steps,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        epsilon=training.clip_low,
        epsilon_high=training.clip_high,
        delta=training.dual_clip,
        beta=training.kl_coef,
        use_bias_correction_kl=False,
        loss_type="dapo",  # the mean over all tokens of a step
        use_vllm=vllm,
        vllm_gpu_memory_utilization=rollouts.gpu_memory,
        vllm_enable_sleep_mode=rollouts.sleep,
        vllm_tensor_parallel_size=rollouts.tensor_parallel,
        vllm_max_model_length=training.max_prompt_tokens + training.max_completion_tokens,
        generation_kwargs={"detokenize": False} if vllm else None,  # TRL takes the tokens
        vllm_importance_sampling_correction=rollouts.correction != "none",
        vllm_importance_sampling_mode=f"{rollouts.correction}_{rollouts.correction_by}",
        vllm_importance_sampling_clip_max=rollouts.correction_bound,
        disable_dropout=True,
        bf16=training.dtype == "bfloat16",  # autocast; the weights stay float32
        gradient_checkpointing=training.gradient_checkpointing,
        # TRL loads the model once more, for the reference and vLLM.
        trust_remote_code=run.backbone_settings.trust_remote_code,
        seed=run.seed,
        data_seed=run.seed,
        save_steps=training.save_every,
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        use_cpu=not cuda,
        dataloader_pin_memory=cuda,
    )
