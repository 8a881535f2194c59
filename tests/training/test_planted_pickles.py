"""A pickle that runs code when it is loaded, in every file that a run could read: none is run."""

import os
import pickle
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tests.training.conftest import even_length, make_settings, run_of

from repro.evaluation.transformers_engine import TransformersEngine
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


def as_archive(harm: Path, path: Path) -> None:
    torch.save({"state": {}, "param_groups": [Attack(harm)]}, path)


def as_bare_pickle(harm: Path, path: Path) -> None:
    path.write_bytes(pickle.dumps(Attack(harm)))


@pytest.fixture(params=[as_archive, as_bare_pickle])
def plant(request, tmp_path):
    """Write an attack into a file; whoever loads it carelessly makes the folder `harm`."""
    harm = tmp_path / "harm"

    def plant(path: Path) -> Path:
        request.param(harm, path)
        with open(path, "rb") as file:
            careless = torch.load if request.param is as_archive else pickle.load
            careless(file, **({"weights_only": False} if careless is torch.load else {}))
        harm.rmdir()  # so it works
        return harm

    return plant


@pytest.fixture(scope="module")
def stopped(backbones, train_file, tmp_path_factory):
    """The files of a PPO run that was killed after the checkpoint of step 2."""
    work = tmp_path_factory.mktemp("stopped") / "work"
    settings = make_settings("ppo", steps=3, save_every=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "correctness", even_length)
        train.train_run(run_of(settings), backbones["qwen3"], train_file, work, work.parent / "out")
    shutil.rmtree(work / "checkpoint-3")
    assert newest_complete_checkpoint(work).name == "checkpoint-2"
    return settings, work


@pytest.fixture
def resume(stopped, backbones, train_file, tmp_path):
    """A copy of those files, and the function that goes on with them."""
    settings, work = stopped
    copied = shutil.copytree(work, tmp_path / "work")

    def run():
        train.train_run(run_of(settings), backbones["qwen3"], train_file, copied, tmp_path / "out")
        return jsonl.read(tmp_path / "out/training.jsonl")

    return copied / "checkpoint-2", run


def renew_manifest(checkpoint: Path) -> None:
    """As someone would who may write there."""
    (checkpoint / MANIFEST).unlink()
    where = SimpleNamespace(output_dir=checkpoint.parent, world_size=1)
    state = SimpleNamespace(global_step=2, is_world_process_zero=True)
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
    with pytest.raises(ValueError, match="checkpoint-2: not loaded, .* would run code .*delete"):
        run()
    assert not harm.exists()


@pytest.mark.long
def test_the_rest_is_not_even_opened(resume, plant):
    checkpoint, run = resume
    for name in NOT_READ:
        harm = plant(checkpoint / name)
    renew_manifest(checkpoint)
    assert [row["step"] for row in run()] == [1, 2, 3]
    assert not harm.exists()


@pytest.mark.parametrize("beside", [True, False])
def test_a_backbone_is_read_from_safetensors_only(
    backbones, train_file, tmp_path, plant, settings, beside
):
    folder = shutil.copytree(backbones["qwen3"], tmp_path / "backbone")
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt"):
        harm = plant(folder / name)
    if beside:
        TransformersEngine(folder)
        assert not harm.exists()
        return
    (folder / "model.safetensors").unlink()
    work = (tmp_path / "work", tmp_path / "out")
    for load in (
        lambda: TransformersEngine(folder),
        lambda: train.train_run(run_of(settings), folder, train_file, *work),
    ):
        with pytest.raises(OSError, match=r"model\.safetensors"):
            load()
    assert not harm.exists()
