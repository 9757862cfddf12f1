"""Angles keep full relative accuracy near 0 and near pi, at the cost of a matrix product."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynamics.geometry.angles import angle_pair, norms, paired_sines, tangent_projection
from dynamics.geometry.narrow_pairs import narrow_angles
from luckproof import Array, angles, paired_angles, supplementary_angles, unit_columns

EPS = float(np.finfo(np.float64).eps)

seeds = st.integers(0, 2**32 - 1)
dimensions = st.integers(2, 12)
log_angles = st.floats(-15.0, float(np.log10(np.pi / 2)))
log_norms = st.floats(-100.0, 100.0)


def tolerance(dim: int) -> float:
    """Worst case of the bulk: (d + 4) u in a cosine of unit columns, amplified 1/(theta sin theta) <= 5.1."""
    return 2.6 * (dim + 4) * EPS


def exact_pair(a: Array, b: Array) -> tuple[mp.mpf, mp.mpf]:
    """Angle and supplement of the float vectors in 60 digits: 2 atan2(|u - v|, |u + v|)."""
    with mp.workdps(60):
        u, v = mp.matrix(a.tolist()), mp.matrix(b.tolist())
        u, v = u / mp.norm(u), v / mp.norm(v)
        difference, total = mp.norm(u - v), mp.norm(u + v)
        return 2 * mp.atan2(difference, total), 2 * mp.atan2(total, difference)


def relative_error(value: float, exact: mp.mpf) -> float:
    return float(abs(mp.mpf(float(value)) - exact) / exact) if exact else float(value)


def pair_at_angle(dim: int, seed: int, log_angle: float, opposite: bool, log_norm: tuple[float, float]):
    """Two random columns about ``10**log_angle`` apart (or short of antiparallel)."""
    rng = np.random.default_rng(seed)
    a, other = np.linalg.qr(rng.standard_normal((dim, 2)))[0].T
    theta = 10.0**log_angle
    b = np.cos(theta) * a + np.sin(theta) * other
    sign = -1.0 if opposite else 1.0
    return a[:, None] * 10.0 ** log_norm[0], sign * b[:, None] * 10.0 ** log_norm[1]


@example(dim=2, seed=0, log_angle=-15.0, opposite=False, log_norm=(-100.0, 100.0))
@example(dim=12, seed=1, log_angle=-12.0, opposite=True, log_norm=(100.0, 100.0))
@given(
    dim=dimensions,
    seed=seeds,
    log_angle=log_angles,
    opposite=st.booleans(),
    log_norm=st.tuples(log_norms, log_norms),
)
def test_every_angle_and_supplement_has_full_relative_accuracy(dim, seed, log_angle, opposite, log_norm):
    """theta and pi - theta agree with 60 digits to the derived bound, for any angle and any norms."""
    a, b = pair_at_angle(dim, seed, log_angle, opposite, log_norm)
    theta, supplement = exact_pair(a[:, 0], b[:, 0])
    both = angle_pair(a, b)
    assert relative_error(both[0].item(), theta) <= tolerance(dim)
    assert relative_error(both[1].item(), supplement) <= tolerance(dim)
    assert relative_error(paired_angles(a, b).item(), theta) <= tolerance(dim)
    assert relative_error(paired_sines(a, b).item(), mp.sin(min(theta, supplement))) <= tolerance(dim)


@pytest.mark.parametrize("exponent", [-16, -20, -40, -100, -130])
def test_angles_far_below_epsilon_are_kept(exponent):
    """Columns whose ratio (1/3, 7/3) is no float: several projections are needed until only the angle is left."""
    b = np.array([[3.0], [6.0], [10.0**exponent]])
    for a in (np.array([[1.0], [2.0], [0.0]]), np.array([[7.0], [14.0], [0.0]])):
        exact = exact_small_angle(a, b)
        assert relative_error(angles(a, b).item(), exact) <= tolerance(3)
        assert relative_error(supplementary_angles(a, -b).item(), exact) <= tolerance(3)
    assert angles(a, b * [[1.0], [1.0], [0.0]]).item() == 0.0


def exact_small_angle(a: Array, b: Array) -> mp.mpf:
    """asin of the residual after projection, in 400 digits."""
    with mp.workdps(400):
        u, v = mp.matrix(a[:, 0].tolist()), mp.matrix(b[:, 0].tolist())
        along = mp.fdot(u, v) / mp.fdot(v, v)
        return mp.asin(mp.norm(u - along * v) / mp.norm(u))


def test_the_usual_formula_would_fail():
    """Control: arccos(clip(cos)) of the same pairs misses the tolerance by orders of magnitude."""
    for log_angle in (-4.0, -9.0, -12.0):
        a, b = pair_at_angle(5, 3, log_angle, False, (0.0, 0.0))
        theta, _ = exact_pair(a[:, 0], b[:, 0])
        assert relative_error(usual_angles(a, b).item(), theta) > 100 * tolerance(5)
    a, b = pair_at_angle(5, 3, -9.0, True, (0.0, 0.0))
    assert relative_error(np.pi - angles(a, b).item(), exact_pair(a[:, 0], b[:, 0])[1]) > 100 * tolerance(5)


def usual_angles(A: Array, B: Array) -> Array:
    U, V = A / np.linalg.norm(A, axis=-2, keepdims=True), B / np.linalg.norm(B, axis=-2, keepdims=True)
    return np.arccos(np.clip(U.mT @ V, -1.0, 1.0))


def near_columns(seed: int, dim: int, n: int, lead: tuple[int, ...] = ()) -> tuple[Array, Array]:
    """Random columns, and companions at all distances from 1e-14 to 1, half of them opposite."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((*lead, dim, n))
    step = 10.0 ** rng.uniform(-14, 0, (*lead, 1, n)) * rng.standard_normal(A.shape)
    return A, (A + step) * rng.choice([-1.0, 1.0], (*lead, 1, n))


