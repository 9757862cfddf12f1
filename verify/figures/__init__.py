"""Figures of the papers, made again: each a picture, its data and the claim in words as a check.

A module in this folder defines module-level :class:`PaperFigure` objects (or tuples of them); they are found by
themselves, as statements are. ``luckproof figure NAME`` makes one.
"""

from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.figures.registry import figure_named, figures, titles

__all__ = ["FigureResult", "PaperFigure", "figure_named", "figures", "titles"]
