"""Downloads, from a hub on this machine; the pins are the test's own."""

import base64
import csv
import io
import json
import os
import pickle
import re
import zlib

import huggingface_hub
import pyarrow
import pyarrow.parquet
import pytest
from huggingface_hub import constants
from tests.benchmarks.fake_hub import KEPT, PROBLEMS, FakeHub, lines, pin

from repro.benchmarks import declared, hub, lcb_tests
from repro.commands.cli import main
from repro.files import jsonl


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
    assert {*declared.PAPER, "train"} <= set(pins) <= {*tasks, "train"}
    for name in pins.keys() & tasks.keys():
        assert set(tasks[name].fields) <= set(pins[name]["fields"])
    for name, of in pins.items():
        assert {"repo", "licence", "gated"} <= set(of)
        assert re.fullmatch("[0-9a-f]{40}", of["revision"]) or name == "lmb"
    rows = {n: of.get("rows") or [f["rows"] for f in of["files"]] for n, of in pins.items()}
    assert rows == {
        **{"aime24": [30], "aime25": [30], "math500": [500], "lmb": 100, "gpqa": [198]},
        **{"mbpp": [500], "train": [40315]},
        "lcb": [400, 111, 101, 101, 167, 175],  # up to v1 ... v6: 400, 511, 612, 713, 880, 1055
    }


def as_csv(rows: list[dict]) -> str:
    file = io.StringIO()
    table = csv.DictWriter(file, rows[0], lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return file.getvalue()


def as_parquet(rows: list[dict]) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("path", "pack"),
    [("a.jsonl", lines), ("b/c.json", json.dumps), ("d.parquet", as_parquet), ("e.csv", as_csv)],
)
def test_fetch(server, pins, tmp_path, capsys, path, pack):
    commit = server.push("some/set", {path: pack(PROBLEMS)})
    pins["aime24"] = pin(commit, path)
    record = hub.fetch("aime24", {}, tmp_path / "out/aime24.jsonl")
    kept = KEPT
    if path == "e.csv":  # knows nothing but texts
        kept = [{k: str(v) for k, v in row.items()} for row in KEPT]
    assert jsonl.read(tmp_path / "out/aime24.jsonl") == kept
    assert record == json.loads((tmp_path / "out/aime24.source.json").read_text())
    assert record == {
        **{"name": "aime24", "repo": "some/set", "revision": commit, "commit": commit},
        **{"licence": "mit", "problems": None, "rows": 3, "written": 3},
    }
    assert f"aime24: 3 problems of some/set at {commit[:12]}" in capsys.readouterr().err
    server.requests.clear()
    hub.fetch("aime24", {"problems": 2}, tmp_path / "less.jsonl")
    assert jsonl.read(tmp_path / "less.jsonl") == kept[:2]
    assert server.requests == []  # it is served from the cache


def test_a_branch_with_files_that_only_the_card_names(server, pins, tmp_path, monkeypatch):
    commit = server.push("some/set", {})
    asked = []
    monkeypatch.setattr("datasets.load_dataset", lambda *a, **k: asked.append((a, k)) or PROBLEMS)
    pins["lmb"] = pin("main", files=None, config="hard_en", split="test", rows=3)
    record = hub.fetch("lmb", {}, tmp_path / "lmb.jsonl")
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
        hub.fetch("aime24", {}, tmp_path / "aime24.jsonl")
    assert "\n" not in str(error.value)
    assert jsonl.read(tmp_path / "aime24.jsonl") == [{"old": 1}]


def test_all_gates_that_are_closed_are_listed_at_once(server, pins, tmp_path, monkeypatch):
    for name in ("gpqa", "lmb", "mine"):
        commit = server.push(f"some/{name}", {"test.jsonl": lines(PROBLEMS)})
        server.gates[f"some/{name}"] = {"valid"} if name == "mine" else set()
        pins[name] = pin(commit, repo=f"some/{name}", gated=True)
    with pytest.raises(hub.AccessError, match="mine: .* is gated"):
        hub.check_access(["mine", "aime24"])
    monkeypatch.setenv("HF_TOKEN", "valid")
    hub.check_access(["mine", "aime24"])
    with pytest.raises(hub.AccessError) as error:
        hub.check_access(pins)
    advice = "accept its terms on that page, then set HF_TOKEN to a valid token or run "
    assert str(error.value).splitlines() == [
        f"{name}: huggingface.co/datasets/some/{name} is gated: {advice}`hf auth login`"
        for name in ("gpqa", "lmb")
    ]
    with pytest.raises(hub.AccessError, match="gpqa: .* is gated: accept its terms"):
        hub.fetch("gpqa", {}, tmp_path / "gpqa.jsonl")
    assert hub.fetch("mine", {}, tmp_path / "mine.jsonl")["written"] == 3
    monkeypatch.setenv("HF_TOKEN", "stale")
    with pytest.raises(hub.AccessError, match="is not open to you, then set HF_TOKEN to a valid"):
        hub.check_access(["aime24"])
    with pytest.raises(ValueError, match="'aime26' is not on the hub; choose from aime24"):
        hub.check_access(["aime26"])


@pytest.mark.parametrize("status", [503, None])
def test_a_hub_that_does_not_answer(server, pins, tmp_path, status):
    server.status = status
    if not status:
        server.stop()
    for ask in (lambda: hub.check_access(pins), lambda: hub.fetch("aime24", {}, tmp_path / "a")):
        why = "HfHubHTTPError: Server error '503|503 Server Error" if status else "ConnectError"
        with pytest.raises(ValueError, match=f"({why}).*data_source: directory, data_dir"):
            ask()


