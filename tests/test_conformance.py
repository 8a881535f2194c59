"""The conformance check agrees with the golden numbers, and can fail."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.commands.cli import main
from repro.commands.conformance import TOLERANCE, largest_errors
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
        file.write_text(content if isinstance(content, str) else json.dumps(content))
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


@needs_golden
def test_the_computation_by_hand_agrees_with_the_golden_numbers_too(written):
    cases = json.loads(GOLDEN.read_text())
    for case in cases["advantages"]:
        expected = by_hand.expected_advantages(case)
        for name, rows in case["expected"].items():
            for mine, theirs in zip(expected[name], rows, strict=True):
                assert mine == pytest.approx(theirs, abs=1e-8)
    for case in cases["scores"]:
        expected = by_hand.expected_scores(case["J"], case["w"], case_weights(case))
        for name in SCORES:
            assert expected[name] == pytest.approx(case[name], abs=1e-8)


def case_weights(case):
    return [float(weight) for weight in case["stability_of_ema"]]


ROW = 2  # of the case in `content`; its first token is valid in every row


@pytest.mark.parametrize(
    "name", [*ESTIMATES, "ppo_returns", "ppo_repro_reference", "grpo_repro_reference"]
)
@pytest.mark.parametrize("wrong", [1e-6, float("nan"), float("inf")])
def test_one_wrong_estimate_fails_for_exactly_that_quantity(name, wrong, content, written, capsys):
    assert failures(written(content)) == []
    content["advantages"][0]["expected"][name][ROW][0] += wrong
    file = written(content)
    assert failures(file) == [name]
    assert main(["conformance", str(file)]) == 1
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines() if "FAILED" in line] == [name]
    assert f"{file}: 1 quantities differ by more than 1e-08" in printed.err


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("magnitude", 1), "magnitude"),
        (("stability", 0), "stability"),
        (("stability_of_ema", "0.01", 2), "stability_of_ema"),
        (("score", 3), "score"),
        (("process_reward", "zero", 0), "process_reward (zero)"),
        (("process_reward", "empty_prefix", 0), "process_reward (empty_prefix)"),
    ],
)
@pytest.mark.parametrize("wrong", [1e-6, -1e-6, float("nan")])
def test_one_wrong_score_fails_for_exactly_that_quantity(path, name, wrong, content, written):
    *outer, last = path
    place = content["scores"][0]
    for key in outer:
        place = place[key]
    place[last] += wrong
    assert failures(written(content)) == [name]


def test_the_largest_of_several_cases_counts(content, written):
    content["advantages"] = [copy.deepcopy(content["advantages"][0]) for _ in range(3)]
    content["advantages"][1]["expected"]["grpo"][ROW][0] += 0.5
    error, cases = largest_errors(written(content))["grpo"]
    assert error == pytest.approx(0.5)
    assert cases == 3


def test_tokens_after_a_response_ends_do_not_count(content, written):
    case = content["advantages"][0]
    row = next(i for i, mask in enumerate(case["response_mask"]) if not mask[-1])
    for rows in case["expected"].values():
        rows[row][-1] = float("nan")
    assert failures(written(content)) == []


def test_a_quantity_may_be_absent_from_a_case(content, written):
    del content["advantages"][0]["expected"]["grpo_repro_reference"]
    assert "grpo_repro_reference" not in largest_errors(written(content))


def test_an_objective_of_the_empty_thought_alone(written):
    scores = by_hand.expected_scores([-1.0], 0.1, [0.5])
    assert failures(written({"scores": [scores]})) == []


def case_without(key):
    def change(content):
        del content["advantages"][0][key]

    return change


def expected_as(**quantities):
    def change(content):
        content["advantages"][0]["expected"] = quantities

    return change


def set_in(section, **values):
    return lambda content: content[section][0].update(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.clear(), "no case under 'advantages' or 'scores'"),
        (lambda content: content.update(advantages=[], scores=[]), "no case under"),
        (lambda content: content.update(advantages=None), "not a file of conformance vectors"),
        (lambda content: content.update(advantages=3), "not a file of conformance vectors"),
        (lambda content: content.update(advantages={"a": 1}), r"advantages\[0\]: "),
        (case_without("values"), r"advantages\[0\]: no key 'values'"),
        (case_without("expected"), r"advantages\[0\]: no key 'expected'"),
        (set_in("scores", J=None), r"scores\[0\]: "),
        (set_in("scores", J=[-1.0, 2.0]), r"scores\[0\]: objective: "),
        (set_in("scores", J=[[-1.0]]), r"scores\[0\]: "),
        (set_in("scores", score=[0.5]), r"scores\[0\]: expected \(1,\) numbers, computed \(4,\)"),
        (set_in("scores", process_reward={"one": []}), r"scores\[0\]: initial_score: 'one'"),
        (set_in("scores", stability_of_ema={"2": []}), r"scores\[0\]: weight: 2"),
        (set_in("scores", stability_of_ema=[]), r"scores\[0\]: "),
        (set_in("advantages", num_generations=3), r"advantages\[0\]: rewards: "),
        (set_in("advantages", num_generations=0), r"advantages\[0\]: num_generations: "),
        (set_in("advantages", outcome_reward=[1.0]), r"advantages\[0\]: "),
        (set_in("advantages", values=[[1.0], [1.0, 2.0]]), r"advantages\[0\]: "),
        (expected_as(trpo=[[1.0]]), r"advantages\[0\]: expected\.trpo: no such algorithm"),
        (expected_as(grpo_returns=[[1.0]]), r"advantages\[0\]: expected\.grpo_returns: no such"),
        (expected_as(grpo_repro_best=[[1.0]]), r"advantages\[0\]: variant: 'best'"),
        (expected_as(grpo=[[1.0]]), r"advantages\[0\]: expected \(1, 1\) numbers"),
        (expected_as(grpo=[[1.0] * 9]), r"advantages\[0\]: expected \(1, 9\) numbers"),
    ],
)
def test_a_wrong_file_is_one_message_with_file_and_place(change, message, content, written, capsys):
    change(content)
    file = written(content)
    with pytest.raises(ValueError, match=f"^{file}: {message}"):
        largest_errors(file)
    assert main(["conformance", str(file)]) == 1
    assert capsys.readouterr().err.startswith(f"error: {file}: ")


def test_nothing_to_compare_is_no_success(content, written):
    content["scores"] = []
    content["advantages"][0]["expected"] = {}
    with pytest.raises(ValueError, match="nothing under 'expected' in any case"):
        largest_errors(written(content))


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "3", "null", "\x00"])
def test_what_is_not_json_of_that_form(text, written):
    file = written(text)
    with pytest.raises(ValueError, match=f"^{file}: not a file of conformance vectors"):
        largest_errors(file)


def test_a_file_that_is_no_text(tmp_path):
    file = tmp_path / "vectors.json"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=f"^{file}: not a file of conformance vectors"):
        largest_errors(file)


def test_a_file_that_is_absent(tmp_path, capsys):
    assert main(["conformance", str(tmp_path / "none.json")]) == 1
    assert "none.json" in capsys.readouterr().err


def conforms(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("vectors") / "vectors.json"
    file.write_text(json.dumps(content))
    assert failures(file) == []


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    size=st.sampled_from([1, 2, 4]),
    groups=st.integers(1, 3),
    tokens=st.integers(2, 8),
    gamma=st.sampled_from([1.0, 0.99, 0.5]),
    lam=st.sampled_from([1.0, 0.95, 0.0]),
    alpha=st.sampled_from([0.0, 0.05, 1.0]),
)
def test_random_estimates_conform(tmp_path_factory, **sizes):
    case = random_case(**sizes)
    conforms(
        tmp_path_factory,
        {"advantages": [{**case, "expected": by_hand.expected_advantages(case)}]},
    )


OBJECTIVES = st.sampled_from([0.0, -0.0, -1.0, -0.5, -1e-9]) | st.floats(-30, 0)  # with ties


@settings(max_examples=60, deadline=None)
@given(
    objective=st.lists(OBJECTIVES, min_size=1, max_size=8),
    w=st.sampled_from([0.0, 0.1, 1.0]) | st.floats(0, 1),
    ema=st.sampled_from([0.01, 0.5, 1.0]),
)
def test_random_scores_conform(tmp_path_factory, objective, w, ema):
    conforms(tmp_path_factory, {"scores": [by_hand.expected_scores(objective, w, [ema])]})
