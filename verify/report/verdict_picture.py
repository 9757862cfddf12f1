"""The picture of a verdict with its words: the statement's own figure, or measured against predicted."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from matplotlib.figure import Figure

from verify.figures.style import project_style
from verify.judging import Verdict
from verify.report.embedded_figure import embedded
from verify.report.readable_axes import readable
from verify.report.records_figure import records_figure


@dataclass(frozen=True)
class Picture:
    """A figure as a ``data:`` URI, or why there is none (``error``); all is empty where a figure would say nothing.

    ``caption`` says what to see; ``alt`` says to those who cannot see it what is drawn; ``wide``: it has several panels
    side by side and takes the page's whole width.
    """

    uri: str | None = None
    error: str = ""
    wide: bool = False
    caption: str = ""
    alt: str = ""


def picture_of(verdict: Verdict) -> Picture:
    """The verdict's picture. A figure that raises costs the report this picture, not the page."""
    try:
        with project_style():
            figure = figure_of(verdict)
            if figure is None:
                return Picture()
            caption = caption_of(verdict, figure)
            return Picture(
                embedded(figure), wide=is_wide(figure), caption=caption, alt=alternative_of(verdict, figure)
            )
    except Exception as problem:
        return Picture(error=f"{type(problem).__name__}: {problem}")


def is_wide(figure: Figure) -> bool:
    """Whether the figure is more than twice as wide as high."""
    width, height = figure.get_size_inches()
    return bool(width > 2 * height)


def figure_of(verdict: Verdict) -> Figure | None:
    """The statement's own figure if it has one, else :func:`records_figure`; None where neither says something.

    Either is made readable (:func:`verify.report.readable_axes.readable`).
    """
    own = verdict.statement.figure
    figure = own(verdict) if own is not None else records_figure(verdict)
    return None if figure is None else readable(figure)


def caption_of(verdict: Verdict, figure: Figure) -> str:
    """What to see: the docstring of the statement's own figure, or the words that the figure carries as its title."""
    if verdict.statement.figure is None:
        return str(figure.get_label())
    return re.sub(r"`+", "", " ".join((inspect.getdoc(verdict.statement.figure) or "").split()))


def alternative_of(verdict: Verdict, figure: Figure) -> str:
    """What is drawn, from the axes themselves: which quantity over which, and the names of what is drawn."""
    panels = [
        f"{axes.get_ylabel()} over {axes.get_xlabel()}"
        for axes in figure.axes
        if axes.get_xlabel() and axes.get_ylabel()
    ]
    legends = (axes.get_legend_handles_labels()[1] for axes in figure.axes)
    drawn = dict.fromkeys(label for labels in legends for label in labels)
    words = f"{_counted(len(figure.axes), 'panel')}: {'; '.join(dict.fromkeys(panels))}" if panels else ""
    shown = f"Drawn: {', '.join(drawn)}" if drawn else ""
    return plain(". ".join(part for part in (f"Figure for {verdict.statement.title}", words, shown) if part))


def plain(words: str) -> str:
    """A label without the marks of mathtext: ``d$^{*}_{jk}$`` becomes ``d^*_jk``."""
    return re.sub(r"[${}]|\\(?=[a-zA-Z])", "", words)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
