"""`explain`: its numbers against plain arithmetic, its page, and what it says of bad input."""

import itertools
import math
import re
from html import escape

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread
from matplotlib.text import Text
from transformers import AutoModelForCausalLM, AutoTokenizer

from repro.benchmarks import prompts
from repro.commands.cli import main
from repro.explain import page as pages
from repro.explain.explanation import (
    Explanation,
    Stretch,
    Transcript,
    explain_each,
    load,
    without_second_opening,
)
from repro.explain.page import number
from repro.process_reward import one_pass, repeat_loop
from repro.process_reward.probes import make_probe, probes_at_cuts
from repro.process_reward.segments import Thought
from repro.process_reward.settings import ProcessRewardSettings

QUESTION, ANSWER = "1+2?", "3"
PARTS = ["first 1+2.\n\n", "so 3.\n\n", "is it 4?\n\n", "no, 3.\n</think>"]
REST = "\n\n\\boxed{3}"
RESPONSE = "".join(PARTS) + REST


@pytest.fixture
def explained(folder, tmp_path):
    def explained(text, **settings):
        file = tmp_path / "thought.txt"
        file.write_text(text, encoding="utf-8")
        found = load(folder, QUESTION, ANSWER, file)
        [scored] = explain_each(*found, [ProcessRewardSettings(**{"k": "all"} | settings)])
        return scored

    return explained


def expected(folder, settings):
    """Rows of J, S_magn, S_stab and S, by the definitions and a forward per cut point."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    message = {"role": "user", "content": prompts.math({"problem": QUESTION})}
    prompt = tokenizer.apply_chat_template([message], tokenize=False, add_generation_prompt=True)
    asked, response, *tokens = (
        tokenizer(text, add_special_tokens=False)["input_ids"]
        for text in (prompt, RESPONSE, *PARTS)
    )
    cuts = [0, *itertools.accumulate(map(len, tokens))]
    probes = probes_at_cuts(
        *(tokenizer, ANSWER, cuts),
        opened_at=0 if settings.get("close_thought") else None,
        closed_at=cuts[-1],
        answer_only=settings.get("answer_only", False),
    )
    found = repeat_loop.surrogate_objective(model, asked, response, cuts, probes)
    objective, w = found.tolist(), settings.get("w", 0.1)
    for t, value in enumerate(objective):
        pairs = [(objective[j] > objective[i]) * 2 - 1 for j in range(t + 1) for i in range(j)]
        stability = sum(pairs) / len(pairs) / 2 + 0.5 if pairs else 0.5
        magnitude = 1 - math.tanh(value / objective[0])
        score = (1 - w) * magnitude + w * stability
        if t == 0 and settings.get("initial_score") != "empty_prefix":
            score = 0  # so that r_1 = S_1
        yield value, magnitude, stability, score


@pytest.mark.parametrize(
    "settings",
    [
        *({}, {"initial_score": "empty_prefix"}),
        *({"w": 0.7, "answer_only": True}, {"close_thought": True}),
    ],
    ids=str,
)
def test_numbers_are_those_of_the_definitions(folder, explained, settings):
    explanation = explained(RESPONSE, **settings)
    rows = [explanation.baseline, *explanation.stretches]
    assert [row.text for row in rows] == ["", *PARTS]
    wanted = list(expected(folder, settings))
    for row, values in zip(rows, wanted, strict=True):
        shown = (row.objective, row.magnitude, row.stability, row.score)
        assert shown == pytest.approx(values, abs=1e-4)
    gains = [after[3] - before[3] for before, after in itertools.pairwise(wanted)]
    assert [row.reward for row in rows[1:]] == pytest.approx(gains, abs=2e-4)
    assert rows[0].reward is None
    assert explanation.thought.closed and explanation.rest == REST
    assert len(explanation.thought.starts) == 4


def test_reference_variant_starts_from_zero_and_drops_stability(explained):
    explanation = explained("one\n\ntwo\n\nthree", variant="reference")
    rows = [explanation.baseline, *explanation.stretches]
    assert [row.text for row in rows] == ["", "one\n\n", "two\n\n", "three"]
    assert explanation.baseline.score == 0
    for before, after in itertools.pairwise(rows):
        assert after.score == pytest.approx(after.magnitude)
        assert after.reward == pytest.approx(after.score - before.score)
    assert "is counted\nfrom 0." in pages.write_page(explanation)


def test_a_model_without_a_cache_to_cut_gives_the_same(explained, monkeypatch):
    quick = explained(RESPONSE, k=2)
    monkeypatch.setattr(one_pass, "why_not", lambda model: "for this test")
    slow = explained(RESPONSE, k=2)
    assert len(quick.stretches) <= 3 < len(quick.thought.starts)
    assert [s.end for s in slow.stretches] == [s.end for s in quick.stretches]
    objectives = [one.objective for one in quick.stretches]
    assert [one.objective for one in slow.stretches] == pytest.approx(objectives, abs=1e-4)


def test_without_tags_the_thought_ends_before_the_final_answer(folder, tmp_path):
    """An instruct model's response: cut points by hand, values by definition."""
    parts = ["first 1+2.\n\n", "is it \\boxed{4}?\n\n", "no, it is\n"]
    (tmp_path / "said.txt").write_text("".join(parts) + "\\boxed{3}.")
    found = load(folder, QUESTION, ANSWER, tmp_path / "said.txt")
    [explanation] = explain_each(*found, [ProcessRewardSettings(k="all")], has_tags=False)
    assert [stretch.text for stretch in explanation.stretches] == parts
    assert explanation.rest == "\\boxed{3}." and explanation.thought.closed
    assert "<dd>what stands before the final answer</dd>" in pages.write_page(explanation)
    model, tokenizer, transcript = found
    tokens = (tokenizer(part, add_special_tokens=False)["input_ids"] for part in parts)
    cuts = [0, *itertools.accumulate(map(len, tokens))]
    probes = [make_probe(tokenizer, ANSWER) for _ in cuts]
    row = transcript.prompt, transcript.response, cuts, probes
    wanted = repeat_loop.surrogate_objective(model, *row).tolist()
    assert [p.objective for p in explanation.points] == pytest.approx(wanted, abs=1e-4)
    first = explanation.stretches[0]
    rises = 1.0 if wanted[1] > wanted[0] else 0.0
    by_hand = 0.9 * (1 - math.tanh(wanted[1] / wanted[0])) + 0.1 * rises
    assert first.reward == pytest.approx(by_hand, abs=1e-4)


