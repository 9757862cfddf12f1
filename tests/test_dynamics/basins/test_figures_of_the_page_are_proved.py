"""The figures that docs/theorems.md calls proved are on the safe side of what the code proves, and close to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dynamics.basins.closed_forms import any_teachers
from luckproof import TeacherStudent, basin_rate, basin_time, two_layer_basin

PAGE = (Path(__file__).parents[3] / "docs/theorems.md").read_text(encoding="utf-8").splitlines()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def below_heading(heading: str) -> list[list[str]]:
    """The rows of the table whose first line begins so."""
    start = next(i for i, line in enumerate(PAGE) if line.startswith(heading))
    rows = PAGE[start + 2 :]
    return [
        cells(line) for line in rows[: next(i for i, line in enumerate(rows) if not line.startswith("|"))]
    ]


def test_rates_of_theorem_d_are_rounded_down():
    """Four digits of each, none above the proved rate."""
    heading = next(line for line in PAGE if line.startswith("| R | 0 |"))
    for radius, claimed in zip(cells(heading)[1:], below_heading("| R | 0 |")[0][1:], strict=True):
        assert 0 <= basin_rate(float(radius)) - float(claimed) < 1e-4


def test_times_are_rounded_up():
    """To a tenth, and reached from each R by then at the latest."""
    for row in below_heading("| R₀ | to .1 R₀ |"):
        start = float(row[0])
        for end, claimed in zip((0.1 * start, 1e-3, 1e-6), row[1:4], strict=True):
            assert -1e-9 <= float(claimed) - basin_time(start, end) < 0.1


def test_theorem_a_is_positive_as_far_as_it_says():
    """To 0.4712; at 0.4713 no longer."""
    assert any("*R(0) < 0.4712 ⇒ −R'/R ≥ λ_A(R) > 0" in line for line in PAGE)
    assert any_teachers(0.4712) > 0 > any_teachers(0.4713)


@pytest.mark.parametrize("row", [0, 1, *(pytest.param(k, marks=pytest.mark.deep) for k in (2, 3, 4))])
def test_constants_of_the_local_theorem_are_on_the_safe_side(row):
    """Radius, late and half-way rate rounded down; the other constants and the drift rounded up."""
    pytest.importorskip("flint")
    sizes, least, *constants, radius, drift, rate, _ = below_heading("| d, m, n, c (orthonormal) | λ₀")[row]
    d, m, n, c = map(int, sizes.split(","))
    U = np.eye(m, c)
    found = two_layer_basin(
        TeacherStudent(np.eye(d, m), np.eye(d, n), U, np.concatenate([U, np.zeros((n - m, c))]))
    )
    assert found.forms is not None
    assert found.rest is not None
    truth = (found.forms.cubic, found.forms.own, found.rest.quartic, found.rest.drifted)
    for claimed, proved in zip(constants, map(float, truth), strict=True):
        assert proved <= float(claimed) < proved * 1.01 + 1e-3
    assert 0 <= found.radius - float(radius) < 2e-3
    assert 0 <= found.least - float(least) < 1e-4
    assert 0 <= float(drift) - found.drift < 0.011
    assert 0 <= found.passage(found.radius / 2).rate - float(rate) < 1e-3
