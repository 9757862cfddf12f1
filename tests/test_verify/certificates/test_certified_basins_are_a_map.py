"""The map of certified basins: symmetric, right on both sides of the line where students merge, undecided on it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("flint")
from verify.figures.certified_basins import OWN, SWAPPED, UNDECIDED, basin_map, picture


def test_the_line_of_merged_students_parts_the_basins() -> None:
    """Angles that sum to less than 90 degrees (both between -90 and 90) lead home, to more: to the other teacher."""
    angles = np.radians([-30.0, 20.0, 55.0, 70.0])
    done: list[float] = []
    found = basin_map(angles, max_steps=200, progress=done.append)
    sums = angles[:, None] + angles[None, :]
    assert np.array_equal(
        found, np.where(sums < np.pi / 2 - 1e-9, OWN, np.where(sums > np.pi / 2 + 1e-9, SWAPPED, -1))
    )
    assert found[1, 3] == UNDECIDED
    assert done[-1] == 1


def test_the_picture_shows_the_three_kinds() -> None:
    figure = picture(np.radians([0.0, 45.0]), np.array([[OWN, UNDECIDED], [UNDECIDED, SWAPPED]]))
    words = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert words == ["both return", "they swap teachers", "undecided"]
