"""Two configurations, and a directory without records of finished jobs."""

import pytest
from plans import on_one_gpu, read, resolve


@pytest.fixture(autouse=True)
def empty_directory(tmp_path, monkeypatch):
    """Without records of finished jobs."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def smoke() -> dict:
    return resolve(read("smoke"))


@pytest.fixture
def paper() -> dict:
    """On a single GPU."""
    return resolve(on_one_gpu(read("paper")))


@pytest.fixture
def paper_on_eight() -> dict:
    """As it stands: a training on eight GPUs."""
    return resolve(read("paper"))
