"""Theorem 4, any teachers: a basin and a rate from the Hessian at the solution and a bound of its change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import hypothesis.strategies as st
import numpy as np
from scipy.optimize import minimize

from dynamics.arrays import Array
from dynamics.basins.basin import Basin, basin
from dynamics.ode.integrate import integrate
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.teachers import orthonormal, random_unit
from verify.judging import (
    FLOW,
    SEED,
    CannotJudgeError,
    Context,
    Evidence,
    Instance,
    OneOf,
    drawn,
    integers,
    reals,
)
from verify.luckmatters.theorem4 import THEOREM4

LARGEST = 64
"""Entries of the teacher up to which its Hessian is enclosed: (m d)^3 in ball arithmetic."""

FOLDS = 4.0
"""Times are followed until the bound has fallen by this many e-folds."""

NEAREST_LINE = 0.02
"""Radians within which two teachers' lines are not told apart by this statement."""


DIRECTIONS = ("random", "slowest")


@dataclass(frozen=True)
class GeneralStart(Instance):
    """Random unit teachers, or orthonormal ones (in floats, to rounding), and a start.

    At ``share`` of the proved radius. ``towards``: in a random direction, or where two descents on ``-R'/R`` over the
    sphere of that radius end.
    """

    m: int = drawn(2, st.integers(1, 4), integers(1))
    extra: int = drawn(2, st.integers(0, 3), integers(0))
    kind: str = drawn("random", st.sampled_from(("random", "orthonormal")), OneOf(("random", "orthonormal")))
    share: float = drawn(0.5, st.floats(0.05, 0.99), reals(1e-3, 0.999))
    towards: str = drawn("random", st.sampled_from(DIRECTIONS), OneOf(DIRECTIONS))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def teacher(self) -> Array:
        """W* (d, m)."""
        draw = random_unit if self.kind == "random" else orthonormal
        return draw(max(2, self.m + self.extra), self.m, np.random.default_rng(self.seed))


@lru_cache(maxsize=64)
def basin_of(m: int, extra: int, kind: str, seed: int) -> Basin:
    """The proved basin of the instance's teachers."""
    W = GeneralStart(m, extra, kind, seed=seed).teacher()
    if W.size > LARGEST:
        raise CannotJudgeError(f"more than {LARGEST} weights: the Hessian is not enclosed")
    cosines = np.abs(W.T @ W)[np.triu_indices(m, 1)]
    if cosines.max(initial=0.0) > np.cos(NEAREST_LINE):
        raise CannotJudgeError("two teachers nearly on one line")
    try:
        found = basin(TeacherStudent(W, W))
    except ImportError as error:
        raise CannotJudgeError(str(error)) from None
    if not found.radius > 0:
        raise CannotJudgeError("no positive λ* was proved for these teachers")
    return found


def start_at(teacher: Array, radius: float, rng: np.random.Generator) -> Array:
    """Unit columns at ``||W - W*||_F = radius`` in a random direction."""
    return towards(teacher, radius, rng.standard_normal(teacher.shape))


def towards(teacher: Array, radius: float, X: Array) -> Array:
    """Unit columns at ``||W - W*||_F = radius`` in the directions X (..., d, m)."""
    X = X - teacher * np.sum(teacher * X, axis=-2, keepdims=True)
    Y = radius / np.linalg.norm(X, axis=(-2, -1), keepdims=True) * X
    u = np.sum(Y**2, axis=-2, keepdims=True)
    return np.asarray(teacher * (1 - u / 2) + np.sqrt(1 - u / 4) * Y)


def contraction_at(teacher: Array, W: Array) -> Array:
    """``-R'/R`` at the states W (..., d, m), shape (...)."""
    flow = ProjectedFlow(TeacherStudent(teacher, W))
    speed = flow.unpack(flow(0.0, flow.initial_state()))["W"]
    return np.asarray(np.sum(teacher * speed, axis=(-2, -1)) / np.sum((W - teacher) ** 2, axis=(-2, -1)))


@lru_cache(maxsize=64)
def students_of(start: GeneralStart, radius: float) -> Array:
    """W (d, m) of the start at the distance ``radius``."""
    teacher, rng = start.teacher(), np.random.default_rng((start.seed, 1))
    if start.towards == "random":
        return start_at(teacher, radius, rng)
    ends = [slowest_at(teacher, radius, rng.standard_normal(teacher.shape)) for _ in range(2)]
    return min(ends, key=lambda W: float(contraction_at(teacher, W)))


