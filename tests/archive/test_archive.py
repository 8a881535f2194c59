"""An archive holds what the analysis reads and no more; a bad one is refused and leaves nothing."""

import io
import os
import re
import shutil
import subprocess
import tarfile

import bagit
import pytest
import zstandard

from repro.commands.cli import main
from repro.files import jsonl
from repro.records import archive
from tests import run_folder

RUN = "runs/tiny/grpo+repro~alpha=0.3/0"
ABOUT = archive.About(command="snakemake -- results", config={"name": "tiny"}, with_texts=True)


@pytest.fixture
def results(tmp_path):
    """Return a folder of results, which names places, and has what does not belong to others."""
    folder = tmp_path / "home" / "results"
    run = run_folder.write(folder)
    record = {"command": "python -m repro train --data /home/me/a.jsonl", "directory": "/home/me"}
    jsonl.write_json(run / "provenance.json", record | {"path": "/models/mine/tiny", "seconds": 1})
    jsonl.write_json(folder / "experiment.json", {"name": "tiny"})
    for name in ("tables/main.csv", "figures/a.png", "data/aime24.jsonl", f"{RUN}/mlflow.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    (run / "model").mkdir()
    (run / "model/model.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def packed(results, tmp_path):
    archive.write(results, tmp_path / "a.tar.zst", ABOUT)
    return tmp_path / "a.tar.zst"


def members(file):
    """Return the content of each member of a tar file by its name."""
    with zstandard.open(file, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_it_has_what_tables_are_made_from_and_no_weights_problems_or_places(packed, tmp_path):
    assert archive.unpack(packed, tmp_path / "out")
    out = tmp_path / "out"
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    kept = ("settings.json", "training.jsonl", "scores/aime24.json", "generations/aime24.jsonl")
    assert {*(f"{RUN}/{name}" for name in kept), "tables/main.csv", "figures/a.png"} <= found
    assert not [name for name in found if "model" in name or name == "data/aime24.jsonl"]
    record = jsonl.read_json(out / RUN / "provenance.json")
    assert record["command"] == "python -m repro train --data a.jsonl"
    assert (record["directory"], record["path"], record["seconds"]) == ("me", "tiny", 1)
    assert archive.read_about(out) == ABOUT
    assert not archive.unpack(packed, out)  # the same again
    (out / "about.json").unlink()
    with pytest.raises(ValueError, match="is there, and not from"):
        archive.unpack(packed, out)


def test_the_same_results_are_the_same_bytes_and_others_need_no_texts(results, packed, tmp_path):
    first = packed.read_bytes()
    shutil.copytree(results, tmp_path / "copy")
    archive.write(tmp_path / "copy", packed, ABOUT)
    assert packed.read_bytes() == first
    archive.write(results, packed, ABOUT.model_copy(update={"with_texts": False}))
    assert not any("generations/" in name for name in members(packed))


def test_tools_that_know_nothing_of_this_project_check_it(packed, tmp_path):
    with zstandard.open(packed, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        tar.extractall(tmp_path / "bag", filter="data")
    command = ["sha256sum", "--check", "--quiet", "manifest-sha256.txt"]
    assert subprocess.run(command, cwd=tmp_path / "bag").returncode == 0
    assert bagit.Bag(str(tmp_path / "bag")).is_valid()


def test_a_secret_is_not_archived_nor_is_what_is_not_finished(results, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_0123456789")
    (results / RUN / "training.jsonl").write_text('{"step": "hf_0123456789"}\n')
    with pytest.raises(ValueError, match=r"training\.jsonl: holds the value of HF_TOKEN; nothing"):
        archive.write(results, tmp_path / "b.tar.zst", ABOUT)
    (results / "tables/main.csv").unlink()
    with pytest.raises(ValueError, match=r"no tables/main\.csv; run the experiment to its end"):
        archive.write(results, tmp_path / "b.tar.zst", ABOUT)
    assert sorted(os.listdir(tmp_path)) == ["home"]


def rewrite(file, change):
    """Change what a bag holds, or add members to it, and pack it again."""
    found = members(file)
    extra = change(found) or []
    with zstandard.open(file, "wb") as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
        for name, content in found.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in extra:
            tar.addfile(member)


def special(name, **fields):
    """Return a change that adds a member that is not what it should be."""
    member = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(member, field, value)
    return lambda _: [member]


def edit(name, old, new):
    return lambda found: found.update({name: found[name].replace(old, new)})


SCORES = f"data/{RUN}/scores/aime24.json"
BAD = {
    "a changed byte": (edit(SCORES, b"40", b"41"), "aime24.json sha256 validation failed"),
    "a file too few": (lambda found: found.pop(SCORES) and None, "Payload-Oxum"),
    "a file too many": (special("data/more.json"), "Payload-Oxum validation failed"),
    "another version": (edit("data/about.json", b": 1,", b": 2,"), "schema_version = 2: Input"),
    "no bag": (lambda found: found.pop("bagit.txt") and None, "Expected bagit.txt"),
    "a path outside": (special("../outside.json"), "outside"),
    "an absolute path": (special("/outside.json"), "'/outside.json' is no plain file below"),
    "a link": (special("data/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "no plain file"),
    "a bomb": (special("data/large", size=1 << 50), r"larger than the [\d,]+ bytes"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_archive_is_refused_and_leaves_nothing(packed, tmp_path, kind, capsys):
    change, said = BAD[kind]
    rewrite(packed, change)
    out = tmp_path / "there" / "out"
    assert main(["unpack", str(packed), "--output", str(out)]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"error: {packed}: ") and message.count("\n") == 1
    assert re.search(said, message), message
    assert os.listdir(out.parent) == []


@pytest.mark.parametrize("content", ["truncated", "text", "empty"])
def test_what_is_cut_off_or_no_archive_is_refused(packed, tmp_path, content, capsys):
    whole = packed.read_bytes()
    packed.write_bytes({"truncated": whole[: len(whole) // 2], "text": b"x", "empty": b""}[content])
    assert main(["unpack", str(packed), "--output", str(tmp_path / "there/out")]) == 1
    assert capsys.readouterr().err.startswith(f"error: {packed}: ")
    assert os.listdir(tmp_path / "there") == []
