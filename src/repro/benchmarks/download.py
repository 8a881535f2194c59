"""Files of pinned datasets from the Hugging Face hub, with the hashes they must have.

`sources.yml` pins repository, commit, files and their hashes. Every error of the hub becomes one
message that names the dataset and says what to do.
"""

import fnmatch
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import huggingface_hub
from huggingface_hub import errors

from repro.benchmarks.declared import sources

_COMMIT = re.compile(r"[0-9a-f]{40}")
_HOW_TO_LOG_IN = "set HF_TOKEN or run `hf auth login`"


class HubError(ValueError):
    """A dataset cannot be had as pinned; the message says which, why, and what to do."""


class AccessError(HubError):
    """The hub does not give a dataset to this account: terms not accepted, or no valid token."""


@dataclass(frozen=True)
class Hub:
    """Which hub, as whom, and where downloads are cached; None: as huggingface_hub decides.

    That is HF_ENDPOINT, HF_TOKEN or the token of `hf auth login`, and HF_HOME. `token` False: none.
    """

    endpoint: str | None = None
    token: str | bool | None = None
    cache_dir: str | Path | None = None

    @property
    def api(self) -> huggingface_hub.HfApi:
        """huggingface_hub's client."""
        return huggingface_hub.HfApi(endpoint=self.endpoint, token=self.token)

    def download(self, repo: str, commit: str, path: str) -> Path:
        """Return a file of a dataset, from the cache where it is there."""
        file = self.api.hf_hub_download(
            repo, path, repo_type="dataset", revision=commit, cache_dir=self.cache_dir
        )
        return Path(file)


DEFAULT = Hub()


@dataclass(frozen=True)
class File:
    """One downloaded file: its path in the repository and here, its hash, its rows if pinned."""

    name: str
    path: Path
    sha256: str
    rows: int | None


def source(name: str) -> dict:
    """Return one dataset's pins.

    Raises:
        HubError: `sources.yml` does not have it.
    """
    if name not in sources():
        raise HubError(f"{name!r} is not on the hub; choose from {', '.join(sources())}")
    return sources()[name]


def page(pins: dict) -> str:
    """Return where a person reads about a dataset and accepts its terms."""
    return f"huggingface.co/datasets/{pins['repo']}"


def check_access(names: Iterable[str], hub: Hub = DEFAULT) -> None:
    """Ask the hub for access to all these datasets, before anything is downloaded.

    With HF_HUB_OFFLINE set nothing is asked: only what is in the cache can be used anyway.

    Raises:
        AccessError: some are out of reach; one message lists all of them with their pages.
        HubError: an unknown name, a dataset that is gone, or no connection.
    """
    if huggingface_hub.constants.is_offline_mode():
        return
    missing = []
    for name in names:
        pins = source(name)
        try:
            with _explained(name, pins):
                hub.api.auth_check(pins["repo"], repo_type="dataset")
        except AccessError as error:
            missing.append(str(error))
    if missing:
        raise AccessError("\n".join(missing))


