"""Bad input ends before any job, in one message without a traceback; odd input works."""

import shutil

import pytest
import yaml

from repro.files import jsonl
from tests.bad_configs import CASES, FILE, changed
from tests.bad_configs import SMOKE as TEXT
from tests.paths import ROOT

BY_TITLE = {case.title: case for case in CASES}
QUICK = ("a key twice", "name: 'a b'")
THROUGH_SNAKEMAKE = (  # of each kind some; all of them in tests/test_bad_configs.py
    *("training.lerning_rate: 1.0", "process_reward.alpha: -0.1", "methods: ['grop']"),
    *("training.learning_rate: '1e-4'", "an octal seed", "not a number", "a month 13"),
    *("no data folder", "tracking_uri: 'sqlite:///../x.db'", "results_dir: 'results/{x}'"),
    *("a key that is no text", "training: None", "a list", "an empty file", "no YAML"),
)
SNAKEMAKES_OWN = ("a list", "an empty file", "no YAML")  # it reads the file first, and says less


def said_of(content: bytes, snakemake, tmp_path, *arguments: str) -> str:
    file = tmp_path / FILE
    file.write_bytes(content)
    done = snakemake(tmp_path, "-n", "--configfile", str(file), *arguments)
    assert done.returncode != 0
    assert not (tmp_path / "results").exists()
    return done.stdout + done.stderr


def content_of(case) -> bytes:
    if case.content is not None:
        return case.content
    return yaml.safe_dump(changed(yaml.safe_load(TEXT), case.changes)).encode()


@pytest.mark.parametrize(
    "title",
    [*QUICK, *(pytest.param(title, marks=pytest.mark.long) for title in THROUGH_SNAKEMAKE)],
)
def test_refused_before_any_job(title, snakemake, tmp_path):
    said = said_of(content_of(BY_TITLE[title]), snakemake, tmp_path)
    assert "Traceback" not in said
    if title in SNAKEMAKES_OWN:
        assert "YAML" in said
        return
    assert FILE in said
    together = "".join(said.split())  # lines are wrapped
    for word in BY_TITLE[title].words:
        assert "".join(word.split()) in together


@pytest.mark.long
def test_values_of_the_command_line_are_said_to_be_from_there(snakemake, tmp_path):
    said = said_of(TEXT.encode(), snakemake, tmp_path, "--config", "training={steps: 3}")
    assert "Traceback" not in said
    assert f"{FILE} + --config: training.steps" in said
    assert "nested values of --config are texts" in said


@pytest.mark.long
def test_broken_published_numbers_are_refused_before_any_job(snakemake, tmp_path):
    copy = tmp_path / "copy"
    for part in ("Snakefile", "config", "environment.yml", "src", "workflow"):
        take = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy.mkdir(exist_ok=True)
        take(ROOT / part, copy / part)
    file = copy / "config/paper_results.csv"
    file.write_bytes(file.read_bytes() + b"\xff")
    arguments = ("--snakefile", str(copy / "Snakefile"), "-n")
    done = snakemake(tmp_path, *arguments, "--configfile", str(copy / "config/smoke.yaml"))
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "paper_results.csv: not a CSV file" in said
    assert "Traceback" not in said


@pytest.mark.long
def test_prose_and_paths_with_braces_blanks_and_dashes_work(snakemake, tmp_path):
    """Snakemake fills {x} in texts: not in a note, nor in the path of a file or folder."""
    data = tmp_path / "my data; $HOME 'set' & *"
    data.mkdir()
    rows = [{"problem": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(1, 5)]
    for name in ("aime24", "train"):
        jsonl.write(data / f"{name}.jsonl", rows)
    note = "--a {x} of {note}, $1 & $2\n 'quoted' \"twice\" 100 %"
    config = yaml.safe_load(TEXT) | {
        **{"name": "braces", "note": note, "data_source": "directory", "data_dir": str(data)},
        **{"benchmarks": {"aime24": {"samples": 2}}, "methods": ["original", "grpo+repro"]},
        **{"objective": {"methods": ["original"]}, "ablations": {}},
    }
    config["training"] |= {"steps": 1, "save_every": 1}
    config["process_reward"]["separator"] = "{x}"
    config["backbones"]["tiny-qwen3"] |= {"steps": 3, "prompt": {"math": "{problem} {x} $HOME"}}
    file = tmp_path / "braces.yaml"
    file.write_text(yaml.safe_dump(config))
    curve = "results/smoke/figures/tokens_over_training.png"
    done = snakemake(tmp_path, "--configfile", str(file), "--", "tables", curve)
    assert done.returncode == 0, done.stdout + done.stderr
    in_one_line = " ".join(note.split())
    assert in_one_line in (tmp_path / "results/smoke/tables/main.md").read_text()
    run = tmp_path / "results/smoke/runs/tiny-qwen3/grpo+repro/0"
    asked = jsonl.read(run / "generations/aime24.jsonl")[0]["prompt"]
    assert "? {x} $HOME" in asked
    assert jsonl.read_json(run / "settings.json")["process_reward"]["separator"] == "{x}"
