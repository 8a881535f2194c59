"""Where MLflow's store may be; an address with a password is refused and not repeated."""

import pytest
import yaml

from repro.commands.cli import main
from repro.config import settings, tracking_uri
from tests.paths import ROOT

ALLOWED = (
    *("sqlite:///results/mlflow.db", "http://tracking:5000", "https://mlflow.example.org/a/b"),
    "http://[::1]:5000/",
)
REFUSED = (
    *("sqlite:///", "sqlite://x.db", "file:///tmp/mlruns", "mlruns", "htp://server", "http://"),
    *("http://:5000", "http://server:port", "http://ser ver", "http:/s"),
    *("postgresql://server/mlflow", "databricks", "http://server\n"),
)
WITH_PASSWORD = (
    *("https://me:hunter2@server", "https://hunter2@server/mlflow", "http:me:hunter2@server"),
    *("htps://me:hunter2@server", "postgresql://me:hunter2@server/mlflow"),
    *("https://server?token=hunter2", "https://server/#hunter2", "me:hunter2@server"),
)


def configured(uri):
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    return settings.resolve(config | {"tracking_uri": uri}, "smoke.yaml")


def test_files_and_servers_are_allowed(tmp_path, monkeypatch):
    assert [configured(uri).tracking_uri for uri in ALLOWED] == [*ALLOWED]
    monkeypatch.chdir(tmp_path)
    assert tracking_uri.absolute("sqlite:///a/b.db") == f"sqlite:///{tmp_path}/a/b.db"


@pytest.mark.parametrize("uri", [*REFUSED, *WITH_PASSWORD])
def test_anything_else_is_refused_before_any_job(uri, capsys, monkeypatch):
    with pytest.raises(ValueError, match="smoke.yaml: tracking_uri: not an address") as refused:
        configured(uri)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert main(["store"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("error: not an address of MLflow's store; allowed: sqlite:///FILE")
    assert "MLFLOW_TRACKING_PASSWORD" in said.err
    assert "hunter2" not in f"{refused.value}{said.err}{said.out}"
