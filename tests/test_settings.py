"""Configurations: resolved with defaults, refused with one message that names key and value."""

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
from tests.bad_configs import changed

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))


def read(name: str) -> dict:
    return yaml.safe_load((ROOT / "config" / name).read_text())


def resolve(config: dict) -> Experiment:
    return settings.resolve(config, "config.yaml")


def of(name: str, changes: dict | None = None) -> Experiment:
    return resolve(changed(read(name), changes or {}))


@pytest.fixture
def tiny() -> dict:
    return read("config.yaml")


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
    assert "own" not in settings.hub_names(after)


def test_ablations_share_the_default_run(tiny):
    default = tiny["process_reward"]["alpha"]
    tiny["ablations"] |= {"w": [], "k": []}
    config = resolve(changed(tiny, {"ablations.alpha": [0.7, default]}))
    runs = settings.ablation_runs(config, "alpha")
    assert [run.method for run in runs] == ["grpo", "grpo+repro", "grpo+repro~alpha=0.7"]
    new = set(settings.all_runs(config)) - set(settings.main_runs(config))
    assert new == {Run("tiny-qwen3", "grpo+repro~alpha=0.7", 0)}


@pytest.mark.parametrize(
    ("key", "value", "method", "decides"),
    [
        ("training.critic.learning_rate", 0.5, "ppo+repro", True),
        ("training.critic.learning_rate", 0.5, "reinforce_pp+repro", False),
        ("backbones.tiny-qwen3.prompt", {"math": "Add: {problem}"}, "grpo", True),
    ],
)
def test_what_decides_a_run_and_not_its_backbones_weights(tiny, key, value, method, decides):
    before, after = resolve(tiny), resolve(changed(tiny, {key: value}))
    runs = [settings.run_settings(c, "tiny-qwen3", method, 0) for c in (before, after)]
    assert (runs[0] != runs[1]) == decides
    models = [settings.backbone_settings(c, "tiny-qwen3") for c in (before, after)]
    assert models[0] == models[1]


def test_an_ablation_changes_its_one_setting_and_nothing_else(tiny):
    config = resolve(tiny)
    default = stated(settings.run_settings(config, "tiny-qwen3", "grpo+repro", 0))
    other = stated(settings.run_settings(config, "tiny-qwen3", "grpo+repro~alpha=0.7", 0))
    assert other.pop("method") != default.pop("method")
    assert other["process_reward"].pop("alpha") == 0.7
    assert default["process_reward"].pop("alpha") == config.process_reward.alpha
    assert other == default


def test_every_seed_of_a_run_draws_responses_of_its_own(tiny):
    config = resolve(changed(tiny, {"evaluation.seed": 5}))
    assert [settings.generation_settings(config, seed).seed for seed in (0, 2)] == [5, 7]


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


def test_a_subset_takes_what_it_names_in_the_order_of_the_whole():
    paper = read("paper.yaml")
    paper["subset"] = {"backbones": ["Qwen3-1.7B"], "benchmarks": ["math500", "aime24"]}
    paper["ablations"] = {}
    config = resolve(paper)
    assert list(config.backbones) == ["Qwen3-1.7B"]
    assert list(config.benchmarks) == ["aime24", "math500"]
    assert {run.backbone for run in settings.all_runs(config)} == {"Qwen3-1.7B"}


def test_ablations_of_a_backbone_that_a_subset_leaves_out_are_refused():
    paper = read("paper.yaml") | {"subset": {"backbones": ["Qwen3-8B"]}}
    with pytest.raises(ValueError, match="ablations.backbones.*DeepSeek-R1-Distill-Qwen-1.5B"):
        resolve(paper)


def test_only_rollouts_by_vllm_are_among_a_runs_settings(tiny):
    """What transformers samples with are the other settings: old results stay what they were."""
    run = settings.run_settings(resolve(tiny), "tiny-qwen3", "grpo", 0)
    assert "rollouts" not in stated(run)["training"]
    paper = resolve(read("paper.yaml"))
    run = settings.run_settings(paper, "Qwen3-1.7B", "grpo", 0)
    assert run.training.rollouts == paper.training.rollouts


