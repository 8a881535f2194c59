import hashlib
import re

import huggingface_hub
import pytest
from tests.benchmarks.fake_hub import KEPT, PROBLEMS, lines, pin, written
from tests.paths import DATA, needs_data

from repro import jsonl
from repro.benchmarks import declared, download, hub

pytestmark = pytest.mark.usefixtures("loopback_only")


# --- the real pins


def test_every_benchmark_is_pinned_with_the_fields_that_its_task_reads():
    pins, tasks = declared.sources(), declared.benchmarks()
    assert {*declared.PAPER, "train"} <= set(pins) <= {*tasks, "train"}
    for name in pins.keys() & tasks.keys():
        assert set(tasks[name].fields) <= set(pins[name]["fields"])


def test_pins_are_complete():
    rows = {}
    for name, pins in download.sources().items():
        assert re.fullmatch("[0-9a-f]{40}", pins["revision"]) or name == "lmb"
        files = pins.get("files", [])
        assert all(re.fullmatch("[0-9a-f]{64}", file["sha256"]) for file in files)
        assert set(pins["checksum"]["fields"]) <= set(pins["fields"])
        assert {"repo", "licence", "gated"} <= set(pins)
        rows[name] = pins.get("rows") or [file["rows"] for file in files]
    assert rows == {
        "aime24": [30],
        "aime25": [30],
        "math500": [500],
        "lmb": 100,
        "gpqa": [198],
        "mbpp": [500],
        "lcb": [400, 111, 101, 101, 167, 175],  # up to v1 ... v6: 400, 511, 612, 713, 880, 1055
        "train": [40315],
    }


@needs_data
@pytest.mark.parametrize("name", ["aime24", "aime25"])
def test_checksum_of_the_real_problems(name):
    pinned = download.sources()[name]["checksum"]
    assert hub.checksum(jsonl.read(DATA / f"{name}.jsonl"), pinned["fields"]) == pinned["sha256"]


@needs_data
def test_the_real_aime25_in_the_hubs_field_order_has_the_pinned_hash():
    rows = [
        {"problem": row["problem"], "answer": int(row["answer"]), "id": row["id"]}
        for row in jsonl.read(DATA / "aime25.jsonl")
    ]
    (file,) = download.sources()["aime25"]["files"]
    assert hashlib.sha256(lines(rows).encode()).hexdigest() == file["sha256"]


def test_checksum_depends_on_the_content_only():
    rows = [{"a": "x  y\n", "b": 1}, {"a": "z", "b": ["q"]}]
    same = [{"b": ["q"], "a": "z", "c": 0}, {"a": "x y", "b": "1"}]
    assert hub.checksum(rows, ["a", "b"]) == hub.checksum(same, ["a", "b"])
    assert hub.checksum(rows, ["a", "b"]) != hub.checksum(rows, ["b", "a"])
    assert hub.checksum(rows, ["a", "b"]) != hub.checksum(rows[:1], ["a", "b"])


# --- gates


def gated(server, pins, *names: str) -> None:
    for name in names:
        commit = server.push(f"some/{name}", {"test.jsonl": lines(PROBLEMS)})
        server.gates[f"some/{name}"] = set()
        pins[name] = pin(commit, repo=f"some/{name}", gated=True)


def test_a_gate_without_a_token(server, me, pins, tmp_path):
    gated(server, pins, "gpqa")
    with pytest.raises(hub.AccessError) as error:
        hub.fetch("gpqa", {}, tmp_path / "out/gpqa.jsonl", hub=me)
    assert str(error.value) == (
        "gpqa: huggingface.co/datasets/some/gpqa is gated: accept its terms on that page, then set "
        "HF_TOKEN or run `hf auth login`"
    )
    assert written(tmp_path / "out") == []


def test_a_gate_with_a_token(server, me, pins, tmp_path):
    gated(server, pins, "gpqa")
    someone = download.Hub(me.endpoint, "valid", me.cache_dir)
    with pytest.raises(hub.AccessError, match="accept its terms on that page"):
        hub.fetch("gpqa", {}, tmp_path / "gpqa.jsonl", hub=someone)
    server.gates["some/gpqa"].add("valid")
    assert hub.fetch("gpqa", {}, tmp_path / "gpqa.jsonl", hub=someone)["written"] == 3
    stranger = download.Hub(me.endpoint, "stale", tmp_path / "other cache")
    with pytest.raises(hub.AccessError, match=r"refuses the token \(HTTP 401\): renew it"):
        hub.fetch("gpqa", {}, tmp_path / "gpqa.jsonl", hub=stranger)


def test_check_access_lists_all_that_is_missing_at_once(server, me, pins):
    gated(server, pins, "gpqa", "lmb", "mine")
    pins["open"] = pin(server.push("some/set", {}))
    server.gates["some/mine"].add("valid")
    someone = download.Hub(me.endpoint, "valid", me.cache_dir)
    with pytest.raises(hub.AccessError) as error:
        hub.check_access(pins, someone)
    first, second = str(error.value).splitlines()
    assert first.startswith("gpqa: huggingface.co/datasets/some/gpqa is gated")
    assert second.startswith("lmb: huggingface.co/datasets/some/lmb is gated")
    hub.check_access(["mine", "open"], someone)
    with pytest.raises(hub.AccessError, match="mine"):
        hub.check_access(["mine", "open"], me)


# --- branches


