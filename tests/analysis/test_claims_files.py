"""The files of the claims: they agree, are well formed and say whose numbers these are."""

import json

import pandas as pd
import pytest
from tests.analysis.worlds import NOTE, log, noisy_problems, pair

from repro.report import claims

ABOUT = "A verdict is about the runs that it names"


@pytest.fixture
def write(make_run, tmp_path):
    """Return a function that writes the claims about two runs and returns the verdicts."""
    ours, last = noisy_problems(0.6, 80, 0.5), log(100, 80, seed=1)
    runs = pair(make_run, noisy_problems(0.4), ours, log(100, 95), last)
    return lambda: claims.write_claims(runs, ["aime24"], tmp_path / "claims", NOTE)


def test_the_files_agree_and_say_whose_numbers_these_are(write, tmp_path):
    verdicts = write()
    written = {path.name: path.read_text() for path in (tmp_path / "claims").iterdir()}
    assert set(written) == {"claims.md", "claims.csv", "claims.json"}
    for text in written.values():
        assert NOTE in text
        assert ABOUT in text
        assert "neither supports nor refutes anything about the paper's own models" in text
    untested = dict.fromkeys(("objective", "w", "alpha", "k", "case-study"), "not tested")
    tested = {"accuracy": "inconclusive", "tokens": "inconclusive", "backtracking": "supported"}
    assert verdicts.set_index("id")["verdict"].to_dict() == untested | tested
    table = pd.read_csv(tmp_path / "claims/claims.csv")
    content = json.loads((tmp_path / "claims/claims.json").read_text())
    assert content["rule"] == {"level": 0.95, "problems_at_least": 10, "steps_at_least": 4}
    assert [c["verdict"] for c in content["claims"]] == verdicts["verdict"].tolist()
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
    text = (tmp_path / "claims/claims.md").read_text()
    assert text.startswith(f"**{NOTE} {ABOUT}")
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1
    assert "| Backtracking becomes rarer than with plain GRPO. | **supported** | parts: 1 s" in text
    assert "| tiny/grpo+repro/0, tiny/grpo/0 |" in text
    assert "with 95 % intervals over problems" in text
    assert "\nNot tested (1 parts): no run has an objective.jsonl.\n" in text
    assert "no scores of GPQA-D, MBPP, LCB" in text  # a part that is not tested says why
    assert "{" not in text and "&" not in text
    for claim in claims.CLAIMS:
        assert f"\n## {claim.text}\n" in text
