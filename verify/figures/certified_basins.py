"""A map of certified basins: for each start of two students in the plane, the teachers to which it provably goes.

``python -m verify.figures.certified_basins docs`` makes docs/certified_basins.png (minutes; extra ``certify``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dynamics.arrays import Array
from dynamics.files.writing import write_atomically
from dynamics.two_layer.problem import TeacherStudent
from verify.certificates.certificate import certify
from verify.figures.style import FAILING, HOLDING, rendered

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OWN, SWAPPED, UNDECIDED = 0, 1, -1
"""What is proved of a start: both students return, they swap teachers, nothing."""


def start(first: float, second: float) -> TeacherStudent:
    """m = d = 2: student j turned by its angle (radians) from its own teacher towards the other's."""
    columns = [[np.cos(first), np.sin(second)], [np.sin(first), np.cos(second)]]
    return TeacherStudent(np.eye(2), np.array(columns))


def basin_map(
    angles: Array, *, max_steps: int = 600, progress: Callable[[float], None] = lambda done: None
) -> Array:
    """What is proved of the starts with both angles from ``angles``, shape (len, len): the first student's is the row.

    The flow treats students alike, and teachers: the map is symmetric, and only half of it is certified.
    """
    n = len(angles)
    found = np.full((n, n), UNDECIDED)
    for j in range(n):
        for k in range(j + 1):
            limit = certify(start(float(angles[j]), float(angles[k])), max_steps=max_steps).limit
            found[j, k] = found[k, j] = UNDECIDED if limit is None else SWAPPED if limit == (1, 0) else OWN
        progress((j + 1) / n)
    return found


def picture(angles: Array, found: Array) -> Figure:
    """Blue: both return; red: they swap; white: undecided."""
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    figure = Figure(figsize=(4.6, 4.6))
    axes = figure.subplots()
    degrees = np.degrees(angles)
    axes.pcolormesh(
        degrees, degrees, found, cmap=ListedColormap(["white", HOLDING, FAILING]), vmin=-1.5, vmax=1.5
    )
    axes.set_aspect("equal")
    axes.set_xlabel("second student, degrees from its teacher towards the other")
    axes.set_ylabel("first student, degrees from its teacher towards the other")
    kinds = {"both return": HOLDING, "they swap teachers": FAILING, "undecided": "white"}
    axes.legend(
        handles=[
            Patch(facecolor=colour, edgecolor="#8a9099", label=words) for words, colour in kinds.items()
        ],
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=3,
    )
    return figure


def main(folder: str) -> None:
    """Make the map of 24 x 24 starts, 15 degrees apart, none on the line where they merge; put it into ``folder``."""
    angles = np.radians(np.arange(-176.0, 180.0, 15.0))
    found = basin_map(
        angles, progress=lambda done: print(f"\r{done:.0%}", end="", file=sys.stderr, flush=True)
    )
    counts = {name: int(np.sum(found == kind)) for name, kind in (("own", OWN), ("swapped", SWAPPED))}
    print(f"\nof {found.size} starts, proved: {counts}, undecided: {found.size - sum(counts.values())}")
    path = Path(folder) / "certified_basins.png"
    write_atomically(path, rendered(lambda: picture(angles, found), "png"))


if __name__ == "__main__":
    main(sys.argv[1])
