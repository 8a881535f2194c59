"""What a figure holds."""

import math

from matplotlib.text import Text


def lines(axis):
    """Label -> (x, y) of the labelled lines of a panel."""
    return {
        line.get_label(): (list(line.get_xdata()), list(line.get_ydata()))
        for line in axis.get_lines()
        if not line.get_label().startswith("_")
    }


def bars(axis):
    """Label -> (x, y, low, high) of the dots with error bars of a panel; NaN where none is."""
    found = {}
    for container in axis.containers:
        dots, _, (stems,) = container.lines
        ends = [s[:, 1].tolist() if len(s) else [math.nan] * 2 for s in stems.get_segments()]
        low, high = zip(*ends, strict=True)
        x, y = dots.get_data()
        found[container.get_label()] = (list(x), list(y), list(low), list(high))
    return found


def dots(axis):
    """The numbers of each seed, in the order in which methods are drawn."""
    return [line.get_ydata().tolist() for line in axis.get_lines() if line.get_marker() == "."]


def said(axis):
    """The texts inside a panel and where they stand on its horizontal axis."""
    return [(text.get_text(), text.get_position()[0]) for text in axis.texts]


def ticks(axis):
    return [tick.get_text() for tick in axis.get_xticklabels()]


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_text().strip()]


def says(figure, sentence):
    """Whether a text of the figure holds a sentence, wherever its lines break."""
    wanted = " ".join(sentence.split())
    return any(wanted in " ".join(text.get_text().split()) for text in texts(figure))


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]
