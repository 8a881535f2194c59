"""The repeat loop against one unpadded sequence at a time, with full logits."""

import pytest
import torch
from tests.process_reward.tiny_models import PROBES, model_of, new_model, random_rows

from repro.process_reward.probes import Probe
from repro.process_reward.repeat_loop import surrogate_objective


def by_hand(model, prompt, completion, cut, probe):
    ids = [*prompt, *completion[:cut], *probe.ids]
    logits = model(torch.tensor([ids])).logits[0].double()
    first = len(prompt) + cut
    log_probs = [
        logits[first + i - 1].log_softmax(-1)[token].item()
        for i, (token, scored) in enumerate(zip(probe.ids, probe.scored, strict=True))
        if scored
    ]
    return sum(log_probs) / len(log_probs)


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
@torch.no_grad()
def test_equals_an_unpadded_loop(kind):
    model, rows = model_of(kind), random_rows(0)
    inputs = rows.prompts, rows.completions, rows.cuts, rows.probes
    for batch_size in (1, 3, 100):
        objective = surrogate_objective(model, *inputs, batch_size=batch_size)
        assert objective.shape == (5, max(map(len, rows.cuts)))
        for row, (prompt, completion, cuts, probes) in enumerate(zip(*inputs, strict=True)):
            for column, (cut, probe) in enumerate(zip(cuts, probes, strict=True)):
                expected = by_hand(model, prompt, completion, cut, probe)
                assert abs(objective[row, column].item() - expected) < 1e-5
            assert (objective[row, len(cuts) :] == 0).all()


def test_equal_sequences_are_computed_once_and_only_probe_logits_exist():
    model, calls = model_of("qwen3"), []
    handle = model.register_forward_hook(lambda _m, _a, out: calls.append(out.logits.shape))
    probe = Probe((5, 6), (True, True))
    prompt, completion = [1, 2, 3], list(range(20))
    surrogate_objective(
        model, [prompt] * 4, [completion] * 4, [[0, 20]] * 4, [[probe] * 2] * 4, batch_size=8
    )
    handle.remove()
    assert calls == [(2, 3, 50)], "four responses alike, two cut points, two probe tokens and one"


def test_half_precision_takes_the_softmax_in_float32():
    model = new_model("qwen2").bfloat16()
    objective = surrogate_objective(model, [[1, 2]], [[3]], [[0, 1]], [[PROBES[0], PROBES[0]]])
    assert objective.dtype == torch.float32
