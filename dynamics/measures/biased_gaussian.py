"""Standard Gaussian input with a bias on every node."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.geometry.angles import angle_pair
from dynamics.geometry.columns import Columns
from dynamics.measures.biased_kernel_bounds import biased_kernel_bounds
from dynamics.measures.gaussian_kernels import CERTAIN_THRESHOLD, Quadrant, quadrant
from dynamics.measures.input_measure import InputMeasure, checked_coefficients
from dynamics.measures.kernel_bounds import KernelBounds, checked_caps
from dynamics.measures.random_stream import RandomStream
from dynamics.validation import checked_dimension, checked_size

_NORMAL = float(np.finfo(np.float64).tiny)


class BiasedGaussian(InputMeasure):
    """Standard Gaussian input with a constant 1 appended: the last entry of a weight column is the node's bias.

    With direction parts v, v' of norms s, s' and angle theta, thresholds ``h = b/s``, ``k = b'/s'``,
    ``rho = cos theta``, ``q = sin theta``:
    ``psi_d = Phi2(h, k; rho)`` and ``psi_l = (v.v' + b b') psi_d + s b' phi(h) Phi((k - rho h)/q)
    + b s' phi(k) Phi((h - rho k)/q) + s s' q exp(-R^2/2)/2pi``, ``R^2 = (h^2 - 2 rho h k + k^2)/q^2``.
    A column whose direction part is zero is a constant node: on when its bias is positive, else off.

    Accuracy, against quadrature for thresholds in [-6, 6] and theta from 0 to pi inclusive: 1e-13 for psi_d and
    1e-13 (s + |b|)(s' + |b'|) for psi_l. When both biases are negative psi_d keeps a relative error of 1e-13 however
    rare the gates, and psi_l an error of 1e-13 (s + |b|)(s' + |b'|) psi_d, which for thresholds down to -5 is still
    1e-10 of psi_l.

    Args:
        dim: length of the input without the constant. The attribute ``dim`` is the length of a weight column, one more.
    Raises:
        ValueError, TypeError: ``dim`` is no positive integer.
    Cost: one matrix product and two evaluations of Owen's T per pair, about 0.3 microseconds a pair; memory 16 arrays
        of the pairs at the peak.
    """

    def __init__(self, dim: int) -> None:
        self.input_dim = checked_dimension(dim)
        self.dim = self.input_dim + 1

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dim={self.input_dim})"

    def description(self) -> dict[str, Any]:
        return {**super().description(), "measure_dim": self.input_dim}

    @property
    def biased_normal(self) -> bool:
        return True

    def prepare(self, A: ArrayLike | BiasedColumns) -> BiasedColumns:
        """``A`` as direction parts, norms, biases and thresholds."""
        return self._of("A", A)

    def _of(self, name: str, A: ArrayLike | BiasedColumns) -> BiasedColumns:
        return A if isinstance(A, BiasedColumns) else BiasedColumns(self._checked(name, A))

    def _prepared(
        self, A: ArrayLike | BiasedColumns, B: ArrayLike | BiasedColumns
    ) -> tuple[BiasedColumns, BiasedColumns]:
        one = self._of("A", A)
        return one, (one if A is B else self._of("B", B))

    def kernels(self, A: ArrayLike | BiasedColumns, B: ArrayLike | BiasedColumns) -> tuple[Array, Array]:
        one, two = self._prepared(A, B)
        corner, theta, supplement = _corner(one, two)
        return _first_moment(one, two, corner, theta, supplement), corner.probability

    def psi_d(self, A: ArrayLike | BiasedColumns, B: ArrayLike | BiasedColumns) -> Array:
        return _corner(*self._prepared(A, B))[0].probability

    @np.errstate(over="ignore", invalid="ignore")  # inf or NaN where the sum overflows
    def gradient_term(
        self, W: ArrayLike | BiasedColumns, U: ArrayLike | BiasedColumns, coefficients: ArrayLike
    ) -> Array:
        """:meth:`InputMeasure.gradient_term`, the gradient of psi_l in w = (v, b) for u = (v', b').

        By Stein's identity ``G = (psi_d v' + phi(h) E[relu(u.x) | v.z = -b] v/s, E[1(w.x > 0) relu(u.x)])`` with
        ``E[relu(u.x) | v.z = -b] = s' ((k - rho h) Phi(r) + q phi(r))``, ``r = (k - rho h) / q``, and
        ``E[1(w.x > 0) relu(u.x)] = b' psi_d + s' (rho phi(h) Phi(r) + phi(k) Phi((h - rho k) / q))``.

        Accuracy: absolute, a few times 1e-15 (s' + |b'|) in the range of psi_d; checked against quadrature.
        """
        one = self._of("W", W)
        two = one if W is U else self._of("U", U)
        c = checked_coefficients(coefficients, one.size.shape[-1], two.size.shape[-1])
        corner, theta, supplement = _corner(one, two)
        edge, mean = _gradient_parts(one, two, corner, theta, supplement)
        along = (c * edge).sum(axis=-1)
        if one.direction.zero is not None:
            along = np.where(one.direction.zero, 0.0, along)
        v = np.matmul(two.direction.array, (c * corner.probability).mT)
        v = v + one.direction.unit * along[..., None, :]
        return np.concatenate([v, (c * mean).sum(axis=-1)[..., None, :]], axis=-2)

    @checked
    def sample(self, size: int, rng: np.random.Generator) -> Array:
        x = np.ones((checked_size(size, self.dim), self.dim))
        x[:, :-1] = rng.standard_normal((len(x), self.input_dim))
        return x

    def fill_batches(self, rows: Any, stream: RandomStream) -> None:
        stream.fill_normal(rows[:, :-1])
        rows[:, -1] = 1

    def second_moment(self) -> Array:
        return np.eye(self.dim)

    def kernel_bounds(self, centres: Array, radii: Array) -> KernelBounds:
        return biased_kernel_bounds(*checked_caps(self.dim, centres, radii))


class BiasedColumns:
    """Augmented columns (v, b) taken apart, as pairs of them are compared.

    Attributes:
        direction: the direction parts v, (..., d, n), with their norms.
        size: ``s = ||v||``, (..., n).
        bias: ``b``, (..., n).
        threshold: ``h = b / s``, (..., n), cut at +-``CERTAIN_THRESHOLD``, where constant nodes stand too.
        density: ``phi(h)``, (..., n).
    """

    def __init__(self, A: Array) -> None:
        self.direction = Columns("A", A[..., :-1, :])
        self.bias = A[..., -1, :]
        self.size = size = self.direction.norms
        zero = self.direction.zero
        with np.errstate(over="ignore"):
            h = self.bias / (size if zero is None else np.where(zero, 1.0, size))
        h = np.clip(h, -CERTAIN_THRESHOLD, CERTAIN_THRESHOLD)
        h = np.where(np.abs(h) < _NORMAL, 0.0, h)  # subnormal numbers have too few digits for ratios of them
        always = np.where(self.bias > 0, CERTAIN_THRESHOLD, -CERTAIN_THRESHOLD)
        self.threshold = h if zero is None else np.where(zero, always, h)
        self.density = np.exp(-0.5 * self.threshold**2) / math.sqrt(2.0 * np.pi)


def _corner(one: BiasedColumns, two: BiasedColumns) -> tuple[Quadrant, Array, Array]:
    theta, supplement = angle_pair(one.direction, two.direction)
    h, k, theta, supplement = np.broadcast_arrays(
        one.threshold[..., :, None], two.threshold[..., None, :], theta, supplement
    )
    return quadrant(h, k, theta, supplement), theta, supplement


def _gradient_parts(
    one: BiasedColumns, two: BiasedColumns, corner: Quadrant, theta: Array, supplement: Array
) -> tuple[Array, Array]:
    """``phi(h) E[relu(u.x) | v.z = -b]`` and ``E[1(w.x > 0) relu(u.x)]`` of every pair."""
    s2, b2, k, density2 = (x[..., None, :] for x in (two.size, two.bias, two.threshold, two.density))
    h, density = (x[..., :, None] for x in (one.threshold, one.density))
    acute = theta <= supplement
    narrow = np.where(acute, theta, supplement)
    q, rho = np.sin(narrow), np.where(acute, np.cos(narrow), -np.cos(narrow))
    gap = k - rho * h
    # phi(h) phi(r) is the density of the corner: exp(-R^2/2) / 2pi.
    ridge = q * np.exp(-0.5 * corner.corner_squared) / (2.0 * np.pi)
    edge = s2 * (gap * density * corner.given_h + ridge)
    mean = b2 * corner.probability + s2 * (rho * density * corner.given_h + density2 * corner.given_k)
    constant = two.direction.zero
    if constant is not None:  # relu(b') is a constant: neither slope nor spread
        edge = np.where(constant[..., None, :], np.maximum(b2, 0.0) * density, edge)
        mean = np.where(constant[..., None, :], b2 * corner.probability, mean)
    return edge, mean


def _first_moment(
    one: BiasedColumns, two: BiasedColumns, corner: Quadrant, theta: Array, supplement: Array
) -> Array:
    s, b, density = (x[..., :, None] for x in (one.size, one.bias, one.density))
    s2, b2, density2 = (x[..., None, :] for x in (two.size, two.bias, two.density))
    acute = theta <= supplement
    narrow = np.where(acute, theta, supplement)
    cosine = np.where(acute, np.cos(narrow), -np.cos(narrow))
    with np.errstate(over="ignore", invalid="ignore"):  # inf or NaN where an expectation overflows
        total = (
            (s * s2 * cosine + b * b2) * corner.probability
            + s * b2 * density * corner.given_h
            + b * s2 * density2 * corner.given_k
            + s * s2 * np.sin(narrow) * np.exp(-0.5 * corner.corner_squared) / (2.0 * np.pi)
        )
    return np.maximum(total, 0.0)
