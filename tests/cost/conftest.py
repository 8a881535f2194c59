"""Two configurations, and a directory without the times of finished jobs."""

import pytest
import yaml
from tests.paths import ROOT

from repro.config import config_files

ON_ONE_GPU = {  # what fits there beside a critic
    "gpus": 1,
    "training": {
        "parallel": {"strategy": "ddp"},
        "rollouts": {"gpu_memory": 0.28},
        "critic": {"gpu_memory": None},
        "save_every": 25,
    },
}


@pytest.fixture(autouse=True)
def empty_directory(tmp_path, monkeypatch):
    """Without times of finished jobs."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def smoke() -> dict:
    return config_files.read(ROOT / "config/smoke.yaml")


@pytest.fixture
def paper(tmp_path) -> dict:
    """On a single GPU."""
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(ON_ONE_GPU))
    return config_files.read(ROOT / "config/paper.yaml", tmp_path / "one.yaml")


@pytest.fixture
def paper_on_eight() -> dict:
    """As it is: a training on eight GPUs."""
    return config_files.read(ROOT / "config/paper.yaml")
