import pytest
from tests.paths import DATA, needs_data

from repro.benchmarks import contamination
from repro.files import jsonl

LADDER = (
    r"A ladder of length $\frac{13}{2}$ metres leans against a wall, and its foot stands $2.5$ "
    r"metres from it. The foot slides away at a speed of $\sqrt{3}$ metres a second. How fast does "
    r"the top of the ladder slide down when it is $6$ metres above the ground?"
)


@pytest.fixture
def filtered(tmp_path):
    """Return a function: training texts and benchmarks in, the kept texts and the report out."""

    def run(training: list[str], **benchmarks: list[str]):
        files = {name: tmp_path / f"{name}.jsonl" for name in benchmarks}
        for name, texts in benchmarks.items():
            jsonl.write(files[name], [{"problem": text, "answer": "1"} for text in texts])
        rows = [{"problem": text, "answer": "2"} for text in training]
        kept, report = contamination.filter_rows(rows, files)
        return [row["problem"] for row in kept], report

    return run


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        (r"Find $\dfrac12\,x - 3$.", r"find  \( \frac{1}{2} x-3 \)", True),
        (r"Is $\left(x + y\right)^{2} < 0$?", r"is (x+y)^2<0", True),
        (r"\textbf{Find} the $\text{area}$:[asy]\ndraw((0,0));[/asy]", "Find the area.", True),
        (r"$1, 2, \ldots, n$", r"\[1,2,\dots ,n\]", True),
        ("Ａ “cost” of \\$5", "a “cost” of 5", True),
        ("$x - 3$", "$x + 3$", False),
        ("$x_2$", "$x^2$", False),
        (r"$\sin x$", r"$\cos x$", False),
        ("$12$", "$1 2$", False),
        ("$(a, b)$", "$[a, b]$", False),
        (r"$\leftarrow$", r"$\rightarrow$", False),
    ],
)
def test_what_changes_a_problem(text, other, same):
    ours, theirs = contamination.words(text), contamination.words(other)
    assert ours and (ours == theirs) == same


def test_exact_matches_in_another_dress(filtered):
    planted = [LADDER, LADDER.upper().replace("METRES", " metres\n"), LADDER.replace("$", "")]
    kept, report = filtered([*planted, "What is $1 + 1$?"], aime24=[LADDER], math500=["unlike"])
    assert kept == ["What is $1 + 1$?"]
    assert report["benchmarks"]["aime24"] == {"problems": 1, "exact": 3, "ngram": 0}
    assert report["benchmarks"]["math500"] == {"problems": 1, "exact": 0, "ngram": 0}
    assert (report["kept"], report["removed"]) == (1, 3)
    example = {"row": 2, "benchmark": "aime24", "match": "exact", "problem": planted[1]}
    assert report["examples"][1] == example


LONG = " ".join(f"word{n}" for n in range(200))


@pytest.mark.parametrize(
    ("near", "benchmark"),
    [
        ("Solve this: " + LADDER + " Round to two digits.", LADDER),  # wrapped
        (LADDER.replace("How fast does the top of the ladder", "With what speed does it"), LADDER),
        (LADDER[LADDER.index("its foot") :], LADDER),  # a part of it
        (f"{LONG} {LADDER} {LONG}", LADDER),
        (LADDER, f"{LONG} {LADDER} {LONG}"),
    ],
)
def test_near_copies(filtered, near, benchmark):
    kept, report = filtered([near], aime24=[benchmark])
    assert kept == []
    assert report["benchmarks"]["aime24"] == {"problems": 1, "exact": 0, "ngram": 1}


def test_other_numbers_throughout_make_another_problem(filtered):
    other = LADDER
    for old, new in {"13": "17", "2.5": "4", "{3}": "{7}", "$6$": "$5$"}.items():
        other = other.replace(old, new)
    assert filtered([other], aime24=[LADDER])[0] == [other]
    # One number early on: everything after it is one run, most of the problem.
    assert filtered([LADDER.replace("13", "17")], aime24=[LADDER])[0] == []


def test_short_problems_match_as_a_whole_only_and_a_drawing_alone_nothing(filtered):
    drawing = "[asy]draw((0,0));[/asy]"
    training = ["Compute $1+1$", "Compute $1+2$.", "Compute $1+1$. " + LADDER, drawing]
    kept, report = filtered(training, math500=["compute $1 + 1$.", drawing])
    assert kept == training[1:]
    assert report["benchmarks"]["math500"] == {"problems": 2, "exact": 1, "ngram": 0}


def test_a_problem_in_two_benchmarks_is_removed_once(filtered):
    near = LADDER + " Explain."
    kept, report = filtered([LADDER, near, "a"], aime24=[LADDER], math500=[near] * 2, aime25=["b"])
    assert kept == ["a"]
    assert report["removed"] == 2
    assert report["benchmarks"] == {
        "aime24": {"problems": 1, "exact": 1, "ngram": 1},
        "math500": {"problems": 2, "exact": 1, "ngram": 1},
        "aime25": {"problems": 1, "exact": 0, "ngram": 0},
    }


def test_a_benchmark_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ValueError, match="benchmark 'mine' is unknown; allowed: aime24"):
        contamination.filter_rows([], {"mine": tmp_path / "a.jsonl"})


@needs_data
@pytest.mark.parametrize("name", ["aime24", "aime25"])
def test_real_problems_planted_in_a_training_set_are_all_found(name):
    others = [{"problem": row["problem"]} for row in jsonl.read(DATA / "math500_part.jsonl")]
    planted = [
        {"problem": row["problem"].replace("$", " $ ")}
        for row in jsonl.read(DATA / f"{name}.jsonl")
    ]
    kept, report = contamination.filter_rows(
        [*others[:100], *planted, *others[100:]], {name: DATA / f"{name}.jsonl"}
    )
    assert kept == others
    assert report["benchmarks"][name] == {"problems": 30, "exact": 30, "ngram": 0}


@needs_data
def test_different_real_problems_are_kept_apart():
    """AIME 2024, AIME 2025, MATH-500 and MBPP have boilerplate in common, and no problem."""
    names = {"aime24": "", "aime25": "", "math500": "_part", "mbpp": "_part"}
    for name, part in names.items():
        rest = {n: DATA / f"{n}{p}.jsonl" for n, p in names.items() if n != name}
        rows = [
            {"problem": row.get("problem") or row["text"]}
            for row in jsonl.read(DATA / f"{name}{part}.jsonl")
        ]
        kept, report = contamination.filter_rows(rows, rest)
        assert kept == rows, report["examples"]
