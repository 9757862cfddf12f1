"""A sweep of a few small runs, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

SMALL: Mapping[str, Any] = {
    "command": "simulate",
    "base": {"d": 4, "t_end": 1.0, "points": 3},
    "grid": {"m": [1, 2], "seed": "0:3"},
}
"""Six points; m changes the sizes of the arrays."""

STARVED: Mapping[str, Any] = {
    **SMALL,
    "base": {**SMALL["base"], "m": 2, "t_end": 50.0},
    "grid": {"max_steps": [1, 1000]},
}
"""Two points, the first of which runs out of steps."""

REFUSED: Mapping[str, Any] = {**SMALL, "grid": {"m": [2, 5]}}
"""Two points, the second of which asks for more orthonormal teachers than there are dimensions."""


def files(folder: Path) -> dict[str, bytes]:
    """The files of all finished points, by name."""
    return {path.name: path.read_bytes() for path in folder.glob("points/*/*.nc")}
