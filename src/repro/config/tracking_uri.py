"""The address of MLflow's store: what it may be, checked without importing MLflow."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

SQLITE = "sqlite:///"
ALLOWED = (
    f"{SQLITE}FILE, of letters, digits, _ . / and -, or the address of an MLflow server, "
    "http://... or https://..."
)
SECRETS = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN,"


def check(uri: str) -> str:
    """Return an address; refuse one of no store, or with a password, which logs and links repeat.

    Raises:
        ValueError: what is wrong and what is allowed, without quoting what may be a secret.
    """
    if not uri.startswith(SQLITE) and any(mark in uri for mark in "@?#"):
        raise ValueError(
            "tracking_uri holds a user name, a password or a token, or other things that are not "
            f"part of an address; allowed: {ALLOWED}. MLflow reads {SECRETS} from the environment"
        )
    try:
        parts = urlsplit(uri)
        is_server = re.fullmatch(r"https?://[^\s{}'\"`$;\\]+", uri) and parts.hostname
        usable = re.fullmatch(rf"{SQLITE}/*[\w.-][\w./-]*", uri) or (is_server and parts.port != 0)
    except ValueError:  # of the port
        usable = False
    if not usable:
        raise ValueError(f"tracking_uri = {uri!r} is not allowed; allowed: {ALLOWED}")
    return uri


def absolute(uri: str) -> str:
    """Return an address with a relative SQLite path made absolute, as MLflow wants it.

    Raises:
        ValueError: see `check`.
    """
    file = sqlite_file(check(uri))
    return uri if file is None else f"{SQLITE}{file}"


def sqlite_file(uri: str) -> Path | None:
    """Return the absolute path of a SQLite store; None for a server."""
    return Path(uri.removeprefix(SQLITE)).absolute() if uri.startswith(SQLITE) else None


def store_exists(uri: str) -> bool:
    """Tell whether a SQLite store has its tables already; a server creates its own."""
    file = sqlite_file(uri)
    if file is None or not file.exists():
        return file is None
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        found = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
        return found.fetchone() is not None
