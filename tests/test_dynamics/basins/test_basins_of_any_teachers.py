"""basin(problem): which theorem serves which teachers, and that its radius and rate are below the truth."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luckproof import (
    BiasedGaussian,
    IsotropicGaussian,
    ProjectedFlow,
    TeacherStudent,
    basin,
    basin_radius,
    basin_rate,
    integrate,
    spectral_rate,
    teachers,
)

pytest.importorskip("flint")

from dynamics.basins.basin import local_basin, orthogonality_defect


def problem_of(W: np.ndarray, std: float = 1.0) -> TeacherStudent:
    """The teacher W with itself as student."""
    return TeacherStudent(W, W, measure=IsotropicGaussian(len(W), std))


def start_at(W: np.ndarray, radius: float, rng: np.random.Generator) -> np.ndarray:
    """Unit columns at ``||W' - W||_F`` just below ``radius``, in a random direction."""
    tangent = rng.standard_normal(W.shape)
    tangent -= W * np.sum(W * tangent, axis=0)
    low, high = 0.0, 4.0
    for _ in range(60):
        scale = (low + high) / 2
        moved = (W + scale * tangent) / np.linalg.norm(W + scale * tangent, axis=0)
        low, high = (scale, high) if np.linalg.norm(moved - W) < radius else (low, scale)
    return (W + low * tangent) / np.linalg.norm(W + low * tangent, axis=0)


def test_exactly_orthonormal_teachers_have_theorem_d():
    """Unit vectors, also unnormalised rational rotations such as (3, 4)/5, in exact arithmetic."""
    found = basin(problem_of(np.eye(7, 4)))
    assert found.radius == basin_radius()
    assert found.factor == 1
    assert found.rate(0.5) == basin_rate(0.5, 4, 7)
    turned = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert basin(problem_of(turned)).radius == basin_radius(2)
    assert basin(problem_of(turned)).rate(0.1) == basin_rate(0.1, 2, 2)


def test_teachers_orthonormal_to_rounding_keep_the_radius():
    """Haar-distributed teachers in floats are orthonormal to 1e-16: the same radius and rate, to rounding."""
    found = basin(problem_of(teachers.orthonormal(8, 5, 0)))
    assert "B0" in found.theorem
    assert found.radius == pytest.approx(basin_radius(), abs=1e-12)
    assert found.rate(0.7999) == pytest.approx(basin_rate(0.7999), rel=1e-6)
    assert found.rate(0.0) == pytest.approx(0.25 - 1 / (2 * np.pi), rel=1e-9)
    assert 1 <= found.factor < 1.001


def test_teachers_a_little_off_have_a_small_basin():
    """Turned by 1e-3 they are no longer orthonormal enough for Theorem D: Theorem B."""
    W = np.eye(5, 3)
    W[1, 0] = 1e-3
    found = basin(problem_of(W / np.linalg.norm(W, axis=0)))
    assert found.theorem == "B, with B0 near W*"
    assert 0.15 < found.radius < 0.25


@pytest.mark.parametrize("tilt", [1e-9, -1e-9])
def test_teachers_nearly_orthonormal_pay_for_what_they_are_off(tilt):
    """By 1e-9: the rate at the teachers is below the least eigenvalue enclosed for them, the ball inside D's."""
    W = np.eye(4, 3)
    W[1, 0] = tilt
    W /= np.linalg.norm(W, axis=0)
    found = basin(problem_of(W))
    assert "B0" in found.theorem
    assert found.rate(0.0) <= local_basin(W).rate(0.0)
    assert found.rate(0.0) == pytest.approx(0.25 - 1 / (2 * np.pi), abs=1e-7)
    assert found.radius + orthogonality_defect(W) < basin_radius(3)
    assert found.rate(0.999 * found.radius) > 0


@settings(max_examples=8)
@given(m=st.integers(1, 4), extra=st.integers(0, 4), seed=st.integers(0, 2**32 - 1))
def test_no_start_in_the_basin_is_slower(m, extra, seed):
    """From just inside the radius R(t) <= factor exp(-rate t) R(0); the rate at 0 is the spectral rate, to 1e-6."""
    W = teachers.random_unit(m + 1 + extra, m, seed)
    found = basin(problem_of(W))
    spectral = float(np.asarray(spectral_rate(ProjectedFlow(problem_of(W)))))
    assert found.rate(0.0) == pytest.approx(spectral, rel=1e-6)
    assert found.rate(0.0) <= spectral * (1 + 1e-9)
    start = start_at(W, 0.9 * found.radius, np.random.default_rng(seed))
    R0 = float(np.linalg.norm(start - W))
    run = integrate(
        ProjectedFlow(TeacherStudent(W, start)), (0.0, 60.0), t_eval=np.linspace(0, 60, 13), rtol=1e-11
    )
    R = np.linalg.norm(run.state["W"] - W, axis=(1, 2))
    share = R / (found.factor * np.exp(-found.rate(R0) * run.t) * R0)
    assert share.max() <= 1 + 1e-9