@given(seed=seeds, dim=dimensions, n=st.integers(1, 8))
def test_angles_are_symmetric(seed, dim, n):
    """angle(a, b) = angle(b, a); of one matrix with itself exactly, with an exactly zero diagonal."""
    A, B = near_columns(seed, dim, n)
    np.testing.assert_allclose(angles(A, B), angles(B, A).mT, rtol=2 * tolerance(dim))
    theta, supplement = angle_pair(A, A)
    assert np.array_equal(theta, theta.mT)
    assert np.array_equal(supplement, supplement.mT)
    assert np.all(np.diagonal(theta) == 0.0)
    assert np.all(np.diagonal(supplement) == np.pi)


@given(seed=seeds, dim=dimensions, n=st.integers(1, 6))
def test_angles_do_not_change_under_rotation(seed, dim, n):
    """A common rotation moves each column by at most its rounding, 2 d^(3/2) u of its norm."""
    A, B = near_columns(seed, dim, n)
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))[0]
    np.testing.assert_allclose(
        angles(Q @ A, Q @ B), angles(A, B), rtol=tolerance(dim), atol=4 * dim**1.5 * EPS
    )


@given(seed=seeds, dim=dimensions, n=st.integers(1, 5), shift=st.integers(-300, 300))
def test_a_stack_is_its_members_and_norms_do_not_matter(seed, dim, n, shift):
    """Leading axes hold independent instances; a power of two on the columns changes no bit."""
    A, B = near_columns(seed, dim, n, (2, 3))
    theta, supplement = angle_pair(np.ldexp(A, shift), B)
    for i in np.ndindex(2, 3):
        one = angle_pair(A[i], B[i])
        np.testing.assert_allclose(theta[i], one[0], rtol=2 * tolerance(dim))
        np.testing.assert_allclose(supplement[i], one[1], rtol=2 * tolerance(dim))
    diagonal = np.diagonal(theta, axis1=-2, axis2=-1)
    np.testing.assert_allclose(paired_angles(A, B), diagonal, rtol=2 * tolerance(dim))
    np.testing.assert_array_equal(angles(A, B[0, 0])[0, 0], angles(A[:1, :1], B[0, 0])[0, 0])


def test_pairs_beyond_one_block_are_all_redone():
    """More near-parallel pairs than one gathered block holds: every one is right."""
    A, B = near_columns(5, 300, 400)
    np.testing.assert_allclose(np.diagonal(angles(A, B)), paired_angles(A, B), rtol=2 * tolerance(300))
    rng = np.random.default_rng(0)
    bundle = rng.standard_normal((300, 1)) + 1e-9 * rng.standard_normal((300, 40))
    theta = angles(bundle, bundle.copy())
    for j, k in [(0, 39), (17, 3), (39, 38)]:
        assert relative_error(theta[j, k], exact_pair(bundle[:, j], bundle[:, k])[0]) <= tolerance(300)


