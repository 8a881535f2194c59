"""Downloads, from a hub on this machine; the pins are the test's own."""

import base64
import json
import os
import pickle
import re
import zlib
from pathlib import Path

import huggingface_hub
import pandas as pd
import pytest
from huggingface_hub import constants
from tests.benchmarks.fake_hub import PROBLEMS, FakeHub, lines, pin

from repro.benchmarks import declared, hub
from repro.commands.cli import main
from repro.files import jsonl
from repro.verify import programs

KEPT = [{k: row[k] for k in ("id", "problem", "answer")} for row in PROBLEMS]


def fetch(name: str, settings: dict, file: Path) -> dict:
    """Write problems as the step `data` does; return the record of the download."""
    rows, record = hub.fetch(name, settings)
    jsonl.write(file, rows)
    return record


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A hub that this process takes for the real one; nobody has a token."""
    server = FakeHub()
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.removeprefix(constants.ENDPOINT)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.endpoint + template)
    monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    for name in [n for n in os.environ if n.lower().endswith("_proxy") or n == "HF_TOKEN"]:
        monkeypatch.delenv(name)
    huggingface_hub.close_session()  # a new client, which reads the environment
    yield server
    huggingface_hub.close_session()
    server.stop()


@pytest.fixture
def pins(server, monkeypatch):
    """The test's own pins, by name, in place of sources.yml: aime24 is there."""
    pins = {"aime24": pin(server.push("some/set", {"test.jsonl": lines(PROBLEMS)}))}
    for module in (hub, declared):
        monkeypatch.setattr(module, "sources", lambda: pins)
    return pins


def test_every_benchmark_is_pinned_with_the_fields_that_its_task_reads():
    pins, tasks = declared.sources(), declared.benchmarks()
    protocols = declared.protocols().values()
    read_by = {asked.data: name for of in protocols for name, asked in of.items()}
    assert {*read_by, "train"} <= set(pins) <= {*read_by, *tasks, "train"}
    for name, of in pins.items():
        assert {"repo", "licence", "gated"} <= set(of)
        assert re.fullmatch("[0-9a-f]{40}", of["revision"]) or name == "lmb"
        assert name == "train" or {*tasks[read_by[name]].fields} <= {*of["fields"]}


@pytest.mark.parametrize(
    ("path", "pack"),
    [
        ("a.jsonl", lines),
        ("b/c.json", json.dumps),
        ("d.parquet", lambda rows: pd.DataFrame(rows).to_parquet()),
        ("e.csv", lambda rows: pd.DataFrame(rows).to_csv(index=False, lineterminator="\r\n")),
    ],
)
def test_fetch_and_again_from_the_cache(server, pins, tmp_path, monkeypatch, path, pack):
    commit, file = server.push("some/set", {path: pack(PROBLEMS)}), tmp_path / "out/aime24.jsonl"
    pins["aime24"] = pin(commit, path)
    record = fetch("aime24", {}, file)
    is_csv = path == "e.csv"  # which knows nothing but texts
    kept = [{k: str(v) if is_csv else v for k, v in row.items()} for row in KEPT]
    assert jsonl.read(file) == kept
    named = {"name": "aime24", "dataset": "aime24", "repo": "some/set", "licence": "mit"}
    named |= {"revision": commit, "commit": commit}
    assert record == named | {"problems": None, "rows": 3, "written": 3}
    server.requests.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    fetch("aime24", {"problems": 2}, file)
    assert jsonl.read(file) == kept[:2]
    pins["aime24"]["files"][0]["path"] = "other.jsonl"
    with pytest.raises(ValueError, match="offline mode is enabled.*HF_HUB_OFFLINE"):
        fetch("aime24", {}, file)
    assert server.requests == []


def test_a_branch_with_files_that_only_the_card_names(server, pins, tmp_path, monkeypatch):
    commit, asked = server.push("some/set", {}), []
    monkeypatch.setattr("datasets.load_dataset", lambda *a, **k: asked.append((a, k)) or PROBLEMS)
    pins["lmb"] = pin("main", "hard_en", split="test")
    record = fetch("lmb", {}, tmp_path / "lmb.jsonl")
    assert asked == [(("some/set", "hard_en"), {"split": "test", "revision": commit})]
    assert (record["revision"], record["commit"]) == ("main", commit)
    assert jsonl.read(tmp_path / "lmb.jsonl") == KEPT


@pytest.mark.parametrize(
    ("content", "changes", "message"),
    [
        (lines(PROBLEMS[:2]), {}, r"some/set, test.jsonl: rows: found 2, expected 3"),
        ('{"id": 1, "problem": "?"}', {}, "row 1: no field 'answer', found id, problem"),
        (lines(PROBLEMS) + "{oh\n", {}, "test.jsonl, line 4: not valid JSON"),
        ("", {"revision": "0" * 40}, f"at {'0' * 40} could not be downloaded: RevisionNotFound"),
        ("", {"files": [{"path": "gone", "rows": 3}]}, "could not be downloaded: RemoteEntryNotFo"),
        ("", {"repo": "no/where"}, "no/where is not open to you, then set HF_TOKEN"),
    ],
)
def test_what_is_not_as_pinned_is_refused(server, pins, tmp_path, content, changes, message):
    pins["aime24"] = pin(server.push("some/set", {"test.jsonl": content})) | changes
    jsonl.write(tmp_path / "aime24.jsonl", [{"old": 1}])
    with pytest.raises(ValueError, match=message) as error:
        fetch("aime24", {}, tmp_path / "aime24.jsonl")
    assert "\n" not in str(error.value)
    assert jsonl.read(tmp_path / "aime24.jsonl") == [{"old": 1}]


