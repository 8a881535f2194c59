"""What the trainer refuses, and that every option of TRL has been looked at."""

import dataclasses
import json
from itertools import product

import pytest
import torch
from datasets import Dataset
from PIL import Image
from tests.training.test_trainer import loss_and_gradients, rollout
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer

from repro.algorithms import ADVANTAGES
from repro.process_reward.settings import ProcessRewardSettings
from repro.training import supported
from repro.training.trainer import ReProTrainer

# Every option of TRL 1.16 that is not refused, and why it may be set.
AS_IN_TRL = """
models and their memory:
    model_init_kwargs trust_remote_code router_aux_loss_coef disable_dropout cast_lm_head_to_fp32
    bf16 tf32 bf16_full_eval fp16_full_eval gradient_checkpointing gradient_checkpointing_kwargs
    use_cache torch_empty_cache_steps use_cpu full_determinism
what is sampled, and scored as it is:
    num_generations num_generations_eval max_completion_length temperature top_p top_k min_p
    repetition_penalty generation_kwargs chat_template_kwargs cache_implementation
    pad_to_multiple_of generation_batch_size steps_per_generation shuffle_dataset
vllm, which leaves responses to be scored by a forward:
    use_vllm vllm_mode vllm_model_impl vllm_enable_sleep_mode vllm_structured_outputs_regex
    vllm_server_base_url vllm_server_host vllm_server_port vllm_server_timeout vllm_group_port
    vllm_gpu_memory_utilization vllm_max_model_length vllm_tensor_parallel_size
weights of whole responses or of tokens, beside any advantage:
    vllm_importance_sampling_correction vllm_importance_sampling_mode
    vllm_importance_sampling_clip_max vllm_importance_sampling_clip_min vllm_importance_sampling_cap
    top_entropy_quantile reward_weights
terms of the loss, token by token:
    beta use_bias_correction_kl sync_ref_model ref_model_mixup_alpha ref_model_sync_steps
    num_iterations epsilon epsilon_high delta loss_type entropy_coef use_adaptive_entropy
    entropy_coef_min entropy_coef_max entropy_coef_delta entropy_target sapo_temperature_neg
    sapo_temperature_pos vespo_k_pos vespo_lambda_pos vespo_k_neg vespo_lambda_neg
the policy's optimizer; the critic has settings of its own:
    per_device_train_batch_size num_train_epochs max_steps learning_rate lr_scheduler_type
    lr_scheduler_kwargs warmup_steps optim optim_args optim_target_modules weight_decay adam_beta1
    adam_beta2 adam_epsilon gradient_accumulation_steps average_tokens_across_devices max_grad_norm
logs:
    log_completions log_multimodal num_completions_to_print log_unique_prompts
    log_completions_hub_repo logging_strategy logging_steps logging_first_step log_on_each_node
    logging_nan_inf_filter include_num_input_tokens_seen log_level log_level_replica disable_tqdm
    report_to run_name project trackio_space_id trackio_bucket_id trackio_static_space_id debug
    skip_memory_metrics
evaluation, which stays TRL's:
    eval_strategy eval_steps eval_delay per_device_eval_batch_size prediction_loss_only
    eval_on_start eval_do_concat_batches eval_use_gather_object eval_accumulation_steps
    include_for_metrics batch_eval_metrics label_names do_train do_eval do_predict
checkpoints and the hub:
    output_dir save_only_model save_strategy save_steps save_on_each_node save_total_limit
    enable_jit_checkpoint push_to_hub hub_token hub_private_repo hub_model_id hub_strategy
    hub_always_push hub_revision load_best_model_at_end metric_for_best_model greater_is_better
    ignore_data_skip restore_callback_states_from_checkpoint resume_from_checkpoint
data and processes; sharding.check has the kinds of sharding:
    seed data_seed accelerator_config dataloader_drop_last dataloader_num_workers
    dataloader_pin_memory dataloader_persistent_workers dataloader_prefetch_factor
    dataloader_multiprocessing_context dataloader_in_order
    ddp_find_unused_parameters ddp_bucket_cap_mb ddp_broadcast_buffers ddp_static_graph ddp_backend
    ddp_timeout fsdp fsdp_config deepspeed ds3_gather_for_generation local_rank
refused by TRL itself:
    auto_find_batch_size
parts of what is refused:
    transformers_continuous_batching_config use_transformers_paged liger_kernel_config
    torch_compile_backend torch_compile_mode length_column_name max_tool_calling_iterations
"""
# A value of each option that is refused.
REFUSED = {
    "scale_rewards": "none",
    "multi_objective_aggregation": "normalize_then_sum",
    "mask_truncated_completions": True,
    "neftune_noise_alpha": 5.0,
    "label_smoothing_factor": 0.1,
    "train_sampling_strategy": "sequential",
    "use_liger_kernel": True,
    "torch_compile": True,
    "use_transformers_continuous_batching": True,
}
PER_TOKEN = [
    ("importance_sampling_level", "sequence"),
    ("off_policy_mask_threshold", 0.5),
    ("loss_type", "luspo"),
    ("loss_type", "vespo"),
]


