"""A generations file in the place of a model: lm-eval asks, the file answers."""

import json
from collections import Counter
from pathlib import Path

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from repro import jsonl

_FIELDS = {
    "benchmark": str,
    "doc_id": int,
    "sample": int,
    "prompt": str,
    "text": str,
    "n_tokens": int,
    "n_reasoning_tokens": int,
    "finish_reason": str,
}


class Replay(LM):
    """Answers each request with the JSON of its row, so that token counts travel with the text."""

    def __init__(self, generations_file: str | Path, benchmark: str, n_docs: int, samples: int):
        """Read and check the file.

        Raises:
            ValueError: a line that is no row of this benchmark, a (doc_id, sample) that is there
                twice or missing; the message names file, line or doc.
        """
        super().__init__()
        self.file = generations_file
        self.rows = _read(generations_file, benchmark, n_docs, samples)

    def generate_until(self, requests: list[Instance]) -> list[str]:
        """Return the rows of the requests; the n-th request for a doc gets its n-th sample.

        Raises:
            ValueError: the row's prompt does not contain the question lm-eval asks.
        """
        asked = Counter()
        answers = []
        for request in requests:
            row = self.rows[request.doc_id, asked[request.doc_id]]
            asked[request.doc_id] += 1
            # The file's prompt wears the model's chat template; no tokenizer is needed to see the
            # question in it.
            if request.args[0].strip() not in row["prompt"]:
                raise ValueError(
                    f"{self.file}: the prompt of doc {request.doc_id}, sample {row['sample']} does "
                    "not contain this benchmark's question; it was made from other data or with "
                    "another task file"
                )
            answers.append(json.dumps(row))
        return answers

    def loglikelihood(self, requests):
        """Not available: a file of texts has no likelihoods."""
        raise NotImplementedError("a generations file holds texts, not likelihoods")

    def loglikelihood_rolling(self, requests):
        """Not available: a file of texts has no likelihoods."""
        raise NotImplementedError("a generations file holds texts, not likelihoods")


def _read(path: str | Path, benchmark: str, n_docs: int, samples: int) -> dict:
    rows = {}
    for number, row in enumerate(jsonl.read(path), start=1):
        where = f"{path}, line {number}"
        for field, kind in _FIELDS.items():
            if not isinstance(row.get(field), kind) or isinstance(row[field], bool):
                raise ValueError(
                    f"{where}: field {field!r} must be {kind.__name__}, got {row.get(field)!r}"
                )
        if row["benchmark"] != benchmark:
            raise ValueError(f"{where}: benchmark is {row['benchmark']!r}, expected {benchmark!r}")
        if row["finish_reason"] not in ("stop", "length"):
            raise ValueError(
                f"{where}: finish_reason must be stop or length, got {row['finish_reason']!r}"
            )
        key = row["doc_id"], row["sample"]
        if not (0 <= key[0] < n_docs and 0 <= key[1] < samples):
            raise ValueError(
                f"{where}: doc {key[0]}, sample {key[1]} is outside the {n_docs} problems of the "
                f"data file times {samples} samples of the settings"
            )
        if key in rows:
            raise ValueError(f"{where}: doc {key[0]}, sample {key[1]} is there twice")
        rows[key] = row
    for doc_id in range(n_docs):
        for sample in range(samples):
            if (doc_id, sample) not in rows:
                raise ValueError(
                    f"{path}: {len(rows)} rows, expected {n_docs} problems x {samples} samples; "
                    f"doc {doc_id}, sample {sample} is missing"
                )
    return rows
