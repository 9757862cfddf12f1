"""Kernels of Gaussian input with biases agree with quadrature, at the limits of the correlation as inside."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.special import ndtr, owens_t

from luckproof import Array, BiasedGaussian, IsotropicGaussian

EPS = float(np.finfo(np.float64).eps)
QUADRATURE = 1e-13  # rounding of some 4,000 positive terms; psi_l relative to the scale (1+|h|)(1+|k|)

seeds = st.integers(0, 2**32 - 1)
thresholds = st.floats(-6.0, 6.0)


def columns(h: float, k: float, theta: float, opposite: bool = False) -> tuple[Array, Array]:
    """Unit directions ``theta`` apart (or short of antiparallel) with biases h and k."""
    sign = -1.0 if opposite else 1.0
    a = np.array([[1.0], [0.0], [h]])
    return a, np.array([[sign * np.cos(theta)], [sign * np.sin(theta)], [k]])


def quadrature(a: Array, b: Array) -> tuple[float, float]:
    """(psi_l, psi_d) by nested Gauss-Legendre quadrature, for a first direction (1, 0).

    With x = a's pre-activation minus its bias and y = b's given x: ``int_{x > -h} phi(x) int_{y > 0}``. Every
    integrand is positive and nothing of Owen's T or of the closed form is used; panels follow the kink.
    """
    along, across, h, k = b[0, 0], abs(b[1, 0]), a[-1, 0], b[-1, 0]
    kink = -k / along if along else np.inf
    x, weight = panels(breakpoints(-h, kink, across / abs(along) if along else np.inf))
    weight = weight * density(x)
    mean = along * x + k
    if across == 0.0:
        gate, rectified = (mean > 0).astype(float), np.maximum(mean, 0.0)
    else:
        with np.errstate(over="ignore"):  # infinitely many widths away: clipped next
            start = np.clip(-mean / across, -12.0, 40.0)[:, None]
        z, share = panels(np.linspace(0.0, 1.0, 7).tolist())
        length = np.maximum(start, 0.0) + 12.0 - start
        z = start + length * z
        mass = share * length * density(z)
        gate = mass.sum(axis=1)
        rectified = (mass * np.maximum(mean[:, None] + across * z, 0.0)).sum(axis=1)
    return float(np.sum(weight * (x + h) * rectified)), float(np.sum(weight * gate))


def density(x: Array) -> Array:
    return np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)


def panels(points: list[float]) -> tuple[Array, Array]:
    """Nodes and weights of 24-point Gauss-Legendre on every interval between consecutive points."""
    node, weight = np.polynomial.legendre.leggauss(24)
    left, width = np.array(points[:-1])[:, None], np.diff(points)[:, None]
    return (left + width * (node + 1) / 2).ravel(), (width * weight / 2).ravel()


def breakpoints(start: float, kink: float, width: float) -> list[float]:
    """Where the integrand bends: its start, the second gate's kink and the normal density's bulk."""
    bends = [kink + c * width for c in (-40, -20, -10, -5, -2, 0, 2, 5, 10, 20, 40)] if kink < np.inf else []
    bends += [-9, -6, -4, -2, -1, 0, 1, 2, 4, 6, 9] + [start + c for c in (0.05, 0.2, 0.7, 2.0, 5.0)]
    return [start, *sorted({x for x in bends if start < x < max(start, 0) + 12}), max(start, 0) + 12]


def assert_close(a: Array, b: Array) -> None:
    scale = (np.linalg.norm(a[:-1]) + abs(a[-1, 0])) * (np.linalg.norm(b[:-1]) + abs(b[-1, 0]))
    for got, want, unit in zip(BiasedGaussian(2).kernels(a, b), quadrature(a, b), (scale, 1.0), strict=True):
        assert abs(got.item() - want) <= QUADRATURE * unit


@example(h=0.0, k=0.0, log_angle=0.0, opposite=False)
@example(h=0.0, k=1.5, log_angle=0.0, opposite=True)
@example(h=-2.0, k=2.0, log_angle=-7.0, opposite=True)
@example(h=1.0, k=1.0, log_angle=-12.0, opposite=False)
@example(h=0.0, k=2.2250738585e-313, log_angle=0.0, opposite=False)  # a subnormal threshold
@given(
    h=thresholds, k=thresholds, log_angle=st.floats(-12.0, float(np.log10(np.pi / 2))), opposite=st.booleans()
)
def test_kernels_agree_with_quadrature(h, k, log_angle, opposite):
    """psi_l and psi_d within 1e-10 of quadrature for thresholds in [-6, 6] and angles from 1e-12 to pi - 1e-12."""
    assert_close(*columns(h, k, 10.0**log_angle, opposite))


@pytest.mark.parametrize("opposite", [False, True])
@pytest.mark.parametrize(
    ("h", "k"), [(0, 0), (0, 1), (-1, 0), (2, 2), (-2, -2), (2, -2), (-0.5, 2), (1, -3), (3, -1)]
)
@pytest.mark.parametrize("theta", [0.0, 1e-15, 1e-9, 1e-4])
def test_the_limits_of_the_correlation(h, k, theta, opposite):
    """At theta = 0 and pi, and close to both, the kernels are those of one variable."""
    assert_close(*columns(h, k, theta, opposite))
    if theta == 0.0:
        psi_d = BiasedGaussian(2).psi_d(*columns(h, k, 0.0, opposite)).item()
        phi = [float(mp.ncdf(x)) for x in (h, k)]
        limit = max(0.0, sum(phi) - 1) if opposite else min(phi)
        assert abs(psi_d - limit) <= 4 * EPS


@example(h=-5.0, k=-5.0, theta=2.0)
@example(h=-5.0, k=-0.01, theta=2.0)
@example(h=-1.0, k=-1.0, theta=5e-324)
@given(h=st.floats(-5, -0.01), k=st.floats(-5, -0.01), theta=st.floats(0.0, 2.0))
def test_rare_gates_keep_relative_accuracy(h, k, theta):
    """Both thresholds negative (psi_d down to 1e-21): 1e-13 of psi_d itself, however rare the gates.

    psi_l is a sum of terms of size (1+|h|)(1+|k|) psi_d and inherits their relative error.
    """
    a, b = columns(h, k, theta)
    exact_l, exact_d = quadrature(a, b)
    psi_l, psi_d = BiasedGaussian(2).kernels(a, b)
    assert abs(psi_d.item() - exact_d) <= 1e-13 * exact_d
    assert abs(psi_l.item() - exact_l) <= 1e-13 * (1 + abs(h)) * (1 + abs(k)) * exact_d


def test_the_textbook_formula_would_fail_for_rare_gates():
    """Control: Owen's formula as printed leaves an error of eps Phi(h), which is 1e-8 of psi_d at h = k = -6."""
    a, b = columns(-6.0, -6.0, np.pi / 2)
    exact = quadrature(a, b)[1]
    printed = ndtr(-6.0) - 2 * owens_t(-6.0, 1.0)
    assert abs(printed - exact) > 1e-10 * exact
    assert abs(BiasedGaussian(2).psi_d(a, b).item() - exact) <= 1e-13 * exact


