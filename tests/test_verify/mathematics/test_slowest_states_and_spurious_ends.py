"""The search for the slowest states, and the Hessian that tells a spurious minimum from a saddle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.two_layer.common_angle import CommonAngleFlow
from dynamics.two_layer.linearization import sphere_basis
from luckproof import ProjectedFlow, TeacherStudent, integrate, population_loss
from verify.mathematics.basins.distance import contraction, rate_at, slowest_at, students_at
from verify.mathematics.basins.hessian import loss_hessian


def loss_of(teacher: np.ndarray, W: np.ndarray) -> float:
    """Of students W."""
    problem = TeacherStudent(teacher, W)
    return float(population_loss(problem, W, problem.student_V))


@given(
    m=st.integers(2, 6), extra=st.integers(0, 2), radius=st.floats(0.05, 1.9), seed=st.integers(0, 2**32 - 1)
)
def test_students_are_at_their_distance(m, extra, radius, seed):
    """Unit columns, and ``||W - W*||_F`` is the radius; the contraction is that of the flow."""
    W = students_at(np.random.default_rng(seed).standard_normal((m + extra, m)), radius)
    teacher = np.eye(m + extra, m)
    np.testing.assert_allclose(np.linalg.norm(W, axis=0), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(W - teacher), radius, rtol=1e-12)
    flow = ProjectedFlow(TeacherStudent(teacher, W))
    velocity = flow.unpack(flow(0.0, flow.initial_state()))["W"]
    assert contraction(W)[0] == pytest.approx(2 * np.pi * np.sum(teacher * velocity), abs=1e-11)


def test_the_gradient_of_the_contraction_is_its_derivative():
    """Against central differences."""
    rng = np.random.default_rng(0)
    W = students_at(rng.standard_normal((6, 4)), 0.8)
    step = rng.standard_normal(W.shape)
    slope = (contraction(W + 1e-6 * step)[0] - contraction(W - 1e-6 * step)[0]) / 2e-6
    assert slope == pytest.approx(np.sum(contraction(W)[1] * step), rel=1e-7)


@pytest.mark.parametrize(("m", "radius", "slowest"), [(2, 0.5, 0.1674), (3, 0.3, 0.0640), (3, 0.86, 0.0176)])
def test_descent_finds_the_slowest_states(m, radius, slowest):
    """The minima found before by other code: descent reaches them to the last digit, random states do not."""
    rng = np.random.default_rng(0)
    found = []
    for k in range(8):
        X = rng.standard_normal((m + 1, m))
        if k % 2:
            X[:m] -= X[:m].T.copy()
        found.append(rate_at(students_at(slowest_at(radius, X, 200), radius)))
    assert min(found) == pytest.approx(slowest, abs=6e-5)
    assert rate_at(students_at(rng.standard_normal((m + 1, m)), radius)) > slowest


@pytest.mark.parametrize(
    ("m", "theta", "loss", "least"),
    [(5, 1.04, 0.0285, -0.0228), (10, 0.73, 0.02099, 0.0228), (20, 0.6, 0.01236, 0.0478)],
)
def test_ends_of_the_common_angle_are_minima_or_saddles(m, theta, loss, least):
    """At rest in the symmetric subspace: a strict spurious minimum for m = 10 and 20, a saddle for m = 5."""
    flow = CommonAngleFlow(m, theta)
    W = end_of(flow)
    gradient, hessian = loss_hessian(W, np.eye(m))
    assert np.linalg.norm(gradient) < 1e-4
    assert np.linalg.eigvalsh(hessian)[0] == pytest.approx(least, abs=2e-4)
    assert loss_of(np.eye(m), W) == pytest.approx(loss, rel=2e-3)


@pytest.mark.parametrize(
    ("m", "theta", "loss"),
    [(10, 0.73, 0.020988), pytest.param(20, 0.6, 0.012360, marks=pytest.mark.deep)],
)
def test_spurious_minima_are_proved(m, theta, loss):
    """In ball arithmetic: a local minimum of positive loss within 1e-12 of the end; none is proved at a start."""
    pytest.importorskip("flint")
    from dynamics.basins.spurious import proved_minimum

    flow = CommonAngleFlow(m, theta)
    W = newton(end_of(flow), np.eye(m))
    proved = proved_minimum(W, np.eye(m))
    assert proved is not None
    assert proved.radius < 1e-12
    assert proved.loss == pytest.approx(loss, abs=1e-6)
    assert proved_minimum(flow.students(flow.initial_state()), np.eye(m)) is None


def end_of(flow: CommonAngleFlow) -> np.ndarray:
    """Its students at rest."""
    run = integrate(flow, (0.0, 500.0), t_eval=[0.0, 500.0], rtol=1e-10, atol=1e-13, method="LSODA")
    W = flow.students(flow.pack({name: run.state[name][-1] for name in ("pair", "other")}))
    return W / np.linalg.norm(W, axis=0)


def newton(W: np.ndarray, teacher: np.ndarray) -> np.ndarray:
    """Three Newton steps on the spheres."""
    for _ in range(3):
        gradient, hessian = loss_hessian(W, teacher)
        step = -np.linalg.solve(hessian, gradient).reshape(W.shape[1], -1)
        W = W + np.einsum("jda,ja->dj", sphere_basis(W), step)
        W /= np.linalg.norm(W, axis=0)
    return W


def test_the_hessian_is_the_derivative_of_the_gradient():
    """Along a geodesic the second difference of the loss is the quadratic form."""
    rng = np.random.default_rng(3)
    W, teacher = (x / np.linalg.norm(x, axis=0) for x in rng.standard_normal((2, 5, 3)))
    tangent = rng.standard_normal(W.shape)
    tangent -= W * np.sum(W * tangent, axis=0)
    length = np.linalg.norm(tangent, axis=0)

    def loss(s: float) -> float:
        moved = W * np.cos(s * length) + tangent / length * np.sin(s * length)
        return loss_of(teacher, moved)

    step = np.einsum("jda,dj->ja", sphere_basis(W), tangent).ravel()
    gradient, hessian = loss_hessian(W, teacher)
    h = 1e-3
    assert (loss(h) - loss(-h)) / (2 * h) == pytest.approx(gradient @ step, rel=1e-5)
    assert (loss(h) - 2 * loss(0.0) + loss(-h)) / h**2 == pytest.approx(step @ hessian @ step, rel=1e-4)
