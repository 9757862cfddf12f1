"""All figures by name: every module of this folder is imported and its figures are collected."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from dynamics.boundary import checked
from dynamics.validation import shown
from verify.figures.paper_figure import PaperFigure
from verify.judging.catalogue import Catalogue, nearest

FIGURES = Catalogue(
    file=Path(__file__).with_name("catalogue.json"),
    folders=(Path(__file__).parent,),
    header=re.compile(r"\bPaperFigure\(.*?settings=", re.DOTALL),
)
"""Names and titles, for lists that should not import every figure."""


@checked
def figure_named(name: str) -> PaperFigure:
    """The registered figure of that name; raises ValueError with the nearest names for any other."""
    known = titles()
    if name not in known:
        near = nearest(name, known) or list(known)
        raise ValueError(f"figure: no figure is called {shown(name)}; known: {', '.join(near)}")
    return figures()[name]


def titles() -> Mapping[str, str]:
    """The title of every figure by name; from the catalogue, or by importing them all where it is out of date."""
    entries = FIGURES.entries()
    if entries is not None:
        return {entry["name"]: entry["title"] for entry in entries}
    return {name: figure.title for name, figure in figures().items()}


@functools.cache
def figures() -> Mapping[str, PaperFigure]:
    """Every figure by name, in the order of the papers; imported on the first call.

    Raises ValueError where two share a name or one has no settings for a budget.
    """
    found: dict[str, PaperFigure] = {}
    for figure in _collected():
        missing = {"quick", "full"} - set(figure.settings)
        if missing:
            raise ValueError(f"figure {figure.name}: needs settings for {', '.join(sorted(missing))}")
        if found.setdefault(figure.name, figure) is not figure:
            raise ValueError(f"figure {figure.name} is defined twice")
    return MappingProxyType(dict(sorted(found.items(), key=lambda item: _natural(item[0]))))


def _collected() -> Iterator[PaperFigure]:
    package = importlib.import_module(__package__ or __name__)
    for info in pkgutil.iter_modules(package.__path__, prefix=f"{package.__name__}."):
        for value in vars(importlib.import_module(info.name)).values():
            candidates = value if isinstance(value, tuple | list) else (value,)
            yield from (candidate for candidate in candidates if isinstance(candidate, PaperFigure))


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name))