def download(
    name: str, recorded: dict, count: int | None = None, hub: Hub = DEFAULT
) -> tuple[str, list[File]]:
    """Return a dataset's commit and its files, with the hashes that they must have.

    Args:
        name: a name of `sources.yml`.
        recorded: what an earlier fetch noted (``repo``, ``revision``, ``commit``, ``files``), or
            {}: where a branch is pinned, its commit and hashes count from then on.
        count: only the first so many of the pinned files.
        hub: where to download from.

    Raises:
        HubError: not to be had, or a hash differs.
    """
    pins = source(name)
    if any(recorded.get(key) != pins[key] for key in ("repo", "revision")):
        recorded = {}  # of other pins
    with _explained(name, pins):
        commit = _commit(name, pins, recorded, hub)
        wanted = pins["files"][:count] if "files" in pins else _on_card(name, pins, commit, hub)
        paths = [hub.download(pins["repo"], commit, file["path"]) for file in wanted]
    files = []
    for file, path in zip(wanted, paths, strict=True):
        with open(path, "rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        expected = file.get("sha256") or recorded.get("files", {}).get(file["path"], sha256)
        if sha256 != expected:
            raise HubError(
                f"{name}: {file['path']} of {page(pins)} has SHA-256 {sha256}, expected "
                f"{expected}; nothing is written; delete {path} if its download is broken"
            )
        files.append(File(file["path"], path, sha256, file.get("rows")))
    return commit, files


def _commit(name: str, pins: dict, recorded: dict, hub: Hub) -> str:
    """Return the pinned commit; a branch is resolved once, and the record decides from then on."""
    if _COMMIT.fullmatch(pins["revision"]):
        return pins["revision"]
    if recorded:
        return recorded["commit"]
    revision = hub.api.resolve_revision(
        pins["repo"], repo_type="dataset", revision=pins["revision"], cache_dir=hub.cache_dir
    )
    print(
        f"{name}: no commit is pinned; {pins['revision']} of {pins['repo']} is "
        f"{revision.resolved} and is kept from now on",
        file=sys.stderr,
    )
    return revision.resolved


def _on_card(name: str, pins: dict, commit: str, hub: Hub) -> list[dict]:
    """Return the files that the dataset's card names for the pinned config and split."""
    card = huggingface_hub.metadata_load(hub.download(pins["repo"], commit, "README.md")) or {}
    patterns = [
        pattern
        for config in card.get("configs", [])
        if config.get("config_name") == pins["config"]
        for pattern in _patterns(config.get("data_files", []), pins["split"])
    ]
    present = hub.api.list_repo_files(pins["repo"], repo_type="dataset", revision=commit)
    paths = [
        path for path in sorted(present) if any(fnmatch.fnmatchcase(path, p) for p in patterns)
    ]
    if not paths:
        raise HubError(
            f"{name}: the card of {page(pins)} at {commit} names no files for config "
            f"{pins['config']}, split {pins['split']}"
        )
    return [{"path": path} for path in paths]


def _patterns(data_files: object, split: str) -> list[str]:
    """Return a split's paths in `data_files`: a path, a list of them, or of splits with paths."""
    if isinstance(data_files, str):
        return [data_files]
    if isinstance(data_files, dict):
        wanted = data_files.get("split", split) == split
        return _patterns(data_files.get("path", []), split) if wanted else []
    return [pattern for part in data_files for pattern in _patterns(part, split)]


@contextmanager
def _explained(name: str, pins: dict) -> Iterator[None]:
    """Turn an error of the hub into one message that says what to do."""
    try:
        yield
    except (
        errors.RevisionResolutionError,
        errors.XetDownloadError,
        httpx.HTTPError,
        OSError,
    ) as error:
        wrapped = (errors.LocalEntryNotFoundError, errors.RevisionResolutionError)
        reason = error.__cause__ if isinstance(error, wrapped) and error.__cause__ else error
        raise _explanation(reason, name, pins) from None


def _explanation(error: BaseException, name: str, pins: dict) -> HubError:
    where = f"{name}: {page(pins)}"
    gated = f"{where} is gated: accept its terms on that page, then {_HOW_TO_LOG_IN}"
    match error:
        case errors.GatedRepoError():
            return AccessError(gated)
        case errors.RevisionNotFoundError():
            return HubError(f"{where} has no revision {pins['revision']}")
        case errors.RemoteEntryNotFoundError():
            return HubError(f"{where}: there is no file {error.response.url}")
        case errors.RepositoryNotFoundError():
            missing = HubError(f"{where} does not exist, or the token is not valid")
            return AccessError(gated) if pins["gated"] else missing
        case errors.HfHubHTTPError() if error.response.status_code in (401, 403):
            return AccessError(
                f"{where} refuses the token (HTTP {error.response.status_code}): renew it, or "
                f"allow it to read public gated repositories, then {_HOW_TO_LOG_IN}"
            )
        case errors.HfHubHTTPError():
            return HubError(f"{where} answered HTTP {error.response.status_code}; try again later")
    # No connection, offline mode and no copy in the cache, a broken-off download, or a full disk.
    return HubError(
        f"{where} could not be downloaded: {type(error).__name__}: {error}; check the connection "
        "and HF_HUB_OFFLINE, or use files that you have: data_source: directory, data_dir: folder"
    )