def test_rates_grow_with_the_variance_of_the_input():
    """The flow runs s^2 times as fast for input of standard deviation s."""
    one, three = (basin(problem_of(np.eye(4, 3), std)) for std in (1.0, 3.0))
    assert three.rate(0.3) == pytest.approx(9 * one.rate(0.3), rel=1e-14)


def test_without_ball_arithmetic_orthonormal_teachers_are_served(monkeypatch):
    """Where python-flint is missing only Theorem B0 is, and the error says what to install."""
    monkeypatch.setitem(sys.modules, "flint", None)
    assert basin(problem_of(teachers.orthonormal(6, 4, 0))).radius > 0.86
    with pytest.raises(ImportError, match=r"luckproof\[certify\]"):
        basin(problem_of(teachers.random_unit(6, 4, 0)))


def test_opposite_teachers_are_told_to_be_on_one_line():
    """Two teachers on a line have no Hessian there: an error that says so."""
    with pytest.raises(ValueError, match="teacher_W: expected teachers on different lines"):
        basin(problem_of(np.array([[1.0, -1.0], [0.0, 0.0]])))


def test_other_problems_are_refused():
    """An ensemble, more students than teachers, fan-outs other than 1, input with bias; a radius outside."""
    W = np.eye(4, 2)
    cases = {
        "an ensemble": TeacherStudent(np.stack([W, W]), W),
        "n = m": TeacherStudent(W, np.eye(4, 3)),
        "fan-outs 1": TeacherStudent(W, W, 2 * np.ones((2, 1)), np.ones((2, 1))),
        "isotropic Gaussian": TeacherStudent(W, W, measure=BiasedGaussian(3)),
    }
    for words, problem in cases.items():
        with pytest.raises(ValueError, match=words):
            basin(problem)
    with pytest.raises(ValueError, match="R: expected"):
        basin(problem_of(teachers.random_unit(4, 3, 0))).rate(0.5)
    with pytest.raises(ValueError, match="radius: expected"):
        basin(problem_of(W)).rate(0.9)


def test_the_largest_third_derivatives_are_as_stated():
    """Over all angles, in balls: at most 0.58 for two moving nodes, 0.495 for one; so L <= 1.08 m + 1.74 sqrt m."""
    from flint import arb

    from dynamics.basins.third_derivative import cubic_bounds

    pieces = [cubic_bounds(arb.pi() * k / 200, arb.pi() * (k + 1) / 200) for k in range(200)]
    assert max(float(piece.both) for piece in pieces) < 0.58
    assert max(float(piece.one) for piece in pieces) < 0.495


@pytest.mark.parametrize(("d", "m"), [(3, 3), (6, 4), (2, 2)])
def test_closed_constants_are_on_the_safe_side(d, m):
    """The least eigenvalue enclosed for rounded orthonormal teachers is that of the closed form, L no larger."""
    W = teachers.orthonormal(d, m, 1)
    local, found = local_basin(W), basin(problem_of(W))
    assert found.rate(0.0) == pytest.approx(local.rate(0.0), abs=1e-3 if m == 2 else 1e-11)
    assert found.rate(1e-5) <= local.rate(1e-5)


def third_derivative(w: np.ndarray, u: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """d^3/ds^3 of kappa along the geodesics of velocities x, y, by differences."""

    def kappa(s: float) -> float:
        ends = []
        for node, step in ((w, x), (u, y)):
            length = np.linalg.norm(step)
            ends.append(node * np.cos(length * s) + (step / length * np.sin(length * s) if length else 0))
        a, b = ends
        theta = 2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))
        return float((np.sin(theta) + (np.pi - theta) * np.cos(theta)) / (2 * np.pi))

    h = 2e-3
    return (kappa(2 * h) - 2 * kappa(h) + 2 * kappa(-h) - kappa(-2 * h)) / (2 * h**3)


