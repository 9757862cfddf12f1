"""One step of a certificate: the bound holds the true trajectory, and is not far above where the flow is linear."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import ProjectedFlow, TeacherStudent, integrate, unit_columns

flint = pytest.importorskip("flint")
from verify.certificates import checker  # noqa: E402
from verify.certificates.float_geometry import local  # noqa: E402

arb = flint.arb


def balls(columns: np.ndarray) -> list[list[flint.arb]]:
    """Rows of floats as the checker holds columns, exactly normalised."""
    return checker.unit_columns([[float(x).hex() for x in row] for row in columns], *columns.shape)


def taylor(W: np.ndarray, T: np.ndarray, h: float) -> np.ndarray:
    """The point that a second-order step leads to."""
    here = local(W, T)
    bent = (here.hessian @ here.field.ravel()).reshape(W.shape)
    bent += np.sum(here.field**2, axis=1, keepdims=True) * W
    return unit_columns((W + h * here.field - h * h / 2 * bent).T).T


def flowed(W: np.ndarray, T: np.ndarray, h: float) -> np.ndarray:
    """The true trajectory after a time h, to rounding."""
    run = integrate(
        ProjectedFlow(TeacherStudent(T.T, W.T)), (0.0, h), t_eval=[h], method="DOP853", rtol=1e-13, atol=1e-15
    )
    return unit_columns(run.state["W"][-1]).T


def distance(A: np.ndarray, B: np.ndarray) -> float:
    """Geodesic, over all columns."""
    chords = np.linalg.norm(A - B, axis=1)
    return float(np.linalg.norm(2 * np.arcsin(chords / 2)))


def bound(W: np.ndarray, T: np.ndarray, h: float, r: float = 0.0) -> float:
    lam = float(np.linalg.eigvalsh(local(W, T).hessian)[0]) - 1.0  # far below: nothing but the step is judged
    found = checker.step(balls(W), balls(taylor(W, T, h)), balls(T), arb(r), arb(h), arb(lam))
    return float(found)


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_holds_the_trajectory(seed: int) -> None:
    """From drawn students, by steps of several lengths."""
    rng = np.random.default_rng(seed)
    T = np.eye(3, 4)
    W = unit_columns((T + 0.3 * rng.standard_normal(T.shape)).T).T
    for h in (0.02, 0.05, 0.1):
        assert distance(flowed(W, T, h), taylor(W, T, h)) <= bound(W, T, h)


def test_the_bound_is_the_third_derivative_where_the_flow_is_linear() -> None:
    """Near the teachers all else is small: the error of a step is ``h³/6 |Hess² f|``, the bound a few % above."""
    rng = np.random.default_rng(0)
    T = np.eye(3, 4)
    W = unit_columns((T + 1e-4 * rng.standard_normal(T.shape)).T).T
    h = 0.02
    true = distance(flowed(W, T, h), taylor(W, T, h))
    assert true <= bound(W, T, h) < 1.05 * true


def test_what_was_off_before_stays_off() -> None:
    """A distance r at the start is carried along by ``exp(-lam h)``, and adds to the error of the step."""
    T = np.eye(3, 4)
    W = unit_columns((T + 0.1 * np.random.default_rng(1).standard_normal(T.shape)).T).T
    lam = float(np.linalg.eigvalsh(local(W, T).hessian)[0]) - 1.0
    assert bound(W, T, 0.05, 1e-3) == pytest.approx(bound(W, T, 0.05) + 1e-3 * np.exp(-lam * 0.05), rel=0.05)


@pytest.mark.parametrize(("off", "proved"), [(1e-7, True), (8.7e-4, False)])
def test_theorem_a_serves_nearly_orthonormal_teachers_alone(off: float, proved: bool) -> None:
    """Beyond Theorem B0's reach the end rests on Theorem A, about an orthonormal matrix that the teachers must be near.

    Its rate, less what the teachers are off by, is still positive at 8.7e-4: the rate alone does not refuse them.
    """
    teachers = np.array([[1.0, 0.0, 0.0], [off, 1.0, 0.0]])
    T = unit_columns(teachers.T).T
    angle = 0.17
    W = np.array([[np.cos(angle), 0, np.sin(angle)], [0, np.cos(angle), np.sin(angle)]])
    W = unit_columns(W.T).T
    if proved:
        _, rate, late = checker.end(balls(T), balls(W), [0, 1], arb(0))
        assert 0 < float(rate) <= float(late)
    else:
        with pytest.raises(checker.RefusedError, match="orthonormal"):
            checker.end(balls(T), balls(W), [0, 1], arb(0))
