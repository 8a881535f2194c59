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

from tests.benchmarks.fake_hub import PROBLEMS, FakeHub, lines, pin
from tests.paths import ROOT


def test_models_are_loaded_without_pickles_and_say_whether_their_code_is_trusted():
    """Someone may trust a folder, in the configuration; a call that says nothing asks on a tty."""
    calls = [
        (f"{path}:{node.lineno}", ast.unparse(node.func), {k.arg: k.value for k in node.keywords})
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    wanted = {"use_safetensors": r"AutoModel\w*\.from_pretrained$", "weights_only": r"torch\.load$"}
    for option, pattern in wanted.items():
        found = {place: options for place, name, options in calls if re.search(pattern, name)}
        lax = {p for p, options in found.items() if ast.unparse(options[option]) != "True"}
        assert found and not lax, option
    pattern = r"Auto\w+\.from_pretrained$"
    found = {place: options for place, name, options in calls if re.search(pattern, name)}
    assert len(found) >= 2
    for place, options in found.items():
        assert ast.unparse(options["trust_remote_code"]) != "True", place


def test_the_pages_are_served_to_this_machine_only():
    command = ["make", "--old-file", ".venv/.installed", "-n", "ui"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    assert re.findall(r"--host (\S+)", printed) == ["127.0.0.1"]


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
    yield hub
    hub.stop()


def call(hub, folder: Path, pins: dict, *arguments: str) -> subprocess.CompletedProcess:
    """Call a step as someone with a token, in a folder of its own; the token appears nowhere."""
    environment = {
        **{"HF_TOKEN": MARKER, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(folder / "hf")},
        **{"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": f"{ROOT}/src"},
    }
    command = [sys.executable, "-c", WITH_PINS, json.dumps(pins), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    written = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert written
    for text in [(done.stdout + done.stderr).encode(), *written]:
        assert MARKER.encode() not in text
    return done


@pytest.mark.parametrize(
    ("accepted", "status"), [(MARKER, 0), pytest.param("another", 1, marks=pytest.mark.long)]
)
def test_the_token_goes_to_the_hub_and_nowhere_else(hub, tmp_path, accepted, status):
    commit = hub.push("some/set", {"test.jsonl": lines(PROBLEMS)})
    hub.tokens = hub.gates["some/set"] = {accepted}  # what is downloaded proves that it was sent
    what = json.dumps({"name": "lmb", "source": "hub"})
    (tmp_path / "empty").touch()
    arguments = ("data", "--settings", what, "--output", "out/lmb.jsonl")
    fetched = call(hub, tmp_path, {"lmb": pin(commit, gated=True)}, *arguments)
    assert fetched.returncode == status, fetched.stderr
    assert ("then set HF_TOKEN to a valid token" in fetched.stderr) is (status == 1)
    assert (tmp_path / "out/lmb.jsonl").is_file() is (status == 0)


@pytest.mark.long
def test_a_backbones_folder_holds_no_token_and_no_pickle(hub, tmp_path):
    weights = safetensors.torch.save({"a": torch.zeros(1)})
    files = {"config.json": "{}", "model.safetensors": weights, "tokenizer.json": "{}"}
    unwanted = {"pytorch_model.bin": b"\x80", "training_args.bin": b"\x80", "modeling_x.py": "1/0"}
    commit = hub.push("some/model", files | unwanted)
    hub.tokens = hub.gates["some/model"] = {MARKER}
    what = json.dumps({"source": "hub", "repo": "some/model", "revision": commit})
    arguments = ("backbone", "--settings", what, "--name", "x", "--output", "out")
    fetched = call(hub, tmp_path, {}, *arguments)
    assert fetched.returncode == 0, fetched.stderr
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_file()} == set(files)