@given(seed=seeds, dim=dimensions, log_norm=st.floats(-300, 300))
def test_norms_units_and_tangents(seed, dim, log_norm):
    """Norms survive overflow of the squares; units have norm 1; a tangent is orthogonal to its column."""
    rng = np.random.default_rng(seed)
    A, G = rng.standard_normal((2, 3, dim, 4))
    u = (dim + 4) * EPS
    np.testing.assert_allclose(norms(A * 10.0**log_norm), np.linalg.norm(A, axis=-2) * 10.0**log_norm, rtol=u)
    U = unit_columns(A * 10.0**log_norm)
    np.testing.assert_allclose(norms(U), 1.0, rtol=u)
    T = tangent_projection(A * 10.0**log_norm, G)
    assert np.all(np.abs((U * T).sum(axis=-2)) <= 2 * u * norms(G))
    np.testing.assert_allclose(tangent_projection(A, T), T, atol=4 * u * norms(G).max())
    removed = (U * G).sum(axis=-2, keepdims=True)
    np.testing.assert_allclose(T + U * removed, G, atol=4 * u * norms(G).max())


def best_time(call: Callable[[], object], repeats: int = 15) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()  # of this process alone: the machine may be busy
        call()
        times.append(time.process_time() - start)
    return min(times)


def test_accuracy_costs_no_more_than_a_small_multiple(record_property):
    """400 x 400 angles in 100 dimensions: about 1.5 times arccos of the product; 6 leaves room for load."""
    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((2, 100, 400))
    ratio = best_time(lambda: angle_pair(A, B)) / best_time(lambda: usual_angles(A, B))
    record_property("ratio_to_arccos", ratio)
    assert ratio < 6.0


def test_columns_that_are_not_finite_give_nan_and_no_warning():
    """NaN or infinity spoils its own pairs only."""
    for bad in (np.nan, np.inf, -np.inf):
        A = np.eye(3)
        A[1, 1] = bad
        assert np.array_equal(np.isnan(angles(A, np.eye(3))), [[False] * 3, [True] * 3, [False] * 3])
        assert np.isnan(angles(A, A)[1, 1])
        assert np.array_equal(np.isnan(paired_angles(A, np.eye(3))), [False, True, False])


@pytest.mark.parametrize("call", [angles, angle_pair, paired_angles, paired_sines, tangent_projection])
def test_bad_columns_are_named(call):
    """A zero column, unequal rows and a vector each raise one ValueError that names the argument."""
    zero = np.ones((3, 2))
    zero[:, 1] = 0.0
    with pytest.raises(
        ValueError, match=r"expected non-zero columns, got 1 zero column\(s\), first at \(1,\)"
    ):
        call(zero, np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"rows.*\(3, 2\).*\(4, 2\)"):
        call(np.ones((3, 2)), np.ones((4, 2)))
    with pytest.raises(ValueError, match=r"weight matrix of shape \(\.\.\., d, n\).*got shape \(3,\)"):
        call(np.ones(3), np.ones((3, 2)))


@pytest.mark.parametrize("exponent", [-8, -16, -24, -32, -45])
def test_narrow_pairs_of_unequal_norms_are_accurate(exponent):
    """Rows of norms 39 and 13, all entries exact: the part along the other row is most of the difference."""
    theta = 2.0**exponent
    a, b = np.array([[9.0], [12.0], [36.0]]), np.array([[3 + 4 * theta], [4 - 3 * theta], [12.0]])
    expected = math.atan(5 * theta / 13)
    assert paired_angles(a, b)[0] == pytest.approx(expected, rel=20 * np.finfo(float).eps)


@pytest.mark.parametrize("exponent", range(-20, 1))
def test_unit_rows_that_differ_most_along_themselves_are_accurate(exponent):
    """Both entries one ulp apart: what lies across is ``2^(exponent - 54)``, far below the rounding of the norms."""
    ulp = 2.0**-53
    b = np.array([[math.sqrt(0.5), math.sqrt(0.5)]]) + 2.0 ** (exponent - 2) * np.array([[1.0, -1.0]])
    b = np.round(b / np.linalg.norm(b) / ulp) * ulp
    a = b + ulp
    assert norms(a.T)[0] == pytest.approx(1.0, rel=4 * EPS)
    assert relative_error(narrow_angles(a, b)[0], exact_small_angle(a.T, b.T)) <= tolerance(2)
