"""Theorem 2 for two layers: projected Eqn 6 is the exact gradient flow for isotropic input, unprojected it is not."""

from __future__ import annotations

from dataclasses import dataclass

import mpmath as mp
import numpy as np
from hypothesis import strategies as st

from dynamics.arrays import Array
from dynamics.geometry.angles import tangent_projection
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.teachers import random_unit
from verify.judging import ALGEBRA, SAMPLING, Budget, Context, Evidence, fixed
from verify.judging.domains import SEED, Instance, integers
from verify.luckmatters.theorem2 import THEOREM2
from verify.mathematics.gradients.sampled_gradient import sampled_gradient
from verify.mathematics.precise.kernels import DIGITS, columns, gradient_by_quadrature, psi_d_isotropic


@dataclass(frozen=True)
class TwoLayerInstance(Instance):
    """m random unit teachers, n >= m random unit students in d dimensions, Gaussian fan-outs to c outputs."""

    d: int = fixed(2, integers(2))
    m: int = fixed(1, integers(1))
    n: int = fixed(1, integers(1))
    c: int = fixed(1, integers(1))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        """Fewer students than teachers: problems pair each teacher with a student."""
        return "" if self.n >= self.m else "expected n >= m"


SQUARE = TwoLayerInstance(d=5, m=3, n=3, c=2, seed=1)
"""As many students as teachers: H could stand on either side."""


def no_fewer_students_than_teachers(budget: Budget) -> st.SearchStrategy[TwoLayerInstance]:
    """Up to four teachers, eight students, three outputs in up to eight dimensions."""
    return st.integers(1, 4).flatmap(
        lambda m: st.builds(
            TwoLayerInstance,
            d=st.integers(2, 8),
            m=st.just(m),
            n=st.integers(m, 8),
            c=st.integers(1, 3),
            seed=st.integers(0, 2**16),
        )
    )


def problem_of(instance: TwoLayerInstance) -> TeacherStudent:
    """The teacher-student problem that the instance describes."""
    rng = np.random.default_rng(instance.seed)
    teacher, student = (random_unit(instance.d, k, rng) for k in (instance.m, instance.n))
    teacher_V, student_V = (rng.standard_normal((k, instance.c)) for k in (instance.m, instance.n))
    return TeacherStudent(teacher, student, teacher_V, student_V)


def eqn6(problem: TeacherStudent, *, projected: bool) -> tuple[Array, Array]:
    """Eqn 6's ``(W', V')`` at the problem's start."""
    flow = TwoLayerFlow(problem, projected=projected)
    state = flow.unpack(flow(0.0, flow.initial_state()))
    return state["W"], state["V"]


def planar_moments(W: Array, U: Array) -> tuple[Array, Array]:
    """``G_jk = E[1(w_j.x > 0) 1(u_k.x > 0) x x^T] u_k``, ``(n, k, d)``, and ``w_j.G_jk = E[relu relu]``, ``(n, k)``.

    By quadrature over the wedge of directions in the plane of w_j and u_k where both gates are open (E r^2 = 2 there);
    the integrand is a trigonometric polynomial. Unit columns, isotropic Gaussian input.
    """
    a = W.T @ U
    rest = U.T - a[..., None] * W.T[:, None]
    b = np.linalg.norm(rest, axis=-1)
    across = rest / np.where(b > 0, b, 1.0)[..., None]
    low = np.arctan2(b, a) - np.pi / 2
    half = (np.pi / 2 - low)[..., None] / 2
    nodes, weights = np.polynomial.legendre.leggauss(24)
    p = low[..., None] + half * (1 + nodes)
    density = half * weights * (a[..., None] * np.cos(p) + b[..., None] * np.sin(p)) / np.pi
    along = (density * np.cos(p)).sum(axis=-1)
    aside = (density * np.sin(p)).sum(axis=-1)
    return along[..., None] * W.T[:, None] + aside[..., None] * across, along


def by_quadrature(problem: TeacherStudent, *, projected: bool) -> Array:
    """The exact negative gradient by :func:`planar_moments`, flat: W's coordinates, then V's."""
    W, V = problem.student_W, problem.student_V
    for_W, for_V = np.zeros_like(W), np.zeros_like(V)
    for sign, nodes, fan_outs in ((1, problem.teacher_W, problem.teacher_V), (-1, W, V)):
        moment, overlap = planar_moments(W, nodes)
        for_W += sign * np.einsum("jk,jkd->dj", V @ fan_outs.T, moment)
        for_V += sign * overlap @ fan_outs
    return np.concatenate([(tangent_projection(W, for_W) if projected else for_W).ravel(), for_V.ravel()])