def test_an_answer_without_a_thought_has_one_cut_point_and_a_page(folder, tmp_path):
    (tmp_path / "said.txt").write_text("\\boxed{3}.")
    found = load(folder, QUESTION, ANSWER, tmp_path / "said.txt")
    [explanation] = explain_each(*found, [ProcessRewardSettings()], has_tags=False)
    row = explanation.row("lmb", doc_id=0, correct=1)
    assert (row["tokens"], len(row["points"]), row["segments"]) == (0, 1, [])
    assert "positive for 0 of its segments" in pages.write_page(explanation)


def test_an_unclosed_thought_is_one_segment_and_is_not_opened_twice(explained):
    explanation, opened = explained("i add 1 and 2.\n"), explained("<think>\ni add 1 and 2.")
    assert [stretch.text for stretch in explanation.stretches] == ["i add 1 and 2."]
    assert explanation.rest == "" and not explanation.thought.closed
    assert "never closed: no &lt;/think&gt;" in pages.write_page(explanation)
    assert opened.transcript == explanation.transcript  # the chat template has opened it
    assert without_second_opening("<think>so", "<a><think>\n") == "so"
    assert without_second_opening("<think>\nso", "<a>\n") == "<think>\nso"


def made_up(rewards=(0.25, -0.125, 0.0004)):
    stretches = [
        Stretch(i, i + 1, f"step {i} <i>&amp; $x", -1.0 / (i + 1), 0.3, 0.5, 0.4, reward)
        for i, reward in enumerate(rewards)
    ]
    return Explanation(
        transcript=Transcript("<script>alert(1)</script> & so", "<b>3", [1], [2], "a<b"),
        model="models/<tiny>",
        weights="1,234,567 parameters, float32",
        settings=ProcessRewardSettings(k=len(rewards)).filled(),
        thought=Thought(list(range(len(rewards))), len(rewards), True),
        has_tags=True,
        baseline=Stretch(0, 0, "", -1.5, 0.238, 0.5, 0.265, None),
        stretches=tuple(stretches),
        rest="<u>3</u>",
    )


