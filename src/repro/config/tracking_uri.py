"""The address of MLflow's store: what it may be, checked without importing MLflow."""

import re
from pathlib import Path
from urllib.parse import urlsplit

SQLITE = "sqlite:///"
_ALLOWED = (
    f"{SQLITE}FILE, of letters, digits, _ . / and -, or the address of an MLflow server, "
    "http://... or https://..."
)
_FILE = rf"{SQLITE}/*[\w.-][\w./-]*"
_SERVER = r"https?://[^\s{}'\"`$;\\]+"


def check(uri: str) -> str:
    """Return an address; refuse one of no store, or with a password, which logs and links repeat.

    ValueError: what is wrong and what is allowed, without quoting what may be a secret.
    """
    if not uri.startswith(SQLITE) and any(mark in uri for mark in "@?#"):
        raise ValueError(
            "tracking_uri holds a user name, a password or a token, or other things that are not "
            f"part of an address; allowed: {_ALLOWED}. MLflow reads MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, from the environment"
        )
    try:
        parts = urlsplit(uri)
        is_server = re.fullmatch(_SERVER, uri) and parts.hostname and parts.port != 0
    except ValueError:  # of the port
        is_server = False
    if not is_server and not re.fullmatch(_FILE, uri):
        raise ValueError(f"tracking_uri = {uri!r} is not allowed; allowed: {_ALLOWED}")
    return uri


def absolute(uri: str) -> str:
    """Return a checked address, with a relative SQLite path made absolute, as MLflow wants it."""
    file = sqlite_file(check(uri))
    return uri if file is None else f"{SQLITE}{file}"


def sqlite_file(uri: str) -> Path | None:
    """Return the absolute path of a SQLite store; None for a server."""
    return Path(uri.removeprefix(SQLITE)).absolute() if uri.startswith(SQLITE) else None
