"""config/claims.yaml, what is refused in it, and the files that are written."""

import io
import json

import pandas as pd
import pytest
import yaml
from tests.analysis.claim_worlds import CLAIMS, FILE, log, problems

from repro.report import claims
from repro.report.claim_statistics import STATISTICS

NOTE = "Tiny world: these are not the paper's numbers."
ABOUT = "A verdict is about the runs that it names"


def test_all_eight_claims_are_tested_by_known_statistics():
    wanted = ["accuracy", "objective", "tokens", "backtracking", "w", "alpha", "k", "case-study"]
    assert [claim["id"] for claim in CLAIMS["claims"]] == wanted
    used = {test["statistic"] for claim in CLAIMS["claims"] for test in claim["tests"]}
    assert used == set(STATISTICS)
    text = FILE.read_text(encoding="utf-8")
    for name, statistic in STATISTICS.items():  # the table in the comments knows each
        assert f"\n# {name} " in text
        assert statistic.looks_at in text.split(f"\n# {name} ")[1].split("\n")[0]


def changed(tmp_path, change):
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    replaced = change(content)
    content = replaced if isinstance(replaced, list) else content
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def put(key, value, claim=0):
    return lambda content: content["claims"][claim]["tests"][0].update({key: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("statistic", "vibes"), r"\.statistic = 'vibes'; allowed: difference, "),
        (put("statistic", ["difference"]), r"\.statistic = \['difference'\]; allowed: difference"),
        (put("looks_at", "objective"), r"looks_at = 'objective'; allowed: scores"),
        (put("direction", "up"), r"direction = 'up'; allowed: greater, less"),
        (put("threshold", "0"), r"threshold = '0'; allowed: a number"),
        (put("threshold", float("nan")), r"threshold = nan; allowed: a number"),
        (put("threshold", True), r"threshold = True; allowed: a number"),
        (put("treshold", 0), r"treshold: unknown key; allowed: statistic, looks_at"),
        (put("setting", "w"), r"setting: unknown key; allowed: .*benchmarks"),
        (put("metric", "speed"), r"metric = 'speed'; allowed: accuracy, tokens_percent"),
        (put("methods", ["grpo"]), r"methods = \['grpo'\]; allowed: a list of ppo\+repro"),
        (put("methods", "any"), r"methods = 'any'; allowed: a list of ppo\+repro"),
        (put("methods", []), r"methods = \[\]; allowed: a list"),
        (put("against", "best"), r"against = 'best'; allowed: plain, original, ppo"),
        (put("benchmarks", ["aime"]), r"benchmarks = \['aime'\]; allowed: each, or a list of in-d"),
        (put("benchmarks", "aime24"), r"benchmarks = 'aime24'; allowed: each, or a list"),
        (put("setting", "beta", 5), r"\(alpha\)\.tests\[0\]\.setting = 'beta'; allowed: alpha, w"),
        (
            lambda c: c["claims"][4]["tests"][1].update(order="cubic"),
            r"order = 'cubic'; allowed: slope, curvature",
        ),
        (lambda c: c["claims"][0]["tests"][0].pop("metric"), r"metric: missing; needed here: stat"),
        (lambda c: c["claims"][0].pop("text"), r"claims\[0\]\.text: missing; needed here: id"),
        (lambda c: c["claims"][0].update(text=" "), r"text = ' '; allowed: a text that is not em"),
        (lambda c: c["claims"][0].update(tests=[]), r"tests = \[\]; allowed: a list of tests"),
        (lambda c: c["claims"][1].update(id="accuracy"), r"\[1\]\.id = 'accuracy'; allowed: an id"),
        (lambda c: c["rule"].update(level=95), r"rule\.level = 95; allowed: a number from 0\.5"),
        (lambda c: c["rule"].pop("level"), r"rule\.level: missing"),
        (lambda c: c.update(claims=[]), r"claims = \[\]; allowed: a list of claims"),
        (lambda c: c.update(claim=[]), r"claim: unknown key; allowed: rule, claims"),
        (lambda c: ["text"], "expected a mapping of keys to values, found a list"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, message):
    with pytest.raises(ValueError, match=rf"claims\.yaml: .*{message}"):
        claims.load(changed(tmp_path, change))


def test_a_file_that_is_no_yaml_or_missing_is_named(tmp_path):
    path = tmp_path / "claims.yaml"
    with pytest.raises(ValueError, match=r"claims\.yaml: no such file"):
        claims.load(path)
    path.write_text("claims: [")
    with pytest.raises(ValueError, match=r"claims\.yaml, line 1: not valid YAML"):
        claims.load(path)


@pytest.fixture
def runs(make_run):
    return [
        make_run("grpo", {"aime24": problems(0.4)}, log(100, 95)),
        make_run("grpo+repro", {"aime24": problems(0.6, 80, 0.5)}, log(100, 80, seed=1)),
    ]


def test_every_file_says_whose_numbers_these_are(runs, tmp_path):
    verdicts = claims.write_claims(FILE, runs, ["aime24"], tmp_path / "claims", NOTE)
    written = {path.name: path.read_text() for path in (tmp_path / "claims").iterdir()}
    assert set(written) == {"claims.md", "claims.csv", "claims.json"}
    for text in written.values():
        assert NOTE in text
        assert ABOUT in text
        assert "neither supports nor refutes anything about the paper's own models" in text
    assert verdicts.set_index("claim")["verdict"].to_dict() == {
        "accuracy": "inconclusive",
        "objective": "not tested",
        "tokens": "inconclusive",
        "backtracking": "supported",
        "w": "not tested",
        "alpha": "not tested",
        "k": "not tested",
        "case-study": "not tested",
    }


def test_the_files_agree(runs, tmp_path):
    verdicts = claims.write_claims(FILE, runs, ["aime24"], tmp_path)
    table = pd.read_csv(io.StringIO((tmp_path / "claims.csv").read_text()))
    assert table["note"].str.startswith(ABOUT).all()
    content = json.loads((tmp_path / "claims.json").read_text())
    assert content["rule"] == CLAIMS["rule"]
    assert [c["verdict"] for c in content["claims"]] == verdicts["verdict"].tolist()
    parts = [part for claim in content["claims"] for part in claim["parts"]]
    assert [part["part"] for part in parts] == table["part"].tolist()
    for part, row in zip(parts, table.to_dict("records"), strict=True):
        assert part["verdict"] == row["verdict"]
        if part["verdict"] == "not tested":
            assert part["effect"] is None
            assert pd.isna(row["effect"])
        else:
            assert part["effect"] == pytest.approx(row["effect"], rel=1e-5)
            assert part["runs"] == row["runs"] != ""


def test_markdown_tables_are_well_formed(runs, tmp_path):
    claims.write_claims(FILE, runs, ["aime24"], tmp_path, NOTE)
    text = (tmp_path / "claims.md").read_text()
    assert text.startswith(f"**{NOTE} {ABOUT}")
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1
    assert "| Backtracking becomes rarer than with plain GRPO. | **supported** | parts: 1 s" in text
    assert "| tiny/grpo+repro/0, tiny/grpo/0 |" in text
    assert "with 95 % intervals over problems" in text
    assert "\nNot tested (1 parts): no run has an objective.jsonl.\n" in text
    assert "no scores of GPQA-D, MBPP, LCB" in text  # a part that is not tested says why
    assert "{" not in text
    for claim in CLAIMS["claims"]:
        assert f"\n## {claim['text']}\n" in text
