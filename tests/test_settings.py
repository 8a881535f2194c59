"""Configurations: resolved with defaults, refused with one message that names key and value."""

from collections import Counter
from collections.abc import Iterator

import pytest
import yaml
from config import reference

from repro import methods
from repro.benchmarks import declared
from repro.config import settings
from repro.config.models import Experiment
from repro.config.resolved import RunSettings, dump, stated
from repro.config.words import validate
from repro.files import jsonl
from tests.bad_configs import changed
from tests.paths import ROOT

CONFIG = ROOT / "config"
LONG = CONFIG / "tiny_seeds.yaml"  # changes what config.yaml says, as the next one does
DEMO = CONFIG / "demo.yaml"
RUNGS = [CONFIG / f"{name}.yaml" for name in ("one_gpu_hour", "one_gpu_day", "eight_gpu_week")]
CHECK = CONFIG / "check.yaml"  # changes what paper.yaml says, as the rungs do
RIVALS = CONFIG / "rivals.yaml"  # changes what config.yaml says
CONFIGS = sorted({*CONFIG.glob("*.yaml")} - {LONG, RIVALS, DEMO, CHECK, *RUNGS})


NO_ABLATIONS = {"ablations": {}, "objective": {}}


def of(name: str, changes: dict | None = None) -> Experiment:
    """Return the experiment of a shipped configuration with some values changed."""
    config = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    return settings.resolve(changed(config, changes or {}), "config.yaml")


def run_of(experiment: Experiment, method: str, backbone: str = "tiny-qwen3") -> dict:
    return stated(settings.run_settings(experiment, backbone, method, 0))


SECOND = {"backbones.tiny-qwen2": yaml.safe_load(LONG.read_text())["backbones"]["tiny-qwen2"]}
GRID = [
    {"backbones": ["tiny-qwen3"], "methods": ["grpo", "grpo+repro"], "seeds": [5, 1]},
    {"backbones": None, "methods": ["original", "grpo"], "seeds": [0, 1]},
]


def test_blocks_add_up_to_the_runs_of_the_main_table():
    runs = settings.main_runs(of("config", {"grid": GRID} | SECOND | NO_ABLATIONS))
    assert [run.path for run in runs] == [
        *("tiny-qwen3/grpo/0", "tiny-qwen3/grpo/1", "tiny-qwen3/grpo/5"),
        *("tiny-qwen3/grpo+repro/1", "tiny-qwen3/grpo+repro/5"),
        *("tiny-qwen3/original/0", "tiny-qwen3/original/1"),
        *("tiny-qwen2/original/0", "tiny-qwen2/original/1"),
        *("tiny-qwen2/grpo/0", "tiny-qwen2/grpo/1"),
    ]


@pytest.mark.parametrize(("seeds", "taken", "added"), [(None, [1, 5], []), ([0, 5], [0, 5], [0])])
def test_ablations_and_the_judged_runs_take_seeds_of_the_grid(seeds, taken, added):
    changes = {"grid": GRID, "ablations.seeds": seeds, "objective.seeds": seeds}
    experiment = of(
        "config", changes | SECOND | {"ablations.alpha": [1.7, 1.0], "objective.methods": None}
    )
    assert experiment.process_reward.alpha == 1.0, "the main table has these runs already"
    main, plain = settings.main_runs(experiment), "tiny-qwen3/grpo"
    runs = [run.path for run in settings.ablation_runs(experiment, "alpha")]
    names = (plain, f"{plain}+repro", f"{plain}+repro~alpha=1.7")
    assert runs == [f"{name}/{seed}" for name in names for seed in taken]
    every = settings.all_runs(experiment)
    new = [run.seed for run in every if run not in main and not methods.parse(run.method).ablated]
    assert new == added
    judged = settings.objective_runs(experiment)
    assert judged == [run for run in main if run.seed in (seeds or [0, 1, 5])]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_shipped_configs_resolve(path, tmp_path):
    config = yaml.safe_load(path.read_text())
    if config.get("data_dir"):
        config["data_dir"] = str(tmp_path)
        for name in [*config["benchmarks"], "train"]:
            row = {"problem": "1 + 1", "text": "add", "answer": "2", "test_list": ["assert f()"]}
            for file in (f"{name}.jsonl", f"{name}_part.jsonl"):
                jsonl.write(tmp_path / file, 30 * [{**row, "test_setup_code": ""}])
    resolved = settings.resolve(config, path.name)
    assert settings.resolve(resolved.model_dump(), path.name) == resolved
    for run in settings.all_runs(resolved):
        made = settings.run_settings(resolved, *run)
        assert dump(validate(dump(made), RunSettings)) == dump(made)


