"""A generations file in the place of a model: lm-eval asks, the file answers."""

import json
from collections import Counter

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM


class Replay(LM):
    """Answers each request with the JSON of its row, so that token counts travel with the text."""

    loglikelihood = loglikelihood_rolling = None  # which a file of texts does not have

    def __init__(self, rows: dict[int, list[dict]]):
        super().__init__()
        # lm-eval counts the documents that `samples=` selects from 0, in the order of the file.
        self.rows = [rows[doc] for doc in sorted(rows)]

    def generate_until(self, requests: list[Instance]) -> list[str]:
        """Return the rows; the n-th request for a doc gets its n-th one, `null` without one."""
        asked, answers = Counter(), []
        for request in requests:
            rows, number = self.rows[request.doc_id], asked[request.doc_id]
            asked[request.doc_id] += 1
            answers.append(json.dumps(rows[number] if number < len(rows) else None))
        return answers
