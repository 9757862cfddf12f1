"""Isotropic Gaussian kernels agree with 50-digit arithmetic, with each other, and with samples."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynamics.measures.gaussian_kernels import arc_cosine
from luckproof import Array, EmpiricalMeasure, IsotropicGaussian

EPS = float(np.finfo(np.float64).eps)

seeds = st.integers(0, 2**32 - 1)
dimensions = st.integers(2, 12)


def exact_kernels(a: Array, b: Array, std: float) -> tuple[mp.mpf, mp.mpf]:
    """(psi_l, psi_d) of two float vectors to 50 digits (36 of 90 cancel at pi - 1e-12)."""
    with mp.workdps(90):
        u, v = mp.matrix(a.tolist()), mp.matrix(b.tolist())
        size = mp.norm(u) * mp.norm(v)
        u, v = u / mp.norm(u), v / mp.norm(v)
        theta = 2 * mp.atan2(mp.norm(u - v), mp.norm(u + v))
        rest = 2 * mp.atan2(mp.norm(u + v), mp.norm(u - v))
        first = mp.mpf(std) ** 2 * size * (mp.sin(theta) + rest * mp.cos(theta)) / (2 * mp.pi)
        return first, rest / (2 * mp.pi)


def columns_at(dim: int, seed: int, theta: float, opposite: bool) -> tuple[Array, Array]:
    """Two columns of random norms, ``theta`` apart or ``theta`` short of antiparallel."""
    rng = np.random.default_rng(seed)
    a, other = np.linalg.qr(rng.standard_normal((dim, 2)))[0].T
    b = np.cos(theta) * a + np.sin(theta) * other
    sizes = rng.lognormal(size=2) * (1.0, -1.0 if opposite else 1.0)
    return a[:, None] * sizes[0], b[:, None] * sizes[1]


@example(dim=2, seed=0, log_angle=-12.0, opposite=False, std=1.0)
@example(dim=2, seed=0, log_angle=-12.0, opposite=True, std=10.0)
@example(dim=6, seed=0, log_angle=0.0, opposite=True, std=1.0)
@given(
    dim=dimensions,
    seed=seeds,
    log_angle=st.floats(-12, float(np.log10(np.pi / 2))),
    opposite=st.booleans(),
    std=st.floats(1e-3, 1e3),
)
def test_kernels_agree_with_fifty_digits(dim, seed, log_angle, opposite, std):
    """psi_d to the angle's own bound; psi_l to three times that (it falls as the cube of pi - theta)."""
    a, b = columns_at(dim, seed, 10.0**log_angle, opposite)
    psi_l, psi_d = exact_kernels(a[:, 0], b[:, 0], std)
    angle_bound = 2.6 * (dim + 4) * EPS
    got_l, got_d = IsotropicGaussian(dim, std).kernels(a, b)
    assert abs(got_d.item() - psi_d) <= (angle_bound + 2 * EPS) * psi_d
    assert abs(got_l.item() - psi_l) <= (3 * angle_bound + 2 * (dim + 8) * EPS) * psi_l


def test_the_printed_form_would_fail_near_antiparallel():
    """Control: sin t + (pi - t) cos t in float64 loses all digits at pi - 1e-6; the series does not."""
    x = 1e-6
    with mp.workdps(50):
        exact = mp.sin(mp.mpf(x)) - mp.mpf(x) * mp.cos(mp.mpf(x))
    printed = np.sin(np.pi - x) + x * np.cos(np.pi - x)
    assert abs(printed - exact) > 1e-3 * exact
    assert abs(arc_cosine(np.array([x])).item() - exact) <= 4 * EPS * exact


def test_the_arc_cosine_function_is_accurate_on_both_sides_of_its_switch():
    """Relative error of at most 8 eps on [1e-100, pi] (at the switch sin and x cos cancel less than 3 times)."""
    x = np.concatenate([np.logspace(-100, 0, 60), np.nextafter(1.0, [0, 2]), np.linspace(0.5, np.pi, 60)])
    got = arc_cosine(x)
    with mp.workdps(400):
        exact = [mp.sin(mp.mpf(t)) - mp.mpf(t) * mp.cos(mp.mpf(t)) for t in x.tolist()]
        error = [float(abs(g - e) / e) for g, e in zip(got.tolist(), exact, strict=True)]
    assert max(error) <= 8 * EPS


