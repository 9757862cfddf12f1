"""Figures of the papers, made again: each a picture, its data and the claim in words as a check.

A module in this folder defines module-level :class:`PaperFigure` objects (or tuples of them); they are found by
themselves, as statements are. ``luckproof figure NAME`` makes one.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from verify.judging import Source

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from verify.figures.claims import ClaimCheck


@dataclass(frozen=True)
class Made:
    """A figure that was made: the picture, the numbers in it, and what they say about the paper's claims.

    ``files``: by name, what else the figure leaves in its folder, such as trained networks.
    """

    picture: Figure
    data: xr.Dataset
    checks: tuple[ClaimCheck, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class PaperFigure:
    """One figure of a paper.

    ``name``: paper and number (``specialization.9``). ``settings``: for each budget (``quick``, ``full``) a frozen
    dataclass of numbers, texts and tuples of numbers with a field ``seed``, which validates itself. ``make(settings,
    device, progress)`` does the work and draws; where ``keeps_runs`` is set it also takes ``kept``, a
    :class:`nets.specialization.run_folder.RunFolder` for the runs behind the figure. ``check(settings)`` is called
    before anything is done or written: it reads the files that settings name, if any, and raises ValueError or OSError.
    ``estimate(settings, device)`` says what it will take; it is printed before a full budget's work starts.
    ``note``: what the paper saw and where ours differs, for the page of figures.
    """

    name: str
    title: str
    source: Source
    settings: Mapping[str, Any]
    make: Callable[..., Made]
    keeps_runs: bool = False
    check: Callable[[Any], None] | None = None
    estimate: Callable[[Any, str], object] | None = None
    note: str = ""


def figure_named(name: str) -> PaperFigure:
    """The registered figure of that name; raises ValueError with the nearest names for any other."""
    known = figures()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or list(known)
        raise ValueError(f"figure: no figure is called {name!r}; known: {', '.join(near)}")
    return known[name]


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
    for info in pkgutil.iter_modules(__path__, prefix=f"{__name__}."):
        for value in vars(importlib.import_module(info.name)).values():
            candidates = value if isinstance(value, tuple | list) else (value,)
            yield from (candidate for candidate in candidates if isinstance(candidate, PaperFigure))


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name))
