"""What the two-layer checker relies on, against independent means: the Hessian, its change, the end's inequalities."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import TeacherStudent, TwoLayerFlow, unit_columns

flint = pytest.importorskip("flint")
from flint import arb  # noqa: E402

from verify.certificates import two_layer_checker as checker  # noqa: E402
from verify.certificates.two_layer_geometry import TwoLayerLocal  # noqa: E402


def balls(A: np.ndarray) -> np.ndarray:
    return np.vectorize(lambda x: arb(float(x)), otypes=[object])(A)


def unit_rows(A: np.ndarray) -> np.ndarray:
    return unit_columns(A.T).T


def drawn(rng: np.random.Generator, n: int, m: int, d: int = 4, c: int = 2) -> tuple[np.ndarray, ...]:
    """Students W, V and teachers T, U, rows; one student near a teacher, two near each other."""
    W, T = unit_rows(rng.standard_normal((n, d))), unit_rows(rng.standard_normal((m, d)))
    W[0] = T[0] + 0.05 * rng.standard_normal(d)
    W[-1] = W[-2] + 0.05 * rng.standard_normal(d)
    return unit_rows(W), rng.standard_normal((n, c)), T, rng.standard_normal((m, c))


def turned(W: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Along great circles with velocities X, for a unit of time."""
    length = np.linalg.norm(X, axis=1, keepdims=True)
    return W * np.cos(length) + X * np.sinc(length / np.pi)


def tangent(W: np.ndarray, X: np.ndarray) -> np.ndarray:
    return X - W * np.sum(W * X, axis=1, keepdims=True)


