"""One HTML file of a finished experiment, read as text."""

import json
import re
from html import unescape

import pytest

from tests.paths import ROOT
from tests.workflow.conftest import SMOKE

FIGURES = 9  # one of them, the case study, is there as text too


@pytest.fixture(scope="module")
def report(done, snakemake):
    """Return the report of the smoke experiment."""
    file = done / "results/smoke/report.html"
    process = snakemake(
        *(done, "--configfile", str(SMOKE), "--report", str(file)),
        *("--report-stylesheet", str(ROOT / "workflow/report/report.css")),
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return file


def variable(page, name):
    """Return one of the values that the report's script reads."""
    return json.loads(re.search(rf"<script id=.*>\s+var {name} = (.*);\n", page).group(1))


def test_every_result_is_embedded_and_has_a_caption(report):
    text = report.read_text()
    categories = variable(text, "categories")
    counts = {name: sum(map(len, of.values())) for name, of in categories.items()}
    assert counts == {"1 The answer": 1, "2 Figures": FIGURES + 1}
    for path, result in variable(text, "results").items():
        assert result["data_uri"].startswith("data:"), path
        assert result["caption"], path
        assert result["labels"], path


def test_report_opens_with_the_answer(report, results, config):
    opening = variable(report.read_text(), "workflow_desc")
    assert opening.count("<iframe") == 1
    claims = json.loads((results / "tables/claims.json").read_text())["claims"]
    assert f"{len(claims)} claims on one seed" in opening
    assert config["note"].split(":")[0] in opening


def test_no_page_asks_for_anything_else(results):
    pages = sorted((results / "report").glob("*.html"))
    assert len(pages) == 2
    for page in pages:
        text = unescape(page.read_text())
        without_links = re.sub('<a href="http://127.0.0.1:5000/#/', "", text)  # to follow, not load
        assert not re.search(r"""(src|href)=(?!["']?data:)""", without_links), page
        assert "@import" not in text and "url(" not in text


def test_every_run_has_one_link_to_mlflow(results):
    shown = (results / "report/overview.html").read_text()
    where = [json.loads(file.read_text()) for file in results.glob("runs/*/*/*/mlflow.json")]
    assert len({run["run_id"] for run in where}) == 5
    for run in where:
        assert shown.count(f'<a href="{run["url"]}" target="_blank"') == 1
    assert "<code>make ui</code>" in shown
    assert shown.count("data:image/png;base64,") == FIGURES


def test_nothing_is_to_do_after_the_report(report, done, snakemake):
    again = snakemake(done, "--configfile", str(SMOKE))
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr
