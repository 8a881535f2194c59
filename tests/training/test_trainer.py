"""The trainer against stock TRL, and TRL against what the trainer leans upon."""

import inspect
from contextlib import nullcontext

import pytest
import torch
import trl
from tests.algorithms import by_hand
from transformers import set_seed
from trl import GRPOTrainer

from repro.algorithms import grpo
from repro.process_reward import repeat_loop, segments
from repro.process_reward.probes import make_probe
from repro.training import train
from repro.training.generation_record import GenerationRecord


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


def scored_by(trainer, route, monkeypatch):
    """The rollout's cut points and objective, got by one of the three routes."""
    if route != "generation":
        monkeypatch.setattr(GenerationRecord, "is_usable", lambda *_: False)
    if route == "repeat loop":
        trainer._why_not_cut = "no cache"
    seen, make = [], trainer._apply_rule
    monkeypatch.setattr(trainer, "_apply_rule", lambda *of: seen.append(of[0]) or make(*of))
    out = rollout(trainer)
    measured = seen[0].measured
    return measured.cuts, measured.objective, out


FORWARD = ["model", "input_ids", "attention_mask", "logits_to_keep", "batch_size"]
LEANED_UPON = {  # methods of TRL's trainer, and their first parameters
    "_generate_and_score_completions": ["inputs"],
    "_generate_single_turn": ["prompt_ids"],
    "training_step": ["model", "inputs", "num_items_in_batch"],
    "_save_checkpoint": ["model", "trial"],
    "_load_optimizer_and_scheduler": ["checkpoint"],
    "_calculate_rewards": ["inputs", "prompts", "completions", "completion_ids_list"],
    "_get_per_token_logps_and_entropies": [*FORWARD, "compute_entropy"],
    "_compute_loss": ["model", "inputs"],
}


def test_contract_with_trl():
    """A new TRL version has to pass this before it is pinned."""
    assert trl.__version__.startswith("1.16.")
    for name, expected in LEANED_UPON.items():
        parameters = list(inspect.signature(getattr(GRPOTrainer, name)).parameters)[1:]
        assert parameters[: len(expected)] == expected, name


@pytest.mark.parametrize("process_reward", [None, {"alpha": 0.0, "k": 3}])
@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
def test_grpo_with_alpha_zero_is_stock_grpo(build, settings, kind, process_reward, monkeypatch):
    """Same data, same loss and the same gradients, bit by bit, RePro on or off.

    In one micro-batch: where padding is left out of one, some processors round otherwise.
    """
    settings["training"]["micro_batch_size"] = 8
    # TRL divides by std + 1e-4, the paper by std + 1e-6: the one setting to bring in line.
    monkeypatch.setattr(grpo, "EPS", 1e-4)
    stock, ours = build(kind, stock=True), build(kind, process_reward=process_reward)
    expected, out = rollout(stock), rollout(ours)
    assert set(out) == set(expected), "no key more or less: not even old log-probabilities"
    for key in ("completion_ids", "completion_mask", "prompt_ids", "ref_per_token_logps"):
        assert torch.equal(expected[key], out[key])
    stock_advantages = expected["advantages"][:, None] * out["completion_mask"]
    assert stock_advantages.abs().max() > 0.1, "the test needs rewards that differ"
    # TRL's advantages are made in float32, these in float64.
    assert torch.allclose(out["advantages"], stock_advantages, rtol=1e-6, atol=0)
    out["advantages"] = stock_advantages
    loss, gradients = loss_and_gradients(ours, out)
    stock_loss, stock_gradients = loss_and_gradients(stock, expected)
    assert torch.equal(loss, stock_loss)
    assert all(torch.equal(a, b) for a, b in zip(gradients, stock_gradients, strict=True))