def test_every_option_of_trl_is_classified():
    """A new version of TRL fails here until its new options are refused or found right."""
    lines = AS_IN_TRL.strip().splitlines()
    right = " ".join(line for line in lines if line.startswith("    ")).split()
    refused = [
        *supported.REFUSED,
        *supported.REFUSED_PER_TOKEN,
        *supported.REFUSED_WITH_PROCESS_REWARD,
        *supported.REFUSED_WITH_CRITIC,
    ]
    options = [option.name for option in dataclasses.fields(GRPOConfig)]
    assert sorted([*right, *refused]) == sorted(options)


def rows_of(answer=str):
    return [
        {"prompt": [{"role": "user", "content": f"{i} + {i}"}], "answer": answer(2 * i)}
        for i in range(8)
    ]


def even(completion_ids, **_):
    return [float(len(ids) % 2 == 0) for ids in completion_ids]


@pytest.fixture
def build(backbones, tmp_path):
    """Return a function that makes a trainer on a random model with some of TRL's options."""
    folder = backbones["qwen3"]

    def build(cls=ReProTrainer, dataset=None, **given):
        own = ("algorithm", "process_reward", "gamma", "lam")
        kwargs = {name: given.pop(name) for name in own if name in given}
        chosen = {
            "output_dir": str(tmp_path / "out"),
            "per_device_train_batch_size": 4,
            "gradient_accumulation_steps": 2,
            "num_generations": 4,
            "max_completion_length": 24,
            "max_steps": 2,
            "learning_rate": 1e-3,
            "bf16": False,
            "use_cpu": True,
            "save_strategy": "no",
            "gradient_checkpointing": False,
            "disable_tqdm": True,
            **given,
        }
        trainer = cls(
            model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
            reward_funcs=even,
            args=GRPOConfig(**chosen),
            train_dataset=Dataset.from_list(rows_of()) if dataset is None else dataset,
            processing_class=AutoTokenizer.from_pretrained(folder),
            **kwargs,
        )
        trainer.model.train()
        trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
        return trainer

    return build


def check(algorithm: str, has_process_reward: bool, **options) -> None:
    args = GRPOConfig("unused", use_cpu=True, bf16=False)
    for name, value in options.items():  # on a GPU there are some that no CPU has
        setattr(args, name, value)
    supported.check_options(args, algorithm, has_process_reward)


@pytest.mark.parametrize(("name", "value"), REFUSED.items())
def test_options_that_never_apply_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"^{name}: {value!r}; .+; allowed: "):
        check("grpo", False, **{name: value})


@pytest.mark.parametrize(("name", "value"), PER_TOKEN)
def test_options_for_one_advantage_a_response_are_refused_where_tokens_differ(name, value):
    for algorithm, process in product(ADVANTAGES, (False, True)):
        if (algorithm, process) != ("grpo", False):
            with pytest.raises(ValueError, match=rf"^{name}: {value!r}; .+; allowed: "):
                check(algorithm, process, **{name: value})


