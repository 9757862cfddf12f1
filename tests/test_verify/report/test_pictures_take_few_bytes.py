"""An SVG is written shorter and stays the picture that it was."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from verify.report.embedded_figure import embedded
from verify.report.small_svg import smaller


def drawn() -> Figure:
    """Lines with ticks, a legend and a label that is turned."""
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    axes = figure.subplots()
    t = np.linspace(0.0, 10.0, 30)
    axes.plot(t, np.exp(-t), label="theory")
    axes.plot(t, np.exp(-1.1 * t), "o", label="networks")
    axes.set(xlabel="time t", ylabel="sin θ", yscale="log")
    axes.legend()
    return figure


def as_svg(figure: Figure) -> str:
    with rc_context({"svg.fonttype": "none"}):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def test_what_says_nothing_is_left_out() -> None:
    """Half of the bytes: no rotation by nothing, one font and its fallback; turned text stays turned."""
    before = as_svg(drawn())
    after = smaller(before)
    assert len(after) < 0.6 * len(before)
    assert "rotate(-0 " in before
    assert "rotate(-0 " not in after
    assert "rotate(-90 " in after
    assert "Bitstream" not in after
    assert after.count("'DejaVu Sans', sans-serif") >= 1
    for word in ("theory", "networks", "time t", "sin θ"):
        assert f">{word}<" in after


def test_a_cloud_of_points_is_pixels() -> None:
    """Whichever is shorter, and no character ends the attribute."""
    figure = Figure(figsize=(5.2, 3.4))
    figure.subplots().plot(*np.random.default_rng(0).standard_normal((2, 3000)), ".")
    uri = embedded(figure)
    assert uri.startswith("data:image/png;base64,")
    assert not set(uri) & {'"', "&", "<"}
    assert embedded(drawn()).startswith("data:image/svg+xml,")


def test_nothing_that_is_seen_is_lost() -> None:
    """The same lines, marks and letters at the same places, to a hundredth of a point, in an SVG that parses."""
    before, after = (ElementTree.fromstring(svg) for svg in (as_svg(drawn()), smaller(as_svg(drawn()))))
    for kind in ("path", "use", "text"):
        old, new = (list(root.iter(f"{{http://www.w3.org/2000/svg}}{kind}")) for root in (before, after))
        assert len(old) == len(new) > 0
        assert [(part.text or "").strip() for part in old] == [(part.text or "").strip() for part in new]
        for axis in ("x", "y"):
            at_first, later = ([float(part.get(axis, 0)) for part in parts] for parts in (old, new))
            np.testing.assert_allclose(later, at_first, atol=0.006)
