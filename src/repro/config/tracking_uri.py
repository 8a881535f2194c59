"""The address of MLflow's store: what it may be, checked without importing MLflow."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

SQLITE = "sqlite:///"
ALLOWED = f"{SQLITE}FILE, or the address of an MLflow server, http://... or https://..."
SECRETS = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN,"


def check(uri: str) -> None:
    """Refuse an address that is no store's, or that holds a password: it stands in logs and links.

    Raises:
        ValueError: what is wrong and what is allowed, without quoting what may be a secret.
    """
    if uri.startswith(SQLITE):
        if not uri.removeprefix(SQLITE).strip("/"):
            raise ValueError(f"tracking_uri = {uri!r} names no file; allowed: {ALLOWED}")
        return
    if any(mark in uri for mark in "@?#"):
        raise ValueError(
            "tracking_uri holds a user name, a password or a token, or other things that are not "
            f"part of an address; allowed: {ALLOWED}. MLflow reads {SECRETS} from the environment"
        )
    try:
        parts = urlsplit(uri)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # of the port
        usable = False
    if not usable or not uri.isprintable() or " " in uri:
        raise ValueError(f"tracking_uri = {uri!r} is not allowed; allowed: {ALLOWED}")


def absolute(uri: str) -> str:
    """Return an address with a relative SQLite path made absolute, as MLflow wants it.

    Raises:
        ValueError: see `check`.
    """
    check(uri)
    file = sqlite_file(uri)
    return uri if file is None else f"{SQLITE}{file}"


def sqlite_file(uri: str) -> Path | None:
    """Return the absolute path of a SQLite store; None for a server."""
    return Path(uri.removeprefix(SQLITE)).absolute() if uri.startswith(SQLITE) else None


def store_exists(uri: str) -> bool:
    """Tell whether a SQLite store has its tables already; a server creates its own."""
    file = sqlite_file(uri)
    if file is None:
        return True
    if not file.exists():
        return False
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        found = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
        return found.fetchone() is not None
