"""Formulas: ``$...$`` in a claim is set by matplotlib, so that the page needs no font and no script."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

from markupsafe import Markup
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser, math_to_image

from verify.figures.style import only_these

_FORMULA = re.compile(r"(\$[^$]+\$)")
_CODE = re.compile(r"`([^`]+)`")
_POINTS_PER_EM = 12.0
_STYLE: Any = {"savefig.transparent": True, "svg.fonttype": "path", "svg.hashsalt": "luckproof"}


def claim_html(claim: str) -> Markup:
    """``claim`` with its text escaped and each ``$formula$`` as an inline picture with the source as its alt.

    A formula that matplotlib cannot read stays as its source.
    """
    pieces = _FORMULA.split(claim)
    return Markup("").join(
        _formula_html(piece) if _FORMULA.fullmatch(piece) else indexed_html(piece) for piece in pieces
    )


def indexed_html(text: str) -> Markup:
    """Plain text with ``d_jk``, ``h_{jj°}`` as subscripts and ``x^2``, ``e^{−λt}`` as superscripts.

    A longer word after an underscore is a name and stays as it is. What stands between backticks is code, whose lines
    break behind dots.
    """
    pieces = _CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(_after_dots(piece)) if place % 2 else _with_indices(piece)
        for place, piece in enumerate(pieces)
    )


def _after_dots(code: str) -> Markup:
    return Markup(".<wbr>").join(code.split("."))


def _with_indices(text: str) -> Markup:
    escaped = str(Markup.escape(text))
    for mark, tag in (("_", "sub"), (r"\^", "sup")):
        escaped = re.sub(rf"(?<=\S){mark}\{{([^{{}}]*)\}}", rf"<{tag}>\1</{tag}>", escaped)
        escaped = re.sub(
            rf"(?<=\S){mark}([A-Za-zΑ-Ωα-ω0-9]{{1,3}})(?![A-Za-z0-9_])", rf"<{tag}>\1</{tag}>", escaped
        )
    return Markup(escaped)


def _formula_html(formula: str) -> Markup:
    font = FontProperties(size=_POINTS_PER_EM, math_fontfamily="stix")
    buffer = io.BytesIO()
    with only_these(_STYLE):
        try:
            depth = MathTextParser("path").parse(formula, 72, font).depth
            math_to_image(formula, buffer, prop=font, dpi=72, format="svg")
        except ValueError:
            return Markup("<code>{}</code>").format(formula)
    picture = base64.b64encode(buffer.getvalue()).decode()
    width, height = _size_in_points(buffer.getvalue())
    return Markup(
        '<img class="formula" alt="{}" src="data:image/svg+xml;base64,{}" '
        'style="width:{:.3f}em;height:{:.3f}em;vertical-align:{:.3f}em">'
    ).format(
        formula.strip("$"),
        picture,
        width / _POINTS_PER_EM,
        height / _POINTS_PER_EM,
        -depth / _POINTS_PER_EM,
    )


def _size_in_points(svg: bytes) -> tuple[float, float]:
    found = re.search(rb'width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    if found is None:
        raise ValueError("svg: expected a width and a height in points")
    return float(found[1]), float(found[2])
