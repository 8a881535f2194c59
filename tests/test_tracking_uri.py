"""Where MLflow's store may be; a password never stands in it, nor in what is said of it."""

import pytest
import yaml

from repro.commands.cli import main
from repro.config import settings, tracking_uri
from tests.paths import ROOT


def configured(uri):
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    return settings.resolve(config | {"tracking_uri": uri}, "smoke.yaml")


@pytest.mark.parametrize(
    "uri",
    [
        *("sqlite:///results/mlflow.db", "http://tracking:5000", "https://mlflow.example.org/a/b"),
        "http://[::1]:5000/",
    ],
)
def test_files_and_servers_are_allowed(uri):
    assert configured(uri).tracking_uri == uri


@pytest.mark.parametrize(
    "uri",
    [
        *("sqlite:///", "sqlite://x.db", "file:///tmp/mlruns", "mlruns", "htp://server", "http://"),
        *("http://:5000", "http://server:port", "http://server:99999", "http://ser ver", "http:/s"),
        *("postgresql://server/mlflow", "databricks", "http://server\n"),
    ],
)
def test_anything_else_is_refused_before_any_job(uri, capsys, monkeypatch):
    with pytest.raises(ValueError, match="smoke.yaml: tracking_uri") as refused:
        configured(uri)
    assert "sqlite:///FILE" in str(refused.value)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert main(["store"]) == 1
    assert capsys.readouterr().err.startswith("error: tracking_uri")


@pytest.mark.parametrize(
    "uri",
    [
        *("https://me:hunter2@server", "https://hunter2@server/mlflow", "http:me:hunter2@server"),
        *("htps://me:hunter2@server", "postgresql://me:hunter2@server/mlflow"),
        *("https://server?token=hunter2", "https://server/#hunter2", "me:hunter2@server"),
    ],
)
def test_a_password_is_refused_and_not_repeated(uri, capsys, monkeypatch):
    with pytest.raises(ValueError, match="MLFLOW_TRACKING_TOKEN") as refused:
        configured(uri)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert main(["store"]) == 1
    said = capsys.readouterr()
    assert "MLFLOW_TRACKING_PASSWORD" in said.err
    assert "hunter2" not in f"{refused.value}{said.err}{said.out}"


def test_a_relative_file_is_below_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tracking_uri.absolute("sqlite:///a/b.db") == f"sqlite:///{tmp_path}/a/b.db"
