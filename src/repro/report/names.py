"""How benchmarks are ordered, grouped and called in tables and figures."""

from collections.abc import Collection, Iterable

from repro.benchmarks import declared

# The columns of the paper's main table (RePro, arXiv 2512.01925) in its order, then one's own.
_ALL = declared.benchmarks()
BENCHMARKS = {name: benchmark.title for name, benchmark in _ALL.items()}
IN_DOMAIN = tuple(name for name in _ALL if _ALL[name].in_domain)
DOMAINS = {"in-domain": IN_DOMAIN}
DOMAINS["out-of-domain"] = tuple(name for name in _ALL if name not in IN_DOMAIN)


def shown(scored: Collection[str]) -> list[str]:
    """Return the paper's seven benchmarks, which are always shown, and others that have scores."""
    return [name for name in BENCHMARKS if name in declared.PAPER or name in scored]


def titles(benchmarks: Collection[str]) -> str:
    """Return what benchmarks are called, in order, with commas between them; others follow."""
    known = [title for name, title in BENCHMARKS.items() if name in benchmarks]
    return ", ".join([*known, *sorted(set(benchmarks) - set(BENCHMARKS))])


def span(counts: Iterable[int]) -> str:
    """Return `3`, or `1 to 3` of the smallest and the largest count that is not 0."""
    known = sorted(set(counts) - {0})
    return " to ".join(str(number) for number in dict.fromkeys([*known[:1], *known[-1:]]))


def count_seeds(counts: Iterable[int]) -> str:
    """Return `one seed`, `3 seeds`, `1 to 3 seeds`, of how many each of several has; or nothing."""
    found = span(counts)
    return "one seed" if found == "1" else f"{found} seeds" * bool(found)
