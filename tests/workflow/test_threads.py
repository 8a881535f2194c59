"""A command works on as many threads as Snakemake has granted its job; nothing runs here."""

import re
import subprocess

import pytest
import yaml

from tests.paths import ROOT


def jobs_of(rule: str, said: str) -> list[tuple[int, str]]:
    """Return the threads and the command of each planned job of a rule."""
    jobs = re.findall(rf"^rule {rule}:\n(.*?)^Shell command: (.*?)$", said, re.M | re.S)
    assert jobs, said
    granted = [re.search(r"^    threads: (\d+)", about, re.M) for about, _ in jobs]
    return [(int(n[1]) if n else 1, shell) for n, (_, shell) in zip(granted, jobs, strict=True)]


@pytest.mark.parametrize(
    ("processes", "arguments", "scoring", "training", "each"),
    [
        (1, ["--cores", "2"], 1, 1, None),  # two jobs side by side; Snakemake sets the variables
        (2, ["--cores", "4", "--set-threads", "score=8"], 4, 2, 1),
        (2, ["--cores", "8", "--set-threads", "train=8"], 1, 8, 4),
    ],
)
def test_commands_are_told_what_their_jobs_are_granted(
    config, tmp_path, processes, arguments, scoring, training, each
):
    config["training"] |= {"parallel": {"processes": processes}, "micro_batch_size": 4}
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config))
    command = ["snakemake", "--snakefile", ROOT / "Snakefile", "--directory", tmp_path]
    command += ["--configfile", file, "--dry-run", "--printshellcmds", *arguments]
    dry = subprocess.run(command, capture_output=True, text=True)
    assert dry.returncode == 0, dry.stdout + dry.stderr
    for granted, shell in jobs_of("score", dry.stdout):
        assert granted == scoring
        assert f" --threads {scoring} " in shell
    for granted, shell in jobs_of("train", dry.stdout):
        assert granted == training
        launch = "config/accelerate/ddp.yaml --num_processes 2 --main_process_port 0 --module"
        assert (launch in shell) == (processes == 2)
        assert ("python -m repro train " in shell) == (processes == 1)
        assert ("export CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES-0};" in shell) == (
            processes == 1
        )
        assert ("export TORCH_ELASTIC_SHUTDOWN_TIMEOUT=3600;" in shell) == (processes == 2)
        exported = re.search(r"export OMP_NUM_THREADS.*?;", shell)
        assert (exported is None) == (each is None)
        if each:  # the processes of a training share its threads
            script = f'{exported[0]} echo "$OMP_NUM_THREADS $MKL_NUM_THREADS"'
            said = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
            assert said.stdout.split() == [str(each)] * 2