def test_a_closed_gate_is_named_with_what_opens_it(server, pins, tmp_path, monkeypatch):
    commit = server.push("some/mine", {"test.jsonl": lines(PROBLEMS)})
    server.gates["some/mine"] = {"valid"}
    pins["mine"] = pin(commit, repo="some/mine", gated=True)
    advice = "accept its terms on that page, then set HF_TOKEN to a valid token or run "
    said = f"mine: huggingface.co/datasets/some/mine is gated: {advice}`hf auth login`"
    with pytest.raises(ValueError, match=said):
        fetch("mine", {}, tmp_path / "mine.jsonl")
    monkeypatch.setenv("HF_TOKEN", "valid")
    assert fetch("mine", {}, tmp_path / "mine.jsonl")["written"] == 3
    with pytest.raises(ValueError, match="'aime26' is not on the hub; choose from aime24"):
        fetch("aime26", {}, tmp_path / "aime26.jsonl")


@pytest.mark.parametrize("status", [503, None])
def test_a_hub_that_does_not_answer(server, pins, tmp_path, status):
    server.status = status
    if not status:
        server.stop()
    why = "HfHubHTTPError: Server error '503|503 Server Error" if status else "ConnectError"
    with pytest.raises(ValueError, match=f"({why}).*data_source: directory, data_dir"):
        fetch("aime24", {}, tmp_path / "a")


@pytest.mark.parametrize(
    ("settings", "files", "days"),
    [
        ({}, 3, ["2024-08-01", "2024-12-24", "2025-01-31"]),  # the window has both of its dates
        ({"release": "v1", "window": None}, 1, ["2024-08-01"]),
        ({"window": ["2024-07-31", "2024-08-01"]}, 3, ["2024-07-31", "2024-08-01"]),
        ({"release": "v2", "problems": 1}, 2, ["2024-08-01"]),
    ],
)
def test_lcb_release_and_window(server, pins, tmp_path, settings, files, days):
    there = [["2024-07-31", "2024-08-01"], ["2024-12-24"], ["2025-01-31", "2025-02-01"]]
    rows = [[{"contest_date": f"{day}T00:00:00", "x": 1} for day in of] for of in there]
    names = [f"test{number}.jsonl" for number in range(3)]
    commit = server.push("some/set", dict(zip(names, map(lines, rows), strict=True)))
    parts = [{"path": name, "rows": len(of)} for name, of in zip(names, there, strict=True)]
    chosen = {"release": "v3", "window": ["2024-08-01", "2025-01-31"]}
    pins["lcb"] = pin(commit, files=parts, fields=["contest_date"], **chosen)
    record = fetch("lcb", settings, tmp_path / "lcb.jsonl")
    rows = jsonl.read(tmp_path / "lcb.jsonl")
    assert rows == [{"contest_date": f"{day}T00:00:00"} for day in days]
    assert (record["release"], record["rows"]) == (f"v{files}", [0, 2, 3, 5][files])
    asked = {line.split("/")[-1] for line in server.requests if line.startswith("GET /datasets/")}
    assert asked == {*names[:files]}
    with pytest.raises(ValueError, match="no problem with .*2020-01-02"):
        fetch("lcb", {"window": ["2020-01-01", "2020-01-02"]}, tmp_path / "none.jsonl")
    assert not (tmp_path / "none.jsonl").exists()


def encoded(value: object) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


def test_lcb_tests_that_cannot_be_decoded():
    cases = json.dumps([{"input": "1", "output": "2", "testtype": "stdin"}])
    assert programs.lcb_cases(encoded(cases)) == programs.lcb_cases(cases) == json.loads(cases)
    torn = encoded(cases)[:-8], base64.b64encode(zlib.compress(b"\x80")).decode()
    other = encoded(["no text"]), encoded("[1]"), encoded('[{"input": "1"}]')
    for text in ("rubbish", *torn, *other):
        with pytest.raises(ValueError, match="tests that cannot be decoded"):
            programs.lcb_cases(text)


def test_training_problems_without_an_answer_are_left_out(server, pins, tmp_path):
    pairs = [("$3 + 4$", "7"), ("$5 + 4$", ""), ("$6 + 4$", None), ("$0 + 0$", 0)]
    rows = [{"problem": f"Compute {sum}.", "answer": answer} for sum, answer in pairs]
    commit = server.push("some/train", {"all.json": json.dumps(rows)})
    files = [{"path": "all.json", "rows": 4}]
    pins["train"] = pin(commit, repo="some/train", files=files, fields=["problem", "answer"])
    what, output = json.dumps({"name": "train", "source": "hub"}), str(tmp_path / "train.jsonl")
    assert main(["data", "--settings", what, "--output", output]) == 0
    names = [f"train.{end}" for end in ("jsonl", "provenance.json", "source.json")]
    assert sorted(path.name for path in tmp_path.glob("train.*")) == names
    assert jsonl.read(output) == [rows[0], rows[3]]
    record = json.loads((tmp_path / "train.source.json").read_text())
    assert [record[key] for key in ("commit", "rows", "written")] == [commit, 4, 2]
