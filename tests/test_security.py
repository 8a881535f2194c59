"""What runs code, and what others can reach or read: nothing but what is meant to."""

import ast
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import safetensors.torch
import torch
import yaml

from repro.benchmarks import declared
from repro.files import strict_yaml
from tests.benchmarks.fake_hub import PROBLEMS, FakeHub, lines, pin
from tests.paths import ROOT

SOURCES = sorted((ROOT / "src").rglob("*.py"))
# Every place where something else than this code could decide what runs, and why it cannot.
JUSTIFIED = {
    # The sandbox's inside: it is there to run a model's programs.
    ("verify/child/program_child.py", "exec"),
    ("verify/child/program_child.py", "eval"),
    # The parent's own requests, read inside the sandbox.
    ("verify/child/program_child.py", "marshal.loads"),
    # Its one argument, which the parent wrote.
    ("verify/child/start.py", "eval"),
    # What is left of a benchmark's assert: a handful of operators, no attribute but math's.
    ("verify/code.py", "eval"),
    # LiveCodeBench's tests: an unpickler that refuses every class and function.
    ("benchmarks/lcb_tests.py", "pickle.Unpickler"),
    # SafeLoaders; the test below says so.
    ("benchmarks/declared.py", "yaml.load"),
    ("strict_yaml.py", "yaml.load"),
}
RUNS_CODE = {
    *("eval", "exec", "builtins.eval", "builtins.exec", "os.system", "os.popen", "pty.spawn"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.load", "marshal.loads"),
    *("joblib.load", "dill.load", "dill.loads", "cloudpickle.load", "cloudpickle.loads"),
    *("shelve.open", "pandas.read_pickle", "runpy.run_path", "yaml.load", "yaml.load_all"),
    *("yaml.unsafe_load", "yaml.full_load", "subprocess.getoutput", "subprocess.getstatusoutput"),
}


def findings(source: str) -> set[str]:
    """Return the names of calls that could run what a file or a string says."""
    tree = ast.parse(source)
    names = {}  # what a name in this file stands for
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.asname or a.name.split(".")[0]: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom):
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}

    def full_name(node: ast.expr) -> str:
        if isinstance(node, ast.Attribute):
            return f"{full_name(node.value)}.{node.attr}"
        return names.get(node.id, node.id) if isinstance(node, ast.Name) else ""

    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found |= {full_name(base) for base in node.bases} & RUNS_CODE
        if not isinstance(node, ast.Call):
            continue
        name = full_name(node.func)
        # What is no literal could be anything.
        options = {
            key.arg: key.value.value if isinstance(key.value, ast.Constant) else "?"
            for key in node.keywords
        }
        kind, _, method = name.rpartition(".")
        wrong = {
            name: name in RUNS_CODE,
            "torch.load": name == "torch.load" and options.get("weights_only") is not True,
            "numpy.load": name == "numpy.load" and options.get("allow_pickle", False) is not False,
            "shell=True": options.get("shell", False) is not False,
        }
        if method == "from_pretrained" and "AutoModel" in kind:
            wrong["no use_safetensors"] = options.get("use_safetensors") is not True
        if method == "from_pretrained" and "Auto" in kind:
            # Someone may trust a folder, in the configuration; a call that says nothing asks.
            wrong["no trust_remote_code"] = "trust_remote_code" not in options
            wrong["trust_remote_code=True"] = options.get("trust_remote_code") is True
        found |= {what for what, is_wrong in wrong.items() if is_wrong}
    return found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pickle\npickle.loads(b)", {"pickle.loads"}),
        ("from pickle import loads as read\nread(b)", {"pickle.loads"}),
        ("import pickle as p\nclass C(p.Unpickler): pass", {"pickle.Unpickler"}),
        ("import torch\ntorch.load(f)", {"torch.load"}),
        ("import torch\ntorch.load(f, weights_only=safe)", {"torch.load"}),
        ("from torch import load\nload(f, weights_only=True)", set()),
        ("import numpy as np\nnp.load(f, allow_pickle=True)", {"numpy.load"}),
        ("import yaml\nyaml.load(f, Loader)", {"yaml.load"}),
        ("import yaml\nyaml.safe_load(f)", set()),
        ("eval('1')", {"eval"}),
        ("model.eval()", set()),
        ("import subprocess as s\ns.run('ls', shell=True)", {"shell=True"}),
        ("import os\nos.system('ls')", {"os.system"}),
        ("AutoConfig.from_pretrained(d)", {"no trust_remote_code"}),
        ("AutoConfig.from_pretrained(d, trust_remote_code=trusted)", set()),
        ("AutoConfig.from_pretrained(d, trust_remote_code=True)", {"trust_remote_code=True"}),
        (
            "import transformers as t\nt.AutoModel.from_pretrained(d, use_safetensors=0)",
            {"no use_safetensors", "no trust_remote_code"},
        ),
    ],
)
def test_what_could_run_code_is_found(source, found):
    assert findings(source) == found


