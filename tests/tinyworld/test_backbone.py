"""A backbone whose training was ended in the middle has the same weights as one that was not."""

import signal
import subprocess
import sys

import pytest

from repro.config.backbones import TinyBackbone
from repro.config.resolved import dump
from repro.training import supervised
from repro.training.callbacks import ProgressLine, newest_complete_checkpoint

SIZES = {"architecture": "qwen3", "hidden_size": 32, "layers": 2, "heads": 2, "key_value_heads": 1}
TRAINING = {"steps": 25, "batch_size": 4, "learning_rate": 0.003, "seed": 0}
SETTINGS = TinyBackbone(source="tinyworld", **SIZES, **TRAINING)
# Sent before the step's own checkpoint: 25 steps have one at every second step.
ENDED_AT_STEP_8 = """
import os, sys
from repro.config.backbones import TinyBackbone
from repro.training import supervised

class Ending(supervised.ProgressLine):
    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 8:
            os.kill(os.getpid(), int(sys.argv[1]))

supervised.ProgressLine = Ending
supervised.build(TinyBackbone.model_validate_json(sys.argv[2]), "tiny", *sys.argv[3:])
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    supervised.build(SETTINGS, "tiny", folder / "model", folder / "work")
    return folder


@pytest.fixture
def steps(monkeypatch):
    """A list that grows with every step of a training in this process."""
    made = []
    monkeypatch.setattr(ProgressLine, "on_step_end", lambda *_, **__: made.append(1))
    return made


def weights(folder) -> bytes:
    return (folder / "model/model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("sent", "status", "checkpoint"),
    # Asked to end it writes a checkpoint of the step.
    [
        (signal.SIGKILL, -signal.SIGKILL, 6),
        pytest.param(signal.SIGTERM, 143, 8, marks=pytest.mark.long),
    ],
)
def test_ended_in_the_middle_it_goes_on_to_the_same_bits(
    undisturbed, tmp_path, steps, sent, status, checkpoint
):
    command = [sys.executable, "-c", ENDED_AT_STEP_8, str(int(sent)), dump(SETTINGS)]
    places = [tmp_path / "model", tmp_path / "work"]
    done = subprocess.run([*command, *places], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    assert not (tmp_path / "model").exists()
    [work] = (tmp_path / "work").iterdir()
    assert newest_complete_checkpoint(work).name == f"checkpoint-{checkpoint}"

    supervised.build(SETTINGS, "tiny", *places)
    assert len(steps) == SETTINGS.steps - checkpoint
    assert weights(tmp_path) == weights(undisturbed)


def test_only_the_same_training_goes_on_from_its_last_checkpoint(undisturbed, tmp_path, steps):
    other = SETTINGS.model_copy(update={"seed": 1})
    supervised.build(other, "tiny", tmp_path / "model", undisturbed / "work")
    assert len(steps) == SETTINGS.steps
    supervised.build(SETTINGS, "tiny", tmp_path / "model", undisturbed / "work")
    assert len(steps) == SETTINGS.steps, "it is trained: no step is left"
    assert weights(tmp_path) == weights(undisturbed)
