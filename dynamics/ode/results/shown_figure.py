"""A figure that a notebook shows by itself."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@cache
def _kind() -> type[Figure]:
    from matplotlib.figure import Figure  # slow to import, and not needed to integrate

    class ShownFigure(Figure):
        """One that was made without pyplot, whose import is what tells a notebook how figures are shown."""

        def _repr_png_(self) -> bytes:
            picture = io.BytesIO()
            self.savefig(picture, format="png")
            return picture.getvalue()

    return ShownFigure


def shown_figure(**options: Any) -> Figure:
    """A new figure with the options of matplotlib's own."""
    return _kind()(**options)