@pytest.mark.parametrize("rung", RUNGS, ids=lambda path: path.stem)
def test_a_rung_and_its_check_have_the_same_runs(rung):
    """The check differs in the model, the sizes and the engines, not in what is run."""
    real, checked = (settings.read(CONFIG / "paper.yaml", rung, *more) for more in ([], [CHECK]))
    runs = [[run[1:] for run in settings.all_runs(one)] for one in (real, checked)]
    assert runs[0] == runs[1] and len(runs[0]) > 1
    assert real.benchmarks.keys() == checked.benchmarks.keys()
    assert (real.gpus > 0, checked.gpus) == (True, 0)
    assert real.process_reward == checked.process_reward
    assert list(real.backbones) == ["DeepSeek-R1-Distill-Qwen-1.5B"]


def test_the_long_version_has_other_seeds_than_the_default():
    default = settings.read(ROOT / "config/config.yaml")
    longer = settings.read(ROOT / "config/config.yaml", LONG)
    seeds = [{run.seed for run in settings.all_runs(one)} for one in (default, longer)]
    assert len(seeds[0]) == 3 < len(seeds[1])
    assert not seeds[0] & seeds[1]
    assert default.data_seed not in (longer.data_seed, *range(10))  # settings were chosen on those
    assert len(longer.backbones) == 2
    assert default.results_dir != longer.results_dir


def test_the_rivals_stand_beside_repro_on_equal_terms():
    config = ROOT / "config/config.yaml"
    compared, *others = (settings.read(config, *more) for more in ([RIVALS], [], [LONG]))
    runs = settings.all_runs(compared)
    seeds = {run.seed for run in runs}
    for other in others:
        assert not seeds & {run.seed for run in settings.all_runs(other)}
        assert compared.data_seed != other.data_seed
    names = Counter(run.method for run in runs if run.method != "original")
    assert {*names.values()} == {len(seeds)}, "every method with every seed"
    values = Counter(name.partition("~")[0] for name in names if "~k=" not in name)
    assert [values[f"grpo+{rule}"] for rule in ("repro", "length", "vps")] == [3, 3, 3]
    assert {methods.parse(name).rule for name in names} == {*methods.RULES, None} - {"outcome"}


def test_the_default_configuration_states_every_setting():
    """A key with a default must still be visible in the config people start from."""
    stated_keys = set(_paths(yaml.safe_load((ROOT / "config/config.yaml").read_text())))
    not_here = ("data_dir", "resources.", "benchmarks.", "backbones.")
    not_here += ("process_reward.rule",)  # which a method's name says
    every = [key for key in _paths(of("config").model_dump()) if not key.startswith(not_here)]
    assert [key for key in every if key not in stated_keys] == []


def _paths(value: dict, prefix: str = "") -> Iterator[str]:
    for key, inner in value.items():
        yield f"{prefix}{key}"
        if isinstance(inner, dict):
            yield from _paths(inner, f"{prefix}{key}.")


def test_the_page_of_all_settings_is_up_to_date():
    """Written by `python config/reference.py`; a field without a meaning fails here too."""
    page = (ROOT / "config/reference.md").read_text()
    assert page == reference.reference()
    assert "| `steps` | integer, minimum `1` | `500` | Number of RL steps. |" in page


@pytest.mark.parametrize(
    ("name", "lacks"), [("config", "is not generated"), ("paper", "has no pins")]
)
def test_problems_that_a_data_source_lacks_need_a_file(name, lacks, tmp_path, monkeypatch):
    known, before, file = declared.benchmarks(), of(name), tmp_path / "own.jsonl"
    monkeypatch.setattr(declared, "benchmarks", lambda: known | {"own": known["aime24"]})
    with pytest.raises(ValueError, match=f"benchmarks.own {lacks}.*benchmarks.own.path"):
        of(name, {"benchmarks.own": {}})
    with_file = {"benchmarks.own": {"path": str(file)}}
    file.write_text('{"problem": "1 + 1"}\n')
    with pytest.raises(ValueError, match="line 1: field 'answer' is missing; own needs problem, a"):
        of(name, with_file)
    file.write_text('{"problem": "1 + 1", "answer": "2"}\n')
    after = of(name, with_file)
    own = {"name": "own", "source": "directory", "problems": None, "file": str(file)}
    assert stated(settings.data_settings(after, "own")) == own
    for other in settings.data_names(before):
        assert settings.data_settings(after, other) == settings.data_settings(before, other)


def test_ablations_stand_in_the_order_of_their_values():
    of_k = {"ablations.k": ["all", 4], "process_reward.k": 8, "ablations.seeds": [0]}
    config = of("config", of_k)
    runs = settings.ablation_runs(config, "k")
    names = [f"grpo+repro{ablation}" for ablation in ("~k=4", "", "~k=all")]
    assert [run.method for run in runs] == ["grpo", *names]
    assert run_of(config, names[-1])["process_reward"]["k"] == "all"


@pytest.mark.parametrize(
    ("key", "value", "method", "decides"),
    [
        ("training.critic.learning_rate", 0.5, "ppo+repro", True),
        ("training.critic.learning_rate", 0.5, "reinforce_pp+repro", False),
    ],
)
def test_what_decides_a_run_and_not_its_backbones_weights(key, value, method, decides):
    before, after = of("config"), of("config", {key: value})
    assert (run_of(before, method) != run_of(after, method)) == decides
    models = [settings.backbone_settings(c, "tiny-qwen3") for c in (before, after)]
    assert models[0] == models[1]