@pytest.mark.parametrize(
    ("h", "k"), [(40, 40), (40, -40), (-40, -40), (-40, 3), (3, 40), (-3, 40), (1e9, -1), (-1e9, 1)]
)
@pytest.mark.parametrize("theta", [0.0, 1e-8, 1.0, np.pi - 1e-8, np.pi])
def test_far_thresholds_are_certain(h, k, theta):
    """A gate 40 standard deviations away is always on or always off: what is left is the other node's moment."""
    a, b = columns(float(h), float(k), theta)
    psi_l, psi_d = (x.item() for x in BiasedGaussian(2).kernels(a, b))
    with mp.workdps(30):
        on = [mp.ncdf(h) if abs(h) < 40 else mp.mpf(h > 0), mp.ncdf(k) if abs(k) < 40 else mp.mpf(k > 0)]
        assert abs(psi_d - on[0] * on[1]) <= 4 * EPS
        # E[(x + h)(y + k)] = hk + rho when both are on; with h certain and k not, h E[relu(y+k)] + rho Phi(k).
        near, far = (h, k) if abs(h) < 40 else (k, h)
        rest = near * mp.ncdf(near) + mp.npdf(near)
        moment = far * rest + mp.cos(mp.mpf(theta)) * mp.ncdf(near)
        exact = moment if far > 0 and (abs(near) < 40 or near > 0) else mp.mpf(0)
        assert abs(psi_l - exact) <= 8 * EPS * (1 + abs(h)) * (1 + abs(k))


