"""What is defined for every unusual response; the names of the tests are the list."""

import pytest
import torch
from tests.process_reward.tiny_models import PROBES, model_of, new_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from repro.algorithms import ADVANTAGES
from repro.algorithms.batch import Batch, ProcessTerm
from repro.process_reward import one_pass, repeat_loop, reward, scores
from repro.process_reward.probes import make_probe, probes_at_cuts
from repro.process_reward.segments import cut_points, find_thought, pad_cut_points

MAGNITUDE_OF_NO_CHANGE = 1 - torch.tanh(torch.tensor(1.0, dtype=torch.float64))  # 0.238


def tensor(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def cuts_of(*texts, k=20, entropies=None):
    return cut_points(find_thought(texts), entropies or [1.0] * len(texts), k)


def rewarded_tokens(*texts):
    """Tokens that bear a process reward: the last one before each cut after the first."""
    cuts = pad_cut_points([cuts_of(*texts)], width=6)[:, 1:]  # (1, 5)
    placed = reward.place_on_tokens(torch.ones(1, 5), cuts >= 0, cuts - 1, max(len(texts), 1))
    return placed.nonzero()[:, 1].tolist()


def objective_at(model, prompt, completion, cuts, probe):
    """J by the one pass, after checking that the loop says the same."""
    ids = torch.tensor([[*prompt, *completion]])
    forward, _, _ = one_pass.cached_forward(model, ids, torch.ones_like(ids), len(prompt))
    probes = [[probe] * len(cuts)]
    found = one_pass.surrogate_objective(model, forward, torch.tensor([cuts]), probes)
    expected = repeat_loop.surrogate_objective(model, [prompt], [completion], [cuts], probes)
    assert torch.allclose(found, expected, rtol=0, atol=1e-5)
    return found


def process_advantage(objective, mask=None, variant="paper", w=0.1):
    """GRPO's advantage of equal outcomes: alpha times the process advantage alone, alpha = 1."""
    objective = torch.as_tensor(objective, dtype=torch.float64)
    rewards = reward.process_reward(scores.score(objective, w))  # (B, C - 1)
    mask = torch.ones(rewards.shape) if mask is None else torch.tensor(mask)
    batch = Batch(torch.ones(len(rewards)).double(), torch.ones(rewards.shape), len(rewards))
    positions = torch.arange(rewards.shape[1]).expand(rewards.shape)
    term = ProcessTerm(rewards, mask, positions, alpha=1.0, variant=variant)
    return ADVANTAGES["grpo"](batch, term).advantages


def test_no_paragraph_break_gives_both_ends_and_one_reward():
    texts = ["a", "b", "c", "</think>", "7"]
    assert cuts_of(*texts) == [0, 4]
    assert rewarded_tokens(*texts) == [3]


def test_fewer_than_k_segments_are_all_kept():
    assert cuts_of("a", "\n\n", "b", "\n\n", "c", "</think>", "7", k=20) == [0, 2, 4, 6]


def test_an_empty_thought_is_rewarded_for_its_closing_alone():
    for texts in (["</think>", "7"], ["\n\n", "</think>", "\n\n", "7"]):
        end = texts.index("</think>") + 1
        assert cuts_of(*texts) == [0, end]
        assert rewarded_tokens(*texts) == [end - 1]


def test_an_empty_response_has_the_baseline_and_no_reward():
    assert cuts_of() == [0]
    assert rewarded_tokens() == []
    assert reward.process_reward(scores.score(tensor([-2.0]), 0.1)).shape == (1, 0)
    assert reward.process_reward(scores.score(tensor([-2.0]), 0.1), "zero").shape == (1, 0)


def test_an_unclosed_thought_is_the_whole_response():
    texts = ["a", "\n\n", "b", "\\boxed{7}"]
    assert cuts_of(*texts) == [0, 2, 4]
    assert rewarded_tokens(*texts) == [1, 3]


def test_a_response_cut_at_the_length_limit_is_rewarded_on_its_last_token():
    assert rewarded_tokens("a", "\n\n", "b") == [1, 2]
    assert rewarded_tokens("a", "b", "\n\n") == [2], "cut within a break: no blank segment"
    assert rewarded_tokens("a", "\n\n", "b", "</", "think") == [1, 4], "nor a half-closed thought"
    # The last cut keeps every column of the batch.
    model, completion = model_of("qwen3"), [4, 5, 6]
    assert objective_at(model, [1, 2], completion, [0, 3], PROBES[0]).shape == (1, 2)


def test_an_answer_of_one_token_is_its_log_probability():
    model = model_of("qwen3")
    found = objective_at(model, [1, 2], [3, 4], [0, 2], PROBES[1])
    log_probs = model(torch.tensor([[1, 2, 3, 4]])).logits[0].log_softmax(-1)
    assert torch.allclose(found[0], log_probs[[1, 3], PROBES[1].ids[0]], atol=1e-5)


def test_an_objective_of_exactly_0_scores_1_and_is_rewarded():
    score = scores.score(tensor([-2.0, 0.0, -1.0]), w=0.0)
    assert score[0, 1] == 1
    assert torch.isfinite(score).all()
    # It comes from a real model that is certain: no NaN, no -0 that would count as missing.
    model = new_model("qwen3")
    model.lm_head.weight.data *= 1e5
    certain = model(torch.tensor([[1, 2, 3]])).logits[0, -1].argmax().item()
    found = objective_at(model, [1, 2], [3], [1], type(PROBES[1])((certain,), (True,)))
    assert found.tolist() == [[0.0]]


def test_a_reward_of_exactly_0_at_a_cut_counts_in_the_mean():
    # S = 0, so r = 0: validity is the mask's to say, not the value's.
    values, mask = tensor([0.0, 3.0]), torch.tensor([[1, 1]])
    assert reward.center_in_groups(values, mask, 1).tolist() == [[-1.5, 1.5]]


def test_a_baseline_of_exactly_0_is_the_limit():
    # Nothing is left to gain while J stays 0, everything is lost where it falls.
    assert scores.magnitude(tensor([0.0, 0.0, -1e-9, -3.0])).tolist() == [[1, 1, 0, 0]]
    assert scores.magnitude(tensor([-0.0, -0.0])).tolist() == [[1, 1]]
    rewards = reward.process_reward(scores.score(tensor([0.0, 0.0, -1.0, 0.0]), w=0.0))
    assert rewards.tolist() == [[0, -1, 1]]


def test_ties_in_the_objective_count_neither_way():
    assert scores.stability(tensor([-1.0, -1.0, -1.0])).tolist() == [[0.5, 0.5, 0.5]]
    # Of the three pairs two climb and one is tied: tau = 2/3.
    found = scores.stability(tensor([-2.0, -1.0, -1.0]))
    assert torch.allclose(found, tensor([0.5, 1.0, 2 / 6 + 0.5]))


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
    objective = tensor([-2.0, -2.0, -2.0])
    assert torch.allclose(scores.magnitude(objective), MAGNITUDE_OF_NO_CHANGE.expand(1, 3))
    assert process_advantage(objective.expand(2, 3), w=0.0).abs().max() < 1e-8
    assert reward.process_reward(scores.score(torch.zeros(1, 4), w=0.0)).tolist() == [[0, 0, 0]]


def test_the_only_valid_cut_of_a_group_is_centred_and_not_scaled():
    objective = tensor([-2.0, -0.5, 0.0], [-2.0, 0.0, 0.0])
    assert (process_advantage(objective, mask=[[1, 0], [0, 0]]) == 0).all()
    # The same goes for a group without any.
    assert (process_advantage(objective, mask=[[0, 0], [0, 0]]) == 0).all()


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
