"""A figure as a ``data:`` URI in as few bytes as it takes: lines as SVG, clouds of points as pixels."""

from __future__ import annotations

import base64
import io
import sys
from urllib.parse import quote

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

from verify.report.small_svg import smaller

LARGE = 20_000
"""Characters of an SVG above which pixels are tried."""

PIXELS = 900
"""Width of a figure in pixels: twice what a page shows, or its whole width once."""

COLOURS = 64

_AS_THEY_ARE = " ()*,/:;=[]{}|+-!@$^_~?.<>'"
"""Characters that a double-quoted attribute and a URI both take."""


def embedded(figure: Figure) -> str:
    """The URI of a figure; it holds neither ``"`` nor ``&``, so that it stands in a double-quoted attribute as it is.

    Letters are kept as letters: their shapes would be two thirds of a page of figures.
    """
    with rc_context({"svg.fonttype": "none"}):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    uri = svg_uri(smaller(buffer.getvalue()))
    if len(uri) > LARGE:
        uri = min(uri, _png_uri(figure), key=len)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)  # a statement may have drawn with pyplot
    return uri


def svg_uri(svg: str) -> str:
    """The URI of an SVG, its quotes turned into single ones."""
    turned = svg.replace("'", "&#39;").replace('"', "'")
    return "data:image/svg+xml," + quote(turned, safe=_AS_THEY_ARE)


def attribute_of(uri: str) -> Markup:
    """``uri`` as the value of a double-quoted attribute; one that could end it is escaped like any text."""
    return Markup.escape(uri) if '"' in uri or "&" in uri else Markup(uri)


def _png_uri(figure: Figure) -> str:
    drawn, stored = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=max(PIXELS / figure.get_size_inches()[0], 110))
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(stored, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stored.getvalue()).decode("ascii")
