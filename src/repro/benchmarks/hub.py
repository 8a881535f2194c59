"""Benchmarks and training problems from the Hugging Face hub, at pinned revisions, as JSONL.

`sources.yml` says what is downloaded. A commit is a hash of all its content; the numbers of rows
are compared besides. A data file appears only when all of it is as expected; beside it lies
``NAME.source.json``: repository, commit, rows, licence. huggingface_hub decides which hub is asked,
as whom, and where downloads are kept: HF_ENDPOINT, HF_TOKEN or `hf auth login`, HF_HOME.
"""

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import huggingface_hub
from huggingface_hub import constants, errors

from repro.benchmarks import contamination
from repro.benchmarks.declared import TRAIN, sources
from repro.benchmarks.lcb_tests import lcb_cases
from repro.files import jsonl

_COMMIT = re.compile(r"[0-9a-f]{40}")
_OTHER_ERRORS = (errors.RevisionResolutionError, errors.XetDownloadError)


class HubError(ValueError):
    """A dataset cannot be had as pinned; the message says which, why, and what to do."""


class AccessError(HubError):
    """The hub does not give a dataset to this account: terms not accepted, or no valid token."""


def check_access(names: Iterable[str]) -> None:
    """Ask the hub for access to all these datasets, before anything is downloaded.

    With HF_HUB_OFFLINE set nothing is asked: only what is in the cache can be used anyway.

    Raises:
        AccessError: some are out of reach; one message lists all of them with their pages.
        HubError: an unknown name, or no connection.
    """
    missing = []
    for name in names:
        pins = source(name)
        try:
            with _explained(name, pins):
                if not constants.is_offline_mode():
                    huggingface_hub.HfApi().auth_check(pins["repo"], repo_type="dataset")
        except AccessError as error:
            missing.append(str(error))
    if missing:
        raise AccessError("\n".join(missing))


def fetch_all(directory: str | Path, names: Iterable[str]) -> None:
    """Download benchmarks and the training set into a folder that can serve as data_dir.

    Args:
        directory: receives ``NAME.jsonl`` and ``NAME.source.json`` for each, and
            ``train.contamination.json``.
        names: of the benchmarks, whose problems are taken out of the training set.

    Raises:
        HubError: as `check_access`, which comes first, and `fetch`.
    """
    files = {name: Path(directory) / f"{name}.jsonl" for name in names}
    check_access([*files, TRAIN])
    for name, file in files.items():
        fetch(name, {}, file)
    fetch(TRAIN, {}, Path(directory) / f"{TRAIN}.jsonl", files)


def fetch(
    name: str,
    settings: Mapping,
    output: str | Path,
    benchmark_files: Mapping[str, str | Path] | None = None,
) -> dict:
    """Download one benchmark, or the training set, and write it as JSONL.

    Args:
        name: a name of `sources.yml`.
        settings: ``problems``: only the first so many; for `lcb` also ``release`` (v1 to v6) and
            ``window`` (first and last contest date); absent or None: the default.
        output: the JSONL file; ``NAME.source.json`` is written beside it, and for `train`
            ``train.contamination.json``.
        benchmark_files: JSONL files of the benchmarks, by name, whose problems are taken out of
            the training set.

    Returns:
        What ``NAME.source.json`` says.

    Raises:
        HubError: not as pinned, or not to be had; nothing is written then.
        ValueError: settings that are not allowed.
    """
    pins, output = source(name), Path(output)
    selection = _selection(name, pins, settings)
    with _explained(name, pins):
        commit = _commit(pins)
    record = {key: pins[key] for key in ("repo", "revision", "licence")}
    record |= {"name": name, "commit": commit, "rows": 0, "written": 0, **selection}
    rows = _selected(name, _rows(name, pins, record), record)
    if name == TRAIN:
        rows = _training_rows(rows, benchmark_files or {}, output, record)
    jsonl.write(output, rows)
    jsonl.write_json(output.with_suffix(".source.json"), record)
    print(
        f"{name}: {record['written']} problems of {pins['repo']} at {commit[:12]}", file=sys.stderr
    )
    return record


def source(name: str) -> dict:
    """Return one dataset's pins.

    Raises:
        HubError: `sources.yml` does not have it.
    """
    if name not in sources():
        raise HubError(f"{name!r} is not on the hub; choose from {', '.join(sources())}")
    return sources()[name]


def _selection(name: str, pins: dict, settings: Mapping) -> dict:
    """Return how many problems are wanted, and of LiveCodeBench which release and window."""
    selection = {"problems": settings.get("problems")}
    if "release" not in pins:
        return selection
    release = settings.get("release") or pins["release"]
    allowed = [f"v{number}" for number in range(1, len(pins["files"]) + 1)]
    if release not in allowed:
        raise ValueError(f"{name}.release = {release!r}; allowed: {', '.join(allowed)}")
    window = [str(date) for date in settings.get("window") or pins["window"]]
    dates = all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", date) for date in window)
    if len(window) != 2 or not dates or window[0] > window[1]:
        raise ValueError(f"{name}.window = {window}; allowed: a first and a last date, YYYY-MM-DD")
    return {**selection, "release": release, "window": window}


def _commit(pins: dict) -> str:
    """Return the pinned commit, or that of a pinned branch at this moment."""
    if _COMMIT.fullmatch(pins["revision"]):
        return pins["revision"]
    of_branch = huggingface_hub.HfApi().resolve_revision(
        pins["repo"], repo_type="dataset", revision=pins["revision"]
    )
    return of_branch.resolved


