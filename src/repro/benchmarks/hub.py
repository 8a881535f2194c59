"""Benchmarks and training problems from the Hugging Face hub, at pinned revisions, as JSONL.

`sources.yml` says what is downloaded. A data file appears only when all of it is as expected, next
to ``NAME.source.json``: repository, commit, rows, licence. huggingface_hub decides which hub is
asked, as whom, and where downloads are kept: HF_ENDPOINT, HF_TOKEN or `hf auth login`, HF_HOME.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import huggingface_hub
from huggingface_hub import errors

from repro.benchmarks.declared import TRAIN, TRAIN_FIELDS, sources
from repro.files import jsonl

_PAGES = "huggingface.co/datasets/"  # where a person reads about a dataset and accepts its terms
_WRAPPERS = (errors.LocalEntryNotFoundError, errors.RevisionResolutionError)


def fetch(name: str, settings: Mapping) -> tuple[Iterator[dict], dict]:
    """Return the problems of a benchmark, or those to train on, and a record of the download.

    The rows are read as they are taken, and the record is complete once all of them are.

    Of `train`, rows without a problem or an answer are left out. ``settings`` may have ``problems``
    (only the first so many), ``dataset`` (its entry in `sources.yml` if of another name), and of
    `lcb` ``release`` (v1 to v6) and ``window`` (first and last contest date); None: the default.

    ValueError, also from the rows: not as pinned, or not to be had.
    """
    dataset = settings.get("dataset") or name
    with _explained(dataset) as pins:  # a branch is resolved now, a commit is taken as it is
        revision = {"repo_type": "dataset", "revision": pins["revision"]}
        resolved = huggingface_hub.HfApi().resolve_revision(pins["repo"], **revision)
    record = {key: pins[key] for key in ("repo", "revision", "licence")}
    record |= {"commit": resolved.resolved, "name": name, "problems": settings.get("problems")}
    record |= {"dataset": dataset, "rows": 0, "written": 0}
    if "release" in pins:
        record["release"] = settings.get("release") or pins["release"]
        record["window"] = [str(date) for date in settings.get("window") or pins["window"]]
    return _rows(pins, record), record


def _rows(pins: dict, record: dict) -> Iterator[dict]:
    """Yield the wanted rows with the wanted fields; all are read and counted in the record."""
    name, window, limit = record["name"], record.get("window"), record["problems"]
    called = {field: pins.get("renamed", {}).get(field, field) for field in pins["fields"]}
    parts = pins["files"]
    if "release" in record:  # vN is the first N files
        parts = parts[: int(record["release"].removeprefix("v"))]
    for part in parts:
        where, count = f"{name}: {_PAGES}{pins['repo']}, {part['path']}", 0
        with _explained(record["dataset"]):
            downloaded = _download(pins, record["commit"], part["path"])
        for count, row in enumerate(downloaded, start=1):
            if missing := [field for field in called.values() if field not in row]:
                found = ", ".join(row)
                raise ValueError(f"{where}, row {count}: no field {missing[0]!r}, found {found}")
            inside = not window or window[0] <= row["contest_date"][:10] <= window[1]
            given = [row[called[key]] for key in TRAIN_FIELDS] if name == TRAIN else []
            answered = all(value is not None and str(value).strip() for value in given)
            if inside and answered and (limit is None or record["written"] < limit):
                record["written"] += 1
                kept = {field: row[there] for field, there in called.items()}
                if isinstance(setup := kept.get("test_setup_code"), list):
                    kept["test_setup_code"] = "\n".join(setup)
                yield kept
        if count != part["rows"]:
            counts = f"found {count}, expected {part['rows']}"
            raise ValueError(f"{where}: rows: {counts}; nothing is written")
        record["rows"] += count
    if not record["written"]:
        raise ValueError(f"{name}: no problem with {window or limit}; nothing is written")


def _download(pins: dict, commit: str, path: str) -> Iterable[dict]:
    """Return the rows of one file, or with a split of a config, whose files the card names.

    A file is not read by `datasets`: its JSON loader turns an answer such as ``2024-01-01`` into a
    time stamp, and it runs no loader script (LiveCodeBench has one).
    """
    if "split" in pins:
        from datasets import load_dataset

        return load_dataset(pins["repo"], path, split=pins["split"], revision=commit)
    of_dataset = {"repo_type": "dataset", "revision": commit}
    file = Path(huggingface_hub.hf_hub_download(pins["repo"], path, **of_dataset))
    match file.suffix:
        case ".jsonl":  # row by row: a file of LiveCodeBench has more than a gigabyte
            return (row for _, row in jsonl.rows(file))
        case ".json":
            return json.loads(file.read_text(encoding="utf-8"))
        case ".csv":
            text = file.read_bytes().decode("utf-8-sig")
            return csv.DictReader(io.StringIO(text, newline=""))
        case ".parquet":
            from pyarrow import parquet

            return parquet.read_table(file).to_pylist()
    raise ValueError(f"{file}: allowed: .jsonl, .json, .csv and .parquet")


@contextmanager
def _explained(name: str) -> Iterator[dict]:
    """Give a dataset's pins, and turn an error of the hub into one message that says what to do."""
    if name not in sources():
        raise ValueError(f"{name!r} is not on the hub; choose from {', '.join(sources())}")
    pins = sources()[name]
    where = f"{name}: {_PAGES}{pins['repo']}"
    try:
        yield pins
    except (OSError, httpx.HTTPError, errors.XetDownloadError, *_WRAPPERS) as error:
        reason = error.__cause__ if isinstance(error, _WRAPPERS) and error.__cause__ else error
        status = reason.response.status_code if isinstance(reason, errors.HfHubHTTPError) else None
        if isinstance(reason, errors.RepositoryNotFoundError) or status in (401, 403):
            gated = pins["gated"] or isinstance(reason, errors.GatedRepoError)
            why = "is gated: accept its terms on that page" if gated else "is not open to you"
            advice = "then set HF_TOKEN to a valid token or run `hf auth login`"
            raise ValueError(f"{where} {why}, {advice}") from None
        raise ValueError(  # no connection, no such revision or file, a full disk
            f"{where} at {pins['revision']} could not be downloaded: {type(reason).__name__}: "
            f"{' '.join(str(reason).split())}; check the connection and HF_HUB_OFFLINE, or use "
            "files that you have: data_source: directory, data_dir: folder"
        ) from None