def test_options_that_only_parts_of_it_exclude(build):
    with pytest.raises(ValueError, match=r"^remove_unused_columns: True; it would drop"):
        build(remove_unused_columns=True, process_reward={"k": 3})
    check("grpo", False, remove_unused_columns=True)
    with pytest.raises(ValueError, match=r"^fp16: True; the critic's loss is not scaled"):
        check("ppo", False, fp16=True)
    check("grpo", True, fp16=True)


@pytest.mark.parametrize(
    "options",
    [
        {"importance_sampling_level": "sequence", "loss_type": "grpo"},
        {"importance_sampling_level": "sequence", "loss_type": "luspo"},
        {"loss_type": "vespo"},
        {"off_policy_mask_threshold": 0.1},
    ],
    ids=str,
)
def test_in_plain_grpo_such_options_are_stock_trls(build, options):
    found = []
    for cls in (GRPOTrainer, ReProTrainer):
        trainer = build(cls, num_iterations=2, **options)
        out = rollout(trainer)
        mask = out["completion_mask"]
        if cls is GRPOTrainer:
            advantages = out["advantages"]
            assert advantages.abs().max() > 0.1, "the test needs rewards that differ"
        else:  # TRL's epsilon in the place of the paper's
            out["advantages"] = advantages[:, None] * mask
        noise = torch.randn(mask.shape, generator=torch.Generator().manual_seed(0))
        out["old_per_token_logps"] = out["old_per_token_logps"] + noise  # a policy that moved
        found.append(loss_and_gradients(trainer, out))
    (loss, gradients), (ours, our_gradients) = found
    assert torch.allclose(ours, loss, rtol=1e-6)
    for gradient, our_gradient in zip(gradients, our_gradients, strict=True):
        assert torch.allclose(our_gradient, gradient, rtol=1e-4, atol=1e-7)


LOSSES = ("dapo", "grpo", "bnpo", "dr_grpo", "cispo", "sapo")


@pytest.mark.parametrize(
    ("options", "reaches_its_token"),
    [*(({"loss_type": loss}, True) for loss in LOSSES)]
    + [({"loss_type": "grpo", "importance_sampling_level": "sequence"}, False)],
    ids=str,
)
def test_a_tokens_advantage_moves_that_token_alone(build, monkeypatch, options, reaches_its_token):
    """The gradient has the direction of that token's log-probability, and of no other."""
    monkeypatch.setattr(supported, "check_options", lambda *_: None)
    trainer = build(process_reward={"k": 3}, **options)
    out = rollout(trainer)
    row, token = 1, 2
    out["advantages"] = torch.zeros_like(out["advantages"])
    out["advantages"][row, token] = 1.5
    _, gradients = loss_and_gradients(trainer, out)
    ids = torch.cat([out["prompt_ids"], out["completion_ids"]], dim=1)
    mask = torch.cat([out["prompt_mask"], out["completion_mask"]], dim=1)
    trainer.model.zero_grad()
    log_probs, _, _ = trainer._get_per_token_logps_and_entropies(
        trainer.model, ids, mask, out["completion_ids"].shape[1]
    )
    (-log_probs[row, token]).backward()
    expected = torch.cat([p.grad.flatten() for p in trainer.model.parameters()])
    found = torch.cat([gradient.flatten() for gradient in gradients])
    cosine = torch.nn.functional.cosine_similarity(found, expected, dim=0).item()
    assert (cosine > 1 - 1e-4) == reaches_its_token, cosine


@pytest.mark.parametrize(
    ("answer", "row", "said"),
    [
        (int, 0, r"0 \(int\)"),
        (lambda n: [str(n), "x"], 0, r"\['0', 'x'\] \(list\)"),
        (lambda n: "" if n == 10 else str(n), 5, r"'' \(str\)"),
        (lambda n: None if n == 10 else str(n), 5, r"None \(NoneType\)"),
    ],
)
def test_an_answer_that_is_no_text_is_named_before_anything_is_generated(build, answer, row, said):
    with pytest.raises(ValueError, match=rf"^train_dataset\[{row}\]: answer: {said} to the prompt"):
        build(dataset=Dataset.from_list(rows_of(answer)), process_reward={"k": 3})


