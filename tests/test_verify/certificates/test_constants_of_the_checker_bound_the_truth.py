"""What the checker relies on, against independent means: the Hessian, its change, and the closed form of Theorem A."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import ProjectedFlow, TeacherStudent, basin_rate, unit_columns

flint = pytest.importorskip("flint")
from verify.certificates import checker  # noqa: E402
from verify.certificates.float_geometry import PENALTY, lipschitz, local  # noqa: E402


def balls(columns: np.ndarray) -> list[list[flint.arb]]:
    """Rows of floats as the checker holds columns."""
    return [[flint.arb(float(x)) for x in row] for row in columns]


def drawn(m: int, d: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Students and teachers, (m, d), one student near a teacher and two near each other."""
    W, T = (unit_columns(rng.standard_normal((d, m))).T for _ in range(2))
    W[0] = T[0] + 0.05 * rng.standard_normal(d)
    if m > 2:
        W[2] = W[1] + 0.05 * rng.standard_normal(d)
    return unit_columns(W.T).T, T


@pytest.mark.parametrize(("m", "d"), [(1, 2), (2, 3), (4, 3), (3, 5)])
def test_the_field_and_its_derivative_are_enclosed(m: int, d: int) -> None:
    """The field is that of ProjectedFlow; the Hessian is minus its derivative along great circles."""
    rng = np.random.default_rng(m + 10 * d)
    W, T = drawn(m, d, rng)
    own, onto = checker.angles(balls(W), balls(W)), checker.angles(balls(W), balls(T))
    f, H = checker.field_and_hessian(balls(W), balls(T), own, onto)
    f = np.array([[float(x) for x in column] for column in f])
    H = np.array([float(x) for x in H.entries()]).reshape(m * d, m * d)
    flow = ProjectedFlow(TeacherStudent(T.T, W.T))
    assert np.allclose(f, flow(0.0, W.T.ravel()).reshape(d, m).T, atol=1e-13)
    assert np.allclose(H, local(W, T).hessian, atol=1e-13)
    assert np.allclose(H, H.T, atol=1e-15)
    h = 1e-5
    X = rng.standard_normal((m, d))
    X -= W * np.sum(W * X, axis=1, keepdims=True)
    ahead, behind = (local(unit_columns((W + s * h * X).T).T, T).field for s in (1, -1))
    slope = (ahead - behind) / (2 * h)
    slope -= W * np.sum(W * slope, axis=1, keepdims=True)
    assert np.allclose(-slope.ravel(), H @ X.ravel(), atol=1e-7)
    assert np.allclose(H @ (W / 2).ravel(), PENALTY * (W / 2).ravel(), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_hessian_changes_by_no_more_than_l(seed: int) -> None:
    """In the spectrum (no transport is needed): a move of length s changes no eigenvalue by more than L s."""
    rng = np.random.default_rng(seed)
    for _ in range(20):
        m = int(rng.integers(1, 5))
        W, T = drawn(m, 4, rng)
        here, s = local(W, T), float(rng.choice([1e-3, 0.05, 0.4]))
        X = rng.standard_normal((m, 4)) * rng.exponential(size=(m, 1)) ** 2
        X -= W * np.sum(W * X, axis=1, keepdims=True)
        X *= s / np.linalg.norm(X)
        length = np.linalg.norm(X, axis=1, keepdims=True)
        moved = W * np.cos(length) + X * np.sinc(length / np.pi)
        there = local(moved, T)
        L = lipschitz(here.own, here.to_teachers, s)
        own, onto = checker.angles(balls(W), balls(W)), checker.angles(balls(W), balls(T))
        assert float(checker.lipschitz(own, onto, flint.arb(s))) == pytest.approx(L, rel=0.03)
        change = np.abs(np.linalg.eigvalsh(here.hessian) - np.linalg.eigvalsh(there.hessian)).max()
        assert change <= L * s * (1 + 1e-9) + 1e-9


def third_derivative(theta: float, a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """``d Hess kappa((a, b); (x, y), (x, y))``; first coordinates in the pair's plane, away from the other node."""
    c, g = np.cos(theta), (np.pi - theta) * np.sin(theta)
    (a1, A), (b1, B), (x1, X), (y1, Y) = ((v[..., 0], v[..., 1:]) for v in (a, b, x, y))
    p, q = a1 + b1, x1 + y1

    def of(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.sum(u * v, axis=-1)

    third = p * q**2 * (2 * c + g) + p * ((c + g) * (of(X, X) + of(Y, Y)) - 2 * of(X, Y))
    third += 2 * q * (c * (of(A, X) + of(B, Y)) - of(X, B) - of(A, Y))
    third += 2 * g * (of(A, X) * y1 + of(B, Y) * x1)
    return third / (2 * np.pi)


@pytest.mark.parametrize("theta", [0.0, 0.3, 1.0, np.pi / 2, 2.2, 3.0])
@pytest.mark.parametrize("moving", [True, False])
def test_the_change_of_one_pair_is_bounded_and_the_bound_is_tight(moving: bool, theta: float) -> None:
    """4,000 draws of velocities and tangents, and a climb from the best: never above C, in the end .8 of it."""
    rng = np.random.default_rng(5)
    bound = float(checker.change(flint.arb(theta), flint.arb(0), moving))

    def ratio(v: np.ndarray) -> np.ndarray:
        a, b, x, y = np.moveaxis(v.reshape(*v.shape[:-1], 4, 3), -2, 0)
        if not moving:
            b, y = np.zeros_like(b), np.zeros_like(y)
        size = np.linalg.norm(a, axis=-1) + np.linalg.norm(b, axis=-1)
        size = size * (np.linalg.norm(x, axis=-1) + np.linalg.norm(y, axis=-1)) ** 2
        return np.abs(third_derivative(theta, a, b, x, y)) / size / bound

    best, scale = rng.standard_normal((4000, 12)) * rng.exponential(size=(4000, 12)) ** 2, 0.5
    for _ in range(60):
        ratios = ratio(best)
        assert ratios.max() <= 1 + 1e-12
        top = best[np.argsort(ratios)[-20:]]
        top = top / np.linalg.norm(top, axis=1, keepdims=True)
        best = np.concatenate([top, np.repeat(top, 20, 0) + scale * rng.standard_normal((400, 12))])
        scale *= 0.9
    assert ratio(best).max() > 0.8


def carried(n: np.ndarray, v: np.ndarray, z: np.ndarray, s: float) -> tuple[np.ndarray, np.ndarray]:
    """Along the great circle of velocity v from n, after a time s: the point, and the tangent z carried along."""
    size = np.linalg.norm(v)
    e = v / size
    turned = z + (z @ e) * ((np.cos(size * s) - 1) * e - np.sin(size * s) * n)
    return np.cos(size * s) * n + np.sin(size * s) * e, turned


def hessian_of_a_pair(w: np.ndarray, u: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """``Hess kappa((x, y), (x, y))`` at nodes w, u."""
    rho = w @ u
    theta = np.arccos(rho)
    along = 2 * x @ y - (x @ x + y @ y) * rho
    return float(((x @ u + y @ w) ** 2 / np.sin(theta) + (np.pi - theta) * along) / (2 * np.pi))


@pytest.mark.parametrize("seed", range(50))
def test_the_third_derivative_is_that_of_the_pair(seed: int) -> None:
    """Differences of Hess kappa along great circles, tangents carried along: the formula that C3 and C1 bound."""
    rng = np.random.default_rng(seed)
    w, u = unit_columns(rng.standard_normal((4, 2))).T
    a, x, b, y = (v - n * (n @ v) for n, v in zip((w, w, u, u), rng.standard_normal((4, 4)), strict=True))
    ends = []
    for s in (1e-4, -1e-4):
        (n, z), (k, r) = carried(w, a, x, s), carried(u, b, y, s)
        ends.append(hessian_of_a_pair(n, k, z, r))
    theta = np.arccos(w @ u)
    sine = np.sin(theta)
    away = ((w @ u) * w - u) / sine, ((w @ u) * u - w) / sine
    rest = np.linalg.svd(np.stack([w, u]))[2][2:]  # a basis of what is orthogonal to both
    parts = [
        np.array([v @ e, *(rest @ v)]) for v, e in ((a, away[0]), (b, away[1]), (x, away[0]), (y, away[1]))
    ]
    assert (ends[0] - ends[1]) / 2e-4 == pytest.approx(
        float(third_derivative(theta, *parts)), abs=2e-5 / sine**4
    )


@pytest.mark.parametrize("R", [0.05, 0.2, 0.4, 0.46])
def test_theorem_a_is_no_more_than_the_best_of_the_theorems(R: float) -> None:
    """The checker's closed form against ``basin_rate``, which has Theorems A'' and D too."""
    assert 0 < float(checker.theorem_a(flint.arb(R))) <= basin_rate(R) + 1e-12


def test_theorem_a_ends_at_its_radius() -> None:
    assert float(checker.theorem_a(flint.arb("0.4712"))) > 0
    assert float(checker.theorem_a(flint.arb("0.4715"))) < 0


def test_semidefinite_is_never_granted_falsely() -> None:
    """Random symmetric matrices: what is granted is true, and what is true by 1e-6 is granted."""
    rng = np.random.default_rng(3)
    for n in (1, 3, 12):
        A = rng.standard_normal((n, n))
        A += A.T
        least = float(np.linalg.eigvalsh(A)[0])
        enclosed = flint.arb_mat(n, n, [float(x) for x in A.ravel()])
        assert checker.above(enclosed, flint.arb(least - 1e-6))
        assert not checker.above(enclosed, flint.arb(least + 1e-9))
        wide = flint.arb_mat(n, n, [flint.arb(float(x), 1e-3) for x in A.ravel()])
        assert not checker.above(wide, flint.arb(least - 1e-6))
