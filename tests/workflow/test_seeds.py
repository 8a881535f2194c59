"""A seed changes what it should and nothing else: what Snakemake plans, and what records say."""

import pytest
import yaml

from repro.files import jsonl
from tests.workflow.conftest import CONFIG

# Of the smoke experiment: five runs, one of them untrained, three whose responses are judged.
EVALUATED = {"generate": 5, "score": 5, "objective": 3}
MADE_FROM_SEEDS = {"data", "training_data", "backbone", "original", "train", *EVALUATED}
CHANGES = {
    "seeds": (
        lambda config: config["seeds"].append(1),
        {"original": 1, "train": 4} | EVALUATED,
    ),
    "data_seed": (
        lambda config: config.update(data_seed=1),
        {"data": 7, "training_data": 1, "train": 4} | EVALUATED,
    ),
    "backbone": (
        lambda config: config["backbones"]["tiny-qwen3"].update(seed=1),
        {"backbone": 1, "original": 1, "train": 4} | EVALUATED,
    ),
    "evaluation": (
        lambda config: config["evaluation"].update(seed=1),
        EVALUATED,
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("seed", CHANGES)
def test_a_seed_has_exactly_that_made_again_which_it_decides(planned, tmp_path, seed):
    change, expected = CHANGES[seed]
    config = yaml.safe_load(CONFIG.read_text())
    change(config)
    file = tmp_path / "seed.yaml"
    file.write_text(yaml.safe_dump(config))
    jobs = planned("--configfile", str(file))
    assert {rule: jobs[rule] for rule in MADE_FROM_SEEDS & jobs.keys()} == expected


def test_every_result_says_what_it_was_made_of(results):
    """One thread each, whatever --cores is: sums of floats depend on how many share the work."""
    runs = sorted(results.glob("runs/*/*/*"))
    assert len(runs) == 5
    for run in runs:
        record = jsonl.read_json(run / "generations.provenance.json")
        assert record["finished_before"] == []
        assert record["machine"]["threads"] == 1
        model = record["inputs"]["model"]["made"]
        if "original" in run.parts:
            assert model["step"] == "backbone"
        else:
            assert model == jsonl.read_json(run / "provenance.json")
            assert model["machine"]["threads"] == 1
            assert model["inputs"]["data"]["made"]["step"] == "training_data"
            model = model["inputs"]["backbone"]["made"]
        assert model["settings"]["seed"] == 0
        assert model["machine"]["threads"] == 1
        problems = record["inputs"]["aime24"]["made"]["settings"]
        assert problems == {"name": "aime24", "source": "tinyworld", "problems": 4, "seed": 0}
        scored = jsonl.read_json(run / "scores.provenance.json")
        for name in yaml.safe_load(CONFIG.read_text())["benchmarks"]:
            of_input = scored["inputs"][f"generations of {name}"]
            assert of_input["digest"] == record["outputs"][name]
