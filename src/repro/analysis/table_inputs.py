"""What the tables are made from: the score files of runs, all of them or those that are there."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from repro import jsonl, methods
from repro.analysis import collect, names, published
from repro.analysis.compare import Grid

# The paper's backbones: names that runs may have -> names in config/paper_results.csv. Numbers of a
# backbone that is not here, such as a tiny one, never stand beside the paper's.
PAPER_BACKBONES = {
    "DeepSeek-R1-Distill-Qwen-1.5B": "DeepSeek-R1-Distill-Qwen-1.5B",
    "R1-Distill-Qwen-1.5B": "DeepSeek-R1-Distill-Qwen-1.5B",
    "Qwen3-1.7B": "Qwen3-1.7B",
    "Qwen3-8B": "Qwen3-8B",
    "Hunyuan-1.8B-Instruct": "Hunyuan-1.8B-Instruct",
}
_OF_A_RESPONSE = ("correct", "tokens", *collect.BEHAVIOURS)


class Inputs(NamedTuple):
    """What was read."""

    problems: pd.DataFrame  # of `collect.scores`
    responses: pd.DataFrame  # of `responses`
    grid: Grid  # methods and benchmarks that were to be there; not those that cannot be scored
    remarks: str  # sentences on what is not scored, missing or unequal; empty where nothing is


def load(runs: Sequence[dict], benchmarks: Sequence[str], partial: bool = False) -> Inputs:
    """Read the score files of runs.

    Args:
        runs: {"backbone", "method", "seed", "path"} each, path being the run's directory.
        benchmarks: those whose scores are read.
        partial: leave out the score files that are not there, and say which.

    Raises:
        ValueError: a score file is malformed or, unless partial, missing; or none is there.
    """
    if unknown := [name for name in benchmarks if name not in names.BENCHMARKS]:
        raise ValueError(f"benchmarks: {unknown}; allowed: {', '.join(names.BENCHMARKS)}")
    wanted = [name for name in names.BENCHMARKS if name in benchmarks]
    missing = {}
    if partial:
        lacking = [[name for name in wanted if not _file(run, name).is_file()] for run in runs]
        missing = {_id(run): of for run, of in zip(runs, lacking, strict=True) if of}
    if missing:
        problems, not_scored = _part(runs, wanted, missing)
    else:
        problems, not_scored = collect.scores(runs, benchmarks), collect.gaps(runs, benchmarks)
    pairs = dict.fromkeys((run["backbone"], run["method"]) for run in runs)
    scored = set(problems["benchmark"])
    to_come = set(wanted).intersection(*(missing.get(_id(run), ()) for run in runs))
    grid = Grid(list(pairs), [name for name in wanted if name in scored | to_come])
    remarks = [not_scored, _missing_sentence(missing, len(wanted)), _seeds_sentence(problems)]
    remarks = " ".join(f"{remark.rstrip('.')}." for remark in remarks if remark)
    return Inputs(problems, responses(runs, problems), grid, remarks)


def responses(runs: Sequence[dict], problems: pd.DataFrame) -> pd.DataFrame:
    """Return one row per response of the score files that ``problems`` was read from.

    Columns: backbone, method, seed, benchmark, doc_id; correct (0 or 1), tokens (reasoning tokens),
    backtracking, verification and hesitation (segments).

    Raises:
        ValueError: a problem's lists have different lengths; the message names the file.
    """
    keys = [*collect.RUN_KEYS, "benchmark"]
    scored = set(problems[keys].itertuples(index=False, name=None))
    columns, frames = list(_OF_A_RESPONSE), []
    for run, benchmark in itertools.product(runs, names.BENCHMARKS):
        key = (*(run[name] for name in collect.RUN_KEYS), benchmark)
        if key not in scored:
            continue
        path = _file(run, benchmark)
        frame = pd.DataFrame(jsonl.read_json(path)["problems"])[["doc_id", *columns]]
        try:
            frame = frame.explode(columns, ignore_index=True)
        except ValueError as error:
            raise ValueError(f"{path}: not a score file ({error!r})") from None
        frame = frame.astype(dict.fromkeys(columns, float))
        frames.append(frame.assign(**dict(zip(keys, key, strict=True))))
    return pd.concat(frames, ignore_index=True)[[*keys, "doc_id", *columns]]


def scorers_sentence(problems: pd.DataFrame) -> str:
    """Say on how many responses in mathematics the two scorers differ, from `collect.scores`."""
    of_math = problems[problems["benchmark"].isin(names.IN_DOMAIN)]
    judged = of_math.dropna(subset=f"accuracy_{collect.MATH_VERIFY}")
    if judged.empty:
        return ""
    here, other = judged["only_here"].sum(), judged[f"only_{collect.MATH_VERIFY}"].sum()
    return (
        f"Plain math-verify decides {here + other:,} of {judged['samples'].sum():,} responses in "
        f"mathematics otherwise than the main table: it rejects {here:,} that count as correct "
        f"there, and accepts {other:,} that count as wrong."
    )


def published_accuracy(path: str | Path, runs: Sequence[dict]) -> dict[tuple[str, str, str], float]:
    """Return what the paper states: (backbone, method, benchmark) -> accuracy in percent.

    Only for backbones of `PAPER_BACKBONES`, called as the runs call them; and never for one whose
    settings.json says that it was built here, whatever it is called.

    Args:
        path: config/paper_results.csv.
        runs: as for `load`.

    Raises:
        ValueError: the file is missing or wrong.
    """
    figures = published.load(path)
    # A row with a detail is about another thing, such as an ablation.
    chosen = (figures["kind"] == "published") & (figures["metric"] == "accuracy")
    of_paper = figures[chosen & (figures["detail"] == "")].groupby("backbone")
    tiny = {run["backbone"] for run in runs if _is_tiny(run)}
    stated = {}
    for backbone in {run["backbone"]: None for run in runs if run["backbone"] not in tiny}:
        name = PAPER_BACKBONES.get(backbone)
        if name in of_paper.groups:
            for row in of_paper.get_group(name).to_dict("records"):
                stated[backbone, row["method"], row["benchmark"]] = row["value"]
    return stated


def _part(
    runs: Sequence[dict], wanted: Sequence[str], missing: dict[str, list[str]]
) -> tuple[pd.DataFrame, str]:
    """Return what `collect.scores` and `collect.gaps` return, of the files that are there."""
    frames, sentences = [], {}
    for benchmark in wanted:
        there = [run for run in runs if benchmark not in missing.get(_id(run), ())]
        if there and (sentence := collect.gaps(there, [benchmark])):
            sentences[sentence] = None
        for run in there:
            if not collect.gaps([run], [benchmark]):
                frames.append(collect.scores([run], [benchmark]))
    if not frames:
        raise ValueError(f"none of the {len(runs)} runs has scores: {', '.join(missing)}")
    return pd.concat(frames, ignore_index=True), " ".join(sentences)


def _missing_sentence(missing: dict[str, list[str]], wanted: int) -> str:
    whole = [run for run, lacking in missing.items() if len(lacking) == wanted]
    parts = [f"all of {', '.join(whole)}"] if whole else []
    for run, lacking in missing.items():
        if run not in whole:
            parts.append(f"{', '.join(names.BENCHMARKS[name] for name in lacking)} of {run}")
    return f"Partial results; missing: {'; '.join(parts)}." if parts else ""


def _seeds_sentence(problems: pd.DataFrame) -> str:
    """Say which methods have which seeds, for the backbones where they differ."""
    parts = []
    for backbone, frame in problems.groupby("backbone", sort=False):
        by_seeds: dict[tuple[int, ...], list[str]] = {}
        for method, seeds in frame.groupby("method", sort=False)["seed"].unique().items():
            by_seeds.setdefault(tuple(sorted(seeds)), []).append(methods.label(method))
        if len(by_seeds) > 1:
            parts += [
                f"{backbone}, {', '.join(labels)}: {', '.join(map(str, seeds))}"
                for seeds, labels in by_seeds.items()
            ]
    return f"Unequal seeds; {'; '.join(parts)}." if parts else ""


def _is_tiny(run: dict) -> bool:
    path = Path(run["path"]) / "settings.json"
    if not path.is_file():  # scores from elsewhere: nothing but the name tells
        return False
    source = (jsonl.read_json(path).get("backbone_settings") or {}).get("source")
    return source == "tinyworld"


def _file(run: dict, benchmark: str) -> Path:
    return Path(run["path"]) / "scores" / f"{benchmark}.json"


def _id(run: dict) -> str:
    return "/".join(str(run[key]) for key in collect.RUN_KEYS)
