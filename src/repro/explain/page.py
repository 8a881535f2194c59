"""The page of a case study: one self-contained HTML file, readable in light and dark mode."""

from pathlib import Path

from repro.explain import chart
from repro.explain.explanation import Explanation
from repro.report import html_pages


def write(explanation: Explanation, output: str | Path, note: str = "") -> tuple[Path, Path, Path]:
    """Write PNG, PDF and HTML and return their paths.

    Args:
        explanation: one transcript, scored.
        output: the path of the PNG; the others take their own suffixes.
        note: a sentence below all three.
    """
    png, pdf, html = (Path(output).with_suffix(f".{kind}") for kind in ("png", "pdf", "html"))
    png.parent.mkdir(parents=True, exist_ok=True)
    png.write_bytes(chart.png(explanation, note))
    pdf.write_bytes(chart.pdf(explanation, note))
    html.write_text(page(explanation, note), encoding="utf-8")
    return png, pdf, html


def page(explanation: Explanation, note: str = "") -> str:
    """Return the HTML page; it needs no script and no other file."""
    gains = [stretch.reward for stretch in explanation.stretches]
    # Where segments were left out, what lies between two cut points may hold several.
    whole = explanation.segments <= len(explanation.stretches)
    return html_pages.render(
        "case_study.html",
        "Process reward along one thought",
        note="",
        remark=note,
        explanation=explanation,
        transcript=explanation.transcript,
        settings=explanation.settings,
        noun="segment" if whole else "stretch",
        plural="segments" if whole else "stretches",
        gains=gains,
        up=sum(round(gain, 3) > 0 for gain in gains),
        down=sum(round(gain, 3) < 0 for gain in gains),
        largest=chart.largest_reward(explanation),
        svg=chart.svg(explanation),
        made_with=" · ".join(_made_with(explanation)),
        number=chart.number,
        strength=chart.strength,
    )


def _made_with(explanation: Explanation) -> list[str]:
    """Return the model and the settings that decide the numbers."""
    chosen = explanation.settings
    separator = [chosen.separator] if isinstance(chosen.separator, str) else chosen.separator
    kept = min(chosen.k, explanation.segments)
    some = "all" if kept == explanation.segments else kept
    dropped = "" if chosen.score_weight == chosen.w else " (dropped by this variant)"
    tokens = "the answer's tokens" if chosen.answer_only else "the whole box"
    closed = ", open thoughts closed before it" if chosen.close_thought else ""
    return [
        f"model {explanation.model}, {explanation.parameters:,} parameters, {explanation.dtype}",
        f"variant {chosen.variant}",
        f"w = {chosen.w:g}{dropped}",
        f"k = {chosen.k} ({some} of {explanation.segments} segments kept)",
        f"split at {', '.join(map(repr, separator))}",
        f"J averaged over {tokens}{closed}",
    ]
