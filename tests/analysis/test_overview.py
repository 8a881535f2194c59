"""The report's first page, from small files written by hand."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests import paths
from tests.analysis.worlds import problem

from repro.report import claims, overview, tables

NOTE = "A tiny world: <not> the paper's numbers."
METHODS = ("original", "grpo", "grpo+repro")
BENCHMARKS = ["aime24", "lmb", "lcb"]
INPUTS = json.loads(Path(__file__).with_name("overview_inputs.json").read_text())
PROVENANCE, CLAIMS = INPUTS["provenance"], INPUTS["claims"]


class Page(HTMLParser):
    """The texts of a page: of all cells, of the elements with a class, and everything."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.by_class, self.text, self._open = [], {}, "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag in ("meta", "img"):
            return
        self._open.append((tag, dict(attributes).get("class", "")))
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag  # well formed

    def handle_data(self, data):
        self.text += data
        if any(tag == "td" for tag, _ in self._open):
            self.cells[-1] += data
        if self._open:
            self.by_class.setdefault(self._open[-1][1], []).append(data)


@pytest.fixture
def world(make_run, tmp_path, monkeypatch):
    """Write tables, claims and the files of three runs; return a function that makes the pages."""
    monkeypatch.chdir(tmp_path)
    right = problem([1, 0], [40, 40], [0, 0]) | {"math_verify": [1, 1]}
    wrong = problem([0, 0], [40, 40], [1, 0]) | {"math_verify": [0, 0]}
    runs = []
    for method in METHODS:
        log = None if method == "original" else [{"step": 1, "step_seconds": 0.25}]
        scores = {"aime24": [right, wrong], "lmb": [right, right], "lcb": [right]}
        run = make_run(method, scores, log, backbone="tiny<b>")
        (run.path / "scores/lcb.json").write_text('{"not_scored": "no sandbox"}')
        if log:
            write(run, "provenance", PROVENANCE)
            write(run, "settings", {"training": INPUTS["training"]})
        runs.append(run)
    folder = tmp_path / "tables"
    tables.write_tables(runs, BENCHMARKS, folder, NOTE)
    content = {"note": f"{NOTE} Defined on 2026-01-02, SHA-256 abc.", "claims": CLAIMS}
    (folder / "claims.json").write_text(json.dumps(content))

    def make(note=NOTE, **more):
        overview.write_pages(runs, BENCHMARKS, folder, tmp_path / "report", note, **more)
        return {file.stem: file.read_text() for file in (tmp_path / "report").iterdir()}

    make.runs, make.tables = runs, folder
    return make


def write(run, name, content):
    """Write a file of a run."""
    (run.path / f"{name}.json").write_text(json.dumps(content))


def test_the_page_is_well_formed_and_no_text_of_a_file_is_markup(world):
    pages = world(name="<u>")
    assert sorted(pages) == ["opening", "overview"]
    page = Page(pages["overview"])
    assert page.by_class["note"] == [NOTE]
    assert not any(tag in pages["overview"] for tag in ("<i>", "<script>", "tiny<b>", "<u>"))
    assert "Less <i>is</i> more & better." in page.text
    assert {"tiny<b>", "<script>"} <= set(page.cells)


def test_the_page_says_what_was_found(world):
    page = Page(world()["overview"])
    assert page.by_class["lead"][0].startswith("Of the paper's 4 claims on one seed: 1 supported")
    assert page.by_class["verdict not-supported"] == ["not supported"] * 3  # claim, clause, part
    clauses = [cell.split("\n") for cell in page.cells if "parts: " in cell]
    assert clauses[1] == ["It holds <u>in part</u>.", "parts: 0"]
    assert clauses[2] == ["A clause of b.", "parts: 1"]
    assert page.cells.count("a part") == 2  # those that were tested
    assert "+1.25 [+0.25, +2.25]" in page.cells and "< 0" in page.cells
    found, _, folded = page.text.partition("In full")
    assert found.count("25.0 ± 25.0") == found.count("50.0 ± 0.0") == len(METHODS)
    assert "GRPO + RePro vs GRPO" in found
    assert "AIME24" not in found.partition("adds to each algorithm")[2]  # the pooled gains only
    for text in ("Table gain", "Table backtracking", "Table tokens", "Table main math verify"):
        assert text in folded
    said = "Plain math-verify decides 9 of 24 responses in mathematics otherwise"
    assert page.text.count(said) == 1
    # What the files' notes say beyond the page's own.
    small = page.by_class["small"]
    assert "LCB not scored: no sandbox." in small and "Defined on 2026-01-02, SHA-256 abc." in small