def test_page_shows_everything_escapes_it_and_needs_nothing_from_elsewhere():
    explanation, page = made_up(), pages.write_page(made_up())
    assert not re.search(r"<(script|u|img|link)\b", page)
    for text in ("<script>alert(1)</script> & so", "<b>3", "models/<tiny>", "<u>3</u>", "a<b"):
        assert escape(text) in page
    for stretch in explanation.stretches:
        assert escape(stretch.text) in page
        assert f">{number(stretch.reward, signed=True)}</td>" in page
    assert "1,234,567 parameters" in page and "k = 3 (of 3" in page
    assert "http" not in page and "@import" not in page and "url(" not in page.replace("url(#", "")
    places = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(places) > 6 and all(place.startswith(("#", "data:")) for place in places)
    svg = page[page.index("<svg") : page.index("</svg>")]
    assert "fill: #ffffff" not in svg  # no paper of its own: the page's shows through
    assert svg.count("><title>Segment ") == 2 * len(explanation.stretches)


@pytest.mark.parametrize("rewards", [(0.0,), (0.1,) * 100], ids=["one", "many"])
def test_chart_of_any_length_has_the_same_bytes_every_time(rewards, tmp_path):
    first, again = (pages.write(made_up(rewards), tmp_path / "new" / name) for name in "12")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    png, pdf, html = first
    assert imread(png).shape[1] == 1360
    assert b"/MediaBox [ 0 0 489.6 " in pdf.read_bytes()  # 6.8 inches: printed at its own size
    assert html.read_text(encoding="utf-8").count('<tr id="segment-') == len(rewards)


def test_chart_is_legible_and_numbers_do_not_touch():
    figure = pages.draw(made_up((0.25, -0.125, 0.0004, 0.1) * 4))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    upper, lower = figure.axes
    assert [text.get_text() for text in lower.texts[:3]] == ["+0.250", "−0.125", "0.000"]
    assert min(text.get_fontsize() for text in figure.findobj(Text)) >= 8
    for texts in (lower.texts, upper.texts):
        assert len(texts) == 16
        boxes = [text.get_window_extent(canvas.get_renderer()) for text in texts]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert number(-0.0004) == number(0.0004, signed=True) == "0.000"
    assert (number(-0.25), number(0.25, signed=True)) == ("−0.250", "+0.250")


@pytest.fixture
def step(folder, tmp_path):
    """Return a function that calls the step with a response and some options changed."""

    def call(text="so 3.", **change):
        file = tmp_path / "response.txt"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        options = {"model": folder, "question": QUESTION, "answer": ANSWER, "thought": file}
        options |= {"output": tmp_path / "out", **change}
        return main(["explain", *(f"--{name}={value}" for name, value in options.items())])

    return call


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"thought": "nowhere.txt"}, "nowhere.txt: No such file"),
        ({"answer": " "}, "answer: ' '; expected a ground-truth answer"),
        ({"question": ""}, "question: ''; expected a text not empty"),
        ({"model": "nowhere"}, "'nowhere': no such folder"),
        ({"variant": "other"}, 'process_reward.variant = "other": Input should'),
        ({"k": "0"}, "process_reward.k = 0: Input should be greater"),
        ({"text": " \n"}, "empty; expected the text of a response"),
        ({"text": "so 3. " * 60}, "do not fit into the context of"),
        ({"text": b"\xff\xfe"}, "not UTF-8 text"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_input_is_one_message(step, tmp_path, capsys, change, message):
    assert step(**change) == 1
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and error[0].startswith("error: ") and message in error[0]
    assert not (tmp_path / "out").exists()


def test_step_writes_the_page(step, tmp_path, capsys):
    assert step(RESPONSE, w=0.3) == 0
    assert "w = 0.3" in (tmp_path / "out" / "explain.html").read_text(encoding="utf-8")
    assert (tmp_path / "out" / "explain.png").is_file()
    assert str(tmp_path / "out" / "explain.html") in capsys.readouterr().out
