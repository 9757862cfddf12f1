"""How every picture of the project looks: matplotlib's settings, and the colours of what holds and what fails."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: Any = {  # matplotlib types its keys one by one
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a9099",
    "axes.labelcolor": "#3a3f47",
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "xtick.color": "#5b616b",
    "ytick.color": "#5b616b",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "path",
    "svg.hashsalt": "luckproof",
}

HOLDING, FAILING, REFERENCE = "#2b6cb0", "#b3261e", "#8a9099"
"""Colours of claims (or students) that hold, of those that fail, and of lines to compare with."""

RESOLUTION = 160
"""Dots per inch of a picture in pixels."""


def project_style() -> AbstractContextManager[None]:
    """The settings of every picture of the project, and none of the user's."""
    return only_these(STYLE)


@contextmanager
def only_these(settings: Any) -> Iterator[None]:
    """``settings`` over matplotlib's own defaults; the user's (``matplotlibrc``) are back afterwards.

    The backend stays: pictures are drawn into files, by none.
    """
    import matplotlib

    kept = {
        "backend",
        "backend_fallback",
        "date.epoch",
        "interactive",
        "toolbar",
        "timezone",
        "tk.window_focus",
    }
    defaults: Any = {name: value for name, value in matplotlib.rcParamsDefault.items() if name not in kept}
    with matplotlib.rc_context():
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", matplotlib.MatplotlibDeprecationWarning
            )  # of defaults on their way out
            matplotlib.rcParams.update(defaults)
        matplotlib.rcParams.update(settings)
        yield


def rendered(plot: Callable[[], Figure], file_format: str) -> bytes:
    """The file of a picture plotted in the project's style.

    ``file_format``: ``png`` or ``svg``. No date is written: the same numbers give the same bytes.
    """
    buffer = io.BytesIO()
    metadata = {"Date": None} if file_format == "svg" else None
    with project_style():
        plot().savefig(buffer, format=file_format, dpi=RESOLUTION, metadata=metadata)
    return buffer.getvalue()
