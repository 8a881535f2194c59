"""Pages of the report: self-contained HTML, readable in light and dark mode and on a phone.

What a page looks like is in `templates/`: a template a page, `parts.html` and one stylesheet. Text
is escaped in the templates of HTML; claims.md is the only one of Markdown.
"""

from typing import NamedTuple

import jinja2

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("repro.report"),
    autoescape=jinja2.select_autoescape(),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Link(NamedTuple):
    """A cell that leads to an address, in a new window: the page may be inside a frame."""

    text: str
    href: str


def render(template: str, title: str, note: str, **values: object) -> str:
    """Return a page.

    Args:
        template: a file of `templates/`.
        title: of the page.
        note: a sentence at its top, such as what its numbers are not; may be empty.
        values: what else the template names.
    """
    return _TEMPLATES.get_template(template).render(title=title, note=note, **values)
