"""Write config/reference.md: every key of a configuration, its type, default and meaning.

`python config/reference.py > config/reference.md`
"""

import json

from repro.config.models import Experiment

_HEAD = """# Every setting of an experiment

Written from `src/repro/config/models.py` by `python config/reference.py`. Unknown keys are
refused; keys that are left out take their default. A key without a default must be stated. Types
and bounds are in the words of JSON Schema; the type of a section is a link to its keys.
"""
_COLUMNS = "| key | type | default | meaning |\n|---|---|---|---|\n"
_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "minItems", "pattern")


def reference() -> str:
    """Return the page as Markdown: a table of the experiment's keys, and one for each section."""
    schema, text = Experiment.model_json_schema(), _HEAD
    sections = {"Experiment": schema, **schema["$defs"]}
    for name, section in sections.items():
        text += f"\n## {name}\n{_in_one_line(section['description'])}\n\n{_COLUMNS}"
        for key, node in section["properties"].items():
            has_default = "default" in node and "$ref" not in node  # else it is a section
            default = f"`{json.dumps(node['default'])}`" if has_default else ""
            meaning = _in_one_line(node.get("description", ""))
            cells = [f"`{key}`", _describe(node), default, meaning]
            row = " | ".join(cell.replace("|", r"\|") for cell in cells)
            text += f"| {row} |\n"
    return text


def _describe(node: dict) -> str:
    """Return the type and the bounds of a value."""
    if options := node.get("anyOf") or node.get("oneOf"):
        return " or ".join(map(_describe, options))
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in node or "enum" in node:
        return " or ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    bounds = [f"{bound} `{node[bound]}`" for bound in _BOUNDS if bound in node]
    inner = [node["items"]] if "items" in node else node.get("patternProperties", {}).values()
    inner = [f"of {_describe(one)}" for one in inner]
    return ", ".join([" ".join([node["type"], *inner]), *bounds])


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    print(reference(), end="")