def slowest_at(teacher: Array, radius: float, X: Array) -> Array:
    """Students at the distance near the direction X where the flow contracts most slowly: L-BFGS, differences."""
    size, step = X.size, 1e-5
    moves = step * np.concatenate([np.eye(size), -np.eye(size)]).reshape(2 * size, *X.shape)

    def objective(flat: Array) -> tuple[float, Array]:
        centre = flat.reshape(X.shape)
        around = np.concatenate([centre[None], centre + moves])
        values = contraction_at(teacher, towards(teacher, radius, around))
        return float(values[0]), (values[1 : size + 1] - values[size + 1 :]) / (2 * step)

    found = minimize(objective, X.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    return towards(teacher, radius, found.x.reshape(X.shape))


@THEOREM4.claim(
    "sharp",
    part="basin_general",
    expected="holds",
    on=GeneralStart,
    examples=(
        GeneralStart(2, 6, share=0.9),
        GeneralStart(3, 3, share=0.9, seed=1),
        GeneralStart(4, 0, "orthonormal", 0.99),
        GeneralStart(3, 3, share=0.9, towards="slowest", seed=1),
        GeneralStart(4, 3, share=0.6, towards="slowest"),
        GeneralStart(1, 3, "random", 0.9),
    ),
    cost=FLOW.at_quick(5),
    needs_balls=True,
    compares=(
        "slowest mean decay rate of R = ‖W − W*‖_F, up to a factor",
        "≥",
        "proved rate basin(problem).rate(R(0))",
    ),
    note="our own theorem",
)
def any_teachers_have_a_basin(
    start: GeneralStart, context: Context, *, factor: float = 1.0, farther: float = 1.0
) -> Evidence:
    """Any teachers with a positive late rate have a proved basin and rate

    λ* > 0 the least eigenvalue of the Hessian at W*, L a bound of its change within ρ₀ = 2λ*/L along the spheres,
    dist(W(0), W*) = ρ < ρ₀  ⇒  dist(W(t), W*) ≤ exp(−(λ* − Lρ/2) t) ρ
    teachers orthonormal to rounding: radius R₀ = 0.86 and the rates of theorem4.basin

    Theorems B0 and B of docs/theorems.md, of which the larger basin counts; λ*, L and B's constants are enclosed in
    ball arithmetic per instance, with the angles of the teachers at hand. B expands about the teachers' Gram matrix and
    is larger for three and more of them. In the distance R = ‖W − W*‖_F, which lies below that along the spheres, a
    factor of at most 2 asin(R₀/2)/R₀ enters. The radii are small (0.02 to 0.4) and, as starts further out show, far
    from the largest.
    """
    # Altered: the rate times ``factor``, claimed for starts ``farther`` out.
    found = basin_of(start.m, start.extra, start.kind, start.seed)
    R0 = start.share * found.radius
    rate = factor * found.rate(R0)
    teacher = start.teacher()
    W = students_of(start, min(farther * R0, 1.9))
    horizon = FOLDS / max(rate, 1e-2)
    times = np.concatenate([[0.0, horizon / 1000, horizon / 100], np.linspace(0.0, horizon, 12)[1:]])
    run = integrate(
        ProjectedFlow(TeacherStudent(teacher, W)), (0.0, times[-1]), t_eval=times, rtol=1e-10, atol=1e-13
    )
    if not run.success:
        raise CannotJudgeError(run.message)
    R = np.linalg.norm(run.state["W"] - teacher, axis=(1, 2))
    with np.errstate(divide="ignore"):  # a student on its teacher has decayed beyond any rate
        decay = np.log(found.factor * R[0] / R[1:]) / times[1:]
    slowest = float(decay.min())
    tolerance = 1e-8
    return Evidence(
        predicted=rate,
        measured=slowest,
        margin=slowest - rate + tolerance,
        tolerance=tolerance,
        details={
            "proved radius": found.radius,
            "R at the start": float(R[0]),
            "rate at R = 0": found.rate(0.0),
        },
    )


any_teachers_have_a_basin.rejects(
    "1.15 of the rate, near the solution", GeneralStart(1, 2, "random", 0.01), factor=1.15
)
any_teachers_have_a_basin.rejects(
    "1.00005 of the rate, one teacher, from 0.002", GeneralStart(1, 2, "random", 1e-3), factor=1.00005
)
any_teachers_have_a_basin.rejects(
    "1.5 of the rate, slowest states", GeneralStart(3, 3, share=0.2, towards="slowest", seed=1), factor=1.5
)
any_teachers_have_a_basin.rejects("1.5 of the rate", GeneralStart(3, 3, share=0.02, seed=1), factor=1.5)
any_teachers_have_a_basin.accepts("0.9 of the rate", GeneralStart(3, 3, share=0.9, seed=1), factor=0.9)
