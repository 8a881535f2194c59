"""What is defined for every unusual response; the names of the tests are the list."""

import pytest
import torch
from tests.process_reward.tiny_models import new_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from repro.algorithms import ADVANTAGES
from repro.algorithms.batch import Batch, ProcessTerm
from repro.process_reward import one_pass, repeat_loop, reward, scores
from repro.process_reward.probes import Probe, make_probe, probes_at_cuts
from repro.process_reward.segments import cut_points, find_thought


def tensor(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def cuts_of(*texts, k=20, entropies=None):
    return cut_points(find_thought(texts), entropies or [1.0] * len(texts), k)


RESPONSES = {  # the texts of tokens, the cuts, and the tokens that bear a reward
    "no paragraph break": (["a", "b", "c", "</think>", "7"], [0, 4], [3]),
    "an empty thought": (["</think>", "7"], [0, 1], [0]),
    "a blank thought": (["\n\n", "</think>", "\n\n", "7"], [0, 2], [1]),
    "an empty response": ([], [0], []),
    "an unclosed thought": (["a", "\n\n", "b", "\\boxed{7}"], [0, 2, 4], [1, 3]),
    "cut at the length limit": (["a", "\n\n", "b"], [0, 2, 3], [1, 2]),
    "cut within a break": (["a", "b", "\n\n"], [0, 3], [2]),  # no blank segment
    "cut within the closing": (["a", "\n\n", "b", "</", "think"], [0, 2, 5], [1, 4]),
}


@pytest.mark.parametrize("response", RESPONSES)
def test_cuts_and_rewards_of(response):
    texts, cuts, rewarded = RESPONSES[response]
    assert cuts_of(*texts) == cuts
    padded = torch.tensor([[*cuts[1:], *[-1] * (6 - len(cuts))]])  # (1, 5)
    term = ProcessTerm(torch.ones(1, 5), padded >= 0, padded - 1, alpha=1.0)
    batch = Batch(torch.ones(1), torch.ones(1, max(len(texts), 1)), 1)
    placed = term.on_tokens(term.rewards, batch)
    assert placed.nonzero()[:, 1].tolist() == rewarded


def test_the_baseline_alone_bears_no_reward():
    for initial in ("empty_prefix", "zero"):
        assert reward.process_reward(scores.score(tensor([-2.0]), 0.1), initial).shape == (1, 0)


def test_an_objective_of_exactly_0_scores_1_and_is_rewarded():
    score = scores.score(tensor([-2.0, 0.0, -1.0]), w=0.0)
    assert score[0, 1] == 1
    assert torch.isfinite(score).all()
    # It comes from a real model that is certain: no NaN, no -0 that would count as missing.
    model, ids = new_model("qwen3"), torch.tensor([[1, 2, 3]])
    model.lm_head.weight.data *= 1e5
    probes = [[Probe((model(ids).logits[0, -1].argmax().item(),), (True,))]]
    forward, _, _ = one_pass.cached_forward(model, ids, torch.ones_like(ids), 2)
    found = one_pass.surrogate_objective(model, forward, torch.tensor([[1]]), probes)
    assert found.tolist() == [[0.0]]
    found = repeat_loop.surrogate_objective(model, [1, 2], [3], [1], probes[0])
    assert found.tolist() == [0.0]


def test_a_reward_of_exactly_0_at_a_cut_counts_in_the_mean():
    # S = 0, so r = 0: validity is the mask's to say, not the value's.
    values, mask = tensor([0.0, 3.0]), torch.tensor([[1, 1]])
    assert reward.center_in_groups(values, mask, 1).tolist() == [[-1.5, 1.5]]


def test_a_baseline_of_exactly_0_is_the_limit():
    # Nothing is left to gain while J stays 0, everything is lost where it falls.
    assert scores.magnitude(tensor([0.0, 0.0, -1e-9, -3.0])).tolist() == [[1, 1, 0, 0]]
    assert scores.magnitude(tensor([-0.0, -0.0])).tolist() == [[1, 1]]
    score = scores.score(tensor([0.0, 0.0, -1.0, 0.0]), w=0.0)
    rewards = reward.process_reward(score, "empty_prefix")
    assert rewards.tolist() == [[0, -1, 1]]


def test_ties_in_entropy_keep_the_earlier_segment():
    texts = ["a", "\n\n", "b", "\n\n", "c", "</think>"]
    assert cuts_of(*texts, k=1, entropies=[0.0, 0, 0.5, 0, 0.5, 0]) == [0, 2, 6]
    assert cuts_of(*texts, k=2) == [0, 2, 6], "the first segment shares its point with the start"


@pytest.mark.parametrize("algorithm", ["grpo", "reinforce_pp", "reinforce_pp_baseline"])
@pytest.mark.parametrize("variant", ["paper", "reference"])
def test_responses_all_alike_teach_nothing(algorithm, variant):
    objective = tensor([-2.0, -1.5]).expand(4, 2)
    rewards = reward.process_reward(scores.score(objective, 0.1))
    batch = Batch(torch.ones(4).double(), torch.ones(4, 3), 4)
    positions = torch.full((4, 1), 2)
    term = ProcessTerm(rewards, torch.ones(4, 1), positions, alpha=1.0, variant=variant)
    for process in (None, term):
        found = ADVANTAGES[algorithm](batch, process).advantages
        # Exactly 0 but for the co-author's 1e-8 in the count of a whitened mean.
        assert found.abs().max() < (1e-8 if algorithm == "grpo" else 1e-4)


def test_objectives_that_never_move_are_worth_nothing_without_stability():
    for objective in (tensor([-2.0, -2.0, -2.0]), torch.zeros(1, 3)):
        score = scores.score(objective, w=0.0)
        assert reward.process_reward(score, "empty_prefix").tolist() == [[0, 0]]


def test_the_only_valid_cut_of_a_group_is_centred_and_not_scaled():
    values = tensor([0.7, 5.0], [3.0, 3.0])
    for mask in ([[1, 0], [0, 0]], [[0, 0], [0, 0]]):  # the same goes for a group without any
        assert (reward.normalize_in_groups(values, torch.tensor(mask), 2) == 0).all()


def test_an_answer_that_tokenises_differently_at_the_cut_keeps_its_own_tokens():
    words = ["\\", "b", "o", "x", "e", "d", "{", "}", "7", "a", "Ċ", "ĊĊ", "ĊĊ\\", "a\\"]
    merges = [("Ċ", "Ċ"), ("ĊĊ", "\\"), ("a", "\\")]
    core = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, merges))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core)
    box = make_probe(tokenizer, "7")
    for before in ("a", "\n\n"):
        joint = tokenizer(before + "\\boxed{7}")["input_ids"]
        assert tuple(joint[-len(box.ids) :]) != box.ids, "together it would merge with the text"
    assert probes_at_cuts(tokenizer, "7", [0, 1, 2]) == [box] * 3
    assert tokenizer.convert_ids_to_tokens(box.ids) == [*"\\boxed{7}"]