def teacher_on_the_wrong_side(problem: TeacherStudent) -> tuple[Array, Array]:
    """Eqn 6 with the teacher's H transposed on the wrong side, as the printed shapes suggest for n = m."""
    W, V = problem.student_W, problem.student_V
    psi_d = problem.measure.psi_d
    to_teacher = psi_d(W, problem.teacher_W) * (V @ problem.teacher_V.T)
    pull = problem.teacher_W @ to_teacher - W @ (psi_d(W, W) * (V @ V.T))
    return tangent_projection(W, pull), eqn6(problem, projected=True)[1]


SAMPLES = {"quick": 40_000, "full": 20_000, "deep": 2_000}
"""Inputs for the sampled gradient: the fewer, the more instances are drawn, since quadrature decides each to 1e-12."""

ROUNDING = 1e-12
"""Of kernels and quadrature together, relative to the sum of the fan-outs' products over all pairs of nodes."""


def against_the_gradient(
    problem: TeacherStudent, claimed: tuple[Array, Array], context: Context, seed: int, *, projected: bool
) -> Evidence:
    """Claimed field against the gradient by quadrature, to rounding, and against the sampled one, largest |z|.

    ``measured`` is the difference from the quadrature, relative to the claimed field.
    """
    size = SAMPLES[context.budget.name]
    exact = by_quadrature(problem, projected=projected)
    mean, error = sampled_gradient(problem, size, context.rng(seed, 2), projected=projected)
    flat = np.concatenate([part.ravel() for part in claimed])
    moving = error > 1e-14  # in d = 2 or at a pole a projected coordinate may vanish identically
    deviation = np.abs(mean - flat)
    score = float(np.max(deviation[moving] / error[moving], initial=0.0))
    limit = context.z(int(moving.sum()))
    still = float(deviation[~moving].max(initial=0.0))
    scale = float(np.linalg.norm(flat))
    weight = np.abs(problem.student_V).sum() * (
        1 + np.abs(problem.teacher_V).sum() + np.abs(problem.student_V).sum()
    )
    apart = float(np.abs(exact - flat).max() / (ROUNDING * weight))
    rounding = float(ROUNDING * weight / scale)
    details: dict[str, float] = {
        "largest |z|": score,
        "limit of |z|": limit,
        "relative gap": float(np.linalg.norm(exact - flat)) / scale,
        "samples": size,
        "coordinates": flat.size,
    }
    return Evidence(
        predicted=0.0,
        measured=details["relative gap"],
        margin=(min(1 - score / limit, 1 - apart) if still < 1e-12 else -still / 1e-12) * rounding,
        tolerance=rounding,
        standard_error=float(np.linalg.norm(error)) / scale,
        details=details,
    )


@THEOREM2.claim(
    "corrected",
    part="two_layer",
    expected="holds",
    on=TwoLayerInstance,
    draw=no_fewer_students_than_teachers,
    examples=(TwoLayerInstance(d=10, m=5, n=10, c=3),),
    cost=ALGEBRA.at_quick(12),
    note="projected, zero-bias isotropic Gaussian input",
    compares=("difference of the gradient and Eqn 6, relative to Eqn 6", "=", "none"),
)
def projected_is_the_gradient(
    instance: TwoLayerInstance,
    context: Context,
    *,
    projected: bool = True,
    transposed: bool = False,
    factor: float = 1.0,
) -> Evidence:
    """Projected Eqn 6 is the exact gradient flow (two layers, isotropic input)

    −P⊥_{w_j} ∂J/∂w_j = P⊥_{w_j} (W* h*_j − W h_j),  −∂J/∂V = L* V* − L V
    with h*_jk = d*_jk v_jᵀv*_k,  h_jk = d_jk v_jᵀv_k

    The term that Eqn 6 leaves out of the gradient, E[…] ∝ sin θ ŵ_j, is along w_j: the projection removes it. So the
    reduced flow and a trained network can be held to each other tightly here.
    """
    problem = problem_of(instance)
    for_W, for_V = teacher_on_the_wrong_side(problem) if transposed else eqn6(problem, projected=projected)
    claimed = (factor * for_W, factor * for_V)
    return against_the_gradient(problem, claimed, context, instance.seed, projected=projected)