@pytest.mark.parametrize("bias", [0.7, 0.0, -0.7])
def test_a_column_without_direction_is_a_constant_node(bias):
    """relu(b) = b for b > 0: psi_l = b E[relu], psi_d = P(other gate); both 0 for b <= 0."""
    constant = np.array([[0.0], [0.0], [bias]])
    other = np.array([[2.0, 0.0], [0.0, 0.0], [1.0, 3.0]])
    psi_l, psi_d = BiasedGaussian(2).kernels(constant, other)
    h = mp.mpf(0.5)
    exact_l = [float(max(bias, 0) * 2 * (h * mp.ncdf(h) + mp.npdf(h))), max(bias, 0.0) * 3]
    exact_d = [float(mp.ncdf(h)) * (bias > 0), float(bias > 0)]
    np.testing.assert_allclose(psi_l[0], exact_l, rtol=8 * EPS)
    np.testing.assert_allclose(psi_d[0], exact_d, rtol=8 * EPS)
    own_l, own_d = BiasedGaussian(2).kernels(constant, constant)
    np.testing.assert_allclose([own_l.item(), own_d.item()], [max(bias, 0) ** 2, bias > 0], rtol=8 * EPS)


@given(seed=seeds)
def test_without_biases_it_is_the_isotropic_gaussian(seed):
    """b = 0 gives the arc-cosine kernels, by an entirely different route."""
    A, B = np.random.default_rng(seed).standard_normal((2, 3, 4, 5))
    A[..., -1, :] = B[..., -1, :] = 0.0
    want = IsotropicGaussian(3).kernels(A[..., :-1, :], B[..., :-1, :])
    for got, exact in zip(BiasedGaussian(3).kernels(A, B), want, strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-13, atol=20 * EPS)


@given(seed=seeds)
def test_kernels_are_symmetric_and_stack(seed):
    """psi(a, b) = psi(b, a); a stack is its members; a scale on a column only scales psi_l."""
    A, B = np.random.default_rng(seed).standard_normal((2, 3, 4, 5))
    measure = BiasedGaussian(3)
    psi_l, psi_d = measure.kernels(A, B)
    back_l, back_d = measure.kernels(B, A)
    np.testing.assert_allclose(back_l, psi_l.mT, atol=200 * EPS)
    np.testing.assert_allclose(back_d, psi_d.mT, atol=20 * EPS)
    one_l, one_d = measure.kernels(A[1], B[1])
    np.testing.assert_allclose(one_l, psi_l[1], atol=200 * EPS)
    np.testing.assert_allclose(one_d, psi_d[1], atol=20 * EPS)
    np.testing.assert_allclose(measure.psi_l(A * 4.0, B), 4.0 * psi_l, atol=800 * EPS)


def test_a_nested_integral_of_the_definition_agrees():
    """E[relu relu] as a double integral over two inputs, no conditioning: SciPy's dblquad to its own error."""
    a, b = np.array([[0.8], [0.3], [-0.4]]), np.array([[-0.2], [1.1], [0.9]])

    def integrand(y: float, x: float) -> float:
        first, second = (max(w[0, 0] * x + w[1, 0] * y + w[2, 0], 0.0) for w in (a, b))
        return float(first * second * np.exp(-0.5 * (x * x + y * y)) / (2 * np.pi))

    value, _ = dblquad(integrand, -9, 9, -9, 9, epsabs=1e-6, epsrel=1e-6)
    assert abs(BiasedGaussian(2).psi_l(a, b).item() - value) <= 1e-6


def test_kernels_agree_with_samples():
    """psi_l and psi_d against 400,000 samples: |z| < 5 in all 24 entries (chance of an alarm 1e-5)."""
    rng = np.random.default_rng(77)
    measure = BiasedGaussian(3)
    A, B = rng.standard_normal((4, 3)), rng.standard_normal((4, 4))
    x = measure.sample(400_000, rng)
    assert np.all(x[:, -1] == 1.0)
    F, G = np.maximum(x @ A, 0.0), np.maximum(x @ B, 0.0)
    for exact, left, right in zip(measure.kernels(A, B), (F, F > 0), (G, G > 0), strict=True):
        products = left[:, :, None] * right[:, None, :].astype(float)
        error = products.std(axis=0) / np.sqrt(len(x))
        assert np.all(np.abs(products.mean(axis=0) - exact) < 5 * error)


def test_shapes_and_errors():
    """Weights have one row more than the input; the second moment is the identity; NaN stays in its row."""
    measure = BiasedGaussian(3)
    assert (measure.input_dim, measure.dim) == (3, 4)
    assert np.array_equal(measure.second_moment(), np.eye(4))
    with pytest.raises(ValueError, match=r"A: expected a weight matrix of shape \(\.\.\., 4, n\).*\(3, 2\)"):
        measure.psi_d(np.ones((3, 2)), np.ones((4, 2)))
    A = np.eye(4)
    A[3, 1] = np.nan
    for kernel in measure.kernels(A, np.eye(4)):
        assert np.array_equal(np.isnan(kernel).all(axis=1), [False, True, False, False])
