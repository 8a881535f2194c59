"""The whole estimate: sanity, changed assumptions, wrong input, the table."""

import json
import os
import re
import subprocess
import sys

import pytest
import yaml
from plans import estimate, line, read, resolve
from tests.paths import ROOT

from repro import cost
from repro.cost import table

# A sanity check of the stated numbers: a run of the embedded default took 33 to 37 minutes on two
# cores without installation, a GRPO step of it 3.2 s, a backbone 5.5 min when nothing else ran, the
# responses of a run 46 s, scoring them 12 s.


def test_the_embedded_default_costs_what_it_was_measured_to_cost():
    found = estimate(resolve(read("config")))
    within = {
        (): (65 * 60 / 1.5, 65 * 60 * 1.5),
        ("backbone", "tiny-qwen2"): (5.5 * 60 / 1.5, 5.5 * 60 * 1.5),
        ("generate",): (24 * 46 / 1.5, 24 * 46 * 1.5),
        ("score",): (24 * 12 / 1.5, 24 * 12 * 1.5),
    }
    for path, (least, most) in within.items():
        assert least < line(found, *path).core_hours * 3600 < most, path
    plain = line(found, "train", "tiny-qwen3", "without critic").core_hours * 3600 / 3
    assert 3.2 / 1.5 < (plain - 12) / 16 < 3.2 * 1.5
    assert 33 * 60 / 1.5 < line(found).wall_seconds < 37 * 60 * 1.5


def test_more_gpus_at_once_shorten_the_wall_and_not_the_hours(paper):
    one, four = estimate(paper), estimate(paper, gpus_in_parallel=4)
    assert line(four, "train").gpu_hours == line(one, "train").gpu_hours
    assert line(four, "train").wall_seconds < line(one, "train").wall_seconds / 2
    assert line(four, "score").wall_seconds == line(one, "score").wall_seconds


def test_more_gpus_of_a_training_shorten_it_and_not_the_rest(paper):
    one = estimate(paper, parallel_efficiency=1)
    paper["gpus"] = 8
    with pytest.raises(ValueError, match="gpus = 8"):
        estimate(paper, gpus_in_parallel=4)
    eight = estimate(paper, parallel_efficiency=1)
    assert line(eight).gpu_hours > line(one).gpu_hours  # the longest response is as long as before
    assert line(eight, "train").wall_seconds < line(one, "train").wall_seconds / 6
    # A generation takes one of them as before, and eight run at a time.
    assert line(eight, "generate").gpu_hours == line(one, "generate").gpu_hours
    assert line(eight, "generate").wall_seconds < line(one, "generate").wall_seconds / 6
    slower = estimate(paper, parallel_efficiency=0.5)
    assert line(slower, "train").gpu_hours == pytest.approx(
        2 * line(eight, "train").gpu_hours, rel=1e-2
    )
    paper["evaluation"]["tensor_parallel"] = 2
    split = line(estimate(paper, parallel_efficiency=1), "generate")
    assert split.gpu_hours >= line(eight, "generate").gpu_hours * 0.9


def test_the_longest_training_and_what_a_kill_loses_are_said(paper_on_eight):
    [said] = estimate(paper_on_eight).notes
    words = re.fullmatch(
        r"The longest training, Qwen3-8B with critic \+ RePro, takes (.*) d on 8 GPUs: 500 steps "
        r"of (.*) min, with a checkpoint of (.*) min every step. Killed without a warning it loses "
        r"at most (.*) min.",
        said,
    )
    days, step, checkpoint, lost = map(float, words.groups())
    assert days * 1440 == pytest.approx(500 * step, rel=0.02)
    assert lost == step > 10 * checkpoint
    longest = line(estimate(paper_on_eight), "train", "Qwen3-8B", "with critic + RePro")
    assert longest.wall_seconds == pytest.approx(days * 86400, rel=0.01)


def test_schedule_begins_the_longest_first():
    assert table.schedule([3, 2, 2, 1], 2) == 4
    assert table.schedule([3, 2, 2, 1], 1) == 8
    assert table.schedule([], 2) == 0


