"""The conformance check agrees with the golden numbers, and can fail."""

import functools
import json
import operator

import pytest

from repro.algorithms.conformance import TOLERANCE, largest_errors
from repro.commands.cli import main
from tests.algorithms import by_hand
from tests.algorithms.cases import random_case
from tests.paths import GOLDEN, needs_golden

ESTIMATES = [f"{name}{suffix}" for name in by_hand.ALGORITHMS for suffix in ("", "_repro_paper")]
SCORES = ["magnitude", "stability", "score"]


@pytest.fixture
def content():
    """A file of one case each, computed by hand."""
    case = random_case(5, gamma=0.9, lam=0.8)
    scores = by_hand.expected_scores([-3.0, -2.0, -2.5, 0.0, -2.0], 0.3, [0.01, 0.5])
    return {
        "advantages": [{**case, "expected": by_hand.expected_advantages(case)}],
        "scores": [scores],
    }


@pytest.fixture
def written(tmp_path):
    def write(content):
        file = tmp_path / "vectors.json"
        file.write_text(json.dumps(content))
        return file

    return write


def failures(file):
    return [name for name, (error, _) in largest_errors(file).items() if not error <= TOLERANCE]


@needs_golden
def test_golden_numbers(capsys):
    found = largest_errors(GOLDEN)
    assert {name: error for name, (error, _) in found.items() if not error <= TOLERANCE} == {}
    assert set(found) >= {*ESTIMATES, *SCORES, "ppo_returns", "ppo_repro_reference"}
    cases = json.loads(GOLDEN.read_text())
    assert found["ppo"][1] == len(cases["advantages"])
    assert found["process_reward (zero)"][1] == len(cases["scores"])
    assert main(["conformance", str(GOLDEN)]) == 0
    assert "0 failures at a tolerance of 1e-08" in capsys.readouterr().out


ROW = 2  # of the case in `content`; its first token is valid in every row
NUMBERS = {  # where one number of each quantity is
    name: ("advantages", 0, "expected", name, ROW, 0)
    for name in [*ESTIMATES, "ppo_returns", "ppo_repro_reference", "grpo_repro_reference"]
} | {
    "magnitude": ("scores", 0, "magnitude", 1),
    "stability": ("scores", 0, "stability", 0),
    "stability_of_ema": ("scores", 0, "stability_of_ema", "0.01", 2),
    "score": ("scores", 0, "score", 3),
    "process_reward (zero)": ("scores", 0, "process_reward", "zero", 0),
    "process_reward (empty_prefix)": ("scores", 0, "process_reward", "empty_prefix", 0),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("wrong", [1e-6, float("nan")])
def test_one_wrong_number_fails_for_exactly_its_quantity(name, wrong, content, written, capsys):
    assert failures(written(content)) == []
    *outer, last = NUMBERS[name]
    functools.reduce(operator.getitem, outer, content)[last] += wrong
    file = written(content)
    assert failures(file) == [name]
    assert main(["conformance", str(file)]) == 1
    printed = capsys.readouterr()
    [failed] = [line for line in printed.out.splitlines() if "FAILED" in line]
    assert failed.startswith(f"{name} ")
    assert f"{file}: 1 quantities differ by more than 1e-08" in printed.err


def test_tokens_after_a_response_ends_do_not_count(content, written):
    case = content["advantages"][0]
    row = next(i for i, mask in enumerate(case["response_mask"]) if not mask[-1])
    for rows in case["expected"].values():
        rows[row][-1] = float("nan")
    assert failures(written(content)) == []


NOT_OF_THAT_FORM = "not a file of conformance vectors"


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        (None, {"advantages": [], "scores": []}, "no numbers under 'advantages' or 'scores'"),
        (None, {"advantages": 3}, NOT_OF_THAT_FORM),
        ("scores", {"J": [-1.0, 2.0]}, r"expected \(4,\) numbers, computed \(1,\)"),
        ("scores", {"score": [0.5]}, r"expected \(1,\) numbers, computed \(4,\)"),
        ("scores", {"process_reward": {"one": []}}, "no key 'one'"),
        ("scores", {"stability_of_ema": []}, ""),
        ("advantages", {"num_generations": 3}, "shape .* is invalid"),
        ("advantages", {"expected": {"trpo": [[1.0]]}}, r"expected\.trpo: no such algorithm"),
        ("advantages", {"expected": {"grpo_repro_best": [[1.0]]}}, "variant: 'best'"),
        ("advantages", {"expected": {"grpo": [[1.0]]}}, r"expected \(1, 1\) numbers"),
    ],
)
def test_a_wrong_file_is_one_message_with_file_and_place(
    section, values, message, content, written, capsys
):
    (content[section][0] if section else content).update(values)
    file, place = written(content), rf"{section}\[0\]: " if section else ""
    with pytest.raises(ValueError, match=f"^{file}: {place}{message}"):
        largest_errors(file)
    assert main(["conformance", str(file)]) == 1
    assert capsys.readouterr().err.startswith(f"error: {file}: ")


def test_nothing_to_compare_is_no_success(content, written):
    content["scores"] = []
    content["advantages"][0]["expected"] = {}
    with pytest.raises(ValueError, match="no numbers under 'advantages' or 'scores'"):
        largest_errors(written(content))


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"\xff\xfe\x00"])
def test_what_is_no_json_of_that_form_is_refused(content, tmp_path):
    file = tmp_path / "vectors.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{file}: {NOT_OF_THAT_FORM}"):
        largest_errors(file)
