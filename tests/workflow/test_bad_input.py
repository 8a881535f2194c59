"""Bad input ends before any job, in one message without a traceback; odd input works."""

import pytest
import yaml

from repro.files import jsonl
from tests.bad_configs import CASES, FILE, SMOKE
from tests.workflow.conftest import copy_repository

BY_TITLE = {case.title: case for case in CASES}
QUICK = ("a key twice", "name: 'a b'")
THROUGH_SNAKEMAKE = (  # of each kind one; all of them in tests/test_bad_configs.py
    *("training.lerning_rate: 1.0", "process_reward.alpha: -0.1", "an octal seed", "a month 13"),
    *("no data folder", "results_dir: 'results/{x}'", "a key that is no text", "training: None"),
    *("a list", "no YAML"),
)
SNAKEMAKES_OWN = ("a list", "no YAML")  # it reads the file first, and says less


def said_of(content: bytes, snakemake, tmp_path, *arguments: str) -> str:
    file = tmp_path / FILE
    file.write_bytes(content)
    done = snakemake(tmp_path, "-n", "--configfile", str(file), *arguments)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said
    assert not (tmp_path / "results").exists()
    return said


@pytest.mark.parametrize(
    "title",
    [*QUICK, *(pytest.param(title, marks=pytest.mark.long) for title in THROUGH_SNAKEMAKE)],
)
def test_refused_before_any_job(title, snakemake, tmp_path):
    case = BY_TITLE[title]
    said = said_of(case.content, snakemake, tmp_path)
    if title in SNAKEMAKES_OWN:
        assert "YAML" in said
        return
    assert FILE in said
    together = "".join(said.split())  # lines are wrapped
    for word in case.words:
        assert "".join(word.split()) in together


@pytest.mark.long
def test_values_of_the_command_line_are_said_to_be_from_there(snakemake, tmp_path):
    said = said_of(SMOKE.encode(), snakemake, tmp_path, "--config", "training={steps: 3}")
    assert f"{FILE} + --config: training.steps" in said
    assert "nested values of --config are texts" in said


@pytest.mark.long
def test_broken_published_numbers_are_refused_before_any_job(snakemake, tmp_path):
    copy = copy_repository(tmp_path / "copy")
    with open(copy / "config/paper_results.csv", "ab") as file:
        file.write(b"\xff")
    said = said_of(SMOKE.encode(), snakemake, tmp_path, "--snakefile", str(copy / "Snakefile"))
    assert "paper_results.csv" in said
    assert "can't decode byte" in said


def test_a_gguf_file_that_is_not_there_is_named(snakemake, tmp_path, config):
    config["backbones"] = {"mine": {"source": "gguf", "path": "not/there.gguf"}}
    config |= {"grid": [{"methods": ["original"]}], "objective": {"methods": ["original"]}}
    config["ablations"] = {}
    assert "not/there.gguf" in said_of(yaml.safe_dump(config).encode(), snakemake, tmp_path)


def test_without_mathematics_nothing_is_planned_that_needs_it(snakemake, tmp_path, config):
    config["benchmarks"] = {"gpqa": {"samples": 2, "problems": 2}}
    config |= {"ablations": {"w": [0.1, 0.5]}, "objective": {}}
    config["grid"] = [{"methods": ["grpo", "grpo+repro", "grpo+length~alpha=0.5"]}]
    (tmp_path / FILE).write_text(yaml.safe_dump(config))
    done = snakemake(tmp_path, "--summary", "--configfile", str(tmp_path / FILE))
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout  # every file that is planned
    assert "figure6_tokens" in said and "/claims.md" in said
    assert "figure4_ablation_w" not in said and "rivals.csv" not in said


@pytest.mark.long
def test_prose_and_paths_with_braces_blanks_and_dashes_work(snakemake, tmp_path, config):
    """Snakemake fills {x} in texts: not in a note, nor in the path of a file or folder."""
    data = tmp_path / "my data; $HOME 'set' & *"
    data.mkdir()
    rows = [{"problem": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(1, 5)]
    for name in ("aime24", "train"):
        jsonl.write(data / f"{name}.jsonl", rows)
    note = "--a {x} of {note}, $1 & $2\n 'quoted' \"twice\" 100 %"
    config |= {
        **{"name": "braces", "note": note, "data_source": "directory", "data_dir": str(data)},
        **{"benchmarks": {"aime24": {"samples": 2}}},
        **{"grid": [{"methods": ["original", "grpo+repro"]}]},
        **{"objective": {"methods": ["original"]}, "ablations": {}},
    }
    config["training"] |= {"steps": 1, "save_every": 1}
    config["process_reward"]["separator"] = "{x}"
    config["backbones"]["tiny-qwen3"] |= {"steps": 3, "prompt": {"math": "{problem} {x} $HOME"}}
    file = tmp_path / "braces.yaml"
    file.write_text(yaml.safe_dump(config))
    curve = "results/smoke/figures/figure3_tokens_over_training.png"
    done = snakemake(tmp_path, "--configfile", str(file), "--", "tables", curve)
    assert done.returncode == 0, done.stdout + done.stderr
    in_one_line = " ".join(note.split())
    assert in_one_line in (tmp_path / "results/smoke/tables/main.md").read_text()
    run = tmp_path / "results/smoke/runs/tiny-qwen3/grpo+repro/0"
    asked = jsonl.read(run / "generations/aime24.jsonl")[0]["prompt"]
    assert "? {x} $HOME" in asked
    assert jsonl.read_json(run / "settings.json")["process_reward"]["separator"] == "{x}"