def test_a_change_reaches_all_backbones_or_one(paper):
    plain = line(estimate(paper), "train")
    all_of_them = line(estimate(paper, train_share=0.25), "train")
    assert all_of_them.tokens == pytest.approx(plain.tokens / 2)
    found = estimate(paper, **{"train_share.Qwen3-1.7B": 0.25})
    assert line(found, "train", "Qwen3-1.7B").tokens == pytest.approx(
        line(estimate(paper), "train", "Qwen3-1.7B").tokens / 2
    )
    said = {stated.name: stated for stated in found.assumptions}
    assert said["train_share.Qwen3-1.7B"].value == 0.25
    assert said["train_share.Qwen3-1.7B"].reason.startswith("set by you")
    assert said["train_share.DeepSeek-R1-Distill-Qwen-1.5B"].value == 0.5
    assert said["prompt_tokens"].value == 200  # the same for both: said once


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("eficiency=1", "no such assumption; did you mean 'efficiency'"),
        ("train_share.Qwen3=1", "no such assumption; did you mean 'train_share"),
        ("efficiency=much", "--set efficiency=much: expected NAME=VALUE"),
        ("efficiency", "expected NAME=VALUE"),
        ("efficiency=0", "above 0"),
        ("efficiency=nan", "above 0"),
        ("flops=-1", "above 0"),
    ],
)
def test_wrong_changes_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        cost.report(ROOT / "config/smoke.yaml", changes=[change])


def test_wrong_hardware_is_refused(paper, smoke):
    with pytest.raises(ValueError, match="did you mean 'H100-80G'.*A100-80G"):
        cost.estimate(paper, "h100", 2)
    with pytest.raises(ValueError, match="gpus = 1; allowed: a GPU"):
        cost.estimate(paper, "cpu-core", 2)
    with pytest.raises(ValueError, match="gpus = 0; allowed: cpu-core"):
        cost.estimate(smoke, "H200", 2)
    with pytest.raises(ValueError, match="--cores 0"):
        cost.estimate(smoke, "cpu-core", 0)


def test_a_wrong_configuration_is_refused_as_by_the_workflow(tmp_path):
    file = tmp_path / "bad.yaml"
    for content, words in (
        ({**read("smoke"), "metods": []}, "bad.yaml: unknown key 'metods'; did you mean 'methods'"),
        ([], "expected a mapping"),
    ):
        file.write_text(yaml.safe_dump(content))
        with pytest.raises(ValueError, match=words):
            cost.report(file)
    file.write_text("a: [")
    with pytest.raises(ValueError, match="not valid YAML"):
        cost.report(file)


@pytest.mark.parametrize("name", ["config", "smoke", "paper"])
def test_the_table_fits_and_says_what_it_is(name):
    said = cost.report(ROOT / f"config/{name}.yaml", cores=2)
    assert all(len(row) <= 80 for row in said.splitlines())
    assert "An ESTIMATE" in said
    assert "train_share = " in said
    total = next(row for row in said.splitlines() if row.startswith("total"))
    assert total.split()[1] == str(estimate(resolve(read(name))).lines[-1].jobs)


def test_json_holds_the_same(smoke):
    said = json.loads(cost.report(ROOT / "config/smoke.yaml", cores=2, as_json=True))
    found = estimate(smoke)
    assert said["lines"][-1]["jobs"] == line(found).jobs
    assert said["lines"][-1]["wall_seconds"] == line(found).wall_seconds
    assert {"name", "value", "reason"} == said["assumptions"][0].keys()


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from repro import cost; cost.report(sys.argv[1]);"
        "print(sorted({'torch', 'transformers', 'huggingface_hub', 'mlflow'} & {*sys.modules}))"
    )
    command = [sys.executable, "-c", code, str(ROOT / "config/paper.yaml")]
    path = {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **path})
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "-"), (5, "5.0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.1e13, "21 TB")],
)
def test_amounts(value, said):
    assert table.amount(value, "B") == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "-"), (45, "45 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h"), (1e6, "11.6 d")],
)
def test_durations(seconds, said):
    assert table.duration(seconds) == said


def test_a_second_file_changes_the_first(tmp_path):
    few = {"methods": ["original", "grpo"], "training": {"steps": 10}, "seeds": [1, 2]}
    few["subset"] = {"backbones": ["Qwen3-1.7B"]}
    few["objective"] = {"methods": None}
    few["ablations"] = {"backbones": None, "alpha": [], "w": [], "k": []}
    file = tmp_path / "few.yaml"
    file.write_text(yaml.safe_dump(few))
    paper = ROOT / "config/paper.yaml"
    whole = json.loads(cost.report(paper, cores=2, as_json=True))
    part = json.loads(cost.report(paper, file, cores=2, as_json=True))

    def trainings(found):
        return next(line for line in found["lines"] if line["path"] == ["train"])

    assert trainings(part)["jobs"] == 2
    assert trainings(part)["gpu_hours"] < trainings(whole)["gpu_hours"] / 100
