"""Tables, figures, verdicts and the report are made again from an archive, without any model.

smoke.tar.zst is that of a finished `make smoke`. Where tables change it is made again:
`python -m repro archive --config config/smoke.yaml --output tests/archive/smoke.tar.zst`
"""

import pytest

from repro.commands.cli import main
from repro.files import digests
from repro.records import archive, compare_results
from tests.paths import ROOT
from tests.workflow.conftest import SMOKE

ARCHIVE = ROOT / "tests/archive/smoke.tar.zst"


@pytest.mark.parametrize("with_texts", [True, False])
def test_everything_is_made_again_and_is_the_same(snakemake, tmp_path, with_texts):
    archive.unpack(ARCHIVE, tmp_path / "whole")
    about = archive.read_about(tmp_path / "whole").model_copy(update={"with_texts": with_texts})
    archive.write(tmp_path / "whole", tmp_path / "theirs.tar.zst", about)
    done = snakemake(tmp_path, "--config", "from_archive=theirs.tar.zst")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Computed again: tables, figures, verdicts, report" in said
    assert ("the table overthinking" in said) != with_texts
    made = tmp_path / "results/from_archive/theirs"
    found = compare_results.compare(tmp_path / "whole", made)
    kinds = dict(found["kind"].value_counts())
    assert kinds["tables"] > 20 and kinds["figures"] > 10
    differing = found.dropna(subset="difference")
    assert [*differing["file"]] == [f for f in differing["file"] if "/generations/" in f]
    assert len(differing) == (0 if with_texts else kinds["generations"])
    assert not (tmp_path / "work/log/results/from_archive/theirs/runs").exists(), "no run's job ran"
    page = (made / "report/overview.html").read_text()
    assert f"theirs.tar.zst, SHA-256 {digests.of_content(tmp_path / 'theirs.tar.zst')}" in page
    assert not list((tmp_path / "results").rglob("mlflow*"))


def test_an_archive_is_of_the_configuration_that_made_it(done, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(done)
    file = str(tmp_path / "smoke.tar.zst")
    assert main(["archive", "--config", str(SMOKE), "--output", file]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{file}: ") and digests.of_content(file) in said
    archive.unpack(file, tmp_path / "out")
    found = compare_results.compare("results/smoke", tmp_path / "out")
    of_tables = found[found["kind"].isin(["tables", "figures", "scores"])]
    assert len(of_tables) > 40 and of_tables["difference"].isna().all()
    other = tmp_path / "other.yaml"
    other.write_text("evaluation: {temperature: 0.7}\ngrid: [{methods: [original, ppo]}]\n")
    configs = ["--config", str(SMOKE), str(other)]
    assert main(["archive", *configs, "--output", f"{tmp_path}/b.tar.zst"]) == 1
    assert "results/smoke: made with another configuration than" in capsys.readouterr().err


def test_a_bad_archive_starts_nothing(snakemake, tmp_path):
    (tmp_path / "bad.tar.zst").write_bytes(ARCHIVE.read_bytes()[:1000])
    for config, message in (
        (["from_archive=bad.tar.zst"], "bad.tar.zst: "),
        (["from_archive=none.tar.zst"], "none.tar.zst"),
        ([f"from_archive={ARCHIVE}", "name=mine"], "from_archive goes alone"),
    ):
        found = snakemake(tmp_path, "--config", *config)
        assert found.returncode == 1 and message in found.stderr
        assert not list((tmp_path / "results").rglob("*.csv"))
