"""Pages of the report: self-contained HTML from `templates/`, for light and dark mode."""

from typing import NamedTuple

import jinja2

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("repro.report"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Link(NamedTuple):
    """A cell that leads to an address, in a new window: the page may be inside a frame."""

    text: str
    href: str


def render(template: str, title: str, note: str, **values: object) -> str:
    """Return a page from a file of `templates/`, with a note at its top and what else it names."""
    return _TEMPLATES.get_template(template).render(title=title, note=note, **values)
