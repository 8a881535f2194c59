"""The address of MLflow's store: what it may be, checked without importing MLflow."""

import re
from pathlib import Path

SQLITE = "sqlite:///"
_HOST = r"([\w.-]+|\[[\da-fA-F:]+\])"
_ALLOWED = re.compile(rf"{SQLITE}/*[\w.-][\w./-]*|https?://{_HOST}(:[1-9]\d{{0,4}})?(/[\w./%~-]*)?")


def check(uri: str) -> str:
    """Return an address; refuse one of no store, or with a password, which logs and links repeat.

    ValueError: what is allowed, without quoting what may be a secret.
    """
    if not _ALLOWED.fullmatch(uri):
        raise ValueError(
            f"not an address of MLflow's store; allowed: {SQLITE}FILE, of letters, digits, _ . / "
            "and -, or a server, http://... or https://..., without user, password and token: "
            "MLflow reads MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
            "MLFLOW_TRACKING_TOKEN, from the environment"
        )
    return uri


def absolute(uri: str) -> str:
    """Return a checked address, with a relative SQLite path made absolute, as MLflow wants it."""
    if check(uri).startswith(SQLITE):
        return f"{SQLITE}{Path(uri.removeprefix(SQLITE)).absolute()}"
    return uri
