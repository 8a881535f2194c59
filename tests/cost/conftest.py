"""Two configurations, and a directory without the times of finished jobs."""

import pytest
from pydantic import BaseModel
from tests.paths import ROOT

from repro.config import settings
from repro.config.models import Block, Experiment


def changed(model: BaseModel, **values) -> BaseModel:
    """Return settings with other values; a mapping changes a section's."""
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(getattr(model, key), BaseModel):
            value = changed(getattr(model, key), **value)
        model = model.model_copy(update={key: value})
    return model


@pytest.fixture(autouse=True)
def empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def smoke() -> Experiment:
    return settings.read(ROOT / "config/smoke.yaml")


@pytest.fixture
def paper_on_eight() -> Experiment:
    """As it is: a training on eight GPUs."""
    return settings.read(ROOT / "config/paper.yaml")


@pytest.fixture
def paper(paper_on_eight) -> Experiment:
    """On a single GPU, with shares of vLLM that fit there beside a critic; all by all methods."""
    training = {"parallel": {"strategy": "ddp"}, "rollouts": {"gpu_memory": 0.28}, "save_every": 25}
    training["critic"] = {"gpu_memory": None}
    grid = [Block(methods=paper_on_eight.grid[0].methods)]
    return changed(paper_on_eight, gpus=1, training=training, grid=grid)
