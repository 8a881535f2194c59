"""What the paper's table can decide, and whether an untrained backbone is where others found it."""

import math

import numpy as np
import pytest
from tests import paths

from repro.commands import cli
from repro.files import jsonl
from repro.records import experiment as records
from repro.report import published, sanity

FILE = paths.ROOT / "config/paper_results.csv"
R1 = "DeepSeek-R1-Distill-Qwen-1.5B"


def write_run(folder, backbone, method, seed, accuracies):
    """Write a run's score files: benchmark -> accuracy and run-to-run error, in percent."""
    run = folder / f"runs/{backbone}/{method}/{seed}"
    for name, (accuracy, error) in accuracies.items():
        found = {"accuracy": {"value": accuracy / 100, "n": 30}}
        found["accuracy_run_se"] = {"value": error and error / 100}
        jsonl.write_json(run / f"scores/{name}.json", {"aggregates": found})
    return f"runs/{backbone}/{method}/{seed}"


def experiment(folder, *runs):
    found = {"name": "e", "note": "", "benchmarks": ["aime24", "math500"], "runs": {"main": runs}}
    jsonl.write_json(folder / "experiment.json", found)
    return folder / "experiment.json"


def call(file):
    return cli.main(["sanity", "--experiment", str(file), "--published", str(FILE)])


def test_the_papers_differences_and_their_noise():
    nothing = sanity.read_accuracies([], [])
    found = sanity.compare_differences(published.load(FILE), nothing)
    assert len(found) == 19
    assert (found["difference"] > 0).all()
    beyond = found[found["z"] > sanity.Z]
    assert set(beyond["benchmark"]) == {"lmb", "lcb"}
    assert "Of 19 differences 19 are positive and 2 lie" in sanity.differences_sheet(found).caption
    assert "from 3 pairs of trainings" in sanity.differences_sheet(found).caption


def test_the_assumed_error_is_that_of_sampling():
    """Drawn: problems with rates of a Beta distribution, each answered 16 times, run after run."""
    rng, mean = np.random.default_rng(0), 0.3
    c = sanity.CONCENTRATION
    errors = []
    for _ in range(200):
        rates = rng.beta(mean * c, (1 - mean) * c, 30)
        runs = rng.binomial(16, rates, (50, 30)).mean(axis=1) / 16  # accuracies on these problems
        errors.append(runs.var(ddof=1))
    assumed = sanity.assumed_error(30, "aime24")
    assert 100 * math.sqrt(np.mean(errors)) == pytest.approx(assumed, rel=0.05)


def test_measured_errors_take_the_place_of_assumed_ones(tmp_path):
    names = [
        write_run(tmp_path, R1, "grpo", 0, {"aime24": (30.0, 3.0)}),
        write_run(tmp_path, R1, "grpo+repro", 0, {"aime24": (33.0, 4.0)}),
    ]
    read = records.read(experiment(tmp_path, *names))
    ours = sanity.read_accuracies(read.folders("main"), read.benchmarks)
    found = sanity.compare_differences(published.load(FILE), ours)
    [row] = found.dropna(subset="ours").to_dict("records")
    assert (row["backbone"], row["method"], row["benchmark"]) == (R1, "grpo+repro", "aime24")
    assert row["ours"] == pytest.approx(3)
    assert row["ours_se"] == pytest.approx(5)
    alone = sanity.compare_differences(published.load(FILE), sanity.read_accuracies([], []))
    assert list(found["z"]) == list(alone["z"]), "the paper's noise is its own"


@pytest.mark.parametrize(
    ("seeds", "verdict", "status"),
    [
        ([(29.0, 1.7)], "where others found it", 0),
        ([(27.0, 1.7)], "where others found it", 0),  # below the band, within the noise
        ([(24.0, 1.7)], "below", 1),
        ([(24.0, None)], "where others found it", 0),  # one sample: its noise is at most 7.8
        ([(36.0, 1.7)], "above", 1),
        ([(27.0, 1.7)] * 9, "below", 1),  # nine seeds say it more exactly
    ],
)
def test_an_untrained_backbone_is_compared_with_its_band(tmp_path, capsys, seeds, verdict, status):
    every = enumerate(seeds)
    runs = [write_run(tmp_path, R1, "original", seed, {"aime24": found}) for seed, found in every]
    assert call(experiment(tmp_path, *runs)) == status
    out, said = capsys.readouterr()
    [line] = [line for line in out.splitlines() if "AIME24" in line and R1 in line]
    assert line.rstrip().endswith(verdict)
    assert "28.7 to 30.7" in line
    assert ("1 of 10 bands are missed" in said) == (status == 1)
    assert out.count("not run") == 9
