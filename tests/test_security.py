"""What runs code, and what others can reach or read: nothing but what is meant to."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
import yaml

from repro.benchmarks import declared
from repro.files import strict_yaml
from tests.benchmarks.fake_hub import PROBLEMS, FakeHub, lines, pin
from tests.paths import ROOT


def test_models_are_loaded_without_pickles_and_say_whether_their_code_is_trusted():
    """Someone may trust a folder, in the configuration; a call that says nothing asks on a tty."""
    wrong, count = [], 0
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if not re.search(r"Auto\w+\.from_pretrained$|torch\.load$", called):
                continue
            count += 1
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if called == "torch.load" and options.get("weights_only") != "True":
                wrong.append(f"{path}:{node.lineno}: weights_only")
            if "Auto" in called and options.get("trust_remote_code", "True") == "True":
                wrong.append(f"{path}:{node.lineno}: trust_remote_code")
            if "AutoModel" in called and options.get("use_safetensors") != "True":
                wrong.append(f"{path}:{node.lineno}: use_safetensors")
    assert wrong == []
    assert count >= 3


@pytest.mark.parametrize("module", [declared, strict_yaml])
def test_yaml_is_read_by_a_safe_loader(module, tmp_path):
    assert issubclass(module._Loader, yaml.SafeLoader)
    harm = tmp_path / "harm"
    with pytest.raises(yaml.YAMLError):
        yaml.load(f"!!python/object/apply:os.mkdir ['{harm}']", module._Loader)
    assert not harm.exists()


def test_the_pages_are_served_to_this_machine_only():
    command = ["make", "--old-file", ".venv/.installed", "-n", "ui"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    hosts = re.findall(r"--host (\S+)", printed)
    assert hosts == ["127.0.0.1"]


@pytest.mark.long
def test_a_service_that_does_not_answer_is_no_all_clear():
    command = ["make", "--old-file", ".venv/.installed", "audit"]
    command.append("AUDIT=--vulnerability-service osv --osv-url http://127.0.0.1:9")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    audit = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert audit.returncode != 0
    assert "Not audited, which says nothing" in audit.stdout
    assert "No known vulnerabilities" not in audit.stdout + audit.stderr


# --- the hub's token

MARKER = "hf_marker_that_must_appear_nowhere"
# The real command, with the test's own pins in place of the real ones.
WITH_PINS = """
import json, sys
from repro.commands import cli
from repro.benchmarks import hub
hub.sources = lambda: json.loads(sys.argv[1])
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.fixture
def hub():
    hub = FakeHub()
    hub.tokens = {MARKER}
    yield hub
    hub.stop()


@pytest.fixture
def step(hub, tmp_path):
    """Call a step as someone with a token, in a folder of its own; its whole environment is new."""

    def step(*arguments: str, pins: dict | None = None) -> subprocess.CompletedProcess:
        environment = {
            **{"HF_TOKEN": MARKER, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf")},
            **{"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": f"{ROOT}/src"},
        }
        return subprocess.run(
            [sys.executable, "-c", WITH_PINS, json.dumps(pins or {}), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    return step


def is_nowhere(process: subprocess.CompletedProcess, folder: Path) -> bool:
    written = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert written
    said = (process.stdout + process.stderr).encode()
    return all(MARKER.encode() not in text for text in [said, *written])


@pytest.mark.parametrize(
    ("accepted", "status"), [(MARKER, 0), pytest.param("another", 1, marks=pytest.mark.long)]
)
def test_the_token_goes_to_the_hub_and_nowhere_else(hub, step, tmp_path, accepted, status):
    commit = hub.push("some/set", {"test.jsonl": lines(PROBLEMS)})
    hub.tokens = hub.gates["some/set"] = {accepted}  # what is downloaded proves that it was sent
    pins = {"lmb": pin(commit, gated=True)}
    what = json.dumps({"name": "lmb", "source": "hub"})
    (tmp_path / "empty").touch()
    fetched = step("data", "--settings", what, "--output", "out/lmb.jsonl", pins=pins)
    assert fetched.returncode == status, fetched.stderr
    assert ("then set HF_TOKEN to a valid token" in fetched.stderr) is (status == 1)
    assert (tmp_path / "out/lmb.jsonl").is_file() is (status == 0)
    assert is_nowhere(fetched, tmp_path)


@pytest.mark.long
def test_a_backbones_folder_holds_no_token_and_no_pickle(hub, step, tmp_path):
    weights = safetensors.torch.save({"a": torch.zeros(1)})
    files = {"config.json": "{}", "model.safetensors": weights, "tokenizer.json": "{}"}
    unwanted = {"pytorch_model.bin": b"\x80", "training_args.bin": b"\x80", "modeling_x.py": "1/0"}
    commit = hub.push("some/model", files | unwanted)
    hub.gates["some/model"] = {MARKER}
    what = {"source": "hub", "repo": "some/model", "revision": commit}
    arguments = ("--settings", json.dumps(what), "--name", "x", "--output", "out")
    fetched = step("backbone", *arguments)
    assert fetched.returncode == 0, fetched.stderr
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_file()} == set(files)
    assert is_nowhere(fetched, tmp_path)