def test_known_values():
    """Same, orthogonal and opposite unit columns: 1/2, 1/2pi, 0 for psi_l and 1/2, 1/4, 0 for psi_d."""
    W = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    psi_l, psi_d = IsotropicGaussian(2, 3.0).kernels(W[:, :1], W)
    np.testing.assert_allclose(psi_l, [[4.5, 4.5 / np.pi, 0.0]], rtol=4 * EPS)
    np.testing.assert_allclose(psi_d, [[0.5, 0.25, 0.0]], rtol=4 * EPS)


@example(seed=517398, dim=2)
@given(seed=seeds, dim=dimensions)
def test_kernels_are_symmetric_homogeneous_and_positive_semidefinite(seed, dim):
    """psi_l scales with both norms, psi_d with neither; both are Gram matrices."""
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((dim, 5)), rng.standard_normal((dim, 4))
    measure = IsotropicGaussian(dim)
    psi_l, psi_d = measure.kernels(A, B)
    bound = 20 * (dim + 4) * EPS
    scale = 2.0 ** rng.integers(-9, 9, 5)  # exact: any other factor turns the columns by their rounding
    np.testing.assert_allclose(measure.psi_l(A * scale, B), psi_l * scale[:, None], rtol=bound)
    np.testing.assert_allclose(measure.psi_d(A * scale, B), psi_d, rtol=bound)
    np.testing.assert_allclose(measure.psi_l(B, A), psi_l.T, rtol=bound)
    for gram in measure.kernels(A, A):
        assert np.array_equal(gram, gram.T)
        assert np.linalg.eigvalsh(gram).min() >= -bound * np.trace(gram)


def product_moments(x: Array, w: Array, u: Array) -> tuple[Array, Array]:
    """Mean and standard error of ``1(w.x>0) 1(u.x>0) x (x.u)``, component by component."""
    terms = ((x @ w > 0) * np.maximum(x @ u, 0.0))[:, None] * x
    return terms.mean(axis=0), terms.std(axis=0) / np.sqrt(len(x))


def test_kernels_and_gradient_agree_with_samples():
    """psi_l, psi_d and G against 400,000 samples: |z| < 5 in all 51 entries (chance of an alarm 3e-5)."""
    rng = np.random.default_rng(20240501)
    measure = IsotropicGaussian(3, 1.7)
    A, B = rng.standard_normal((3, 3)), rng.standard_normal((3, 4))
    x = measure.sample(400_000, rng)
    F, G = np.maximum(x @ A, 0.0), np.maximum(x @ B, 0.0)
    for exact, left, right in zip(measure.kernels(A, B), (F, F > 0), (G, G > 0), strict=True):
        products = left[:, :, None] * right[:, None, :].astype(float)
        error = products.std(axis=0) / np.sqrt(len(x))
        assert np.all(np.abs(products.mean(axis=0) - exact) < 5 * error)
    for j, k in np.ndindex(3, 3):
        exact = measure.gradient_term(A[:, [j]], B[:, [k]], np.ones((1, 1)))[:, 0]
        mean, error = product_moments(x, A[:, j], B[:, k])
        assert np.all(np.abs(mean - exact) < 5 * error)


@given(seed=seeds, dim=dimensions, std=st.floats(0.1, 10.0))
def test_the_gradient_term_is_the_gradient_of_psi_l(seed, dim, std):
    """sum_k c_jk G(w_j, u_k) = grad_{w_j} sum_k c_jk psi_l(w_j, u_k), by central differences.

    Step h = eps^(1/3): truncation h^2 |psi'''|/6 and rounding 3 ulp/h are both about 1e-10 of the scale; the
    third derivative is bounded by a small multiple of |u|/|w|^2 (columns are drawn away from zero).
    """
    rng = np.random.default_rng(seed)
    W, U = rng.standard_normal((2, dim, 3)), rng.standard_normal((2, dim, 4))
    W, U = W / np.linalg.norm(W, axis=-2, keepdims=True), U / np.linalg.norm(U, axis=-2, keepdims=True)
    c = rng.standard_normal((2, 3, 4))
    measure = IsotropicGaussian(dim, std)
    step = EPS ** (1 / 3)
    numerical = np.empty_like(W)
    for i in range(dim):
        shift = np.zeros((dim, 1))
        shift[i] = step
        difference = measure.psi_l(W + shift, U) - measure.psi_l(W - shift, U)
        numerical[:, i, :] = (c * difference).sum(axis=-1) / (2 * step)
    got = measure.gradient_term(W, U, c)
    np.testing.assert_allclose(got, numerical, atol=std**2 * np.abs(c).sum() * 100 * step**2)


