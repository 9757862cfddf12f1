"""Instances of the statements on basins: students at a distance from orthonormal teachers, and their flow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import hypothesis.strategies as st
import mpmath as mp
import numpy as np

from dynamics.arrays import Array
from dynamics.ode.integrate import integrate
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import CannotJudgeError, Instance, OneOf, drawn, fixed, integers, reals
from verify.judging.domains import SEED
from verify.mathematics.basins.distance import WIDEST, rate_at, slowest_at, students_at
from verify.mathematics.precise.kernels import columns, dot, projected_field, psi_d_isotropic, unit

LARGEST, LARGEST_SEARCHED = 2000, 500
"""Entries of W up to which a start is followed, and up to which the slowest one is searched for."""

TIMES = np.array([0.0, 1.0, 3.0, 6.0, 10.0, 16.0, 25.0, 40.0, 60.0])
NEAREST = 1e-3
"""Distances down to which rates along a run are compared: below, the rounding of a rate, 1e-14/R^2, shows."""


@dataclass(frozen=True)
class DistantStart(Instance):
    """m students at ``||W - W*||_F = radius`` from teachers e_1 .. e_m in m + extra dimensions.

    ``kind``: random directions; a rotation of the teachers among themselves; or the slowest state found by descent on
    ``-R'/R`` over the sphere of that radius, ``descents`` times from random ones and rotations.
    """

    m: int = drawn(3, st.sampled_from((1, 2, 3, 4, 5, 8, 12)), integers(1))
    extra: int = drawn(1, st.integers(0, 2), integers(0))
    radius: float = drawn(0.5, st.floats(0.01, 0.859), reals(NEAREST, WIDEST))
    kind: str = drawn(
        "slowest",
        st.sampled_from(("slowest", "random", "rotation")),
        OneOf(("slowest", "random", "rotation")),
    )
    descents: int = fixed(3, integers(1, 50))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    @property
    def d(self) -> int:
        """The dimension; on a line nothing can turn."""
        return max(2, self.m + self.extra)


@lru_cache(maxsize=256)
def students_of(start: DistantStart) -> Array:
    """W (d, m) at the distance."""
    limit = LARGEST_SEARCHED if start.kind == "slowest" else LARGEST
    if start.m * start.d > limit:
        raise CannotJudgeError(f"{start.kind} with more than {limit} weights: too many to search and follow")
    rng = np.random.default_rng(start.seed)
    if start.kind != "slowest":
        return students_at(_directions(start, rng, rotation=start.kind == "rotation"), start.radius)
    found = [
        students_at(
            slowest_at(start.radius, _directions(start, rng, rotation=bool(k % 2)), 200), start.radius
        )
        for k in range(start.descents)
    ]
    return min(found, key=rate_at)


def _directions(start: DistantStart, rng: np.random.Generator, *, rotation: bool) -> Array:
    m = start.m
    X = rng.standard_normal((start.d, m)) * rng.exponential(size=m) ** 2
    if rotation and m > 1:
        X[:m] -= X[:m].T.copy()
        X[m:] *= 0.1
    return np.asarray(X)


def states_of(start: DistantStart) -> list[tuple[float, float]]:
    """``(R, -R'/R)`` at the start and along the flow from it, while R >= NEAREST."""
    W = students_of(start)
    flow = ProjectedFlow(TeacherStudent(np.eye(*W.shape), W))
    run = integrate(flow, (0.0, TIMES[-1]), t_eval=TIMES, rtol=1e-9, atol=1e-12, method="LSODA")
    if not run.success:
        raise CannotJudgeError(run.message)
    found: list[tuple[float, float]] = []
    for state in run.state["W"]:
        W = state / np.linalg.norm(state, axis=0)
        R = float(np.linalg.norm(W - np.eye(*W.shape)))
        if R >= NEAREST or not found:  # the start itself always
            found.append((R, rate_at(W)))
    return found


def rate_rounding(R: float) -> float:
    """How far rounding may move ``-R'/R`` at distance R."""
    return 1e-14 / R**2


def precise_rate(start: DistantStart, digits: int) -> tuple[float, float]:
    """``(R, -R'/R)`` at the start from the definition of the flow, in ``digits`` digits."""
    W = students_of(start)
    if W.size > 64:
        raise CannotJudgeError("more than 64 weights: too slow in many digits")
    with mp.workdps(digits):
        students = [unit(w) for w in columns(W)]
        teachers = columns(np.eye(*W.shape))
        field = projected_field(students, teachers, psi_d_isotropic)
        square = 2 * mp.fsum(1 - dot(w, u) for w, u in zip(students, teachers, strict=True))
        falling = mp.fsum(dot(u, v) for u, v in zip(teachers, field, strict=True))
        return float(mp.sqrt(square)), float(falling / square)
