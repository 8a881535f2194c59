"""The trainer against stock TRL, and TRL against what the trainer leans upon."""

import copy
import inspect

import pytest
import torch
import trl
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from trl import GRPOTrainer

from repro.algorithms import grpo
from repro.process_reward.settings import resolve
from repro.training import train
from repro.training.trainer import ReasoningTrainer


def reward_of_messages(completions, **kwargs):
    """Stock TRL hands over messages where the prompts are conversations."""
    return train.correctness_reward([message["content"] for [message] in completions], **kwargs)


def make_trainer(settings, folder, train_file, work_dir, *, stock=False, **kwargs):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    training = settings["training"]
    arguments = {
        "model": model,
        "processing_class": tokenizer,
        "reward_funcs": train.correctness_reward,
        "args": train.trainer_arguments(training, settings["seed"], work_dir),
        "train_dataset": train.load_prompts(train_file, tokenizer, training, settings["seed"]),
    }
    if stock:
        trainer = GRPOTrainer(**arguments | {"reward_funcs": reward_of_messages})
    else:
        trainer = ReasoningTrainer(**arguments, **kwargs)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
    return trainer


def rollout(trainer, seed=8):
    """One generation batch, the same for every trainer with the same model and settings."""
    batch = next(iter(trainer.get_train_dataloader()))
    set_seed(seed)
    return trainer._generate_and_score_completions(batch)


def loss_and_gradients(trainer, inputs):
    trainer.model.zero_grad()
    loss = trainer.compute_loss(trainer.model, inputs)
    loss.backward()
    return loss.detach(), [p.grad.clone() for p in trainer.model.parameters()]


@pytest.fixture
def build(settings, backbones, train_file, tmp_path):
    def build(kind="qwen3", **kwargs):
        return make_trainer(settings, backbones[kind], train_file, tmp_path, **kwargs)

    return build


def test_contract_with_trl():
    """What the subclass leans upon; a new TRL version has to pass this before it is pinned."""
    assert trl.__version__.startswith("1.16.")

    def parameters(name):
        return list(inspect.signature(getattr(GRPOTrainer, name)).parameters)[1:]

    assert parameters("_generate_and_score_completions") == ["inputs"]
    assert parameters("_calculate_rewards") == [
        "inputs",
        "prompts",
        "completions",
        "completion_ids_list",
    ]
    forward = ["model", "input_ids", "attention_mask", "logits_to_keep", "batch_size"]
    names = parameters("_get_per_token_logps_and_entropies")
    assert names[:6] == [*forward, "compute_entropy"]
    assert parameters("_compute_loss") == ["model", "inputs"]


def test_rollout_of_stock_trl_has_the_keys_leaned_upon(build):
    out = rollout(build(stock=True))
    assert set(out) == {
        "prompt_ids",
        "prompt_mask",
        "completion_ids",
        "completion_mask",
        "advantages",
        "num_items_in_batch",
        "ref_per_token_logps",
    }
    assert out["advantages"].shape == (8,)


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
def test_plain_grpo_is_stock_grpo_once_the_advantages_are_alike(build, kind):
    stock, ours = build(kind, stock=True), build(kind)
    expected, out = rollout(stock), rollout(ours)
    for key in ("completion_ids", "prompt_ids", "ref_per_token_logps"):
        assert torch.equal(expected[key], out[key])
    assert out["advantages"].shape == out["completion_ids"].shape
    assert out["advantages"].abs().max() > 0.1, "the test needs rewards that differ"
    # TRL divides by std + 1e-4, the paper by std + 1e-6: close, and told apart.
    stock_advantages = expected["advantages"][:, None] * out["completion_mask"]
    assert torch.allclose(out["advantages"], stock_advantages, atol=1e-3)
    assert not torch.equal(out["advantages"], stock_advantages)
    out["advantages"] = stock_advantages
    loss, gradients = loss_and_gradients(ours, out)
    stock_loss, stock_gradients = loss_and_gradients(stock, expected)
    assert torch.equal(loss, stock_loss)
    assert all(torch.equal(a, b) for a, b in zip(gradients, stock_gradients, strict=True))