def test_what_repro_changed_and_the_figure_come_before_the_verdicts(world, tmp_path):
    told = ["Their mean, in domain.", "At evaluation it is lower than before the training."]
    assert set(told) <= {clause.text for _, *of in claims.CLAIMS.values() for clause in of}
    judged = json.loads((world.tables / "claims.json").read_text())
    for claim, text in zip(judged["claims"], told, strict=False):
        claim["clauses"][-1]["text"], parts = text, claim["clauses"][-1]["parts"]
        parts.append(parts[0] | {"low": None, "high": None})  # of one problem and one seed
    (world.tables / "claims.json").write_text(json.dumps(judged))
    file = tmp_path / "figure6_tokens_per_benchmark.png"
    file.write_bytes(b"image")
    page = world(figures=[file])["overview"]
    lead = " ".join(Page(page).by_class["lead"][0].split())
    assert "accuracy in domain by +1.2 percent [+0.2, +2.2]." in lead
    assert lead.endswith("RePro changed reasoning tokens by +1.2 percent [+0.2, +2.2].")
    assert page.index('class="lead"') < page.index("<img") < page.index('class="verdict')
    assert page.count("<img") == 1


def test_the_overview_says_what_was_run(world):
    page = Page(world(name="tiny")["overview"])
    for said in ("AIME24 (2 problems, avg@2)", "LCB (not scored)", "Original, GRPO, GRPO + RePro"):
        assert said in page.text
    assert "5 steps of 2 prompts x 4 rollouts" in page.text
    assert page.text.count("0123456789abcdef, clean") == 1  # once where runs agree
    assert "2 x H100, 2 CPU cores (1 used by PyTorch), Linux" in page.text
    assert "Python 3.11.7, torch 2.0, trl 1.0" in page.text
    write(world.runs[1], "provenance", PROVENANCE | {"git_changes": " M a.py\n M b.py"})
    text = Page(world()["overview"]).text
    assert "0123456789abcdef, dirty: 2 changed files (tiny<b>, GRPO, seed 0)" in text
    assert "0123456789abcdef, clean (tiny<b>, GRPO + RePro, seed 0)" in text


def tracked(world, local):
    """Write where MLflow has each run, as the step `track` does."""
    for number, run in enumerate(world.runs):
        address = f"http://server/#/runs/{number}?a=1&b=2"
        where = {"url": address, "experiment_url": "http://server/#/runs?<all>", "local": local}
        write(run, "mlflow", where)


def test_runs_lead_to_mlflow_where_it_took_them(world):
    plain = world()["overview"]
    assert "MLflow" not in plain and "<a " not in plain
    tracked(world, local=True)
    page = world()["overview"]
    links = dict(re.findall('<a href="([^"]*)" target="_blank" rel="noopener">([^<]*)</a>', page))
    assert links == {
        "http://server/#/runs/0?a=1&amp;b=2": "tiny&lt;b&gt;, Original, seed 0",
        "http://server/#/runs/1?a=1&amp;b=2": "tiny&lt;b&gt;, GRPO, seed 0",
        "http://server/#/runs/2?a=1&amp;b=2": "tiny&lt;b&gt;, GRPO + RePro, seed 0",
        "http://server/#/runs?&lt;all&gt;": "all runs",
    }
    assert page.count("<a ") == 4 and "make ui" in page
    tracked(world, local=False)
    write(world.runs[1], "mlflow", {"not_logged": "MLflow does not take anything"})
    page = world()["overview"]
    assert page.count("<a ") == 3 and ", GRPO, seed 0</a>" not in page
    assert "make ui" not in page
    assert "1 of 3 runs yet: make upload sends them" in " ".join(Page(page).text.split())


def test_what_the_papers_table_can_decide_is_shown_where_it_is_compared_with(world):
    assert "own table can decide" not in world()["overview"]
    page = Page(world(paper=paths.ROOT / "config/paper_results.csv")["overview"])
    assert "Of 19 differences 19 are positive" in page.text
    assert page.cells.count("not run") == 10  # no band of these backbones


def test_figures_are_embedded_and_the_opening_holds_the_whole_page(world, tmp_path):
    file = tmp_path / "figure3_tokens_over_training.png"
    file.write_bytes(b"\x89PNG")
    pages = world(figures=[file])
    image = '<img alt="figure3 tokens over training" src="data:image/png;base64,iVBORw==">'
    assert image in pages["overview"]

    (opened,) = re.findall('<iframe [^>]*srcdoc="([^"]*)"></iframe>', pages["opening"])
    assert unescape(opened) == pages["overview"]
