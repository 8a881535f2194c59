"""A generations file in the place of a model: lm-eval asks, the file answers."""

import json
from collections import Counter

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from repro.evaluation.generations import Generations


class Replay(LM):
    """Answers each request with the JSON of its row, so that token counts travel with the text."""

    def __init__(self, generations: Generations):
        super().__init__()
        # lm-eval counts the documents that `samples=` selects from 0, in the order of the file.
        self.rows = [generations.rows[doc] for doc in sorted(generations.rows)]

    def generate_until(self, requests: list[Instance]) -> list[str]:
        """Return the rows; the n-th request for a doc gets its n-th one, `null` without one."""
        asked = Counter()
        answers = []
        for request in requests:
            rows, number = self.rows[request.doc_id], asked[request.doc_id]
            asked[request.doc_id] += 1
            answers.append(json.dumps(rows[number] if number < len(rows) else None))
        return answers

    def loglikelihood(self, requests):
        """Not available: a file of texts has no likelihoods."""
        raise NotImplementedError("a generations file holds texts, not likelihoods")

    def loglikelihood_rolling(self, requests):
        """Not available: a file of texts has no likelihoods."""
        raise NotImplementedError("a generations file holds texts, not likelihoods")