@given(seed=st.integers(0, 2**32 - 1), alone=st.booleans())
def test_third_derivatives_stay_below_their_bounds(seed, alone):
    """|d^3 kappa| <= both (|x| + |y|)^3, and <= one |x|^3 with one node at rest."""
    from flint import arb

    from dynamics.basins.third_derivative import cubic_bounds

    rng = np.random.default_rng(seed)
    theta = rng.uniform(0.05, 3.09)
    w, u = np.eye(4)[0], np.array([np.cos(theta), np.sin(theta), 0, 0])
    x, y = rng.standard_normal((2, 4)) * rng.exponential(size=(2, 1))
    x, y = x - w * (w @ x), (y - u * (u @ y)) * (0 if alone else 1)
    size = np.linalg.norm(x) + np.linalg.norm(y)
    x, y = x / size, y / size
    bounds = cubic_bounds(arb(theta) - 0.01, arb(theta) + 0.01)
    bound = float(bounds.one) if alone else float(bounds.both)
    assert abs(third_derivative(w, u, x, y)) <= bound + 1e-4


def off_by(defect: float, d: int, m: int) -> np.ndarray:
    """Unit vectors, the first leaning by ``defect/sqrt(2)`` to the second."""
    W = np.eye(d, m)
    W[1, 0] = defect / np.sqrt(2)
    return W / np.linalg.norm(W, axis=0)


def test_the_basin_shrinks_with_the_defect_by_and_by():
    """Off by 1e-9 teachers keep D's radius; by 1e-5 most of it; by 1e-3 B's is left. No step down to B in between."""
    defects = (1e-16, 1e-9, 1e-7, 1e-6, 1e-5, 1e-3)
    radii = [basin(problem_of(off_by(e, 4, 3))).radius for e in defects]
    assert radii == sorted(radii, reverse=True)
    expected = (basin_radius(), basin_radius(), basin_radius(), 0.855, 0.735, 0.208)
    assert radii == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("defect", [1e-6, 1e-5])
def test_starts_about_nearly_orthonormal_teachers_are_no_slower(defect):
    """From 0.9 of the radius R stays below its bound, on both sides of where Theorem B0 takes over."""
    W = off_by(defect, 4, 3)
    found = basin(problem_of(W))
    start = start_at(W, 0.9 * found.radius, np.random.default_rng(0))
    flow = ProjectedFlow(TeacherStudent(W, start))
    run = integrate(flow, (0.0, 80.0), t_eval=np.linspace(0, 80, 17), rtol=1e-11)
    R = np.linalg.norm(run.state["W"] - W, axis=(1, 2))
    rates = np.log(R[:-1] / R[1:]) / np.diff(run.t)
    assert R[-1] < 1e-3
    for before, after, rate in zip(R[:-1], R[1:], rates, strict=True):
        assert rate >= found.rate(before) - np.log(found.factor) / 5
        assert after < before


@settings(max_examples=60)
@given(
    m=st.integers(2, 6),
    extra=st.integers(0, 2),
    size=st.floats(1e-4, 0.1),
    radius=st.floats(0.05, 0.86),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_a_defect_costs_is_bounded(m, extra, size, radius, seed):
    """|sum_j (w*_j.w_j' - q_j.w_j'_Q)| <= m eta (R + eps)/2 + 1.05 m eps R/2, Q the polar factor of W*."""
    rng = np.random.default_rng(seed)
    W = teachers.orthonormal(m + extra, m, seed) + size * rng.standard_normal((m + extra, m)) / m
    W /= np.linalg.norm(W, axis=0)
    left, _, right = np.linalg.svd(W, full_matrices=False)
    Q = left @ right
    defect = float(np.linalg.norm(W.T @ W - np.eye(m)))
    eta = float(np.linalg.norm(2 * np.arcsin(np.linalg.norm(W - Q, axis=0) / 2)))
    student = start_at(W, radius, rng)
    pulls = [ProjectedFlow(TeacherStudent(A, student)).field(student, np.ones((m, 1)))[0] for A in (W, Q)]
    moved, moved_Q = (pull - student * np.sum(student * pull, axis=0) for pull in pulls)
    cost = abs(np.sum(W * moved) - np.sum(Q * moved_Q))
    R = float(np.linalg.norm(student - W))
    assert np.linalg.norm(W - Q) <= defect * (1 + 1e-12)
    assert cost <= m * eta * (R + defect) / 2 + 1.05 * m * defect * R / 2
    assert eta > 0.05 or eta <= 1.001 * defect


@pytest.mark.parametrize("angle", [3e-8, 1e-9, 1e-12])
@pytest.mark.parametrize("d", [2, 3])
def test_teachers_nearly_on_one_line_have_no_proved_basin(angle, d):
    """A least eigenvalue that is positive but too small for a radius: nothing is proved, and it says so."""
    W = np.zeros((d, 2))
    W[0], W[1, 1] = (1.0, np.cos(angle)), np.sin(angle)
    found = basin(problem_of(W))
    assert (found.radius, found.factor) == (0.0, 1.0)
    assert found.theorem.startswith("B0 (")
    with pytest.raises(ValueError, match="R: expected"):
        found.rate(0.0)