@pytest.mark.parametrize(("kind", "checkpointing"), [("qwen2", False), ("qwen3", True)])
def test_three_routes_to_the_objective_agree(build, settings, kind, checkpointing, monkeypatch):
    """The cache of generation, the cache of a forward, and a forward per cut point."""
    settings["training"]["gradient_checkpointing"] = checkpointing
    found = {}
    for route in ("generation", "one pass", "repeat loop"):
        with monkeypatch.context() as patch:
            trainer = build(kind, process_reward={"k": 3, "alpha": 0.5})
            slow = pytest.warns(UserWarning, match="a forward per cut point")
            with slow if route == "repeat loop" else nullcontext():
                found[route] = scored_by(trainer, route, patch)
    cuts, objective, out = found["repeat loop"]
    assert (cuts >= 0).sum(dim=1).max() > 2, "the test needs responses with several segments"
    for route in ("generation", "one pass"):
        assert torch.equal(found[route][0], cuts)
        assert torch.allclose(found[route][1], objective, atol=1e-5)
        assert torch.allclose(found[route][2]["advantages"], out["advantages"], atol=1e-4)


@pytest.mark.parametrize("route", ["generation", "one pass"])
def test_all_segments_are_as_many_as_there_are_bit_for_bit(build, route, monkeypatch):
    """Also where micro-batches differ in the most segments of a response."""
    found = {}
    for k in ("all", 1000, 1):
        with monkeypatch.context() as patch:
            trainer = build(process_reward={"k": k, "alpha": 0.5, "separator": "8"})
            cuts, objective, out = scored_by(trainer, route, patch)
            found[k] = cuts, objective, out["advantages"]
    assert all(torch.equal(*pair) for pair in zip(found["all"], found[1000], strict=True))
    assert not torch.equal(found["all"][2], found[1][2])
    counts = (found["all"][0] >= 0).sum(dim=1)  # (8,), in micro-batches of 4
    assert found["all"][0].shape[1] == counts.max() > 3 == found[1][0].shape[1]
    assert counts[:4].max() != counts[4:].max()


def test_the_process_reward_adds_no_forward_over_the_responses(build, settings):
    """Counted: decoding steps aside, forwards as wide as a whole sequence."""
    settings["training"]["updates_per_generation"] = 1  # two: in test_policy_scoring.py
    widths = []
    for process_reward in (None, {"k": 3}):
        trainer, shapes = build(process_reward=process_reward), []
        trainer.model.model.register_forward_pre_hook(
            lambda _model, _args, given, shapes=shapes: shapes.append(given["input_ids"].shape),
            with_kwargs=True,
        )
        out = rollout(trainer)
        width = out["prompt_ids"].shape[1] + out["completion_ids"].shape[1]
        widths.append([shape for shape in shapes if shape[1] == width])
    assert widths == [[], []]


