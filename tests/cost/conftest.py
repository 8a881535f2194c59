"""Two configurations, and a directory without the times of finished jobs."""

import pytest
import yaml
from pydantic import BaseModel
from tests.paths import ROOT

from repro.config import settings
from repro.config.models import Experiment

ON_ONE_GPU = {  # what fits there beside a critic
    "gpus": 1,
    "training": {
        "parallel": {"strategy": "ddp"},
        "rollouts": {"gpu_memory": 0.28},
        "critic": {"gpu_memory": None},
        "save_every": 25,
    },
}


def changed(model: BaseModel, **values) -> BaseModel:
    """Return settings with other values; a mapping changes a section's."""
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(getattr(model, key), BaseModel):
            value = changed(getattr(model, key), **value)
        model = model.model_copy(update={key: value})
    return model


@pytest.fixture(autouse=True)
def empty_directory(tmp_path, monkeypatch):
    """Work where there are no times of finished jobs."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def smoke() -> Experiment:
    return settings.read(ROOT / "config/smoke.yaml")


@pytest.fixture
def paper(tmp_path) -> Experiment:
    """On a single GPU."""
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(ON_ONE_GPU))
    return settings.read(ROOT / "config/paper.yaml", tmp_path / "one.yaml")


@pytest.fixture
def paper_on_eight() -> Experiment:
    """As it is: a training on eight GPUs."""
    return settings.read(ROOT / "config/paper.yaml")
