"""The proved basin of Theorem 5's solution for one problem, where python-flint is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynamics.boundary import checked
from dynamics.two_layer.problem import TeacherStudent

if TYPE_CHECKING:
    from dynamics.basins.two_layer.local import LocalBasin


@checked
def two_layer_basin(problem: TeacherStudent) -> LocalBasin:
    """The proved basin of ``(W*, V*, V_r = 0)`` in Theorem 5's flow, ``TwoLayerFlow(problem)``: W and V move, n >= m.

    With z the angles of the relevant students to their teachers and the steps ``V_u - V*``, ``V_r`` of the fan-outs,
    every start with ``|z(0)| < radius`` converges, ``V_r -> 0``, at a proved rate, and the irrelevant columns move by
    no more than a proved drift. Any teachers, any fan-outs, irrelevant columns on lines of their own.

    Args:
        problem: one instance, unit columns, isotropic Gaussian input; float columns stand for their exactly normalised
            ones. Of the students only the irrelevant columns matter for the basin; the rest say where the start is.
    Returns:
        ``radius`` (0: nothing is proved), ``start``, which is ``|z(0)|`` of the problem, and ``passage(start)``: the
        rates and the drift proved from there.
    Raises:
        ValueError: an ensemble, n < m, columns that are not unit, another measure, or two nodes on one line.
        ImportError: python-flint (extra ``certify``) is not installed.
    Cost: O(N^4) in ball arithmetic, N = m d + n c: a fifth of a second at N = 24, some seconds at 90.
    Source: our own, Theorem C'' (docs/theorems.md).
    """
    try:
        import flint  # noqa: F401
    except ImportError:
        raise ImportError(
            "problem: its basin needs ball arithmetic; pip install luckproof[certify]"
        ) from None
    from dynamics.basins.two_layer.local import local_basin

    return local_basin(problem)
