"""Tables, figures, verdicts and the report are made again from an archive, without any model.

smoke.tar.zst is that of a finished `make smoke`, without responses and figures. Where tables change
it is made again: `python -m repro archive --without-texts`, of results whose figures are deleted.
"""

import pytest

from repro.commands.cli import main
from repro.files import digests
from repro.records import archive, compare_results
from tests.paths import ROOT
from tests.workflow.conftest import SMOKE

SMALL = ROOT / "tests/archive/smoke.tar.zst"


def make_again(snakemake, folder, *targets: str):
    """Return what Snakemake said, and the results that it made of theirs.tar.zst."""
    again = snakemake(folder, "--config", "from_archive=theirs.tar.zst", "--", *targets)
    said = again.stdout + again.stderr
    assert "Computed again: tables, figures, verdicts, report" in said, said
    assert not list(folder.rglob("train.log")) and not list(folder.rglob("mlflow*"))
    return said, folder / "results/from_archive/theirs"


def test_tables_and_verdicts_are_the_same_again(snakemake, tmp_path):
    (tmp_path / "theirs.tar.zst").write_bytes(SMALL.read_bytes())
    said, made = make_again(snakemake, tmp_path, "write_tables", "claims")
    assert "Taken as they are: scores, logs, objectives, the case study, the table over" in said
    archive.unpack(SMALL, tmp_path / "whole")
    found = compare_results.compare(tmp_path / "whole", made)
    assert len(found) > 100 and found["difference"].isna().all()


@pytest.mark.long
def test_everything_is_the_same_again(snakemake, done, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(done)
    file = tmp_path / "theirs.tar.zst"
    assert main(["archive", "--config", str(SMOKE), "--output", str(file)]) == 0
    named = f"SHA-256 {digests.of_content(file)}"
    assert f"{named}\n" in capsys.readouterr().out
    _, made = make_again(snakemake, tmp_path)
    assert f"theirs.tar.zst, {named}" in (made / "report/overview.html").read_text()
    assert main(["compare", str(file), str(made)]) == 0
    mine = compare_results.compare(done / "results/smoke", made)
    of_both = mine[mine["kind"].isin(["tables", "figures", "scores", "generations"])]
    assert len(of_both) > 100 and of_both["difference"].isna().all()


def test_an_archive_is_of_the_configuration_that_made_it(done, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(done)
    (tmp_path / "other.yaml").write_text("grid: [{methods: [original, grpo, grpo+repro, ppo]}]\n")
    configs = ["--config", str(SMOKE), str(tmp_path / "other.yaml")]
    assert main(["archive", *configs, "--output", f"{tmp_path}/b.tar.zst"]) == 1
    assert "results/smoke: made with another configuration than" in capsys.readouterr().err


def test_a_bad_archive_starts_nothing(snakemake, tmp_path):
    (tmp_path / "bad.tar.zst").write_bytes(SMALL.read_bytes()[:1000])
    for config, message in (
        (["from_archive=bad.tar.zst"], "bad.tar.zst: "),
        ([f"from_archive={SMALL}", "name=mine"], "from_archive goes alone"),
    ):
        found = snakemake(tmp_path, "--config", *config)
        assert found.returncode == 1 and message in found.stdout + found.stderr
        assert not list((tmp_path / "results").rglob("*.csv"))
