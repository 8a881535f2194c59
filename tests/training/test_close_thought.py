"""`close_thought`, with templates that open the thought in the prompt and with others."""

import pytest
import torch
from tests.training.conftest import make_model, make_tokenizer

from repro.process_reward import one_pass
from repro.process_reward.settings import ProcessRewardSettings
from repro.training import process_scoring
from repro.training.process_scoring import ProcessScorer, Responses

BOX, CLOSE = "\\boxed{7}", "</think>\n\n"


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
@torch.no_grad()
def test_only_a_thought_that_is_open_is_closed(monkeypatch, opening, response, expected):
    """From the cache and by the loop."""
    tokenizer, asked = make_tokenizer(), []
    model = make_model("qwen3", len(tokenizer) + 2)
    make = process_scoring.probes_at_cuts

    def spy(*args, **kwargs):
        asked.append(make(*args, **kwargs))
        return asked[-1]

    monkeypatch.setattr(process_scoring, "probes_at_cuts", spy)
    settings = ProcessRewardSettings(close_thought=True, k=3).filled()
    scorer = ProcessScorer(tokenizer, settings, [tokenizer.eos_token_id])
    texts = [f"<bos><user>1+6<assistant>{opening}", response]
    prompt, ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
    whole, completion = torch.tensor([[*prompt, *ids]]), torch.tensor([ids])
    forward, _, entropies = one_pass.cached_forward(
        model, whole, torch.ones_like(whole), len(prompt)
    )
    given = Responses([prompt], completion, torch.ones_like(completion), entropies, ["7"])
    found = [scorer.score(model, given, known) for known in (forward, None)]
    for measured, probes in zip(found, asked, strict=True):
        assert [tokenizer.decode(probe.ids) for probe in probes] == expected
        assert (measured.cuts >= 0).sum() == 3 and (measured.objective[0, :3] < 0).all()
        kept = [entropies[0, cut] if cut < len(ids) else 0.0 for cut in measured.cuts[0]]
        assert measured.entropies[0].tolist() == [float(entropy) for entropy in kept]
        assert measured.lengths.tolist() == [len(ids)]
    assert torch.allclose(found[0].objective, found[1].objective, atol=1e-5)