def in_balls(
    W: np.ndarray, V: np.ndarray, T: np.ndarray, U: np.ndarray
) -> tuple[list[list[arb]], tuple[np.ndarray, np.ndarray]]:
    theta = checker.angles(balls(W), balls(np.concatenate([W, T])))
    return theta, checker.field_and_hessian(balls(W), balls(V), balls(T), balls(U), theta)


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2), (4, 2)])
def test_the_field_and_its_derivative_are_enclosed(n: int, m: int) -> None:
    """The field is that of TwoLayerFlow; the Hessian is minus its derivative; the floats' twin agrees."""
    rng = np.random.default_rng(n)
    W, V, T, U = drawn(rng, n, m)
    f, H = (A.astype(float) for A in in_balls(W, V, T, U)[1])

    def velocity(W: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        flow = TwoLayerFlow(TeacherStudent(T.T, W.T, U, V))
        state = flow.unpack(flow(0.0, flow.initial_state()))
        return state["W"].T, state["V"]

    expected = velocity(W, V)
    assert np.allclose(f, np.concatenate([part.ravel() for part in expected]), atol=1e-13)
    twin = TwoLayerLocal(W, V, T, U)
    assert np.allclose(twin.field, f, atol=1e-13)
    assert np.allclose(twin.hessian, H, atol=1e-12)
    X, Y = tangent(W, rng.standard_normal(W.shape)), rng.standard_normal(V.shape)
    h = 1e-5
    ahead, behind = (velocity(turned(W, s * X), V + s * Y) for s in (h, -h))
    slope = tangent(W, (ahead[0] - behind[0]) / (2 * h)), (ahead[1] - behind[1]) / (2 * h)
    applied = H @ np.concatenate([X.ravel(), Y.ravel()])
    assert np.allclose(applied, -np.concatenate([part.ravel() for part in slope]), atol=1e-7)


@pytest.mark.parametrize("still", [(), (1,)])
def test_the_hessian_changes_by_no_more_than_l(still: tuple[int, ...]) -> None:
    """In the spectrum, across what is kept: a move of length s changes no eigenvalue by more than L s."""
    rng = np.random.default_rng(1)
    closest = 0.0
    for _ in range(60):
        n, m = int(rng.integers(2, 5)), int(rng.integers(1, 3))
        m = min(n, m)
        W, V, T, U = drawn(rng, n, m)
        s = float(rng.choice([1e-3, 0.05, 0.3]))
        X = tangent(W, rng.standard_normal(W.shape) * rng.exponential(size=(n, 1)) ** 2)
        Y = rng.standard_normal(V.shape) * rng.exponential(size=(n, 1)) ** 2
        X[list(still)] = 0.0
        size = np.sqrt(np.sum(X * X) + np.sum(Y * Y)) / s
        here, there = TwoLayerLocal(W, V, T, U), TwoLayerLocal(turned(W, X / size), V + Y / size, T, U)
        kept = np.ones(len(here.hessian), dtype=bool)
        for j in still:
            kept[j * 4 : j * 4 + 4] = False
        L = here.lipschitz(s, still)
        theta = in_balls(W, V, T, U)[0]
        assert float(checker.lipschitz(theta, balls(V), balls(U), arb(s), still)) == pytest.approx(
            L, rel=0.03
        )
        spectra = [np.linalg.eigvalsh(point.hessian[np.ix_(kept, kept)]) for point in (here, there)]
        change = np.abs(spectra[0] - spectra[1]).max() / s
        assert change <= L * (1 + 1e-9) + 1e-6
        closest = max(closest, change / L)
    assert closest > 0.2  # the bound is no empty one


@pytest.mark.parametrize("moving", [True, False])
def test_constants_of_a_pair_bound_its_derivatives(moving: bool) -> None:
    """hxx, hxy and q against the closed forms of Hess kappa and its gradient, at angles within the range."""
    rng = np.random.default_rng(2)
    for _ in range(40):
        theta, spread = rng.uniform(0, np.pi), float(rng.choice([0.0, 0.01, 0.4]))
        _, hxx, hxy, q = (float(x) for x in checker.constants(arb(theta), arb(spread), moving))
        for t in np.clip(theta + spread * np.linspace(-1, 1, 9), 0, np.pi):
            s, k, c = np.sin(t), np.pi - t, np.cos(t)
            room = 2 * np.pi * (1 + 1e-12)
            assert max(abs(s - k * c), abs(k * c)) <= hxx * room
            assert max(abs(s - k * c), k) <= hxy * room
            assert k * s <= q * room + 1e-15


def test_the_end_is_an_inequality_along_radii() -> None:
    """phi'(1) >= (mu - L R/2) R^2 and 2J <= (1 + L R/4m) phi'(1), phi = J on the way from solutions; drawn radii."""
    rng = np.random.default_rng(4)
    T, U = np.eye(2, 4), np.eye(2)
    for _ in range(30):
        W = np.concatenate([T, np.eye(4)[2:3]])
        solution = TwoLayerLocal(W, np.concatenate([U, np.zeros((1, 2))]), T, U)
        H = solution.hessian.copy()
        H[8:12, 8:12] += 0.5 * (np.eye(4) - np.outer(W[2], W[2]))
        mu = np.linalg.eigvalsh(H)[0]
        R = float(rng.uniform(0.01, 0.1))
        X, Y = tangent(W, rng.standard_normal(W.shape)), rng.standard_normal((3, 2))
        X[2] = 0.0
        size = np.sqrt(np.sum(X * X) + np.sum(Y * Y)) / R
        X, Y = X / size, Y / size
        there = TwoLayerLocal(turned(W, X), solution.V + Y, T, U)
        length = np.linalg.norm(X, axis=1, keepdims=True)
        carried = X * np.cos(length) - W * length * np.sin(length)  # the radius' direction where it ends
        slope = -there.field @ np.concatenate([carried.ravel(), Y.ravel()])
        L = solution.lipschitz(R, (2,))
        rate = mu - L * R / 2
        assert slope >= rate * R * R
        if rate > 0:
            assert there.twice_loss <= (1 + L * R / (4 * rate)) * slope
