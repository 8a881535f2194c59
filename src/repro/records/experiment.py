"""`results/experiment.json`: what the analysis reads of an experiment: runs, benchmarks, note."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from repro.files import jsonl


@dataclass(unsafe_hash=True)
class RunFolder:
    """The folder of one run, `.../BACKBONE/METHOD/SEED`, whose path says which run it is."""

    path: Path

    def __post_init__(self) -> None:
        self.backbone, self.method, seed = self.path.parts[-3:]
        self.seed = int(seed)
        self.name = f"{self.backbone}/{self.method}/{seed}"  # for messages

    def keys(self) -> dict[str, str | int]:
        """Return backbone, method and seed, for the columns of a frame."""
        return {"backbone": self.backbone, "method": self.method, "seed": self.seed}

    def read_json(self, name: str) -> dict:
        """Return NAME.json of the folder; empty where there is no such file."""
        return jsonl.read_json(self.path / f"{name}.json", {})

    def read_rows(self, name: str) -> list[dict]:
        """Return the rows of NAME.jsonl of the folder; none where there is no such file."""
        file = self.path / f"{name}.jsonl"
        return jsonl.read(file) if file.is_file() else []


class Experiment(BaseModel):
    """What the analysis has to know of an experiment besides the files of its runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    note: str  # a sentence below every table and figure
    benchmarks: list[str]
    runs: dict[str, list[Path]]  # the folders by group: all, main, objective, or an ablation's key

    def folders(self, group: str) -> list[RunFolder]:
        """Return the folders of a group of runs; of a group that is not there, none."""
        return [RunFolder(path) for path in self.runs.get(group, [])]


def read(file: str | Path) -> Experiment:
    """Return an experiment with its folders as found from here; ValueError: no such record."""
    try:
        record = Experiment.model_validate(jsonl.read_json(file))
    except ValidationError as error:
        raise ValueError(f"{file}: {error}") from None
    start = Path(file).parent
    found = {group: [start / path for path in paths] for group, paths in record.runs.items()}
    return record.model_copy(update={"runs": found})