def test_whether_a_model_thinks_is_of_its_runs_and_not_of_its_weights(tiny):
    """Runs of models that think keep the settings they had before there were others."""
    backbone = {"source": "hub", "repo": "a/b", "revision": "main"}
    config = changed(tiny, {"backbones": {"mine": backbone}})
    config["methods"], config["objective"] = ["original", "grpo"], {"methods": ["grpo"]}
    config["ablations"] = {}
    for thinking, kept in (("required", {}), ("none", {"thinking": "none"})):
        backbone["thinking"] = thinking
        resolved = resolve(config)
        run = stated(settings.run_settings(resolved, "mine", "grpo", 0))["backbone_settings"]
        assert {key: value for key, value in run.items() if key == "thinking"} == kept
        assert "thinking" not in stated(settings.backbone_settings(resolved, "mine"))


# How jobs are spread over GPUs and processes: what is refused, and what it does not touch.

VLLM, TRANSFORMERS = {"evaluation.engine": "vllm"}, {"evaluation.engine": "transformers"}


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        (
            *("paper.yaml", {"training.parallel.processes": 4}),
            r"training\.parallel\.processes = 4 does not go with gpus = 8; allowed: null or 8",
        ),
        (
            *("paper.yaml", {"gpus": 6}),
            r"micro_batch_size = 1 on each of 6 processes does not divide the 2048 rollouts",
        ),
        ("config.yaml", {"training.parallel.processes": 2}, "64 on each of 2 processes"),
        ("config.yaml", {"training.parallel.strategy": "fsdp"}, "'fsdp'.* gpus = 0; allowed"),
        ("paper.yaml", {"gpus": 1}, "'fsdp' does not go with gpus = 1; allowed: ddp, or at least"),
        (
            *("paper.yaml", {"training.parallel.strategy": "zero3"}),
            "'zero3' does not go with ppo.*allowed: ddp, fsdp",
        ),
        (
            *("paper.yaml", {"training.rollouts.tensor_parallel": 3}),
            r"rollouts\.tensor_parallel = 3 does not divide the 8 processes.*divisors of 8",
        ),
        (
            *("paper.yaml", TRANSFORMERS | {"evaluation.tensor_parallel": 2}),
            r"evaluation\.tensor_parallel = 2 does not go with evaluation\.engine = 'transformers'",
        ),
        (
            *("config.yaml", VLLM | {"evaluation.tensor_parallel": 2}),
            "gpus = 0; allowed: 1, or vllm on GPUs",
        ),
        (
            *("config.yaml", VLLM | {"gpus": 1, "evaluation.tensor_parallel": 3}),
            r"tensor_parallel = 3 does not divide the 4 attention heads of backbones\.tiny-qwen2",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_any_job(name, changes, said):
    with pytest.raises(ValueError, match=said):
        of(name, changes)


def test_deepspeed_goes_without_a_critic():
    of(
        "paper.yaml",
        {"methods": ["grpo", "grpo+repro"], "objective": {}, "training.parallel.strategy": "zero3"},
    )


def test_a_job_takes_what_it_can_use():
    config = of("paper.yaml", {"evaluation.tensor_parallel": 2})
    assert config.processes == config.gpus == 8
    assert config.generation_gpus == 2
    assert config.model_gpus == 1
    four = {"training.parallel.processes": 4, "training.micro_batch_size": 16}
    tiny = of("config.yaml", four)
    assert tiny.processes == 4
    assert tiny.generation_gpus == tiny.model_gpus == 0


def test_another_layout_runs_nothing_again():
    eight = of("paper.yaml")
    two = of("paper.yaml", {"gpus": 2, "evaluation.tensor_parallel": 2})
    for method in ("grpo", "ppo+repro"):
        run = ("Qwen3-1.7B", method, 0)
        assert settings.run_settings(eight, *run) == settings.run_settings(two, *run)
    assert settings.generation_settings(eight, 0) == settings.generation_settings(two, 0)


@pytest.mark.parametrize(
    ("method", "changes", "share"),
    [
        ("grpo", {}, 0.6),
        ("ppo", {}, 0.5),
        ("ppo", {"training.critic.gpu_memory": None}, 0.6),
    ],
)
def test_beside_a_critic_vllm_takes_a_share_of_its_own(method, changes, share):
    config = of("paper.yaml", changes)
    training = stated(settings.run_settings(config, "Qwen3-1.7B", method, 0))["training"]
    assert training["rollouts"]["gpu_memory"] == share
    assert "gpu_memory" not in training.get("critic", {})
