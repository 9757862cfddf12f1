"""Competitive Lotka-Volterra equations: species x_i that grow by themselves and suppress one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.ode.flow import Flow
from dynamics.validation import real_array, shown


class LotkaVolterraFlow(Flow):
    """Competing species, ``x_i' = x_i (g_i - sum_k A_ik x_k)``.

    Students that point in the target's direction and move by ``w' = ||w|| r`` obey it exactly, with their norms as x,
    ``g_k = (1 + boost_k) ||w*||`` and ``A_ik = a_k``: all rows alike, so that the species with the largest growth
    excludes all others (:class:`dynamics.two_layer.shared_residual_flow.SharedResidualFlow`).

    State: x (..., n). Observables: ``share`` (..., n), each species' part of the sum.

    Args:
        growth: ``g`` (..., n), per unit of time.
        interaction: ``A`` (..., n, n).
        start: ``x(0)`` (..., n), positive.

        Leading axes are the ensemble and broadcast.
    Raises:
        ValueError: wrong shapes, entries that are not finite, or a start that is not positive.
    Cost: O(n^2) an evaluation.
    Source: Smale (1976); named in Student Specialization, section 5.3.
    """

    dimensions: Mapping[str, tuple[str, ...]] = {"x": ("node",), "share": ("node",)}

    def __init__(self, growth: ArrayLike, interaction: ArrayLike, start: ArrayLike) -> None:
        g, A = real_array("growth", growth), real_array("interaction", interaction)
        x = real_array("start", start)
        n = x.shape[-1] if x.ndim else 0
        if n == 0 or g.shape[-1:] != (n,) or A.shape[-2:] != (n, n):
            raise ValueError(
                "growth, interaction, start: expected shapes (..., n), (..., n, n), (..., n), "
                f"got {g.shape}, {A.shape}, {x.shape}"
            )
        if not np.all(x > 0):
            raise ValueError(f"start: expected positive numbers, got {shown(float(x.min()))}")
        batch = np.broadcast_shapes(g.shape[:-1], A.shape[:-2], x.shape[:-1])
        self.start = np.array(np.broadcast_to(x, (*batch, n)))
        self.growth, self.interaction = g, A

    @property
    def initial_arrays(self) -> Mapping[str, Array]:
        """The species."""
        return {"x": self.start}

    def __call__(self, t: float, y: Array) -> Array:
        x = self.unpack(y)["x"]
        return self.pack({"x": x * (self.growth - (self.interaction @ x[..., None])[..., 0])})

    def observables(self, y: Array) -> dict[str, Array]:
        """``share (..., n)``: each species' part of the whole."""
        x = self.unpack(y)["x"]
        return {"share": x / x.sum(axis=-1, keepdims=True)}

    def problem_description(self) -> dict[str, Any]:
        """The start, the growth rates and the interactions."""
        return {**super().problem_description(), "growth": self.growth, "interaction": self.interaction}

    def configuration(self) -> dict[str, Any]:
        """The flow in plain data, for a result's attributes."""
        return {**super().configuration(), "n": self.start.shape[-1]}