projected_is_the_gradient.rejects("Eqn 6 times 1 + 1e-8", SQUARE, factor=1 + 1e-8)
projected_is_the_gradient.rejects("Eqn 6 without projection is rejected", SQUARE, projected=False)
projected_is_the_gradient.rejects("the teacher's H on the wrong side is rejected", SQUARE, transposed=True)


@THEOREM2.claim(
    "necessity",
    part="two_layer",
    expected="needed",
    on=TwoLayerInstance,
    draw=no_fewer_students_than_teachers,
    cost=SAMPLING,
    place="Theorem 2, Eqn 6 with one hidden layer",
    note="the theorem without its Assumption 1 and without the projection",
    compares=("difference of the gradient and Eqn 6, relative to Eqn 6", "=", "none"),
    telling=lambda instance: instance.d >= 4 and instance.m >= 2,
)
def unprojected_is_the_gradient(
    instance: TwoLayerInstance, context: Context, *, projected: bool = False, factor: float = 1.0
) -> Evidence:
    """Eqn 6 without Assumption 1 and without the projection (two layers)

    −∂J/∂w_j = W* h*_j − W h_j

    Assumption 1 left out. It does not hold for Gaussian input: the unprojected first layer is off by a term of the size
    of the gradient itself, along w_j.
    """
    problem = problem_of(instance)
    for_W, for_V = eqn6(problem, projected=projected)
    claimed = (factor * for_W, factor * for_V)
    return against_the_gradient(problem, claimed, context, instance.seed, projected=projected)


@unprojected_is_the_gradient.confirmed_precisely(digits=DIGITS)
def first_layer_in_many_digits(instance: TwoLayerInstance, *, projected: bool = False) -> Evidence:
    """Exact gradient by quadrature and Eqn 6 in many digits; the top layer, where they agree, counts in the size."""
    problem = problem_of(instance)
    with mp.workdps(DIGITS):
        students, teachers = columns(problem.student_W), columns(problem.teacher_W)
        V, V_star = (mp.matrix(a.tolist()) for a in (problem.student_V, problem.teacher_V))
        gap = mp.mpf(0)
        for j, w in enumerate(students):
            exact, reduced = mp.matrix(instance.d, 1), mp.matrix(instance.d, 1)
            for nodes, fan_outs, sign in ((teachers, V_star, 1), (students, V, -1)):
                for k, u in enumerate(nodes):
                    weight = sign * mp.fsum(V[j, i] * fan_outs[k, i] for i in range(instance.c))
                    exact += weight * gradient_by_quadrature(w, u)
                    reduced += weight * psi_d_isotropic(w, u) * u
            missing = exact - reduced
            if projected:
                missing -= w * (mp.fdot(w, missing) / mp.fdot(w, w))
            gap += mp.fdot(missing, missing)
        size = mp.sqrt(mp.fsum(mp.mpf(float((part**2).sum())) for part in eqn6(problem, projected=projected)))
        relative = mp.sqrt(gap) / size
        return Evidence(
            predicted=0.0,
            measured=float(relative),
            margin=float(mp.mpf(10) ** -20 - relative),
            tolerance=1e-20,
            details={"digits": DIGITS},
        )


unprojected_is_the_gradient.errs(
    says="Theorem 2 (v4, section 2) under Assumption 1, with one hidden layer.",
    true="For isotropic Gaussian input Assumption 1 fails, yet Eqn 6 projected off w_j is the exact gradient flow. "
    "Unprojected it is off by a term of the gradient's own size (0.18 of it in the smallest counterexample).",
    impact="substance",
    matters="Theorems 4 and 5 project, so they speak of the true gradient there.",
)
unprojected_is_the_gradient.accepts("with the projection it is accepted", SQUARE, projected=True)
unprojected_is_the_gradient.rejects(
    "with the projection, times 1 + 1e-8", SQUARE, projected=True, factor=1 + 1e-8
)
unprojected_is_the_gradient.rejects("without the projection, as many students as teachers", SQUARE)
