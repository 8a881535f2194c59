"""The page of a case study: one self-contained HTML file, readable in light and dark mode."""

from html import escape
from pathlib import Path

from repro.explain import chart
from repro.explain.chart import largest_reward, number, strength
from repro.explain.explanation import Explanation, Stretch

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1f23; --soft: #5b6470; --grid: #dfe2e6;
  --progress: 0 114 178; --regress: 213 94 0;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e8eaed; --soft: #a2abb8;
  --grid: #343a42; --progress: 86 180 233; --regress: 240 128 48; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.55rem; line-height: 1.25; margin: 0 0 .6rem; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; }
a { color: inherit; text-underline-offset: .15em; }
code, .mono, td.n { font-family: var(--mono); }
.lead { font-size: 1.12rem; margin: 0 0 1.4rem; max-width: 52rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; margin: 0; }
dt, .soft { color: var(--soft); }
dd, .text { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 1.6rem 0 0; overflow-x: auto; }
svg { display: block; width: 100%; min-width: 40rem; }
svg * { stroke-linejoin: round; }
svg text { fill: var(--ink); }
.key { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .7rem; margin: .6rem 0 .8rem;
  font-size: .9rem; }
.key i { flex: 1 1 5rem; max-width: 14rem; height: .9rem;
  border: 1px solid var(--grid); border-radius: 3px;
  background: linear-gradient(90deg, rgb(var(--regress) / .5), rgb(var(--regress) / .08) 49.9%,
  rgb(var(--progress) / .08) 50.1%, rgb(var(--progress) / .5)); }
.small { font-size: .9rem; margin: 0 0 .8rem; max-width: 56rem; }
sub { line-height: 0; }
table { border-collapse: separate; border-spacing: 0 3px; width: 100%; }
th { font-weight: 500; font-size: .8rem; color: var(--soft); text-align: right;
  padding: .2rem .5rem; }
td { vertical-align: top; padding: .3rem .5rem; }
td.n { font-size: .78rem; line-height: 1.9; text-align: right; white-space: nowrap;
  color: var(--soft); }
td.r { font-size: .92rem; line-height: 1.6; font-weight: 700; color: var(--ink);
  border-radius: 5px 0 0 5px; }
th.t { text-align: left; }
td.t { width: 100%; border-radius: 0 5px 5px 0; }
td.up { background: rgb(var(--progress) / var(--a)); }
td.down { background: rgb(var(--regress) / var(--a)); }
td.zero { background: rgb(127 127 127 / .1); }
tr:target td.t { outline: 2px solid var(--ink); }
footer { margin-top: 2.4rem; padding-top: .9rem; border-top: 1px solid var(--grid);
  color: var(--soft); font-size: .88rem; overflow-wrap: anywhere; }
