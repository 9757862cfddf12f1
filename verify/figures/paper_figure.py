"""What a figure of a paper is: its settings, how it is made, and what making it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from verify.judging import Source

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from verify.figures.claims import ClaimCheck


@dataclass(frozen=True)
class FigureResult:
    """What making a figure gives: the picture, the numbers in it, and what they say about the paper's claims.

    ``files``: further files by name, such as trained networks, which are put beside the picture.
    """

    picture: Figure
    data: xr.Dataset
    checks: tuple[ClaimCheck, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class PaperFigure:
    """One figure of a paper.

    Args:
        name: paper and number (``specialization.9``) or subject (``luckmatters.teacher-size``).
        title: what it shows.
        source: where it stands in the paper.
        settings: for each budget (``quick``, ``full``) a frozen dataclass of numbers, texts and tuples of these, with
            a field ``seed``; it validates itself.
        make: ``make(settings, device, progress)`` trains what is needed and plots it; where ``keeps_runs`` is set it
            also takes ``store``, a :class:`nets.specialization.run_folder.RunFolder` for the runs behind the figure.
        keeps_runs: see ``make``.
        spreads: whether its networks are trained in groups that a cluster can take over.
        check: ``check(settings)`` is called before anything is done or written. It reads the files that settings name,
            if any, and raises ValueError or OSError.
        estimate: ``estimate(settings, device)`` says what the figure will take; printed before a full budget's work
            starts.
        note: what the paper saw and where ours differs, for the page of figures.
    """

    name: str
    title: str
    source: Source
    settings: Mapping[str, Any]
    make: Callable[..., FigureResult]
    keeps_runs: bool = False
    spreads: bool = False
    check: Callable[[Any], None] | None = None
    estimate: Callable[[Any, str], object] | None = None
    note: str = ""