def test_a_branch_is_resolved_once(server, me, pins, tmp_path, capsys):
    first = server.push("some/set", {"test.jsonl": lines(PROBLEMS)})
    pins["lmb"] = pin("main")
    del pins["lmb"]["checksum"]["sha256"]
    record = hub.fetch("lmb", {}, tmp_path / "lmb.jsonl", hub=me)
    assert (record["revision"], record["commit"]) == ("main", first)
    assert f"no commit is pinned; main of some/set is {first}" in capsys.readouterr().err

    changed = [row | {"answer": "0"} for row in PROBLEMS]
    second = server.push("some/set", {"test.jsonl": lines(changed)})
    elsewhere = download.Hub(me.endpoint, False, tmp_path / "other cache")
    record = hub.fetch("lmb", {}, tmp_path / "lmb.jsonl", hub=elsewhere)
    assert record["commit"] == first
    assert jsonl.read(tmp_path / "lmb.jsonl") == KEPT
    assert hub.fetch("lmb", {}, tmp_path / "new/lmb.jsonl", hub=elsewhere)["commit"] == second

    # Other bytes behind the noted commit, then no such commit any more.
    server.commits["some/set"][first]["test.jsonl"] = lines(changed).encode()
    third = download.Hub(me.endpoint, False, tmp_path / "third cache")
    with pytest.raises(hub.HubError, match="SHA-256"):
        hub.fetch("lmb", {}, tmp_path / "lmb.jsonl", hub=third)
    del server.commits["some/set"][first]
    fourth = download.Hub(me.endpoint, False, tmp_path / "fourth cache")
    with pytest.raises(hub.HubError, match="has no revision"):
        hub.fetch("lmb", {}, tmp_path / "lmb.jsonl", hub=fourth)
    assert jsonl.read(tmp_path / "lmb.jsonl") == KEPT


def test_the_note_of_another_repository_does_not_count(server, me, pins, tmp_path):
    server.push("some/set", {"test.jsonl": lines(PROBLEMS)})
    commit = server.push("other/set", {"test.jsonl": lines(PROBLEMS)})
    pins["lmb"] = pin("main")
    hub.fetch("lmb", {}, tmp_path / "lmb.jsonl", hub=me)
    pins["lmb"]["repo"] = "other/set"
    assert hub.fetch("lmb", {}, tmp_path / "lmb.jsonl", hub=me)["commit"] == commit


def test_a_note_that_cannot_be_read(server, me, pins, tmp_path):
    server.push("some/set", {"test.jsonl": lines(PROBLEMS)})
    pins["lmb"] = pin("main")
    (tmp_path / "lmb.source.json").write_text("{")
    with pytest.raises(hub.HubError, match="lmb.source.json: not valid JSON .*; delete it"):
        hub.fetch("lmb", {}, tmp_path / "lmb.jsonl", hub=me)


# --- bad connections


def test_a_download_that_breaks_off_is_resumed(server, me, pins, tmp_path):
    content = lines(PROBLEMS)
    pins["aime24"] = pin(server.push("some/set", {"test.jsonl": content}), content=content)
    server.cut_at = 100
    hub.fetch("aime24", {}, tmp_path / "a.jsonl", hub=me)
    assert server.files_asked_for() == ["test.jsonl", "test.jsonl"]
    assert jsonl.read(tmp_path / "a.jsonl") == KEPT


def test_a_server_that_dies_leaves_nothing_behind(server, me, pins, tmp_path):
    content = lines(PROBLEMS)
    pins["aime24"] = pin(server.push("some/set", {"test.jsonl": content}), content=content)
    server.cut_at, server.dies = 100, True
    with pytest.raises(hub.HubError, match="could not be downloaded: .*Protocol.*data_dir"):
        hub.fetch("aime24", {}, tmp_path / "out/a.jsonl", hub=me)
    assert written(tmp_path / "out") == []
    server.dead = False
    hub.fetch("aime24", {}, tmp_path / "out/a.jsonl", hub=me)
    assert jsonl.read(tmp_path / "out/a.jsonl") == KEPT


def test_no_connection(me, pins, tmp_path, server):
    pins["aime24"], pins["lmb"] = pin("0" * 40), pin("main")
    server.stop()
    for ask in (
        lambda: hub.check_access(["aime24"], me),
        lambda: hub.fetch("aime24", {}, tmp_path / "out/a.jsonl", hub=me),
        lambda: hub.fetch("lmb", {}, tmp_path / "out/a.jsonl", hub=me),
    ):
        with pytest.raises(hub.HubError, match="ConnectError: .*data_source: directory, data_dir"):
            ask()
    assert written(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("status", "message"),
    [(503, "answered HTTP 503; try again later"), (403, r"refuses the token \(HTTP 403\)")],
)
def test_a_hub_that_refuses_everything(server, me, pins, tmp_path, status, message):
    pins["aime24"], pins["lmb"] = pin(server.push("some/set", {"test.jsonl": "{}"})), pin("main")
    server.status = status
    for name in pins:
        with pytest.raises(hub.HubError, match=message):
            hub.check_access([name], me)
        with pytest.raises(hub.HubError, match=message):
            hub.fetch(name, {}, tmp_path / "out/a.jsonl", hub=me)
    assert written(tmp_path / "out") == []


def test_offline_mode_uses_the_cache(server, me, pins, tmp_path, monkeypatch):
    pins["aime24"] = pin(server.push("some/set", {"test.jsonl": lines(PROBLEMS)}))
    pins["aime25"] = pin(server.push("some/other", {"test.jsonl": ""}), repo="some/other")
    hub.fetch("aime24", {}, tmp_path / "a.jsonl", hub=me)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    server.requests.clear()
    hub.check_access(["aime24"], me)
    hub.fetch("aime24", {}, tmp_path / "b.jsonl", hub=me)
    assert jsonl.read(tmp_path / "b.jsonl") == KEPT
    with pytest.raises(hub.HubError, match="offline mode is enabled.*HF_HUB_OFFLINE"):
        hub.fetch("aime25", {}, tmp_path / "c.jsonl", hub=me)
    assert server.requests == []