def test_only_the_justified_places_could_run_code():
    found = {
        (path.relative_to(ROOT / "src/repro").as_posix(), what)
        for path in SOURCES
        for what in findings(path.read_text(encoding="utf-8"))
    }
    assert found == JUSTIFIED


@pytest.mark.parametrize("module", [declared, strict_yaml])
def test_yaml_is_read_by_a_safe_loader(module, tmp_path):
    assert issubclass(module._Loader, yaml.SafeLoader)
    harm = tmp_path / "harm"
    with pytest.raises(yaml.YAMLError):
        yaml.load(f"!!python/object/apply:os.mkdir ['{harm}']", module._Loader)
    assert not harm.exists()


def make(*arguments: str) -> subprocess.CompletedProcess:
    """Call make, with the environment as it is."""
    command = ["make", "--old-file", ".venv/.installed", *arguments]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )


def test_the_pages_are_served_to_this_machine_only():
    hosts = [
        words[words.index("--host") + 1]
        for words in (line.split() for line in make("-n", "ui").stdout.splitlines())
        if "--host" in words
    ]
    assert hosts == ["127.0.0.1"]


# --- vulnerabilities


@contextmanager
def advisories(known: dict[str, str], status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Serve advisories by package, as osv.dev does: the address, and what was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            asked.append(f"{name}=={query['version']}")
            found = {"id": known.get(name), "summary": "bad", "affected": []}
            body = json.dumps({"vulns": [found]} if name in known else {}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def audit(address: str) -> subprocess.CompletedProcess:
    return make("audit", f"AUDIT=--vulnerability-service osv --osv-url {address}")


def pins() -> list[str]:
    files = ("requirements.lock", "requirements-vllm-cpu.lock")
    found = " ".join((ROOT / file).read_text() for file in files).split()
    return sorted(line.lower().replace("_", "-").replace(".", "-") for line in found)


@pytest.mark.long
def test_every_pin_is_audited():
    with advisories({}) as (address, asked):
        process = audit(address)
    assert process.returncode == 0, process.stdout + process.stderr
    assert sorted(pin.lower().replace("_", "-").replace(".", "-") for pin in asked) == pins()
    assert "Not audited" not in process.stdout


@pytest.mark.long
def test_a_known_vulnerability_is_told_and_fails():
    with advisories({"torch": "GHSA-0000-0000-0000"}) as (address, _):
        process = audit(address)
    assert process.returncode != 0
    assert "torch" in process.stdout and "GHSA-0000-0000-0000" in process.stdout
    assert "Not audited" not in process.stdout


@pytest.mark.long
@pytest.mark.parametrize("status", [None, 404, 503])
def test_a_service_that_does_not_answer_is_no_all_clear(status):
    with advisories({}, status or 200) as (address, _):
        process = audit(address if status else "http://127.0.0.1:9")
    assert process.returncode != 0
    assert "Not audited, which says nothing" in process.stdout
    assert "No known vulnerabilities" not in process.stdout + process.stderr


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


def test_the_token_goes_to_the_hub_and_nowhere_else(hub, step, tmp_path):
    commit = hub.push("some/set", {"test.jsonl": lines(PROBLEMS)})
    hub.gates["some/set"] = {MARKER}  # so what is downloaded proves that the token was sent
    pins = {"lmb": pin(commit, gated=True)}
    what = json.dumps({"name": "lmb", "source": "hub"})
    fetched = step("data", "--settings", what, "--output", "out/lmb.jsonl", pins=pins)
    assert fetched.returncode == 0, fetched.stderr
    assert (tmp_path / "out/lmb.jsonl").is_file()
    assert is_nowhere(fetched, tmp_path)


@pytest.mark.long
def test_a_refused_token_is_not_told(hub, step, tmp_path):
    commit = hub.push("some/set", {"test.jsonl": lines(PROBLEMS)})
    hub.tokens = {"another"}
    pins = {"lmb": pin(commit, gated=True)}
    what = json.dumps({"name": "lmb", "source": "hub"})
    (tmp_path / "empty").touch()
    refused = step("data", "--settings", what, "--output", "out/lmb.jsonl", pins=pins)
    assert refused.returncode == 1
    assert "then set HF_TOKEN to a valid token" in refused.stderr
    assert is_nowhere(refused, tmp_path)


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