def test_the_gradient_term_is_its_sum_over_pairs():
    """One call with coefficients equals the sum of single G(w_j, u_k); a matched node gives G(w, w) = w/2."""
    rng = np.random.default_rng(8)
    W, U, c = rng.standard_normal((4, 3)), rng.standard_normal((4, 5)), rng.standard_normal((3, 5))
    measure = IsotropicGaussian(4)
    one = np.ones((1, 1))
    total = sum(
        c[j, k] * measure.gradient_term(W[:, [j]], U[:, [k]], one) * np.eye(3)[j] for j, k in np.ndindex(3, 5)
    )
    np.testing.assert_allclose(measure.gradient_term(W, U, c), total, atol=1e-14)
    np.testing.assert_allclose(measure.gradient_term(W, W, np.eye(3)), W / 2, rtol=8 * EPS)


def test_a_zero_column_never_opens_its_gate():
    """w = 0: both kernels and the gradient term are 0, for every measure's convention gate(0) = 0."""
    A = np.array([[1.0, 0.0, 2.0], [0.5, 0.0, 1.0]])
    measure = IsotropicGaussian(2)
    data = EmpiricalMeasure(np.random.default_rng(0).standard_normal((100, 2)))
    for kernels in (measure.kernels(A, A), measure.kernels(A, A + 0.0), data.kernels(A, A)):
        for gram in kernels:
            assert not gram[1].any()
            assert not gram[:, 1].any()
            assert np.all(gram[::2, ::2] > 0)
    assert not measure.gradient_term(A, A, np.ones((3, 3)))[:, 1].any()


def test_columns_that_are_not_finite_give_nan_and_no_warning():
    """NaN or infinity spoils its own row and nothing else, in every kernel."""
    A = np.eye(3)
    A[0, 2] = np.inf
    for measure in (IsotropicGaussian(3), EmpiricalMeasure(np.eye(3))):
        for kernel in measure.kernels(A, np.eye(3)):
            assert np.array_equal(np.isnan(kernel), [[False] * 3, [False] * 3, [True] * 3])


def test_samples_have_the_second_moment():
    """E[x x^T] = std^2 I within 5 standard errors of 200,000 samples."""
    measure = IsotropicGaussian(3, 2.0)
    x = measure.sample(200_000, np.random.default_rng(3))
    assert x.shape == (200_000, 3)
    products = x[:, :, None] * x[:, None, :]
    error = products.std(axis=0) / np.sqrt(len(x))
    assert np.all(np.abs(products.mean(axis=0) - measure.second_moment()) < 5 * error)


def test_bad_arguments_are_named():
    """Dimensions, scales, shapes and sizes that make no sense raise at the boundary."""
    with pytest.raises(ValueError, match="dim: expected a positive integer, got 0"):
        IsotropicGaussian(0)
    with pytest.raises(TypeError, match=r"dim: expected a positive integer, got 2\.5"):
        IsotropicGaussian(2.5)  # type: ignore[arg-type]
    for std in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="std: expected a positive finite number"):
            IsotropicGaussian(3, std)
    measure = IsotropicGaussian(3)
    with pytest.raises(ValueError, match=r"B: expected a weight matrix of shape \(\.\.\., 3, n\).*\(2, 3\)"):
        measure.psi_l(np.ones((3, 2)), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"coefficients: expected shape \(\.\.\., 2, 4\), got \(4, 2\)"):
        measure.gradient_term(np.ones((3, 2)), np.ones((3, 4)), np.ones((4, 2)))
    with pytest.raises(ValueError, match="size: expected a non-negative integer, got -1"):
        measure.sample(-1, np.random.default_rng(0))
