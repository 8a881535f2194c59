"""Pages of the report: self-contained HTML from `templates/`, for light and dark mode."""

import jinja2

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("repro.report"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, title: str, note: str, **values: object) -> str:
    """Return a page from a file of `templates/`, with a note at its top and what else it names."""
    return _TEMPLATES.get_template(template).render(title=title, note=note, **values)
