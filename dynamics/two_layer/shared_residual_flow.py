"""Several students after one target: the system behind symmetry breaking, negative feedback and winners-take-all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.geometry.angles import norms, tangent_projection
from dynamics.ode.flow import Flow
from dynamics.two_layer.residual_flow import cosines
from dynamics.validation import broadcast_lead, one_of, real_array

Form = Literal["projected", "plain", "multiplicative"]


class SharedResidualFlow(Flow):
    """Students that share a residual, ``r_k = (1 + boost_k) w* - sum_i a_i w_i``.

    ``w_k' = P_perp(w_k) r_k`` (``projected``), ``r_k`` (``plain``) or ``||w_k|| r_k`` (``multiplicative``). This is
    Eqn 10 with equal overlaps: w* stands for the joint pull of all teachers.

    State: W (..., d, n). Observables: ``cosine`` (..., n) to w*; ``fan_in_norm`` (..., n); ``residual_norm`` (...) of
    the shared ``w* - sum_i a_i w_i``.

    Args:
        target: ``w*`` (..., d), not zero.
        start: the students' columns (..., d, n), none zero.
        weights: ``a`` (..., n).
        boost: (..., n); 0 is the symmetric case, ``(eps, 0, ..., 0)`` the symmetry breaking of section 5.3.
        form: how a student follows its residual, see above.

        Leading axes are the ensemble and broadcast.
    Raises:
        ValueError: an unknown form, wrong shapes, entries that are not finite, or a zero column.
    Cost: O(n d) an evaluation.
    Source: Student Specialization, section 5.3 and Theorem 7.
    """

    dimensions: Mapping[str, tuple[str, ...]] = {
        "W": ("input", "node"),
        "cosine": ("node",),
        "fan_in_norm": ("node",),
        "residual_norm": (),
    }

    @checked
    def __init__(
        self,
        target: ArrayLike,
        start: ArrayLike,
        weights: ArrayLike,
        boost: ArrayLike = 0.0,
        *,
        form: Form = "projected",
    ) -> None:
        one_of("form", form, get_args(Form))
        self.form = form
        W = real_array("start", start)
        if W.ndim < 2 or 0 in W.shape[-2:]:
            raise ValueError(f"start: expected shape (..., d, n), d and n from 1 on, got {W.shape}")
        d, n = W.shape[-2:]
        goal, a, eps = (
            real_array("target", target),
            real_array("weights", weights),
            real_array("boost", boost),
        )
        for name, part in (("weights", a), ("boost", eps)):
            if part.shape[-1:] not in ((), (1,), (n,)):
                raise ValueError(f"{name}: expected shape (..., {n}), one a student, got {part.shape}")
        a, eps = np.broadcast_to(a, (*a.shape[:-1], n)), np.broadcast_to(eps, (*eps.shape[:-1], n))
        if goal.shape[-1:] != (d,):
            raise ValueError(f"target: expected shape (..., {d}) as start's columns, got {goal.shape}")
        batch = broadcast_lead({"start": W[..., 0], "target": goal, "weights": a, "boost": eps}, trailing=1)
        self.start = np.array(np.broadcast_to(W, (*batch, d, n)))
        self.target, self.weights, self.boost = goal, a, eps
        if not np.all(norms(self.start) > 0) or not np.all(np.any(goal != 0, axis=-1)):
            raise ValueError("start, target: expected non-zero columns, got a zero one")

    @property
    def initial_arrays(self) -> Mapping[str, Array]:
        """The students' columns."""
        return {"W": self.start}

    def shared(self, W: Array) -> Array:
        """``w* - sum_i a_i w_i``, shape (..., d)."""
        return np.asarray(self.target - (W * self.weights[..., None, :]).sum(axis=-1))

    def __call__(self, t: float, y: Array) -> Array:
        W = self.unpack(y)["W"]
        r = self.shared(W)[..., None] + self.target[..., None] * self.boost[..., None, :]
        if self.form == "projected":
            r = tangent_projection(W, np.broadcast_to(r, W.shape))
        elif self.form == "multiplicative":
            r = norms(W)[..., None, :] * r
        return self.pack({"W": np.broadcast_to(r, W.shape)})

    def observables(self, y: Array) -> dict[str, Array]:
        """Cosines to the target, norms, and the size of the shared residual."""
        W = self.unpack(y)["W"]
        return {
            "cosine": cosines(W, self.target[..., None])[..., 0],
            "fan_in_norm": norms(W),
            "residual_norm": np.asarray(np.linalg.norm(self.shared(W), axis=-1)),
        }

    def problem_description(self) -> dict[str, Any]:
        """The target, the start, the weights of the students in the residual, and their boosts."""
        arrays = {"target": self.target, "weights": self.weights, "boost": self.boost}
        return {**super().problem_description(), **arrays}

    def configuration(self) -> dict[str, Any]:
        """The flow in plain data, for a result's attributes."""
        d, n = self.start.shape[-2:]
        return {**super().configuration(), "form": self.form, "d": d, "n": n}
