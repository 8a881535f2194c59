"""The files of the claims: they agree, are well formed and say whose numbers these are."""

import json

import pandas as pd
import pytest
from tests.analysis.worlds import NOTE, log, markdown, noisy_problems, pair

from repro.report import claims, verdicts

ABOUT = "A verdict is about the runs that it names"


@pytest.fixture
def write(make_run, tmp_path):
    """Return a function that writes the claims about two runs and returns the verdicts."""
    ours, last = noisy_problems(0.6, 80, 0.5), log(100, 80, seed=1)
    runs = pair(make_run, noisy_problems(0.4), ours, log(100, 95), last)
    return lambda: verdicts.write_claims(runs, ["aime24"], tmp_path / "claims", NOTE)


def test_the_files_agree_and_say_whose_numbers_these_are(write, tmp_path):
    judged = write()
    written = {path.name: path.read_text() for path in (tmp_path / "claims").iterdir()}
    assert set(written) == {"claims.md", "claims.csv", "claims.json"}
    for text in written.values():
        assert NOTE in text
        assert ABOUT in text
    untested = dict.fromkeys(("objective", "w", "alpha", "k", "case-study"), "not tested")
    tested = {"accuracy": "inconclusive", "tokens": "inconclusive", "backtracking": "supported"}
    assert judged.set_index("id")["verdict"].to_dict() == untested | tested
    table = pd.read_csv(tmp_path / "claims/claims.csv")
    content = json.loads((tmp_path / "claims/claims.json").read_text())
    assert content["rule"] == {"level": 0.95, "problems_at_least": 10, "steps_at_least": 4}
    assert [c["verdict"] for c in content["claims"]] == judged["verdict"].tolist()
    parts = [part for claim in content["claims"] for part in claim["parts"]]
    for part, row in zip(parts, table.to_dict("records"), strict=True):
        assert (part["part"], part["verdict"]) == (row["part"], row["verdict"])
        if part["verdict"] == "not tested":
            assert part["effect"] is None
            assert pd.isna(row["effect"])
        else:
            assert part["effect"] == pytest.approx(row["effect"], rel=1e-5)
            assert part["runs"] == row["runs"] != ""


def test_markdown_tables_are_well_formed(write, tmp_path):
    write()
    text = markdown(tmp_path / "claims/claims.md")
    assert text.startswith(f"**{NOTE} {ABOUT}")
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1
    for claim in claims.CLAIMS:
        assert f"| {claim.text} |" in text
    assert "| Backtracking becomes rarer than with plain GRPO. | supported | parts: 1 s" in text
    part = "| backtracking | tiny, GRPO + RePro vs GRPO, all | over AIME24; without"
    assert part in text and "| < 0 | 40 problems | 1 |" in text
    assert "with 95 % intervals over problems" in text
