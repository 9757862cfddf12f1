"""Kernels of leaky ReLUs and of further laws are expectations: of quadrature, of differences, of their own samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.measures.described import described_measure
from luckproof import (
    AnisotropicGaussian,
    BiasedGaussian,
    EmpiricalMeasure,
    GaussianMixture,
    InputMeasure,
    IsotropicGaussian,
    LeakyKernels,
    UniformSphere,
    samplers,
)

seeds = st.integers(0, 2**32 - 1)
COVARIANCE = np.array([[2.0, 0.3, 0.0], [0.3, 1.0, -0.2], [0.0, -0.2, 0.4]])
MEANS = np.array([[1.0, 0.5, 0.0], [-0.5, 0.0, 2.0]])


def laws() -> dict[str, InputMeasure]:
    return {
        "isotropic": IsotropicGaussian(3, 1.5),
        "anisotropic": AnisotropicGaussian(COVARIANCE),
        "sphere": UniformSphere(3),
        "mixture": GaussianMixture(MEANS, np.stack([COVARIANCE, np.eye(3)]), [1.0, 3.0]),
        "biased": BiasedGaussian(2),
        "laplace": EmpiricalMeasure.drawn(samplers.antithetic(samplers.laplace(3)), 64, 0),
    }


LAWS = list(laws())


def leaky(z, a):
    return np.where(z > 0, z, a * z)


def columns(seed: int = 0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((3, 2)), rng.standard_normal((3, 4)), rng.standard_normal((2, 4))


def by_quadrature(a, theta, nodes=400):
    """``E[f f]``, ``E[f' f']`` of two unit columns at an angle, standard normal input: polar coordinates, by sector."""
    edges = np.sort(np.mod([np.pi / 2, -np.pi / 2, theta + np.pi / 2, theta - np.pi / 2], 2 * np.pi))
    x, weight = np.polynomial.legendre.leggauss(nodes)
    first = gates = 0.0
    for low, high in zip(edges, [*edges[1:], edges[0] + 2 * np.pi], strict=True):
        t, w = (low + high) / 2 + (high - low) / 2 * x, (high - low) / 2 * weight / (2 * np.pi)
        one, two = np.cos(t), np.cos(t - theta)
        first += np.sum(w * 2.0 * leaky(one, a) * leaky(two, a))  # E r^2 = 2
        gates += np.sum(w * np.where(one > 0, 1.0, a) * np.where(two > 0, 1.0, a))
    return first, gates


@given(a=st.floats(0, 1), theta=st.floats(1e-3, np.pi - 1e-3))
def test_leaky_gaussian_kernels_are_their_quadrature(a, theta):
    """The closed forms ``(1-a)^2 psi_l + a w.u`` and ``(1-a)^2 psi_d + a``."""
    W = np.array([[1.0, np.cos(theta)], [0.0, np.sin(theta)]])
    psi_l, psi_d = IsotropicGaussian(2).leaky_kernels(a, W[:, :1], W[:, 1:])
    first, gates = by_quadrature(a, theta)
    assert abs(psi_l[0, 0] - first) < 1e-13
    assert abs(psi_d[0, 0] - gates) < 1e-13


@pytest.mark.parametrize("a", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("law", LAWS)
def test_kernels_are_the_means_of_samples(law, a):
    """Both kernels and the gradient term, within five standard errors of 60 000 samples; so are second moments."""
    base, (W, U, c) = laws()[law], columns()
    measure = LeakyKernels.of(base, a)
    x = measure.sample(60_000, np.random.default_rng(1))
    assert_mean(measure.second_moment(), lambda x: x[:, :, None] * x[:, None, :], x)
    gate, two = np.where(x @ W > 0, 1.0, a), leaky(x @ U, a)
    psi_l, psi_d = measure.kernels(W, U)
    term = measure.gradient_term(W, U, c)
    assert_mean(psi_l, lambda x: leaky(x @ W, a)[:, :, None] * two[:, None, :], x)
    assert_mean(psi_d, lambda x: gate[:, :, None] * np.where(x @ U > 0, 1.0, a)[:, None, :], x)
    assert_mean(term, lambda x: x[:, :, None] * (gate * (two @ c.T))[:, None, :], x)


def assert_mean(expected, terms_of, x):
    terms = terms_of(x)
    error = terms.std(axis=0) / np.sqrt(len(x))
    assert np.all(np.abs(terms.mean(axis=0) - expected) <= 5 * error + 1e-12)


@pytest.mark.parametrize("a", [0.0, 0.3])
@pytest.mark.parametrize("law", [law for law in LAWS if law != "laplace"])
def test_the_gradient_term_is_the_gradient_of_psi_l(law, a):
    """By central differences of psi_l, whose error is 1e-9."""
    measure, (W, U, c) = LeakyKernels.of(laws()[law], a), columns(3)
    exact, step = measure.gradient_term(W, U, c), 1e-5
    for i, j in np.ndindex(3, 2):
        moved = np.zeros_like(W)
        moved[i, j] = step
        slope = (measure.psi_l(W + moved, U) - measure.psi_l(W - moved, U)) / (2 * step)
        assert abs((slope * c).sum() - exact[i, j]) < 1e-8


@pytest.mark.parametrize("law", LAWS)
def test_slope_zero_is_the_measure_and_small_slopes_tend_to_it(law):
    """a = 0 gives back the same object; the class itself at 0 gives the ReLU's kernels."""
    base, (W, U, _) = laws()[law], columns()
    assert LeakyKernels.of(base, 0) is base
    for one, two in zip(LeakyKernels(base, 0).kernels(W, U), base.kernels(W, U), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-13, atol=1e-15)


