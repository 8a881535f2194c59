"""A real language model through the whole pipeline, on two CPU cores: `make real DATA=FOLDER`.

FOLDER has aime24.jsonl and math500.jsonl (or math500_part.jsonl) in the form of docs/evaluation.md.
What is printed: the seconds of each stage, what was found, whether vLLM and transformers say the
same on greedy decoding, and which probe measures the answer along human solutions.
"""

import argparse
import shutil
import subprocess
import time
from pathlib import Path

from repro.config import settings
from repro.config.resolved import dump
from repro.files import jsonl

CONFIG = "config/real_model.yaml"
WORK, SUMS, SOLUTIONS = Path("work/real"), 64, 60


def main() -> None:
    """Run everything; the exit status is not 0 where a stage fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path, help="folder of real problems")
    parser.add_argument("--cores", default="2")
    options = parser.parse_args()
    collect_data(options.data)
    experiment = settings.read(CONFIG)
    results, (name,) = Path(experiment.results_dir), experiment.backbones
    model, runs = results / "backbones" / name, results / "runs" / name
    snakemake = ["snakemake", "--quiet", "all", "--workflow-profile", "workflow/profiles/default"]
    snakemake += ["--configfile", CONFIG, "--cores", options.cores]
    seconds = {
        "fetch and convert the model": call(*snakemake, str(model)),
        "evaluate it (transformers)": call(*snakemake, f"{runs}/original/0/scores/math500.json"),
        "two steps of GRPO + RePro": call(*snakemake, f"{runs}/grpo+repro/0/training.jsonl"),
        "everything else, with the report": call(*snakemake),
    }
    generation = settings.generation_settings(experiment, 0).model_copy(update={"engine": "vllm"})
    seconds["generate again (vLLM)"] = call(
        *("python", "-m", "repro", "generate", "--settings", dump(generation)),
        *("--run", f"{runs}/original/0/settings.json", "--model", str(model)),
        *("--data", str(results / "data"), "--output", str(WORK / "vllm")),
    )
    seconds[f"probes along {SOLUTIONS} human solutions"] = call(
        *("python", "-m", "repro", "objective", "--model", str(model), "--thinking", "none"),
        *("--transcripts", str(WORK / "solutions.jsonl"), "--separator", ". "),
        *("--output", str(results / "solutions")),
    )
    print("\n".join(f"{stage:<42}{of:8.1f} s" for stage, of in seconds.items()))
    for benchmark in experiment.benchmarks:
        print(compare(runs / "original/0/generations", WORK / "vllm", benchmark))


def call(*command: str) -> float:
    """Return the seconds of a command; SystemExit where it fails."""
    started = time.perf_counter()
    if subprocess.run(command).returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    return time.perf_counter() - started


def collect_data(folder: Path) -> None:
    """Put the problems, easy sums to train on and human solutions into `WORK`."""
    WORK.mkdir(parents=True, exist_ok=True)
    part = folder / "math500_part.jsonl"
    math500 = part if part.is_file() else folder / "math500.jsonl"
    for source, name in ((folder / "aime24.jsonl", "aime24"), (math500, "math500")):
        if not source.is_file():
            raise SystemExit(f"{source}: no such file")
        shutil.copyfile(source, WORK / f"{name}.jsonl")
    sums = [(10 + 7 * n % 83, 11 + 5 * n % 79) for n in range(SUMS)]
    rows = [{"problem": f"What is {a} + {b}?", "answer": str(a + b)} for a, b in sums]
    jsonl.write(WORK / "train.jsonl", rows)
    given = [row for row in jsonl.read(math500) if row.get("solution")][:SOLUTIONS]
    transcripts = [
        {"question": row["problem"], "answer": row["answer"], "thought": row["solution"]}
        for row in given
    ]
    jsonl.write(WORK / "solutions.jsonl", transcripts)


def compare(first: Path, second: Path, benchmark: str) -> str:
    """Say how many responses to a benchmark two folders have in common."""
    both = [jsonl.read(folder / f"{benchmark}.jsonl") for folder in (first, second)]
    texts = [{row["doc_id"]: row["text"] for row in rows} for rows in both]
    same = sum(texts[0][doc] == text for doc, text in texts[1].items())
    return f"{benchmark}: transformers and vLLM agree on {same} of {len(texts[1])} responses"


if __name__ == "__main__":
    main()