@pytest.mark.parametrize("correction", [True, False])
def test_responses_from_another_engine_are_scored_in_one_forward(build, monkeypatch, correction):
    """As with vLLM, which leaves no cache here: with its correction TRL asks for old log-probs."""
    expected = rollout(build())
    mask = expected["completion_mask"].bool()
    ids = [row[kept].tolist() for row, kept in zip(expected["completion_ids"], mask, strict=True)]

    def engine(*_):
        return ids, [[-1.0] * len(row) for row in ids]

    trainer = build(process_reward={"k": 3, "alpha": 0.5})
    trainer.use_vllm, trainer.vllm_mode = True, "server"
    trainer.vllm_importance_sampling_correction = correction
    rows, width = [], expected["prompt_ids"].shape[1] + mask.shape[1]
    trainer.model.model.register_forward_pre_hook(
        lambda _model, _args, given: rows.append(given["input_ids"].shape), with_kwargs=True
    )
    with monkeypatch.context() as patch:
        patch.setattr(GRPOTrainer, "_generate_single_turn", engine)
        out = rollout(trainer)
    whole = sum(count for count, columns in rows if columns == width)
    assert whole == len(ids), "each response went through one forward"
    assert ("old_per_token_logps" in out) == ("importance_sampling_ratio" in out) == correction
    sampled = rollout(build(process_reward={"k": 3, "alpha": 0.5}))
    assert torch.allclose(out["advantages"], sampled["advantages"], atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"algorithm": "a2c"}, "algorithm: 'a2c'; allowed: ppo"),
        ({"gamma": 0}, r"gamma: 0; expected a number in \(0, 1\]"),
        ({"lam": 1.5}, "lam: 1.5"),
        ({"process_reward": "vsp"}, r"process_reward\.rule = \"vsp\": .*'vps'"),
        ({"tools": [print]}, "tools: not supported"),
    ],
)
def test_bad_arguments_are_named(build, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(**arguments)


def test_evaluation_stays_trls(build):
    trainer = build(process_reward={"k": 3})
    trainer.model.eval()
    trainer.num_generations_eval = 4
    assert rollout(trainer)["advantages"].shape == (8,)


@pytest.mark.parametrize("variant", ["paper", "reference"])
def test_process_advantages_by_a_second_route(build, variant):
    """Every advantage of a rollout again, row by row, with the computation by hand."""
    trainer = build(process_reward={"variant": variant, "k": 3, "alpha": 0.5})
    batch = next(iter(trainer.get_train_dataloader()))
    out = rollout(trainer, seed=8)
    settings, tokenizer, model = trainer.process_reward, trainer.processing_class, trainer.model
    mask = out["completion_mask"]
    responses = [ids[m.bool()] for ids, m in zip(out["completion_ids"], mask, strict=True)]
    correct = train.correctness(tokenizer.batch_decode(responses, skip_special_tokens=True), None)
    case = {"num_generations": 4, "alpha": 0.5, "gamma": 1.0, "response_mask": mask.tolist()}
    case["outcome_reward"] = [[float(right), *[0.0] * (mask.shape[1] - 1)] for right in correct]
    case["process_reward"] = torch.zeros(mask.shape, dtype=torch.float64).tolist()
    case["process_mask"] = torch.zeros_like(mask).tolist()
    for row, (example, response) in enumerate(zip(batch, responses, strict=True)):
        prompt = out["prompt_ids"][row][out["prompt_mask"][row].bool()]
        with torch.no_grad():
            logits = model(torch.cat([prompt, response])[None]).logits[0]
        distribution = logits[len(prompt) - 1 : -1].log_softmax(-1)
        entropies = -(distribution.exp() * distribution).sum(-1)
        text_ids = response[:-1] if response[-1] == tokenizer.eos_token_id else response
        texts = [tokenizer.decode([i]) for i in text_ids]
        thought = segments.find_thought(texts, settings.separator)
        cuts = segments.cut_points(thought, entropies.tolist(), settings.k)
        probes = [make_probe(tokenizer, example["answer"])] * len(cuts)
        ids = prompt.tolist(), response.tolist()
        objective = repeat_loop.surrogate_objective(model, *ids, cuts, probes).tolist()
        scores = by_hand.expected_scores(objective, settings.score_weight, [])
        gains = scores["process_reward"][settings.initial_score]
        for cut, gain in zip(cuts[1:], gains, strict=True):
            case["process_reward"][row][cut - 1] = gain
            case["process_mask"][row][cut - 1] = 1
    assert sum(sum(row) > 1 for row in case["process_mask"]) >= 2, "several segments"
    expected, _ = by_hand.advantages(case, "grpo", variant)
    assert torch.allclose(out["advantages"].double(), torch.tensor(expected).double(), atol=1e-4)


def test_prompts_get_one_bos_and_the_tokens_of_the_rendered_template(build):
    trainer = build()
    tokenizer = trainer.processing_class
    messages = [{"role": "user", "content": "1 + 1"}]
    rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids, _, _ = trainer._tokenize_prompts([messages])
    assert ids == [tokenizer(rendered, add_special_tokens=False)["input_ids"]]
    assert ids[0].count(tokenizer.bos_token_id) == 1
