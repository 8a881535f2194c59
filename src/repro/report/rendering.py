"""Pages and captions of the report; what they say is in `templates/`."""

import base64
from pathlib import Path

import jinja2

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("repro.report"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: object) -> str:
    """Return a page from a file of `templates/` and the values that the file names."""
    return _TEMPLATES.get_template(template).render(values)


def say(name: str, /, **values: object) -> str:
    """Return a caption or a remark in one line, by a macro of `templates/captions.txt`."""
    text = getattr(_TEMPLATES.get_template("captions.txt").module, name)(**values)
    return " ".join(filter(None, map(str.strip, text.splitlines())))


def embed(image: str | Path) -> str:
    """Return a PNG file as text, to stand in a page."""
    return base64.b64encode(Path(image).read_bytes()).decode()