@media (max-width: 48rem) {
  thead { display: none; }
  table, tbody { display: block; }
  tr { display: flex; flex-wrap: wrap; margin-bottom: .7rem; }
  td.n { padding: .1rem .4rem; }
  td.n[data-name]::before { content: attr(data-name) " "; }
  td.r { border-radius: 5px 5px 0 0; }
  td.t { order: 1; box-sizing: border-box; border-radius: 0 0 5px 5px; }
}
@media print { td, .key i { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def write(explanation: Explanation, output: str | Path, note: str = "") -> tuple[Path, Path, Path]:
    """Write PNG, PDF and HTML and return their paths.

    Args:
        explanation: one transcript, scored.
        output: the path of the PNG; the others take their own suffixes.
        note: a sentence that stands below all three.
    """
    png, pdf, html = (Path(output).with_suffix(f".{kind}") for kind in ("png", "pdf", "html"))
    png.parent.mkdir(parents=True, exist_ok=True)
    png.write_bytes(chart.png(explanation, note))
    pdf.write_bytes(chart.pdf(explanation, note))
    html.write_text(page(explanation, note), encoding="utf-8")
    return png, pdf, html


def page(explanation: Explanation, note: str = "") -> str:
    """Return the HTML page; it needs no script and no other file."""
    transcript, noun, rest = explanation.transcript, _noun(explanation), ""
    if explanation.rest.strip():
        rest = (
            '<h2>After the thought</h2><p class="small soft">No process reward falls here.</p>'
            f'<p class="text">{escape(explanation.rest.strip())}</p>'
        )
    rows = [_row(0, explanation.baseline, 1.0)]
    largest = largest_reward(explanation)
    rows += [_row(i, stretch, largest) for i, stretch in enumerate(explanation.stretches, start=1)]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Process reward along one thought</title>
<style>{_STYLE}</style>
</head>
<body><main>
<h1>Process reward along one thought</h1>
<p class="lead">{_answer_first(explanation)}</p>
<dl>
<dt>Question</dt><dd>{escape(transcript.question.strip())}</dd>
<dt>Ground truth</dt><dd><code>{escape(transcript.answer)}</code></dd>
<dt>Thought</dt><dd>{_thought(explanation)}</dd>
<dt>Response</dt><dd>{escape(transcript.source)}; {len(transcript.response)} tokens</dd>
</dl>
<figure>{chart.svg(explanation)}</figure>
<h2>The thought, {noun} by {noun}</h2>
<div class="key"><span>regress {_reward(-largest)}</span><i></i>
<span>{_reward(largest)} progress</span></div>
<p class="small soft">{_terms(explanation)}</p>
<table>
<thead><tr><th scope="col">#</th><th scope="col">r</th><th scope="col" class="t">{noun}</th>
<th scope="col">J</th><th scope="col">S<sub>magn</sub></th><th scope="col">S<sub>stab</sub></th>
<th scope="col">S</th></tr></thead>
<tbody>
{"".join(rows)}</tbody>
</table>
{rest}
<footer>{_footer(explanation, note)}</footer>
</main></body>
</html>
"""


def _noun(explanation: Explanation) -> str:
    """Where segments were left out, what lies between two cut points may hold several."""
    whole = explanation.segments <= len(explanation.stretches)
    return "segment" if whole else "stretch"


def _answer_first(explanation: Explanation) -> str:
    gains = [stretch.reward for stretch in explanation.stretches]
    noun = _noun(explanation)
    first, last = -explanation.baseline.objective, -explanation.stretches[-1].objective
    text = (
        "This thought takes −J, the model's surprise at the ground truth, from "
        f"<b>{number(first)}</b> to <b>{number(last)}</b> nats per answer token."
    )
    if len(gains) == 1:
        return f"{text} It is a single {noun}, with reward {_reward(gains[0])}."
    up, down = (sum(sign * round(gain, 3) > 0 for gain in gains) for sign in (1, -1))
    plural = {"segment": "segments", "stretch": "stretches"}[noun]
    text += f" The reward is positive for {up} of its {len(gains)} {plural}, negative for {down}."
    for words, pick, exists in (
        ("Most progress", max, up),
        ("Largest step back", min, down),
    ):
        if exists:
            index = gains.index(pick(gains)) + 1
            link = f'<a href="#segment-{index}">{noun} {index}</a>'
            text += f" {words}: {link}, {_reward(pick(gains))}."
    return text


def _reward(value: float) -> str:
    return f'<span class="mono">{number(value, signed=True)}</span>'


def _thought(explanation: Explanation) -> str:
    opened = explanation.transcript.opened_by
    start = f"opened by the {opened}" if opened else "not opened by <think>"
    if explanation.closed:
        end = "closed by </think>"
    else:
        end = "never closed: no </think>, so the last cut point is the end of the response"
    return escape(f"{start}; {end}")


def _terms(explanation: Explanation) -> str:
    chosen = explanation.settings
    first = "the empty thought" if chosen.initial_score == "empty_prefix" else "0 in this variant"
    score = "S = S<sub>magn</sub> in this variant"
    if chosen.variant != "reference":
        score = f"S = (1 − w) S<sub>magn</sub> + w S<sub>stab</sub>, w = {chosen.score_weight:g}"
    return (
        "Colour and number are the reward r = S<sub>j</sub> − S<sub>j−1</sub>, the score gained "
        f"between the cut points before and after the text; the first is counted from {first}. "
        f"J: mean log-probability of {_probe(explanation)} when the thought is cut after the text. "
        "S<sub>magn</sub> = 1 − tanh(J / J<sub>b</sub>): how far J has come from the empty "
        "thought's J<sub>b</sub>. S<sub>stab</sub>: how steadily it climbed, 1 without a step "
        f"back. {score}."
    )


def _probe(explanation: Explanation) -> str:
    return f"<code>\\boxed{{{escape(explanation.transcript.answer)}}}</code>"


def _row(index: int, stretch: Stretch, largest: float) -> str:
    names = {"J": "objective", "S_magn": "magnitude", "S_stab": "stability", "S": "score"}
    margin = "".join(
        f'<td class="n" data-name="{name}">{number(getattr(stretch, field))}</td>'
        for name, field in names.items()
    )
    if stretch.reward is None:
        text = '<td class="n r"></td><td class="t soft">the empty thought: J = J<sub>b</sub></td>'
        return f'<tr><td class="n">{index}</td>{text}{margin}</tr>\n'
    alpha = strength(stretch.reward, largest)
    kind = "zero" if alpha == 0 else "up" if stretch.reward > 0 else "down"
    style = f'style="--a: {alpha / 2:.3f}"'
    tokens = f"tokens {stretch.start} to {stretch.end - 1}"
    return (
        f'<tr id="segment-{index}"><td class="n" title="{tokens}">{index}</td>'
        f'<td class="n r {kind}" {style}>{number(stretch.reward, signed=True)}</td>'
        f'<td class="t text {kind}" {style}>{escape(stretch.text.strip())}</td>{margin}</tr>\n'
    )


def _footer(explanation: Explanation, note: str) -> str:
    chosen = explanation.settings
    separator = [chosen.separator] if isinstance(chosen.separator, str) else chosen.separator
    kept = min(chosen.k, explanation.segments)
    k = f"k = {chosen.k} ({'all' if kept == explanation.segments else kept} of "
    k += f"{explanation.segments} segments kept)"
    probe = "J averaged over " + ("the answer's tokens" if chosen.answer_only else "the whole box")
    if chosen.close_thought:
        probe += ", open thoughts closed before it"
    w = f"w = {chosen.w:g}" + (
        " (dropped by this variant)" if chosen.score_weight != chosen.w else ""
    )
    facts = [
        f"model {explanation.model}, {explanation.parameters:,} parameters, {explanation.dtype}",
        f"variant {chosen.variant}",
        w,
        k,
        f"split at {', '.join(map(repr, separator))}",
        probe,
    ]
    return (
        f"{escape(' · '.join(facts))}<br>What this one model says of this one response: an "
        "illustration of the process reward, not a number of the paper (arXiv 2512.01925). "
        f"{escape(note)}"
    )