def test_gates_at_the_kink_are_the_slope():
    """A zero column, and a sample across a column: its gate is a, as in networks."""
    zero, one = np.zeros((3, 1)), np.eye(3)[:, :1]
    _, gates = LeakyKernels.of(IsotropicGaussian(3), 0.25).kernels(zero, one)
    assert gates[0, 0] == pytest.approx(0.25 * (1 + 0.25) / 2, rel=1e-15)
    _, gates = LeakyKernels.of(EmpiricalMeasure([[0.0, 1.0, 0.0]]), 0.25).kernels(one, one)
    assert gates[0, 0] == 0.25**2


@given(seed=seeds)
def test_turned_laws_are_each_other(seed):
    """One centred component is the anisotropic Gaussian; that of ``s^2 I`` and the sphere are the isotropic one."""
    W, U, c = columns(seed)
    pairs = [
        (GaussianMixture(np.zeros((1, 3)), COVARIANCE), AnisotropicGaussian(COVARIANCE)),
        (AnisotropicGaussian(2.25 * np.eye(3)), IsotropicGaussian(3, 1.5)),
        (UniformSphere(3, 1.5 * np.sqrt(3)), IsotropicGaussian(3, 1.5)),
    ]
    for one, two in pairs:
        for left, right in zip(one.kernels(W, U), two.kernels(W, U), strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-12)
        left, right = (law.gradient_term(W, U, c) for law in (one, two))
        np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("a", [0.0, 0.1])
@pytest.mark.parametrize("law", LAWS)
def test_descriptions_make_the_measure_again(law, a):
    """Kernels and description bit for bit."""
    measure, (W, U, _) = LeakyKernels.of(laws()[law], a), columns()
    again = described_measure(measure.description())
    assert repr(again) == repr(measure)
    for one, two in zip(again.kernels(W, U), measure.kernels(W, U), strict=True):
        assert np.array_equal(one, two)


def test_a_mixture_knows_when_it_is_symmetric():
    """Where each component has its mirror image; leaky kernels are the same by the short way and by four terms."""
    a, (W, U, _) = 0.2, columns()
    both = GaussianMixture(np.stack([MEANS[0], -MEANS[0], 0 * MEANS[0]]), COVARIANCE, [1.0, 1.0, 2.0])
    assert both.symmetric
    assert not GaussianMixture(np.stack([MEANS[0], -MEANS[0]]), COVARIANCE, [1.0, 2.0]).symmetric
    assert not GaussianMixture(MEANS).symmetric
    psi_l, psi_d = both.kernels(W, U)
    first = psi_l - a * (both.psi_l(W, -U) + both.psi_l(-W, U)) + a**2 * both.psi_l(-W, -U)
    np.testing.assert_allclose(both.leaky_kernels(a, W, U)[0], first, atol=1e-12)
    gates = psi_d + a * (both.psi_d(W, -U) + both.psi_d(-W, U)) + a**2 * both.psi_d(-W, -U)
    np.testing.assert_allclose(both.leaky_kernels(a, W, U)[1], gates, atol=1e-12)


def test_all_signs_are_the_rademacher_law():
    """Every sign vector once; its second moment is the identity, as that of samples."""
    law = samplers.all_signs(4)
    assert len(np.unique(law.samples, axis=0)) == 16
    assert np.array_equal(law.second_moment(), np.eye(4))
    x = samplers.rademacher(4)(1000, np.random.default_rng(0))
    assert set(np.unique(x)) == {-1.0, 1.0}


def test_bad_laws_are_named():
    """One error each, at construction."""
    with pytest.raises(ValueError, match=r"covariance: expected positive variances, got -1"):
        AnisotropicGaussian(np.diag([1.0, -1.0]))
    with pytest.raises(ValueError, match=r"covariance: expected a symmetric matrix"):
        AnisotropicGaussian([[1.0, 0.5], [0.0, 1.0]])
    with pytest.raises(ValueError, match=r"weights: expected 2 positive numbers"):
        GaussianMixture(MEANS, weights=[1.0, 0.0])
    with pytest.raises(ValueError, match=r"slope: expected a number in \[0, 1\], got 1.5"):
        LeakyKernels.of(IsotropicGaussian(2), 1.5)
    with pytest.raises(ValueError, match=r"measure: expected one of the ReLU"):
        LeakyKernels.of(LeakyKernels.of(IsotropicGaussian(2), 0.5), 0.5)
    with pytest.raises(ValueError, match=r"sampler: expected draws of shape \(4, d\), got shape \(4,\)"):
        EmpiricalMeasure.drawn(lambda size, rng: rng.normal(size=size), 4, 0)
