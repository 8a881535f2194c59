"""A model that lies on the disk: what is refused, and what is taken of it."""

import json
import re
import shutil

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from repro.commands.cli import main
from repro.files import model_folder
from tests.evaluation.tiny_model import build
from tests.paths import ROOT

PAGE = ROOT / "docs/your_backbone.md"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build(tmp_path_factory.mktemp("model"))


@pytest.fixture
def folder(model, tmp_path):
    return shutil.copytree(model, tmp_path / "mine")


def write_index(folder):
    parts = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    (folder / "model.safetensors").rename(folder / parts[0])
    index = {"weight_map": {"a": parts[0], "b": parts[1]}}
    (folder / model_folder.INDEX).write_text(json.dumps(index))


def without(name):
    return lambda folder: (folder / name).unlink()


def renamed(old, new):
    return lambda folder: (folder / old).rename(folder / new)


def with_broken_configuration(folder):
    without("chat_template.jinja")(folder)
    (folder / "tokenizer_config.json").write_text("{")


def with_code(folder):
    auto_map = {"AutoConfig": "mine.MineConfig"}
    (folder / "config.json").write_text(json.dumps({"model_type": "mine", "auto_map": auto_map}))


PARTS = "has no model-00002-of-00002.safetensors, which its model.safetensors.index.json names"
SPOILT = [
    (shutil.rmtree, "no such folder"),
    (without("config.json"), "has no config.json$"),
    (renamed("config.json", "adapter_config.json"), "config.json; an adapter has to be merged"),
    (without("tokenizer.json"), "has no tokenizer; allowed: tokenizer.json"),
    (renamed("model.safetensors", "pytorch_model.bin"), r"has no \*.safetensors; .*pickle"),
    (write_index, PARTS),
    (without("chat_template.jinja"), "has no chat template.*give one as chat_template"),
    (with_broken_configuration, "tokenizer_config.json: not valid JSON"),
    (with_code, "needs code of its own, mine.MineConfig, which config.json names"),
]


def test_an_unusable_folder_is_refused_as_the_page_quotes(model, tmp_path):
    model_folder.check(model)
    said = ""
    for number, (spoil, words) in enumerate(SPOILT):
        spoil(folder := shutil.copytree(model, tmp_path / f"mine-{number}"))
        with pytest.raises(ValueError, match=words) as refused:
            model_folder.check(folder)
        assert folder.name in str(refused.value)
        said += f"{refused.value}\n"
    before_any_job = PAGE.read_text().partition("Before any job")[2].partition("In a job's log")[0]
    quoted = re.findall(r"^\| `(.+?)` \|", before_any_job, re.MULTILINE)
    assert len(quoted) == 7
    assert [message for message in quoted if message not in said] == []


def test_a_template_may_come_from_elsewhere_or_stand_in_the_tokenizers_configuration(folder):
    without("chat_template.jinja")(folder)
    model_folder.check(folder, has_template=True)
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"chat_template": "{{ x }}"}))
    model_folder.check(folder)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_it_is_taken_as_it_is_and_nothing_is_written_to_it(folder, tmp_path):
    (folder / "training_args.bin").write_bytes(b"a pickle")
    before, output, template = contents(folder), tmp_path / "out", tmp_path / "t.jinja"
    template.write_text("asked: {{ messages[0].content }}")
    settings = {"source": "directory", "path": str(folder), "chat_template": str(template)}
    for _ in range(2):  # a second call finds the links of the first
        command = ["backbone", "--settings", json.dumps(settings), "--name", "mine"]
        assert main([*command, "--output", str(output)]) == 0
    assert contents(folder) == before
    assert {path.name for path in output.iterdir()} == before.keys() - {"training_args.bin"}
    links = [path.name for path in output.iterdir() if path.is_symlink()]
    assert links == ["model.safetensors"]
    theirs, ours = (
        AutoModelForCausalLM.from_pretrained(at).state_dict() for at in (folder, output)
    )
    assert all(torch.equal(theirs[name], ours[name]) for name in theirs)
    tokenizer = AutoTokenizer.from_pretrained(output)
    asked = tokenizer.apply_chat_template([{"role": "user", "content": "?"}], tokenize=False)
    assert asked == "asked: ?"
