"""Theorem 4, how far a basin can reach at most: two students that have merged stay merged."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import mpmath as mp
import numpy as np

from dynamics.arrays import Array
from dynamics.basins.rates import basin_radius
from dynamics.geometry.columns import unit_columns
from dynamics.ode.integrate import integrate
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import SEARCH, SEED, Context, Evidence, Instance, drawn, integers, reals
from verify.luckmatters.theorem4 import THEOREM4
from verify.mathematics.precise.kernels import columns, dot, projected_field, psi_d_isotropic, unit

CEILING = float(2 * np.sqrt(2) * np.sin(np.pi / 8))
"""Least ``||W - W*||_F`` of students two of which are equal."""

HORIZON = 8.0
"""Rounding separates the two by some 1e-15 exp(t / 2): unseen until here."""

SLACK = 1e-10


@dataclass(frozen=True)
class MergedPair(Instance):
    """Teachers e_1 .. e_m; ``w_1 = w_2``, half-way but for a turn of ``away``; the others at angle ``off`` from theirs.

    With both 0 the start is at R = 1.0824, the ceiling itself.
    """

    m: int = drawn(2, st.integers(2, 8), integers(2, 60))
    extra: int = drawn(0, st.integers(0, 2), integers(0, 60))
    away: float = drawn(0.0, st.one_of(st.just(0.0), st.floats(0.01, 2.0)), reals(0, 3.1))
    off: float = drawn(0.0, st.one_of(st.just(0.0), st.floats(0.01, 0.5)), reals(0, 1.5))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def students(self) -> Array:
        """W (d, m)."""
        d, rng = self.m + self.extra, np.random.default_rng(self.seed)
        W = np.eye(d, self.m)
        W[:2, :2] = np.sqrt(0.5)
        tangent = rng.standard_normal(W.shape)
        tangent[:, 1] = tangent[:, 0]
        tangent = unit_columns(tangent - W * np.sum(W * tangent, axis=0))
        turn = np.full(self.m, self.off)
        turn[:2] = self.away
        W = W * np.cos(turn) + tangent * np.sin(turn)
        W[:, 1] = W[:, 0]
        return np.asarray(W / np.linalg.norm(W, axis=0))


@THEOREM4.claim(
    "sharp",
    part="basin_ceiling",
    expected="holds",
    on=MergedPair,
    examples=(MergedPair(), MergedPair(10), MergedPair(20, 5, 0.5, 0.2)),
    cost=SEARCH.at_quick(12),
    compares=("least ‖W(t) − W*‖_F along the run", "≥", "2√2 sin(π/8) = 1.0824"),
    note="our own: what a proof of a basin can reach at most",
)
def merged_students_stay_away(
    pair: MergedPair, context: Context, *, apart: float = 0.0, ceiling: float = CEILING
) -> Evidence:
    """No basin {‖W − W*‖_F < R₀} with R₀ > 2√2 sin(π/8) = 1.0824 exists for m ≥ 2 orthonormal teachers

    w₁(0) = w₂(0)  ⇒  w₁(t) = w₂(t) for all t, and then ‖W(t) − W*‖_F ≥ 2√2 sin(π/8);
    equality at w₁ = w₂ = (w*₁ + w*₂)/√2, the others exact

    The set {w₁ = w₂} is invariant because the flow treats students alike; of all unit vectors the one half-way is
    nearest to both teachers. The proved radius 0.86 is 79 % of this. For m ≥ 3 only the set is invariant, not that
    point.
    """
    # Altered: the second student starts ``apart`` radians nearer its teacher; or a larger ceiling is claimed.
    W = pair.students()
    d = len(W)
    if apart:
        nearer = np.eye(d, pair.m)[:, 1] - W[:, 1] * W[1, 1]
        W[:, 1] = np.cos(apart) * W[:, 1] + np.sin(apart) * nearer / np.linalg.norm(nearer)
    flow = ProjectedFlow(TeacherStudent(np.eye(d, pair.m), W))
    end = 60.0 if apart else HORIZON
    run = integrate(flow, (0.0, end), t_eval=np.linspace(0.0, end, 25), rtol=1e-8, atol=1e-10, method="LSODA")
    if not run.success:
        raise ArithmeticError(run.message)
    distance = np.linalg.norm(run.state["W"] - np.eye(d, pair.m), axis=(1, 2))
    gap = float(np.linalg.norm(run.state["W"][:, :, 0] - run.state["W"][:, :, 1], axis=1).max())
    least = float(distance.min())
    return Evidence(
        predicted=ceiling,
        measured=least,
        margin=least - ceiling + SLACK,
        tolerance=SLACK,
        details={"‖w₁ − w₂‖ at most": gap, "proved radius": basin_radius()},
    )


@merged_students_stay_away.confirmed_precisely(digits=30)
def equal_forces_in_many_digits(pair: MergedPair, *, ceiling: float = CEILING) -> Evidence:
    """In 30 digits: both students are pushed alike, and the distance at the start is at least the ceiling."""
    W = pair.students()
    with mp.workdps(30):
        students, teachers = [unit(w) for w in columns(W)], columns(np.eye(*W.shape))
        field = projected_field(students, teachers, psi_d_isotropic)
        difference = field[0] - field[1]
        assert mp.sqrt(dot(difference, difference)) < mp.mpf(10) ** -25
        distance = mp.sqrt(2 * mp.fsum(1 - dot(w, u) for w, u in zip(students, teachers, strict=True)))
        return Evidence(
            predicted=ceiling,
            measured=float(distance),
            margin=float(distance - ceiling) + SLACK,
            tolerance=SLACK,
        )


merged_students_stay_away.rejects("the second student 0.1 nearer its teacher", MergedPair(), apart=0.1)
merged_students_stay_away.rejects("the second of ten 0.1 nearer its teacher", MergedPair(10), apart=0.1)
merged_students_stay_away.rejects("a ceiling larger by 1e-8", MergedPair(), ceiling=CEILING + 1e-8)
merged_students_stay_away.accepts("the proved radius", MergedPair(), ceiling=0.86)