def test_alpha_zero_is_plain_grpo_up_to_rounding(build):
    plain, repro = build(), build(process_reward=resolve({"alpha": 0.0, "k": 3}))
    expected, out = rollout(plain), rollout(repro)
    assert torch.equal(out["advantages"], expected["advantages"])
    loss, gradients = loss_and_gradients(repro, out)
    plain_loss, plain_gradients = loss_and_gradients(plain, expected)
    assert torch.allclose(loss, plain_loss, atol=1e-6)
    for a, b in zip(gradients, plain_gradients, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("variant", ["paper", "reference"])
def test_process_advantages_by_a_second_route(build, variant):
    """Every advantage of a rollout again, row by row, from the functions of `process_reward`."""
    from repro.process_reward import objective, reward, scores, segments

    trainer = build(process_reward=resolve({"variant": variant, "k": 3, "alpha": 0.5}))
    batch = next(iter(trainer.get_train_dataloader()))
    out = rollout(trainer, seed=8)
    settings, tokenizer, model = trainer.process_reward, trainer.processing_class, trainer.model
    assert sum(t.starts != [0] for t in trainer._find_thoughts(trainer._rollout)) >= 2, (
        "the test needs responses with several segments"
    )
    rewards, cut_lists = [], []
    for row, example in enumerate(batch):
        prompt = out["prompt_ids"][row][out["prompt_mask"][row].bool()]
        response = out["completion_ids"][row][out["completion_mask"][row].bool()]
        with torch.no_grad():
            logits = model(torch.cat([prompt, response])[None]).logits[0]
        distribution = logits[len(prompt) - 1 : -1].log_softmax(-1)
        entropies = -(distribution.exp() * distribution).sum(-1)
        text_ids = response[:-1] if response[-1] == tokenizer.eos_token_id else response
        texts = [tokenizer.decode([i]) for i in text_ids]
        thought = segments.find_thought(texts, settings.separator)
        cuts = segments.cut_points(thought, entropies.tolist(), settings.k)
        probe = objective.make_probe(tokenizer, example["answer"])
        values = [
            objective.surrogate_objective(
                model, [prompt.tolist()], [response.tolist()], [[cut]], [[probe]]
            )
            for cut in cuts
        ]
        score = scores.score(torch.cat(values, dim=1).double(), settings.score_weight, settings.ema)
        rewards.append(reward.process_reward(score, settings.initial_score)[0].tolist())
        cut_lists.append(cuts)
    outcome = grpo.outcome_advantage(trainer._rollout.rewards.double(), 4)
    for group in (slice(0, 4), slice(4, 8)):
        pool = torch.tensor([r for row in rewards[group] for r in row], dtype=torch.float64)
        for row in range(group.start, group.stop):
            length = int(out["completion_mask"][row].sum())
            expected = torch.zeros(out["completion_ids"].shape[1], dtype=torch.float64)
            for t in range(length):
                ahead = [
                    (r - pool.mean()) / (pool.std() + 1e-6)
                    for r, cut in zip(rewards[row], cut_lists[row][1:], strict=True)
                    if cut - 1 >= t
                ]
                expected[t] = outcome[row] + 0.5 * sum(ahead)
            assert torch.allclose(out["advantages"][row].double(), expected, atol=1e-4)


def test_old_log_probs_are_those_of_the_current_policy(build):
    trainer = build(process_reward=resolve({"k": 3}))
    out = rollout(trainer)
    ids = torch.cat([out["prompt_ids"], out["completion_ids"]], dim=1)
    mask = torch.cat([out["prompt_mask"], out["completion_mask"]], dim=1)
    current, _, _ = trainer._get_per_token_logps_and_entropies(
        trainer.model, ids, mask, out["completion_ids"].shape[1]
    )
    assert torch.allclose(out["old_per_token_logps"], current, atol=1e-5)


def test_several_updates_per_generation_keep_the_old_policy(
    settings, backbones, train_file, tmp_path
):
    settings = copy.deepcopy(settings)
    settings["training"]["updates_per_generation"] = 2
    trainer = make_trainer(settings, backbones["qwen3"], train_file, tmp_path)
    assert "old_per_token_logps" in rollout(trainer)


def test_prompts_get_one_bos_and_the_tokens_of_the_rendered_template(build):
    trainer = build()
    tokenizer = trainer.processing_class
    messages = [{"role": "user", "content": "1 + 1"}]
    rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids, _, _ = trainer._tokenize_prompts([messages])
    assert ids == [tokenizer(rendered, add_special_tokens=False)["input_ids"]]
    assert ids[0].count(tokenizer.bos_token_id) == 1
    # Why the dataset holds conversations: TRL would give a rendered string a second BOS.
    as_string, _, _ = trainer._tokenize_prompts([rendered])
    assert as_string[0].count(tokenizer.bos_token_id) == 2