def _rows(name: str, pins: dict, record: dict) -> Iterator[dict]:
    """Yield the wanted fields of all rows; after the last of a file, refuse a wrong number."""
    if "config" in pins:
        parts = [{"path": pins["config"], "rows": pins["rows"]}]
    else:  # of LiveCodeBench, release vN is the first N files
        parts = pins["files"][: int(record.get("release", "v99")[1:])]
    for part in parts:
        where, count = f"{name}: {_page(pins)}, {part['path']}", 0
        with _explained(name, pins):
            downloaded = _download(pins, record["commit"], part["path"])
        for count, row in enumerate(downloaded, start=1):
            missing = [field for field in pins["fields"] if field not in row]
            if missing:
                found = ", ".join(row)
                raise HubError(f"{where}, row {count}: no field {missing[0]!r}, found {found}")
            yield {field: row[field] for field in pins["fields"]}
        if count != part["rows"]:
            raise HubError(
                f"{where}: rows: found {count}, expected {part['rows']}; nothing is written"
            )
        record["rows"] += count


def _download(pins: dict, commit: str, path: str) -> Iterable[dict]:
    """Return the rows of one file, or of a config whose files the dataset's card names."""
    if "config" in pins:
        from datasets import load_dataset

        return load_dataset(pins["repo"], path, split=pins["split"], revision=commit)
    file = huggingface_hub.HfApi().hf_hub_download(
        pins["repo"], path, repo_type="dataset", revision=commit
    )
    return _read(Path(file))


def _read(path: Path) -> Iterator[dict]:
    """Yield the rows of a file, values as they are.

    The loaders of `datasets` are not used: its JSON loader turns an answer such as ``2024-01-01``
    into a time stamp, and it runs no loader script (LiveCodeBench has one).
    """
    match path.suffix:
        case ".jsonl":  # row by row: a file of LiveCodeBench has more than a gigabyte
            yield from (row for _, row in jsonl.rows(path))
        case ".json":
            yield from json.loads(path.read_text(encoding="utf-8"))
        case ".csv":
            with open(path, encoding="utf-8-sig", newline="") as file:
                yield from csv.DictReader(file)
        case ".parquet":
            from pyarrow import parquet

            for batch in parquet.ParquetFile(path).iter_batches():
                yield from batch.to_pylist()
        case _:
            raise HubError(f"{path}: allowed: .jsonl, .json, .csv and .parquet")


def _selected(name: str, rows: Iterable[dict], record: dict) -> Iterator[dict]:
    """Yield the rows within the window, at most `problems`; all rows are read, to be counted."""
    window, limit = record.get("window"), record["problems"]
    for row in rows:
        inside = not window or window[0] <= row["contest_date"][:10] <= window[1]
        if inside and (limit is None or record["written"] < limit):
            if window:
                _check_lcb_tests(name, row)
            record["written"] += 1
            yield row
    if not record["written"]:
        raise HubError(f"{name}: no problem with {window or limit}; nothing is written")


def _check_lcb_tests(name: str, row: dict) -> None:
    """Refuse tests that cannot be decoded now rather than after the generations."""
    for field in ("public_test_cases", "private_test_cases"):
        try:
            lcb_cases(row[field])
        except ValueError as error:
            raise HubError(f"{name}: {field} of problem {row['question_id']}: {error}") from None


def _training_rows(
    rows: Iterable[dict], benchmark_files: Mapping[str, str | Path], output: Path, record: dict
) -> list[dict]:
    """Leave out problems without an answer and those that stand in a benchmark; report both."""
    rows = list(rows)
    answered = [row for row in rows if _given(row["problem"]) and _given(row["answer"])]
    kept, report = contamination.filter_rows(answered, benchmark_files)
    record["without_answer"] = len(rows) - len(answered)
    record["contaminated"], record["written"] = report["removed"], len(kept)
    jsonl.write_json(output.with_suffix(".contamination.json"), report)
    print(
        f"{TRAIN}: {record['without_answer']} problems without an answer are left out\n"
        f"{TRAIN}: {contamination.summary(report)}",
        file=sys.stderr,
    )
    return kept


def _given(value: object) -> bool:
    return value is not None and bool(str(value).strip())


def _page(pins: dict) -> str:
    """Return where a person reads about a dataset and accepts its terms."""
    return f"huggingface.co/datasets/{pins['repo']}"


@contextmanager
def _explained(name: str, pins: dict) -> Iterator[None]:
    """Turn an error of the hub into one message that says what to do."""
    where = f"{name}: {_page(pins)}"
    try:
        yield
    except (httpx.HTTPError, OSError, *_OTHER_ERRORS) as error:
        wrapped = (errors.LocalEntryNotFoundError, errors.RevisionResolutionError)
        reason = error.__cause__ if isinstance(error, wrapped) and error.__cause__ else error
        status = reason.response.status_code if isinstance(reason, errors.HfHubHTTPError) else None
        if isinstance(reason, errors.RepositoryNotFoundError) or status in (401, 403):
            gated = pins["gated"] or isinstance(reason, errors.GatedRepoError)
            why = "is gated: accept its terms on that page" if gated else "is not open to you"
            raise AccessError(
                f"{where} {why}, then set HF_TOKEN to a valid token or run `hf auth login`"
            ) from None
        raise HubError(  # no connection, no such revision or file, a full disk
            f"{where} at {pins['revision']} could not be downloaded: {type(reason).__name__}: "
            f"{' '.join(str(reason).split())}; check the connection and HF_HUB_OFFLINE, or use "
            "files that you have: data_source: directory, data_dir: folder"
        ) from None
