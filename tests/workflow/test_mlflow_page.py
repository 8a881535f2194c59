"""What MLflow shows of a finished experiment, in a real browser, served as `make ui` does."""

import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.paths import ROOT
from tests.workflow.browser import Browser, needs_browser

pytestmark = needs_browser
PLAIN, CHANGED = "tiny-qwen3/grpo+repro/0", "tiny-qwen3/grpo+repro~alpha=0.3/0"
START_SECONDS = 120
# Of the long table of metrics only what is scrolled to is in the page: scroll on, until the row is.
ROW_OF_MEAN = """(() => {
    const cells = [...document.querySelectorAll('[role=grid] [role=rowgroup] > div')];
    const name = cells.find(cell => cell.innerText.trim() == 'eval/mean/accuracy');
    if (name)
        return cells.filter(cell => cell.style.top == name.style.top)
            .map(cell => cell.innerText.trim()).join('|');
    for (const grid of document.querySelectorAll('[role=grid]'))
        if (getComputedStyle(grid).overflowY == 'auto') grid.scrollTop += 250;
    return '';
})()"""


@pytest.fixture(scope="module")
def server(done):
    """Return the address of `make ui` on a free port, over the store of the smoke experiment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    recipe = re.search(r"\nui:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text()).group(1)
    command = recipe.replace("\\\n", " ").replace("$(STORE)", "sqlite:///results/mlflow.db")
    assert command.count("--port 5000") == 1
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        ["bash", "-c", command.replace("--port 5000", f"--port {port}")],
        cwd=done,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for_server(address, process)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # uvicorn is a child
        process.wait(30)


def wait_for_server(address, process):
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(f"{address}/health", timeout=5):
                return
        except OSError:
            assert process.poll() is None, "mlflow ui ended"
            assert time.monotonic() < end, "mlflow ui does not answer"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def where(results, server):
    """Return where MLflow has a run, by its name, at the address of this test's server."""

    def find(name):
        text = (results / "runs" / name / "mlflow.json").read_text()
        return json.loads(text.replace("http://127.0.0.1:5000", server))

    return find


def test_list_of_runs_has_the_columns_to_compare_by(browser, where):
    browser.open(where(PLAIN)["experiment_url"])
    shown = browser.wait_for(PLAIN, CHANGED, "eval/mean/accuracy", "eval/mean/tokens_mean")
    assert "these numbers mean nothing and are not the paper's" in shown
    assert "5 matching runs" in shown  # without tables and figures
    assert "tables and figures" not in shown


def test_page_of_a_run_says_what_it_is(browser, where):
    browser.open(where(CHANGED)["url"])
    shown = browser.wait_for(CHANGED, "Description", "train/reward", "evaluation/temperature")
    for text in (
        "GRPO + RePro (α = 0.3) on tiny-qwen3",
        "not the paper's",
        "python -m repro train",
    ):
        assert text in shown
    tags = re.sub(r"\s*:\s*", ": ", shown)
    for tag in ("backbone: tiny-qwen3", "ablation: alpha=0.3", "repro: yes", "seed: 0"):
        assert tag in tags


def test_two_runs_are_compared(browser, server, where, results):
    def mean_accuracy(run):
        scores = (results / "runs" / run).glob("scores/*.json")
        found = [json.loads(file.read_text())["aggregates"]["accuracy"]["value"] for file in scores]
        assert len(found) == 7
        return pytest.approx(statistics.fmean(found), abs=0.01)  # the page rounds

    runs = [where(name) for name in (PLAIN, CHANGED)]
    ids, experiment = json.dumps([run["run_id"] for run in runs]), runs[0]["experiment_id"]
    browser.open(f'{server}/#/compare-runs?runs={ids}&experiments=["{experiment}"]')
    shown = browser.wait_for(PLAIN, CHANGED, "eval/aime24/accuracy")
    assert re.search(r"^alpha\t0\.1\t0\.3$", shown, re.MULTILINE)
    assert re.search(r"^ablation\tnone\talpha=0\.3$", shown, re.MULTILINE)
    name, *values = browser.wait_for("eval/mean/accuracy", script=ROW_OF_MEAN).split("|")
    assert [float(value) for value in values] == [mean_accuracy(run) for run in (PLAIN, CHANGED)]


def test_responses_can_be_read(browser, where):
    browser.open(where(PLAIN)["url"].replace("?", "/artifacts/samples.html?"))
    browser.wait_for("samples.html", "settings.json", "training.jsonl", "scores")
    # The page stands in a frame that nothing may look into; this is what the frame was given.
    given = "fetch(document.querySelector('iframe').src).then(page => page.text())"
    page = browser.wait_for("Right answer", script=given)
    assert "tiny-qwen3, GRPO + RePro, seed 0: responses" in page
    assert page.count("<h3>Problem") == 7 * 3


def test_tables_and_figures_can_be_seen(browser, results, server):
    address = json.loads((results / "mlflow.json").read_text())["url"]
    address = address.replace("http://127.0.0.1:5000", server)
    browser.open(address.replace("?", "/artifacts/tables/main.md?"))
    shown = browser.wait_for("main.md", "figures", "overview.html", "GRPO + RePro")
    assert "not the paper's" in shown
