"""Anyone's transcripts: the probes side by side, the files, and what is said of bad input."""

import itertools
import json
import math

import pandas as pd
import pytest
from tests.analysis.drawn import lines
from transformers import AutoTokenizer

from repro.commands.cli import main
from repro.explain import transcripts
from repro.explain.explanation import explain_each, load
from repro.files import jsonl
from repro.process_reward.probes import LEAD_IN, make_probe
from repro.process_reward.settings import ProcessRewardSettings

FIRST = {"question": "1+2?", "answer": "3", "thought": "first 1+2.\n\nso 3.\n\nis it 4?\n</think>"}
SECOND = {"question": "2+2?", "answer": "4", "thought": "i add.\n\nit is 4.", "correct": 0}
SECOND |= {"id": 7}  # files have keys of their own
LONG = FIRST | {"thought": "so 3.\n\n" * 999}


@pytest.fixture
def file(tmp_path):
    jsonl.write(tmp_path / "human.jsonl", [FIRST, SECOND])
    return tmp_path / "human.jsonl"


def test_every_probe_is_judged_as_explain_would(folder, file, tmp_path):
    judged = transcripts.judge(folder, file, ProcessRewardSettings(k="all"))
    (tmp_path / "thought.txt").write_text(FIRST["thought"])
    read_in = load(folder, FIRST["question"], FIRST["answer"], tmp_path / "thought.txt")
    every = transcripts.list_probes(has_tags=True)
    assert len(every) == 6
    for name, changes in every.items():
        [alone] = explain_each(*read_in, [ProcessRewardSettings(k="all", **changes)])
        expected = [point.objective for point in alone.points]
        assert judged[0].by_probe[name] == pytest.approx(expected, abs=1e-5), name
    of_first = judged[0].by_probe
    assert of_first["box"] == [point.objective for point in judged[0].explained.points]
    different = {tuple(values) for values in of_first.values()}
    assert len(different) == 6, "every probe asks something else"


def test_the_share_of_the_box_is_that_of_its_tokens(folder, file):
    """Sums over tokens: -J of the whole box times its tokens, less the same of the answer."""
    judged = transcripts.judge(folder, file, ProcessRewardSettings(k="all"))
    tokenizer, own, whole = AutoTokenizer.from_pretrained(folder), 0.0, 0.0
    for one in judged:
        counts = [
            sum(make_probe(tokenizer, one.line.answer, answer_only=only).scored)
            for only in (False, True)
        ]
        sums = [
            -count * math.fsum(one.by_probe[probe])
            for count, probe in zip(counts, ("box", "box, answer only"), strict=True)
        ]
        whole, own = whole + sums[0], own + sums[0] - sums[1]
    summary = transcripts.summarise(judged).set_index("probe")
    assert summary.loc["box", "box_share"] == pytest.approx(100 * own / whole)
    assert math.isnan(summary.loc["box, answer only", "box_share"])
    starts = [-one.by_probe["box"][0] for one in judged]
    assert summary.loc["box", "start"] == pytest.approx(sum(starts) / 2)


def test_a_box_that_is_the_surprise_is_warned_of():
    rows = [["box", -0.06, 52, 9.0, 8.9, 93.0], ["box, answer only", -0.4, 83, 3.4, 2.0, math.nan]]
    summary = pd.DataFrame(rows, columns=list(transcripts.COLUMNS))
    said = transcripts.warn(summary, ProcessRewardSettings())
    assert said.startswith("93 % of −J stands in the tokens of the box itself")
    assert "probe 'box, answer only' (median ρ -0.40, against -0.06 with the whole box)" in said
    assert transcripts.warn(summary, ProcessRewardSettings(answer_only=True)) == ""
    assert transcripts.warn(summary.assign(box_share=49.0), ProcessRewardSettings()) == ""


def test_the_files_of_objective(folder, file, tmp_path, capsys):
    out = tmp_path / "out"
    asked = ["--transcripts", str(file), "--model", str(folder), "--output", str(out)]
    assert main(["objective", *asked, "--w", "0.2", "--answer-only"]) == 0
    rows = jsonl.read(out / "objective.jsonl")
    named = [(row["benchmark"], row["doc_id"], row["correct"]) for row in rows]
    assert named == [("human", 0, 1), ("human", 1, 0)]
    for row in rows:
        points, scores = row["points"], row["scores"]
        assert [j for *_, j in points] == pytest.approx(row["probes"]["box, answer only"])
        gains = [after[2] - before[2] for before, after in itertools.pairwise(scores)]
        assert [reward for _, reward in row["segments"]] == pytest.approx(gains)
        for magnitude, stability, score in scores[1:]:
            assert score == pytest.approx(0.8 * magnitude + 0.2 * stability)
    page = (out / "objective.html").read_text()
    assert 'href="transcripts/2.html"' in page and "1+2?" in page
    assert "it is 4." in (out / "transcripts/2.html").read_text()
    drawn = lines(transcripts.draw(pd.DataFrame(rows), "tiny", "").axes[0])
    ends = {label: y[-1] for label, (_, y) in drawn.items()}
    last = [-row["points"][-1][2] for row in rows]
    assert ends == pytest.approx({"correct, 1": last[0], "wrong, 1": last[1]})
    assert len(pd.read_csv(out / "probes.csv")) == 6
    shown = capsys.readouterr().out
    assert shown.count(", answer only") == 3 and f"{LEAD_IN.strip()!r}, box" in shown


def test_probe_check_without_tags_writes_nothing(folder, file, capsys):
    asked = ["--transcripts", str(file), "--model", str(folder), "--thinking", "none"]
    assert main(["probe-check", *asked]) == 0
    assert "</think>" not in capsys.readouterr().out
    assert main(["probe-check", *asked, "--close-thought"]) == 1
    assert "--close-thought: there is no tag" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"question": "1+2?", "thought": "so 3."}', "line 1: key 'answer' is missing"),
        ('{"question": "1+2?", "answer": "", "thought": "so 3."}', "line 1: answer"),
        ('{"question": "1+2?", "answer": "3", "thought": 3}', "line 1: thought"),
        ('{"question": "1+2?", "answer": "3", "thought": " "}', "human.jsonl, transcript 1: empty"),
        ("[1]", "line 1: expected a JSON object"),
        ("", "no transcripts"),
        (
            f"{json.dumps(SECOND)}\n{json.dumps(LONG)}",
            "error: human.jsonl, transcript 2: a prompt of ",
        ),
    ],
)
def test_bad_transcripts_are_refused_with_their_line(folder, tmp_path, capsys, line, said):
    (tmp_path / "human.jsonl").write_text(line + "\n")
    asked = ["--transcripts", str(tmp_path / "human.jsonl"), "--model", str(folder)]
    assert main(["probe-check", *asked]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1, error
