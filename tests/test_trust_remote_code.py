"""Code that comes with a model runs only where the configuration says so for that backbone."""

import json
import sys

import pytest

from repro.commands.cli import main
from repro.config import settings
from repro.config.models import Experiment
from repro.config.resolved import stated
from repro.evaluation import engines
from repro.explain import explanation
from repro.files import digests, jsonl, model_folder
from repro.training import train
from tests.bad_configs import FILE, SMOKE, changed, yaml
from tests.evaluation.tiny_model import build
from tests.training.conftest import make_settings, run_of

CONFIGURATION = """
from transformers import Qwen2Config
class MineConfig(Qwen2Config):
    model_type = "mine"
"""
MODELING = """
from transformers import Qwen2ForCausalLM
from .configuration_mine import MineConfig
open({marker!r}, "a").write("ran\\n")
class MineForCausalLM(Qwen2ForCausalLM):
    config_class = MineConfig
"""
AUTO_MAP = {
    "AutoConfig": "configuration_mine.MineConfig",
    "AutoModelForCausalLM": "modeling_mine.MineForCausalLM",
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where transformers copies such code to: one folder, which stays on the import path."""
    return str(tmp_path_factory.mktemp("hf"))


@pytest.fixture
def folder(tmp_path, cache, monkeypatch):
    """A model that transformers does not know, with its code beside it."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", cache)
    folder = build(tmp_path / "mine")
    change(folder, model_type="mine", architectures=["MineForCausalLM"], auto_map=AUTO_MAP)
    (folder / "configuration_mine.py").write_text(CONFIGURATION)
    (folder / "modeling_mine.py").write_text(MODELING.format(marker=str(tmp_path / "ran")))
    return folder


def change(folder, **values) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def config_of(folder, **keys) -> dict:
    mine = {"source": "directory", "path": str(folder), **keys}
    few = {"training.max_prompt_tokens": 100, "backbones": {"mine": mine}, "ablations": {}}
    return changed(yaml.safe_load(SMOKE), few)


def resolve(folder, **keys) -> Experiment:
    return settings.resolve(config_of(folder, **keys), FILE)


def test_it_is_refused_without_the_key_before_any_job(folder, tmp_path):
    with pytest.raises(ValueError, match=r"backbones\.mine\.path = .* needs code of its own, con"):
        resolve(folder)
    with pytest.raises(ValueError, match="trust_remote_code"):
        resolve(folder, trust_remote_code=False)
    assert not (tmp_path / "ran").exists()


def test_the_key_is_among_settings_only_where_the_code_is_needed(folder):
    def trusted(config):
        run = settings.run_settings(config, "mine", "grpo", 0).backbone_settings
        whose = [run, settings.backbone_settings(config, "mine")]
        whose.append(settings.objective_settings(config, "mine"))
        return [stated(given).get("trust_remote_code") for given in whose]

    assert trusted(resolve(folder, trust_remote_code=True)) == [True, True, True]
    change(folder, model_type="qwen2")  # transformers has it: the code is not needed
    assert trusted(resolve(folder)) == [None, None, None]


def test_the_code_must_be_there_and_not_elsewhere(folder):
    (folder / "modeling_mine.py").unlink()
    with pytest.raises(ValueError, match="has no modeling_mine.py, which its config.json names"):
        resolve(folder, trust_remote_code=True)
    change(folder, auto_map={"AutoConfig": "someone/else--configuration.C"})
    with pytest.raises(ValueError, match="code of another repository, which is not pinned"):
        resolve(folder, trust_remote_code=True)


def test_every_load_refuses_it_and_takes_it_with_the_key(folder, tmp_path):
    output = tmp_path / "taken"
    what = {"source": "directory", "path": str(folder), "trust_remote_code": True}
    command = ["backbone", "--settings", json.dumps(what), "--name", "mine"]
    assert main([*command, "--output", str(output)]) == 0
    assert (output / "modeling_mine.py").is_file()
    before = digests.of_model(output)
    for load in (
        lambda trusted: engines.load("transformers", output, 64, trusted).model,
        lambda trusted: explanation.load_model(output, trusted),
    ):
        with pytest.raises(ValueError, match="custom code"):
            load(False)
        assert not (tmp_path / "ran").exists()
        assert type(load(True)).__name__ == "MineForCausalLM"
        assert (tmp_path / "ran").exists()
        (tmp_path / "ran").unlink()
        _forget()
    with open(output / "modeling_mine.py", "a") as code:
        code.write("# changed\n")
    assert digests.of_model(output) != before


def test_a_download_takes_code_only_with_the_key():
    assert "*.py" not in model_folder.wanted()
    assert "*.py" in model_folder.wanted(trust_remote_code=True)
    commit = {"source": "hub", "repo": "a/b", "revision": "0" * 40, "trust_remote_code": True}
    config = changed(yaml.safe_load(SMOKE), {"backbones": {"mine": commit}, "ablations": {}})
    settings.resolve(config, FILE)


@pytest.mark.long
def test_it_is_trained_and_what_was_trained_is_loaded_again(folder, tmp_path):
    data = tmp_path / "train.jsonl"
    jsonl.write(data, [{"problem": f"{n} + 1 = ?", "answer": str(n + 1)} for n in range(8)])
    run, paths = make_settings("ppo"), (folder, data, tmp_path / "work", tmp_path / "out")
    with pytest.raises(ValueError, match="custom code"):
        train.train_run(run_of(run), *paths)
    run["backbone_settings"]["trust_remote_code"] = True
    train.train_run(run_of(run), *paths)
    trained = tmp_path / "out/model"
    model_folder.check_code(trained, trust_remote_code=True)
    assert type(explanation.load_model(trained, True)).__name__ == "MineForCausalLM"
    with pytest.raises(ValueError, match="custom code"):
        explanation.load_model(trained)


def _forget() -> None:
    """Let the code run again at the next load, as in a process of its own."""
    for name in [name for name in sys.modules if name.startswith("transformers_modules")]:
        del sys.modules[name]