def test_offline_mode_uses_the_cache(server, pins, tmp_path, monkeypatch):
    pins["aime25"] = pin(server.push("some/other", {"test.jsonl": ""}), repo="some/other")
    hub.fetch("aime24", {}, tmp_path / "a.jsonl")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    server.requests.clear()
    hub.check_access(["aime24"])
    hub.fetch("aime24", {}, tmp_path / "b.jsonl")
    assert jsonl.read(tmp_path / "b.jsonl") == KEPT
    with pytest.raises(ValueError, match="offline mode is enabled.*HF_HUB_OFFLINE"):
        hub.fetch("aime25", {}, tmp_path / "c.jsonl")
    assert server.requests == []


# --- LiveCodeBench

DATES = {
    "test.jsonl": ["2024-07-31", "2024-08-01"],
    "test2.jsonl": ["2024-12-24"],
    "test3.jsonl": ["2025-01-31", "2025-02-01"],
}


@pytest.mark.parametrize(
    ("settings", "ids"),
    [
        ({}, ["2024-08-01", "2024-12-24", "2025-01-31"]),  # the window has both of its dates
        ({"release": "v1"}, ["2024-08-01"]),
        (
            {"release": "v2", "window": ["2024-07-31", "2025-12-31"]},
            ["2024-07-31", "2024-08-01", "2024-12-24"],
        ),
        ({"release": None, "window": None, "problems": 2}, ["2024-08-01", "2024-12-24"]),
        ({"window": ["2020-01-01", "2020-01-02"]}, []),
    ],
)
def test_lcb_release_and_window(server, pins, tmp_path, settings, ids):
    rows = {
        name: [{"question_id": day, "contest_date": f"{day}T00:00:00", "x": 1} for day in days]
        for name, days in DATES.items()
    }
    pins["lcb"] = pin(
        server.push("some/set", {name: lines(of) for name, of in rows.items()}),
        files=[{"path": name, "rows": len(of)} for name, of in rows.items()],
        fields=["question_id"],
        release="v3",
        window=["2024-08-01", "2025-01-31"],
    )
    if not ids:
        with pytest.raises(ValueError, match="no problem with .*2020-01-02"):
            hub.fetch("lcb", settings, tmp_path / "lcb.jsonl")
        assert not (tmp_path / "lcb.jsonl").exists()
        return
    record = hub.fetch("lcb", settings, tmp_path / "lcb.jsonl")
    assert jsonl.read(tmp_path / "lcb.jsonl") == [{"question_id": day} for day in ids]
    release = settings.get("release") or "v3"
    assert (record["release"], record["rows"]) == (release, {"v1": 2, "v2": 3, "v3": 5}[release])
    files = {line.split("/")[-1] for line in server.requests if line.startswith("GET /datasets/")}
    assert files == set([*DATES][: int(release[1])])


def encoded(value: object) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


CASES = json.dumps([{"input": "1", "output": "2", "testtype": "stdin"}])


@pytest.mark.parametrize(
    "text",
    [
        "rubbish",
        encoded(CASES)[:-8],
        base64.b64encode(zlib.compress(b"\x80")).decode(),
        encoded(["no text"]),
        encoded("[1]"),
        encoded('[{"input": "1"}]'),
    ],
)
def test_lcb_tests_that_cannot_be_decoded(text):
    assert lcb_tests.lcb_cases(encoded(CASES)) == lcb_tests.lcb_cases(CASES) == json.loads(CASES)
    with pytest.raises(ValueError, match="tests that cannot be decoded"):
        lcb_tests.lcb_cases(text)


# --- the training set, and everything at once

TRAINING = [
    {"problem": "Compute $3 + 4$.", "solution": "", "answer": "7"},
    {"problem": "what is 1+1", "solution": "a benchmark's", "answer": "2"},
    {"problem": "Compute $5 + 4$.", "solution": "", "answer": ""},
    {"problem": "Compute $6 + 4$.", "solution": "", "answer": None},
    {"problem": "Compute $0 + 0$.", "solution": "", "answer": 0},
]


def test_fetch_all(server, pins, tmp_path, capsys):
    pins["train"] = pin(
        server.push("some/train", {"all.json": json.dumps(TRAINING)}),
        repo="some/train",
        files=[{"path": "all.json", "rows": 5}],
        fields=["problem", "solution", "answer"],
    )
    folder = tmp_path / "data"
    server.gates["some/train"] = set()
    assert main(["fetch", "--output", str(folder)]) == 1
    assert "train: huggingface.co/datasets/some/train is gated" in capsys.readouterr().err
    assert {line.split("/")[-1] for line in server.requests} == {"auth-check"}  # it comes first
    server.gates.clear()
    assert main(["fetch", "--output", str(folder)]) == 0
    names = ["aime24.jsonl", "aime24.source.json", "train.contamination.json", "train.jsonl"]
    assert sorted(os.listdir(folder)) == [*names, "train.source.json"]
    assert jsonl.read(folder / "train.jsonl") == [TRAINING[0], TRAINING[4]]
    record = json.loads((folder / "train.source.json").read_text())
    counts = [record[key] for key in ("rows", "without_answer", "contaminated", "written")]
    assert counts == [5, 2, 1, 2]
    report = json.loads((folder / "train.contamination.json").read_text())
    assert report["benchmarks"] == {"aime24": {"problems": 3, "exact": 1, "ngram": 0}}
    assert "1 of 3 training problems stand in a benchmark" in capsys.readouterr().err
