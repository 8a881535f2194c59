"""A pickle that runs code when it is loaded, in every file that a run could read: none is run."""

import os
import pickle
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tests.training.conftest import run_of

from repro.evaluation import engines
from repro.files import jsonl
from repro.training import train
from repro.training.callbacks import MANIFEST, CheckpointManifest, newest_complete_checkpoint

READ = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "critic_optimizer.pt")
# Written but never read, or what transformers would look for if there were nothing better.
NOT_READ = ("training_args.bin", "pytorch_model.bin", "critic.bin", "adapter_model.bin")


class Attack:
    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.fixture(params=["archive", "bare pickle"])
def plant(request, tmp_path):
    """Write an attack into a file; whoever loads it carelessly makes the folder `harm`."""
    harm = tmp_path / "harm"

    def plant(path: Path) -> Path:
        if request.param == "archive":
            torch.save({"state": {}, "param_groups": [Attack(harm)]}, path)
            torch.load(path, weights_only=False)
        else:
            path.write_bytes(pickle.dumps(Attack(harm)))
            pickle.loads(path.read_bytes())
        harm.rmdir()  # so it works
        return harm

    return plant


@pytest.fixture
def resume(finished, backbones, train_file, tmp_path):
    """A copy of a run that was killed after a checkpoint, and the function that goes on with it."""
    settings, work = jsonl.read_json(finished / "settings.json"), tmp_path / "work"
    shutil.copytree(finished / "work", work)
    shutil.rmtree(work / "checkpoint-6")

    def run():
        train.train_run(run_of(settings), backbones["qwen3"], train_file, work, tmp_path / "out")
        return jsonl.read(tmp_path / "out/training.jsonl")

    return work / "checkpoint-4", run


def renew_manifest(checkpoint: Path) -> None:
    """As someone would who may write there."""
    (checkpoint / MANIFEST).unlink()
    where = SimpleNamespace(output_dir=checkpoint.parent, world_size=1)
    state = SimpleNamespace(global_step=4, is_world_process_zero=True)
    CheckpointManifest().on_save(where, state, control=None)


@pytest.mark.long
@pytest.mark.parametrize("name", READ)
def test_a_checkpoint_that_would_run_code_is_refused(resume, plant, name):
    checkpoint, run = resume
    assert (checkpoint / name).is_file()
    harm = plant(checkpoint / name)
    assert newest_complete_checkpoint(checkpoint.parent) is None  # its digest is another
    renew_manifest(checkpoint)
    assert newest_complete_checkpoint(checkpoint.parent) == checkpoint
    with pytest.raises(ValueError, match="checkpoint-4: not loaded, .* would run code .*delete"):
        run()
    assert not harm.exists()


@pytest.mark.long
def test_the_rest_is_not_even_opened(resume, plant):
    checkpoint, run = resume
    for name in NOT_READ:
        harm = plant(checkpoint / name)
    renew_manifest(checkpoint)
    assert [row["step"] for row in run()] == [1, 2, 3, 4, 5, 6]
    assert not harm.exists()


@pytest.mark.parametrize("beside", [True, False])
def test_a_backbone_is_read_from_safetensors_only(
    backbones, train_file, tmp_path, plant, settings, beside
):
    folder = shutil.copytree(backbones["qwen3"], tmp_path / "backbone")
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt"):
        harm = plant(folder / name)
    if beside:
        engines.load("transformers", folder, 64)
        assert not harm.exists()
        return
    (folder / "model.safetensors").unlink()
    with pytest.raises(OSError, match=r"model\.safetensors"):
        engines.load("transformers", folder, 64)
    with pytest.raises(OSError, match=r"model\.safetensors"):
        train.train_run(run_of(settings), folder, train_file, tmp_path / "work", tmp_path / "out")
    assert not harm.exists()