def test_images_are_refused_and_parts_of_text_are_not(build):
    rows = [{**row, "image": Image.new("RGB", (2, 2))} for row in rows_of()]
    with pytest.raises(ValueError, match=r"^train_dataset\[0\]: an image; .*text alone"):
        build(dataset=Dataset.from_list(rows))
    text = {"type": "text", "text": "1 + 1"}
    supported.check_rows([{"prompt": [{"role": "user", "content": [text]}]}], False, "row {}")
    prompt = [{"role": "user", "content": [text, {"type": "image"}]}]
    with pytest.raises(ValueError, match="^row 1: an image"):
        supported.check_rows([{"prompt": "1 + 1"}, {"prompt": prompt}], False, "row {}")


def test_the_table_of_completions_shows_the_advantages_that_train(build):
    process_reward = {"k": 3, "alpha": 0.5}
    trainer = build(algorithm="ppo", process_reward=process_reward, log_completions=True)
    out = rollout(trainer)
    expected = [
        row[mask.bool()].mean().item()
        for row, mask in zip(out["advantages"], out["completion_mask"], strict=True)
    ]
    assert len(set(expected)) > 4, "the test needs advantages that differ"
    assert list(trainer._logs["advantages"]) == pytest.approx(expected, abs=1e-6)
    assert len(trainer._logs["completion"]) == len(expected)


def test_a_checkpoint_holds_the_settings_and_a_resume_with_others_is_refused(build, tmp_path):
    given = {"process_reward": {"k": 3, "separator": ["."]}, "save_strategy": "steps"}
    build(**given, max_steps=1, save_steps=1).train()
    checkpoint = tmp_path / "out" / "checkpoint-1"
    kept = json.loads((checkpoint / "repro_trainer.json").read_text())
    settings = {f"process_reward.{key}" for key in ProcessRewardSettings.model_fields}
    assert kept.keys() == {"algorithm", "gamma", "lam", *settings}
    assert (kept["algorithm"], kept["process_reward.separator"]) == ("grpo", ["."])
    same = build(**given)
    same.train(resume_from_checkpoint=str(checkpoint))
    assert same.state.global_step == 2
    given["process_reward"] = {"k": 4, "separator": ["."], "alpha": 0.1}
    message = (
        r"^process_reward\.alpha: 0\.1; \S+checkpoint-1 was trained with 0\.05; "
        r"process_reward\.k: 4; \S+checkpoint-1 was trained with 3; allowed: "
    )
    with pytest.raises(ValueError, match=message):
        build(**given).train(resume_from_checkpoint=str(checkpoint))
    with pytest.raises(ValueError, match=r"algorithm: 'reinforce_pp'.*process_reward\.k: None"):
        build(algorithm="reinforce_pp").train(resume_from_checkpoint=str(checkpoint))
    (checkpoint / "repro_trainer.json").unlink()
    with pytest.raises(ValueError, match=r"repro_trainer\.json: missing"):
        build(**given).train(resume_from_checkpoint=str(checkpoint))


def test_the_model_card_names_algorithm_and_paper(build, tmp_path):
    def card(**given):
        build(**given).create_model_card("model")
        return (tmp_path / "out" / "README.md").read_text()

    said = card(algorithm="reinforce_pp", process_reward={"k": 3})
    assert "trained with RF++ + RePro, a method introduced in [Rectifying LLM Thought" in said
    assert "papers/2512.01925" in said and "author    = {Junnan Liu and Hongwei Liu" in said
    assert "shao2024deepseekmath" not in said
    assert "trained with GRPO, a method introduced in [DeepSeekMath" in card()
    assert "trained with PPO.\n" in card(algorithm="ppo")
