"""Write config/reference.md: every key of a configuration, its type, default and meaning.

`python -m repro.config.reference > config/reference.md`
"""

import json

from repro.config import words
from repro.config.models import Experiment

_HEAD = """# Every setting of an experiment

Written from `src/repro/config/models.py` by `python -m repro.config.reference`. Unknown keys are
refused; keys that are left out take their default. A key without a default must be stated.

| key | type | default | meaning |
|---|---|---|---|
"""


def reference() -> str:
    """Return the page as Markdown."""
    schema, rows = Experiment.model_json_schema(), {}
    for at, node in words.index(schema, schema):
        if not at or at[-1] in (words.NAME, words.ITEM) or at[-1].startswith("("):
            continue
        sources = [part for part in at if part.startswith("(")]
        key = ".".join(part for part in at if part not in sources)
        is_section = any("$ref" in option for option in (node, *node.get("anyOf", ())))
        default = f"`{json.dumps(node['default'])}`" if "default" in node and not is_section else ""
        row = f"`{key}`", words.describe(node), default, words.meaning(node)
        rows.setdefault(row, []).extend(sources)
    text = _HEAD
    for (key, *cells), sources in rows.items():
        where = f" {sources[0]}" if len(sources) == 1 else ""  # several share the key
        cells = [cell.replace("|", r"\|") for cell in (key + where, *cells)]
        text += f"| {' | '.join(cells)} |\n"
    return text


if __name__ == "__main__":
    print(reference(), end="")
