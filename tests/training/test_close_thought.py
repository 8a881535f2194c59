"""`close_thought`, with templates that open the thought in the prompt and with others."""

import pytest
import torch
from tests.training.conftest import make_model, make_tokenizer

from repro.process_reward import one_pass, repeat_loop
from repro.process_reward.settings import ProcessRewardSettings
from repro.training.process_scoring import ProcessScorer, Responses

BOX, CLOSE = "\\boxed{7}", "</think>\n\n"


@pytest.mark.parametrize("route", ["cache", "repeats"])
@pytest.mark.parametrize(
    ("opening", "response", "expected"),
    [
        # As R1-Distill: cuts at 0, at the second paragraph and behind </think>.
        ("<think>\n", "ab\n\ncd</think>7", [CLOSE + BOX, CLOSE + BOX, "\n\n" + BOX]),
        ("<think>\n", "ab\n\ncd", [CLOSE + BOX] * 3),
        # As Qwen3: before its own <think> there is nothing to close.
        ("", "<think>\nab\n\ncd</think>7", [BOX, CLOSE + BOX, "\n\n" + BOX]),
        # Nobody opens one.
        ("", "ab\n\ncd", [BOX] * 3),
        ("<think>\n\n</think>\n\n", "ab\n\ncd", [BOX] * 3),
    ],
)
def test_only_a_thought_that_is_open_is_closed(monkeypatch, route, opening, response, expected):
    tokenizer, probes = make_tokenizer(), []
    model = make_model("qwen3", len(tokenizer) + 2)
    module = one_pass if route == "cache" else repeat_loop
    compute = module.surrogate_objective
    at = 3 if route == "cache" else 4  # the argument `probes`

    def spy(*args, **kwargs):
        probes.extend(args[at])
        return compute(*args, **kwargs)

    monkeypatch.setattr(module, "surrogate_objective", spy)
    settings = ProcessRewardSettings(close_thought=True, k=3).filled()
    scorer = ProcessScorer(tokenizer, settings, [tokenizer.eos_token_id])

    def encode(text):
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    prompt, ids = encode(f"<bos><user>1+6<assistant>{opening}"), encode(response)
    whole, completion = torch.tensor([[*prompt, *ids]]), torch.tensor([ids])
    mask = torch.ones_like(completion)
    with torch.no_grad():
        forward, _, entropies = one_pass.cached_forward(
            model, whole, torch.ones_like(whole), len(prompt)
        )
        given = Responses([prompt], completion, mask, entropies, ["7"])
        cuts, found = scorer.score(model, given, forward if route == "cache" else None)
    assert [tokenizer.decode(probe.ids) for probe in probes[0]] == expected
    assert (cuts >= 0).sum() == 3 and (found[0, :3] < 0).all()
