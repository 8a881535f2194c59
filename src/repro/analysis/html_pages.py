"""Pages of the report: self-contained HTML, readable in light and dark mode and on a phone."""

from collections.abc import Collection, Sequence
from html import escape

from repro.analysis.table_formats import Sheet

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1f23; --soft: #5b6470; --grid: #dfe2e6;
  --note: #fff4d6; --supported: #00634a; --against: #a63a00; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e8eaed; --soft: #a2abb8;
  --grid: #343a42; --note: #3a3010; --supported: #4fd0a5; --against: #ff9d5c; --link: #8ab8f0; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.6rem 1.25rem 3rem; }
h1 { font-size: 1.55rem; line-height: 1.25; margin: 0 0 .6rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: .15em; }
code { font: .9em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.note { background: var(--note); border-radius: 5px; padding: .5rem .8rem; margin: 0 0 1rem;
  font-weight: 600; }
.lead { font-size: 1.12rem; margin: 0 0 .8rem; }
.small { font-size: .88rem; color: var(--soft); margin: .3rem 0 .7rem; max-width: 60rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
ul.claims { list-style: none; padding: 0; margin: 0; }
ul.claims li { display: grid; grid-template-columns: 8.5rem 1fr; gap: .8rem; padding: .35rem 0;
  border-top: 1px solid var(--grid); }
.verdict { font-weight: 700; white-space: nowrap; }
.verdict.supported { color: var(--supported); }
.verdict.not-supported { color: var(--against); }
.verdict.not-tested, .verdict.inconclusive { color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(28rem, 100%), 1fr));
  gap: 1rem; align-items: start; }
figure { margin: 0; }
figure img { display: block; max-width: 100%; border-radius: 5px; background: #fff; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th { font-weight: 600; color: var(--soft); vertical-align: bottom; }
th, td { text-align: right; padding: .3rem .55rem; border-bottom: 1px solid var(--grid); }
td { vertical-align: top; white-space: pre-line; }
td:not(.t) { white-space: pre; }
td.g { font-weight: 600; }
.t { text-align: left; }
td.t.long { min-width: 11rem; }
@media (max-width: 48rem) {
  main { padding: 1rem .8rem 2rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; }
  ul.claims li { grid-template-columns: 1fr; gap: 0; }
}
"""
_LONG = 24  # characters from which a cell may not become a narrow column


class Link(str):
    """Text that leads to an address, opened in a window of its own: a page may stand in a frame."""

    href: str

    def __new__(cls, text: str, href: str) -> "Link":
        """Return the text with its address."""
        link = super().__new__(cls, text)
        link.href = href
        return link


def page(title: str, note: str, body: str) -> str:
    """Return a page; title and note are escaped here, the body is HTML already."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body><main>
<h1>{escape(title)}</h1>
{noted(note)}
{body}
</main></body>
</html>
"""


def noted(note: str) -> str:
    """Return the sentence that stands beside the numbers; nothing where there is none."""
    return f'<p class="note">{escape(note)}</p>' if note else ""


def small(text: str) -> str:
    """Return a paragraph of explanation; nothing where there is none."""
    return f'<p class="small">{escape(text)}</p>' if text else ""


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Return a list of terms and what they are, both as text."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>\n" for name, text in pairs)
    return f"<dl>\n{rows}</dl>"


def sheet(of: Sheet) -> str:
    """Return a table with its caption; the name of a group stands in its first row only."""
    rows, before = [], [None] * of.groups
    for row in of.rows:
        group = row[: of.groups]
        same = [group[: i + 1] == before[: i + 1] for i in range(of.groups)]
        rows.append(["" if known else cell for cell, known in zip(group, same, strict=True)])
        rows[-1] += row[of.groups :]
        before = group
    return small(of.caption) + table(of.header, rows, range(of.groups + 1), of.groups)


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], texts: Collection[int], groups: int = 0
) -> str:
    """Return a table of text.

    Args:
        header: names of the columns.
        rows: the cells; a line break stays one.
        texts: the columns that hold text, not numbers.
        groups: how many leading columns name a group of rows.
    """
    head = "".join(
        f'<th scope="col"{_classes("t" * (i in texts))}>{escape(name)}</th>'
        for i, name in enumerate(header)
    )
    lines = []
    for row in rows:
        cells = (
            (cell, ("t" * (i in texts), "g" * (i < groups), "long" * (len(cell) > _LONG)))
            for i, cell in enumerate(row)
        )
        lines.append("".join(f"<td{_classes(*of)}>{linked(cell)}</td>" for cell, of in cells))
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}</tbody>\n</table></div>"
    )


def linked(text: str) -> str:
    """Return text as HTML, with its address where it is a `Link`."""
    if not isinstance(text, Link):
        return escape(text)
    return f'<a href="{escape(text.href)}" target="_blank" rel="noopener">{escape(text)}</a>'


def _classes(*names: str) -> str:
    found = " ".join(filter(None, names))
    return f' class="{found}"' if found else ""
