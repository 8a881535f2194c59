"""Configurations: resolved with defaults, refused with one message that names key and value."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from repro.benchmarks import declared
from repro.config import reference, settings
from repro.config.models import Experiment
from repro.config.resolved import RunSettings, dump, stated
from repro.config.settings import Run
from repro.config.words import validate
from repro.files import jsonl

ROOT = Path(__file__).parents[1]
OTHERS = ("claims", "hardware")  # what runs are judged by, and what they cost
CONFIGS = sorted(path for path in (ROOT / "config").glob("*.yaml") if path.stem not in OTHERS)


def read(name: str) -> dict:
    return yaml.safe_load((ROOT / "config" / name).read_text())


def resolve(config: dict) -> Experiment:
    return settings.resolve(config, "config.yaml")


@pytest.fixture
def tiny() -> dict:
    return read("config.yaml")


def changed(config: dict, path: str, value) -> dict:
    config = copy.deepcopy(config)
    *parents, last = path.split(".")
    inner = config
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return config


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_shipped_configs_resolve(path, tmp_path):
    config = yaml.safe_load(path.read_text())
    if config.get("data_dir"):
        config["data_dir"] = str(tmp_path)
        for name in [*config["benchmarks"], "train"]:
            row = {"problem": "1 + 1", "text": "add", "answer": "2", "test_list": ["assert f()"]}
            for file in (f"{name}.jsonl", f"{name}_part.jsonl"):
                jsonl.write(tmp_path / file, [{**row, "test_setup_code": ""}])
    resolved = resolve(config)
    assert resolve(resolved.model_dump()) == resolved
    for run in settings.all_runs(resolved):
        made = settings.run_settings(resolved, *run)
        assert dump(validate(dump(made), RunSettings)) == dump(made)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_key_of_a_shipped_config_has_a_comment(path):
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        opens_section = line.split("#")[0].rstrip().endswith(":")
        entry = line.lstrip().startswith(("aime", "math", "lmb", "gpqa", "mbpp", "lcb"))
        if ":" in line and not line.startswith(("#", "note")) and not opens_section and not entry:
            assert "#" in line, f"{path.name}, line {number}: {line}"


def test_embedded_config_states_every_setting(tiny):
    """A key with a default must still be visible in the config people start from."""
    full, there = resolve(tiny).model_dump(), set(_paths(tiny))
    not_here = ("data_dir", "decontaminate", "resources.", "benchmarks.", "backbones.")
    lacking = [key for key in _paths(full) if key not in there and not key.startswith(not_here)]
    assert lacking == []


def _paths(value: dict, prefix: str = "") -> Iterator[str]:
    for key, inner in value.items():
        yield f"{prefix}{key}"
        if isinstance(inner, dict):
            yield from _paths(inner, f"{prefix}{key}.")


def test_the_page_of_all_settings_is_up_to_date():
    """Written by `python -m repro.config.reference`; a field without a meaning fails here too."""
    page = (ROOT / "config/reference.md").read_text()
    assert page == reference.reference()
    assert "| `training.steps` | integer, at least 1 | `500` | Number of RL steps. |" in page
    assert "`backbones.NAME.heads` (source tinyworld) | integer, at least 1 |" in page


def test_missing_data_file_is_named(tmp_path):
    config = {**read("real_data.yaml"), "data_dir": str(tmp_path)}
    with pytest.raises(ValueError, match="has no aime24.jsonl") as refused:
        resolve(config)
    assert str(tmp_path / "aime24.jsonl") in str(refused.value)


def test_a_backbone_on_the_disk_is_made_from_its_files(tiny, tmp_path):
    names = ["chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json"]
    for name in [*names, "optimizer.pt"]:
        (tmp_path / name).write_text("{}")
    tiny["backbones"]["mine"] = {"source": "directory", "path": str(tmp_path)}
    config = resolve(tiny)
    assert settings.backbone_files(config, "mine") == [tmp_path / name for name in names]
    assert settings.backbone_files(config, "tiny-qwen3") == []
    assert settings.backbone_settings(config, "mine").path == str(tmp_path)


@pytest.fixture
def own_benchmark(monkeypatch):
    """A benchmark that neither the tiny world nor `sources.yml` knows."""
    known = declared.benchmarks()
    monkeypatch.setattr(declared, "benchmarks", lambda: known | {"own": known["aime24"]})


@pytest.mark.parametrize(
    ("name", "lacks"), [("config.yaml", "is not generated"), ("paper.yaml", "has no pins")]
)
def test_problems_that_a_data_source_lacks_need_a_file(own_benchmark, name, lacks, tmp_path):
    config, file = read(name), tmp_path / "own.jsonl"
    before = resolve(config)
    config["benchmarks"]["own"] = {}
    with pytest.raises(ValueError, match=f"benchmarks.own {lacks}.*benchmarks.own.path"):
        resolve(config)
    config["benchmarks"]["own"] = {"path": str(file)}
    file.write_text('{"problem": "1 + 1"}\n')
    with pytest.raises(ValueError, match="line 1: field 'answer' is missing; own needs problem, a"):
        resolve(config)
    file.write_text('{"problem": "1 + 1", "answer": "2"}\n')
    after = resolve(config)
    own = {"name": "own", "source": "directory", "problems": None, "file": str(file)}
    assert stated(settings.data_settings(after, "own")) == own
    for other in settings.data_names(before):
        assert settings.data_settings(after, other) == settings.data_settings(before, other)


def test_ablations_share_the_default_run(tiny):
    default = tiny["process_reward"]["alpha"]
    tiny["ablations"] |= {"w": [], "k": []}
    config = resolve(changed(tiny, "ablations.alpha", [0.7, default]))
    runs = settings.ablation_runs(config, "alpha")
    assert [run.method for run in runs] == ["grpo", "grpo+repro", "grpo+repro~alpha=0.7"]
    new = set(settings.all_runs(config)) - set(settings.main_runs(config))
    assert new == {Run("tiny-qwen3", "grpo+repro~alpha=0.7", 0)}


def test_only_ppo_is_decided_by_the_critics_settings(tiny):
    config, other = resolve(tiny), resolve(changed(tiny, "training.critic.learning_rate", 0.5))
    for method in ("ppo", "ppo+repro", "grpo", "reinforce_pp+repro"):
        run = ("tiny-qwen3", method, 0)
        same = settings.run_settings(config, *run) == settings.run_settings(other, *run)
        assert same == ("ppo" not in method)


def test_an_ablation_changes_its_one_setting_and_nothing_else(tiny):
    config = resolve(tiny)
    default = stated(settings.run_settings(config, "tiny-qwen3", "grpo+repro", 0))
    other = stated(settings.run_settings(config, "tiny-qwen3", "grpo+repro~alpha=0.7", 0))
    assert other.pop("method") != default.pop("method")
    assert other["process_reward"].pop("alpha") == 0.7
    assert default["process_reward"].pop("alpha") == config.process_reward.alpha
    assert other == default


def test_scoring_settings_do_not_touch_generations(tiny):
    before = settings.generation_settings(resolve(tiny), 0)
    after = settings.generation_settings(resolve(changed(tiny, "evaluation.code_timeout_s", 9)), 0)
    assert before == after


def test_every_seed_of_a_run_draws_responses_of_its_own(tiny):
    config = resolve(changed(tiny, "evaluation.seed", 5))
    assert [settings.generation_settings(config, seed).seed for seed in (0, 2)] == [5, 7]


def test_what_only_a_training_reads_does_not_touch_the_objective(tiny):
    before = settings.objective_settings(resolve(tiny), "tiny-qwen3")
    for key, value, decides in (("alpha", 0.7, False), ("k", 5, False), ("w", 0.5, True)):
        other = resolve(changed(tiny, f"process_reward.{key}", value))
        assert (settings.objective_settings(other, "tiny-qwen3") != before) == decides, key


def test_hub_data_is_pinned_and_needs_no_file():
    config = resolve(read("paper.yaml"))
    assert config.data_dir is None
    lcb = settings.data_settings(config, "lcb")
    assert (lcb.source, lcb.release) == ("hub", config.benchmarks["lcb"].release)
    assert settings.data_names(config)[-1] == "train"
    assert set(config.decontaminate) < set(settings.data_names(config))


def test_one_more_benchmark_does_not_touch_the_training_data():
    config = read("paper.yaml")
    del config["benchmarks"]["gpqa"]
    before, after = resolve(config), resolve(read("paper.yaml"))
    assert settings.data_settings(before, "train") == settings.data_settings(after, "train")
    assert before.decontaminate == after.decontaminate


def test_how_a_backbone_is_asked_decides_its_runs_and_not_its_weights(tiny):
    asked = changed(tiny, "backbones.tiny-qwen3.prompt", {"math": "Add: {problem}"})
    before, after = resolve(tiny), resolve(asked)
    runs = [settings.run_settings(c, "tiny-qwen3", "grpo", 0) for c in (before, after)]
    assert runs[0] != runs[1]
    models = [settings.backbone_settings(c, "tiny-qwen3") for c in (before, after)]
    assert models[0] == models[1]


def test_a_subset_takes_what_it_names_in_the_order_of_the_whole():
    paper = read("paper.yaml")
    paper["subset"] = {"backbones": ["Qwen3-1.7B"], "benchmarks": ["math500", "aime24"]}
    paper["ablations"] = {}
    config = resolve(paper)
    assert list(config.backbones) == ["Qwen3-1.7B"]
    assert list(config.benchmarks) == ["aime24", "math500"]
    assert {run.backbone for run in settings.all_runs(config)} == {"Qwen3-1.7B"}


@pytest.mark.parametrize(
    ("subset", "said"),
    [
        ({"backbones": ["Qwen3-1.7b"]}, ["subset.backbones: 'Qwen3-1.7b'", "'Qwen3-1.7B'"]),
        ({"benchmarks": ["math"]}, ["subset.benchmarks: 'math'", "aime24"]),
        ({"benchmarks": []}, ["subset.benchmarks"]),
        # The paper's ablations are those of a backbone that is left out here.
        ({"backbones": ["Qwen3-8B"]}, ["ablations.backbones", "DeepSeek-R1-Distill-Qwen-1.5B"]),
    ],
)
def test_a_wrong_subset_is_refused(subset, said):
    with pytest.raises(ValueError) as refused:
        resolve({**read("paper.yaml"), "subset": subset})
    for words in said:
        assert words in str(refused.value)


def test_only_rollouts_by_vllm_are_among_a_runs_settings(tiny):
    """What transformers samples with are the other settings: old results stay what they were."""
    run = settings.run_settings(resolve(tiny), "tiny-qwen3", "grpo", 0)
    assert "rollouts" not in stated(run)["training"]
    paper = resolve(read("paper.yaml"))
    run = settings.run_settings(paper, "Qwen3-1.7B", "grpo", 0)
    assert run.training.rollouts == paper.training.rollouts


def test_vllm_samples_in_bfloat16_only():
    paper = read("paper.yaml")
    with pytest.raises(ValueError, match=r"training\.dtype = 'float32'.*allowed: bfloat16"):
        resolve(changed(paper, "training.dtype", "float32"))
    paper["training"]["rollouts"]["engine"] = "transformers"
    resolve(changed(paper, "training.dtype", "float32"))


def test_a_file_of_ones_own_is_not_downloaded(own_benchmark, tmp_path):
    config, file = read("paper.yaml"), tmp_path / "own.jsonl"
    file.write_text('{"problem": "1 + 1", "answer": "2"}\n')
    config["benchmarks"]["own"] = {"path": str(file)}
    resolved = resolve(config)
    assert "own" in settings.data_names(resolved)
    assert settings.hub_names(resolved) == [*declared.PAPER, "train"]


def test_whether_a_model_thinks_is_of_its_runs_and_not_of_its_weights(tiny):
    """Runs of models that think keep the settings they had before there were others."""
    backbone = {"source": "hub", "repo": "a/b", "revision": "main"}
    config = changed(tiny, "backbones", {"mine": backbone})
    config["methods"], config["objective"] = ["original", "grpo"], {"methods": ["grpo"]}
    config["ablations"] = {}
    for thinking, kept in (("required", {}), ("none", {"thinking": "none"})):
        backbone["thinking"] = thinking
        resolved = resolve(config)
        run = stated(settings.run_settings(resolved, "mine", "grpo", 0))["backbone_settings"]
        assert {key: value for key, value in run.items() if key == "thinking"} == kept
        assert "thinking" not in stated(settings.backbone_settings(resolved, "mine"))
