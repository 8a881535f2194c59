"""A command works on as many threads as Snakemake has granted its job; nothing runs here."""

import re
import subprocess

import pytest
import yaml

from tests.paths import ROOT
from tests.workflow.conftest import CONFIG


@pytest.fixture
def planned(tmp_path):
    """Return a function that plans an experiment: (threads, command) of each job of a rule."""

    def plan(rule: str, config: dict, *arguments: str) -> list[tuple[int, str]]:
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(config))
        command = ["snakemake", "--snakefile", ROOT / "Snakefile", "--directory", tmp_path]
        command += ["--configfile", file, "--dry-run", "--printshellcmds", *arguments]
        dry = subprocess.run(command, capture_output=True, text=True)
        assert dry.returncode == 0, dry.stdout + dry.stderr
        block = rf"^rule {rule}:\n(.*?)^Shell command: (.*?)$"
        jobs = re.findall(block, dry.stdout, re.M | re.S)
        assert jobs, dry.stdout
        granted = [re.search(r"^    threads: (\d+)", about, re.M) for about, _ in jobs]
        return [(int(n[1]) if n else 1, shell) for n, (_, shell) in zip(granted, jobs, strict=True)]

    return plan


@pytest.fixture
def config() -> dict:
    return yaml.safe_load(CONFIG.read_text())


@pytest.mark.parametrize(
    ("arguments", "threads"),
    [
        (["--cores", "2"], 1),  # two jobs side by side
        (["--cores", "3", "--set-threads", "score=8"], 3),
    ],
)
def test_scoring_is_told_what_it_is_granted(planned, config, arguments, threads):
    for granted, command in planned("score", config, *arguments):
        assert granted == threads
        assert f" --threads {threads} " in command


@pytest.mark.parametrize(
    ("processes", "arguments", "threads", "each"),
    [
        (1, ["--cores", "2"], 1, None),  # Snakemake sets the variables
        (2, ["--cores", "4"], 2, 1),
        (2, ["--cores", "8", "--set-threads", "train=8"], 8, 4),
    ],
)
def test_the_processes_of_a_training_share_its_threads(
    planned, config, processes, arguments, threads, each
):
    config["training"] |= {"parallel": {"processes": processes}, "micro_batch_size": 4}
    for granted, command in planned("train", config, *arguments):
        assert granted == threads
        assert f"--num_processes {processes}" in command or processes == 1
        exported = re.search(r"export OMP_NUM_THREADS.*?;", command)
        assert (exported is None) == (each is None)
        if each:
            script = f'{exported[0]} echo "$OMP_NUM_THREADS $MKL_NUM_THREADS"'
            said = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
            assert said.stdout.split() == [str(each)] * 2
