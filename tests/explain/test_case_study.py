"""Which response the case study shows, and that it says whose it is."""

import pytest

from repro.config.resolved import Judging
from repro.explain import case_study
from repro.files import jsonl

SETTINGS = Judging(variant="paper", w=0.1, k=1, answer_only=True)
STRAIGHT = "<think>\n1 + 1 = 2\n\nso it is 2\n</think>\\boxed{2}"
CORRECTED = "<think>\n1 + 1 = 3\n\nwait, that is wrong.\n\n1 + 1 = 2\n</think>\\boxed{2}"


@pytest.fixture
def show(folder, tmp_path):
    """Return a function from texts and verdicts of problems 0, 1, ... to the page that is shown."""

    def shown(responses: list[tuple[str, int]]) -> str:
        problems = [f"What is {number} + 1?" for number in range(len(responses))]
        rows = [
            {"doc_id": doc, "sample": 0, "prompt": problems[doc], "text": text}
            for doc, (text, _) in enumerate(responses)
        ]
        scores = [{"doc_id": doc, "correct": [right]} for doc, (_, right) in enumerate(responses)]
        data = [{"id": 1, "problem": problem, "answer": "2"} for problem in problems]
        files = {name: tmp_path / name for name in ("generations", "scores", "data")}
        jsonl.write(files["generations"], rows)
        jsonl.write_json(files["scores"], {"problems": scores})
        jsonl.write(files["data"], data)
        paths = case_study.write_case_study(
            *(SETTINGS, folder, "aime24", files, tmp_path / "out/case.png"),
            **{"name": "tiny, GRPO", "note": "Not the paper's."},
        )
        assert [path.name for path in paths] == ["case.png", "case.pdf", "case.html"]
        assert paths[0].read_bytes().startswith(b"\x89PNG")
        assert paths[1].read_bytes().startswith(b"%PDF")
        return paths[2].read_text(encoding="utf-8")

    return shown


@pytest.mark.parametrize(
    ("responses", "chosen"),
    [
        ([(CORRECTED, 0), (STRAIGHT, 1), (CORRECTED, 1), (CORRECTED, 1)], 2),
        ([(CORRECTED, 0), (STRAIGHT, 1), (STRAIGHT, 1)], 1),
        ([(STRAIGHT, 0), (CORRECTED, 0)], 0),
        ([("x " * 5000, 1), (STRAIGHT, 0)], 1),  # too long for the context
    ],
)
def test_the_first_correct_response_that_corrects_itself_is_shown(show, responses, chosen):
    page = show(responses)
    assert f"What is {chosen} + 1?" in page
    assert f"doc {chosen}, sample 0, {'correct' if responses[chosen][1] else 'wrong'}" in page


def test_every_segment_is_a_cut_point_and_the_note_is_there(show):
    page = show([(CORRECTED, 1)])
    assert 'id="segment-3"' in page  # whatever k is
    assert "opened by the response; closed by &lt;/think&gt;" in page
    assert "tiny, GRPO" in page
    assert "Not the paper&#39;s." in page


def test_no_response_fits(show):
    with pytest.raises(ValueError, match="no response fits into the model's context"):
        show([("x " * 5000, 1)])
