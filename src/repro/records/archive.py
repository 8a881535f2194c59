"""One file with all that tables, figures and verdicts are made from: no weights, problems, places.

It is a bag (BagIt, RFC 8493) in a tar file that is compressed by Zstandard, so that others' tools
check it, too: `sha256sum -c manifest-sha256.txt`. The same results give the same bytes.
"""

import logging
import os
import re
import shutil
import tarfile
import tempfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

import bagit
import zstandard
from pydantic import BaseModel, ValidationError

from repro.files import jsonl

ENDING = ".tar.zst"
ABOUT = "about.json"
LARGEST = 64 << 30  # bytes of all files together
RUN = "runs/*/*/*"
RECORDS = (f"{RUN}/settings.json", "*provenance.json")  # which may name places
CONTENT = (
    *("experiment.json", "tables/*", "figures/*", "*/*.provenance.json", *RECORDS[:1]),
    *(f"{RUN}/*provenance.json", f"{RUN}/checkpoint.json", f"{RUN}/training.jsonl"),
    *(f"{RUN}/validation.jsonl", f"{RUN}/objective.jsonl", f"{RUN}/scores/*.json"),
)
TEXTS = f"{RUN}/generations/*.jsonl"
# The folders of an absolute path, in a command line or alone; not of an address.
_PLACE = re.compile(r"(?<![\w:/.~])/(?:[^\s/\"'\\]+/)+")
_SECRET = re.compile("TOKEN|PASSWORD|SECRET|API_KEY")  # in the name of an environment variable
_BAG = {"Bagging-Date": "1970-01-01", "Bag-Software-Agent": "repro"}  # else no two are the same
BROKEN = (bagit.BagError, tarfile.TarError, zstandard.ZstdError, ValueError, LookupError)

logging.getLogger("bagit").setLevel(logging.CRITICAL)  # what is wrong is raised, too


class About(BaseModel, extra="forbid", strict=True):
    """What an archive says of itself."""

    schema_version: Literal[1] = 1
    command: str  # made the results; a file's path there is to be added
    config: dict  # of the experiment, as read from YAML
    with_texts: bool  # whether the responses are there


def without_places(text: str) -> str:
    """Return a text in which absolute paths are names of files."""
    return _PLACE.sub("", text)


def write(folder: str | Path, output: str | Path, about: About) -> int:
    """Write the archive of a folder of results; return how many files of it are in there.

    ValueError: the tables are not there yet, or a file holds the value of an environment variable
    such as HF_TOKEN.
    """
    folder, part = Path(folder), Path(f"{output}.part")
    if not (folder / "tables/main.csv").is_file():
        raise ValueError(f"{folder}: no tables/main.csv; run the experiment to its end first")
    secrets = {of: value for of, value in os.environ.items() if _SECRET.search(of) and value[7:]}
    wanted = [*CONTENT, *[TEXTS] * about.with_texts]
    found = {path for pattern in wanted for path in folder.glob(pattern) if path.is_file()}
    with tempfile.TemporaryDirectory(dir=part.parent) as scratch:
        for path in found:
            content, name = path.read_bytes(), path.relative_to(folder)
            if any(fnmatch(str(name), pattern) for pattern in RECORDS):
                content = without_places(content.decode()).encode()
            for variable, value in secrets.items():
                if value.encode() in content:
                    raise ValueError(f"{path}: holds the value of {variable}; nothing is archived")
            target = Path(scratch, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        text = without_places(about.model_dump_json(indent=1))
        Path(scratch, ABOUT).write_text(text, encoding="utf-8")
        bagit.make_bag(scratch, dict(_BAG), checksums=["sha256"])
        with zstandard.open(part, "wb") as packed, tarfile.open(mode="w|", fileobj=packed) as tar:
            for path in sorted(one for one in Path(scratch).rglob("*") if one.is_file()):
                member = tarfile.TarInfo(path.relative_to(scratch).as_posix())
                member.size = path.stat().st_size
                with path.open("rb") as file:
                    tar.addfile(member, file)
    os.replace(part, output)
    return len(found)


def read_about(folder: str | Path) -> About:
    """Return what an archive that was unpacked into a folder says of itself; ValueError: wrong."""
    try:
        return About.model_validate(jsonl.read_json(Path(folder, ABOUT)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key, value = ".".join(map(str, first["loc"])), first["input"]
        raise ValueError(f"{ABOUT}: {key} = {value!r:.40}: {first['msg']}") from None


def unpack(file: str | Path, folder: str | Path) -> bool:
    """Write an archive's files into a folder; False where they are there already.

    ValueError, with nothing left there: the archive is damaged, too large, of another version or
    has a file that its manifest does not list, or the folder holds something else.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        try:
            _extract(file, scratch)
            about = read_about(f"{scratch}/data")
            bagit.Bag(scratch).validate()
        except BROKEN as error:
            raise ValueError(f"{file}: {' '.join(str(error).split())}") from None
        if not folder.exists():
            shutil.move(f"{scratch}/data", folder)
            return True
    if jsonl.read_json(folder / ABOUT, {}) != about.model_dump():
        raise ValueError(f"{folder}: is there, and not from {file}; move it away")
    return False


def _extract(file: str | Path, folder: str) -> None:
    """Extract plain files below a folder, and refuse all else before it is written."""
    size, room = 0, min(LARGEST, shutil.disk_usage(folder).free)
    with zstandard.open(file, "rb") as packed, tarfile.open(mode="r|", fileobj=packed) as tar:
        for member in tar:
            size += member.size
            if member.type != tarfile.REGTYPE or member.name.startswith("/"):
                raise ValueError(f"{member.name!r} is no plain file below the bag")
            if size > room:
                raise ValueError(f"larger than the {room:,} bytes that are allowed")
            tar.extract(member, folder, filter="data")