def test_a_prompt_decides_the_weights_of_a_backbone_that_is_built_here_and_of_no_other():
    prompt = {"math": "Add: {problem}"}
    before, after = of("config"), of("config", {"backbones.tiny-qwen3.prompt": prompt})
    for decide in (settings.backbone_settings, lambda c, name: run_of(c, "grpo", name)):
        assert decide(before, "tiny-qwen3") != decide(after, "tiny-qwen3")
    paper, asked = of("paper"), of("paper", {"backbones.Qwen3-8B.prompt": prompt})
    models = [settings.backbone_settings(c, "Qwen3-8B") for c in (paper, asked)]
    assert models[0] == models[1]


def test_an_ablation_changes_its_one_setting_and_nothing_else():
    config = of("config")
    default, other = run_of(config, "grpo+repro"), run_of(config, "grpo+repro~alpha=1.7")
    assert other.pop("method") != default.pop("method")
    assert other["process_reward"].pop("alpha") == 1.7
    assert default["process_reward"].pop("alpha") == config.process_reward.alpha
    assert other == default


def test_every_seed_of_a_run_draws_other_responses():
    config = of("config", {"evaluation.seed": 5})
    assert [settings.generation_settings(config, seed).seed for seed in (0, 2)] == [5, 7]


def test_hub_data_is_pinned_and_needs_no_file():
    config = of("paper")
    lcb = settings.data_settings(config, "lcb")
    assert (lcb.source, lcb.release) == ("hub", config.benchmarks["lcb"].release)
    assert settings.data_names(config)[-1] == "train"


def test_a_subset_takes_what_it_names_in_the_order_of_the_whole():
    subset = {"backbones": ["Qwen3-1.7B"], "benchmarks": ["math500", "aime24"]}
    grid = [{"backbones": ["Qwen3-8B", "Qwen3-1.7B"], "methods": ["original"]}]  # not of the others
    config = of("paper", {"subset": subset, "grid": grid} | NO_ABLATIONS)
    assert list(config.backbones) == ["Qwen3-1.7B"]
    assert list(config.benchmarks) == ["aime24", "math500"]
    assert {run.backbone for run in settings.all_runs(config)} == {"Qwen3-1.7B"}


def test_whether_a_model_thinks_is_of_its_runs_and_not_of_its_weights():
    """Runs of models that think keep the settings they had before there were others."""
    for thinking, kept in (("required", {}), ("none", {"thinking": "none"})):
        mine = {"source": "hub", "repo": "a/b", "revision": "main", "thinking": thinking}
        plain = {"backbones": ["mine"], "methods": ["original", "grpo"]}
        others = {"backbones": ["tiny-qwen2", "tiny-qwen3"], "methods": ["grpo+repro"]}
        two = {"backbones.mine": mine} | SECOND
        config = of("config", two | {"grid": [plain, others]} | NO_ABLATIONS)
        run = run_of(config, "grpo", "mine")["backbone_settings"]
        assert {key: value for key, value in run.items() if key == "thinking"} == kept
        assert "thinking" not in stated(settings.backbone_settings(config, "mine"))


def test_deepspeed_goes_without_a_critic():
    grid = [{"methods": ["grpo", "grpo+repro"]}]
    zero3 = {"grid": grid, "training.parallel.strategy": "zero3"}
    of("paper", zero3 | {"objective": {}})


def test_a_job_takes_what_it_can_use():
    paper = of("paper", {"evaluation.tensor_parallel": 2})
    four = {"training.parallel.processes": 4, "training.micro_batch_size": 8}
    for config, taken in ((paper, (8, 8, 2)), (of("config", four), (4, 0, 0))):
        found = (config.processes, config.gpus, config.generation_gpus)
        assert found == taken


def test_another_layout_runs_nothing_again():
    eight, two = of("paper"), of("paper", {"gpus": 2, "evaluation.tensor_parallel": 2})
    for method in ("grpo", "ppo+repro"):
        assert run_of(eight, method, "Qwen3-1.7B") == run_of(two, method, "Qwen3-1.7B")
    assert settings.generation_settings(eight, 0) == settings.generation_settings(two, 0)


@pytest.mark.parametrize(
    ("method", "changes", "share"),
    [("grpo", {}, 0.6), ("ppo", {}, 0.5), ("ppo", {"training.critic.gpu_memory": None}, 0.6)],
)
def test_beside_a_critic_vllm_takes_another_share(method, changes, share):
    training = run_of(of("paper", changes), method, "Qwen3-1.7B")["training"]
    assert training["rollouts"]["gpu_memory"] == share
    assert "gpu_memory" not in training.get("critic", {})


def test_only_rollouts_by_vllm_are_among_a_runs_settings():
    """What transformers samples with are the other settings: old results stay what they were."""
    assert "rollouts" not in run_of(of("config"), "grpo")["training"]
