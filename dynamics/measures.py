"""Input measures: the two ReLU kernels of an input distribution, and samples from it.

A measure answers for pairs of weight columns ``w, w'`` (Tian 2019, Eqn 7):

``psi_d(w, w') = P(w.x > 0, w'.x > 0)``  and  ``psi_l(w, w') = E[relu(w.x) relu(w'.x)]``.

The gate is 0 at the kink, so a zero column has both kernels 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.gaussian_kernels import CERTAIN, Quadrant, arc_cosine, quadrant
from dynamics.geometry import angle_pair, norms

Array = NDArray[np.float64]

# Pre-activations of one chunk of samples: 2^21 float64 are 16 MiB.
_CHUNK_ELEMENTS = 1 << 21


def _dimension(dim: int) -> int:
    if isinstance(dim, bool) or not isinstance(dim, int | np.integer):
        raise TypeError(f"dim: expected a positive integer, got {dim!r}")
    if dim < 1:
        raise ValueError(f"dim: expected a positive integer, got {dim}")
    return int(dim)


def _sample_size(size: int) -> int:
    if isinstance(size, bool) or not isinstance(size, int | np.integer):
        raise TypeError(f"size: expected a non-negative integer, got {size!r}")
    if size < 0:
        raise ValueError(f"size: expected a non-negative integer, got {size}")
    return int(size)


class InputMeasure(ABC):
    """A distribution of inputs x with its ReLU kernels; ``dim`` is the length d of a weight column."""

    dim: int

    @abstractmethod
    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        """``(psi_l, psi_d)`` of every pair of columns: (..., d, n), (..., d, m) -> two arrays (..., n, m)."""

    @abstractmethod
    def sample(self, size: int, rng: np.random.Generator) -> Array:
        """``size`` independent inputs, (size, d)."""

    @abstractmethod
    def second_moment(self) -> Array:
        """``E[x x^T]``, (d, d)."""

    def psi_l(self, A: ArrayLike, B: ArrayLike) -> Array:
        """``E[relu(a_j.x) relu(b_k.x)]``: (..., d, n), (..., d, m) -> (..., n, m)."""
        return self.kernels(A, B)[0]

    def psi_d(self, A: ArrayLike, B: ArrayLike) -> Array:
        """``P(a_j.x > 0, b_k.x > 0)``: (..., d, n), (..., d, m) -> (..., n, m)."""
        return self.kernels(A, B)[1]

    def _columns(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        """Both arguments as float64, checked; one object when they are one (the diagonal is then exact)."""
        A_array = self._checked("A", A)
        return A_array, (A_array if A is B else self._checked("B", B))

    def _checked(self, name: str, A: ArrayLike) -> Array:
        array = np.asarray(A, dtype=np.float64)
        if array.ndim < 2 or array.shape[-2] != self.dim:
            raise ValueError(
                f"{name}: expected a weight matrix of shape (..., {self.dim}, n) for {self!r},"
                f" got shape {array.shape}"
            )
        return array


def _fill_zero_columns(A: Array) -> tuple[Array, NDArray[np.bool_] | None]:
    """Columns that are zero replaced by ones, and where; the array itself and None when there are none."""
    zero = ~A.any(axis=-2)
    if not zero.any():
        return A, None
    return np.where(zero[..., None, :], 1.0, A), zero


def _angles_with_zeros(A: Array, B: Array) -> tuple[Array, Array]:
    """Angles and supplements; a zero column counts as antiparallel to all, so that its gates never open."""
    A_filled, zero_a = _fill_zero_columns(A)
    B_filled, zero_b = (A_filled, zero_a) if A is B else _fill_zero_columns(B)
    theta, supplement = angle_pair(A_filled, B_filled)
    for zero in (
        zero_a[..., :, None] if zero_a is not None else None,
        zero_b[..., None, :] if zero_b is not None else None,
    ):
        if zero is not None:
            theta, supplement = np.where(zero, np.pi, theta), np.where(zero, 0.0, supplement)
    return theta, supplement


class IsotropicGaussian(InputMeasure):
    """``x ~ N(0, std^2 I)``.

    With ``theta`` the angle of w and w': ``psi_d = (pi - theta)/2pi`` and
    ``psi_l = std^2 ||w|| ||w'|| (sin theta + (pi - theta) cos theta)/2pi``.
    Accuracy: relative error of a few ulp times sqrt(d), near parallel and near antiparallel alike.
    Cost: one matrix product and O(1) per pair.
    Source: Cho & Saul (2009), arc-cosine kernels of degree 0 and 1.
    """

    def __init__(self, dim: int, std: float = 1.0) -> None:
        self.dim = _dimension(dim)
        if not (math.isfinite(std) and std > 0):
            raise ValueError(f"std: expected a positive finite number, got {std!r}")
        self.std = float(std)

    def __repr__(self) -> str:
        return f"IsotropicGaussian(dim={self.dim}, std={self.std})"

    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        A, B = self._columns(A, B)
        _, supplement = _angles_with_zeros(A, B)
        size_a = norms(A)
        size_b = size_a if A is B else norms(B)
        scale = (self.std * size_a)[..., :, None] * (self.std * size_b)[..., None, :]
        return scale * arc_cosine(supplement) / (2.0 * np.pi), supplement / (2.0 * np.pi)

    def psi_d(self, A: ArrayLike, B: ArrayLike) -> Array:
        return _angles_with_zeros(*self._columns(A, B))[1] / (2.0 * np.pi)

    def gradient_term(self, W: ArrayLike, U: ArrayLike, coefficients: ArrayLike) -> Array:
        """``sum_k c_jk G(w_j, u_k)`` for each column j: the exact first-layer gradient of a ReLU network.

        ``G(w, u) = E[1(w.x>0) 1(u.x>0) x x^T] u = std^2/2pi [(pi - theta) u + ||u|| sin theta w/||w||]``, which is
        the gradient of psi_l(w, u) in w.

        Shapes: W (..., d, n), U (..., d, m), coefficients (..., n, m) -> (..., d, n).
        Accuracy: a few ulp of the largest term of the sum (near antiparallel the two parts of G cancel).
        Cost: two matrix products and O(1) per pair; no (d, n, m) temporary. A zero w_j gives 0.
        """
        W, U = self._columns(W, U)
        c = np.asarray(coefficients, dtype=np.float64)
        if c.ndim < 2 or c.shape[-2:] != (W.shape[-1], U.shape[-1]):
            raise ValueError(
                f"coefficients: expected shape (..., {W.shape[-1]}, {U.shape[-1]}), got {c.shape}"
            )
        theta, supplement = _angles_with_zeros(W, U)
        sine = np.sin(np.minimum(theta, supplement))
        along = np.matmul(c * sine, norms(U)[..., None])[..., 0]
        size = norms(W)
        unit = W / np.where(size > 0, size, 1.0)[..., None, :]
        total = np.matmul(U, (c * supplement).mT) + unit * along[..., None, :]
        return np.asarray(self.std**2 / (2.0 * np.pi) * total)

    def sample(self, size: int, rng: np.random.Generator) -> Array:
        return self.std * rng.standard_normal((_sample_size(size), self.dim))

    def second_moment(self) -> Array:
        return self.std**2 * np.eye(self.dim)


class BiasedGaussian(InputMeasure):
    """``x ~ N(0, I)`` with a constant 1 appended: the last row of a weight column is the node's bias.

    With direction parts of norm s and angle theta, ``h = b/s`` (k for w'), ``rho = cos theta``, ``q = sin theta``:
    ``psi_d = Phi2(h, k; rho)`` and ``psi_l = (w.w' + b b') psi_d + s b' phi(h) Phi((k - rho h)/q)
    + b s' phi(k) Phi((h - rho k)/q) + s s' q exp(-R^2/2)/2pi``, ``R^2 = (h^2 - 2 rho h k + k^2)/q^2``.
    A column whose direction part is zero is a constant node: on when its bias is positive, else off.

    ``dim`` is the length of a weight column, ``input_dim + 1``.
    """

    def __init__(self, dim: int) -> None:
        self.input_dim = _dimension(dim)
        self.dim = self.input_dim + 1

    def __repr__(self) -> str:
        return f"BiasedGaussian(dim={self.input_dim})"

    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        A, B = self._columns(A, B)
        one = _BiasedColumns(A)
        two = one if A is B else _BiasedColumns(B)
        corner, theta, supplement = _corner(one, two)
        return _first_moment(one, two, corner, theta, supplement), corner.probability

    def psi_d(self, A: ArrayLike, B: ArrayLike) -> Array:
        A, B = self._columns(A, B)
        one = _BiasedColumns(A)
        return _corner(one, one if A is B else _BiasedColumns(B))[0].probability

    def sample(self, size: int, rng: np.random.Generator) -> Array:
        x = np.ones((_sample_size(size), self.dim))
        x[:, :-1] = rng.standard_normal((len(x), self.input_dim))
        return x

    def second_moment(self) -> Array:
        return np.eye(self.dim)


class _BiasedColumns:
    """Direction parts, their norms, biases and thresholds ``h = b/s`` (certain gates at +-CERTAIN)."""

    def __init__(self, A: Array) -> None:
        direction = A[..., :-1, :]
        self.bias = A[..., -1, :]
        self.size = norms(direction)
        self.direction, zero = _fill_zero_columns(direction)
        always = np.where(self.bias > 0, CERTAIN, -CERTAIN)
        with np.errstate(over="ignore"):
            h = self.bias / np.where(self.size > 0, self.size, 1.0)
        h = np.clip(h, -CERTAIN, CERTAIN)
        self.threshold = h if zero is None else np.where(zero, always, h)
        self.density = np.exp(-0.5 * self.threshold**2) / math.sqrt(2.0 * np.pi)


def _corner(one: _BiasedColumns, two: _BiasedColumns) -> tuple[Quadrant, Array, Array]:
    theta, supplement = angle_pair(one.direction, two.direction)
    h, k, theta, supplement = np.broadcast_arrays(
        one.threshold[..., :, None], two.threshold[..., None, :], theta, supplement
    )
    return quadrant(h, k, theta, supplement), theta, supplement


def _first_moment(
    one: _BiasedColumns, two: _BiasedColumns, corner: Quadrant, theta: Array, supplement: Array
) -> Array:
    s, b, density = (x[..., :, None] for x in (one.size, one.bias, one.density))
    s2, b2, density2 = (x[..., None, :] for x in (two.size, two.bias, two.density))
    acute = theta <= supplement
    narrow = np.where(acute, theta, supplement)
    cosine = np.where(acute, np.cos(narrow), -np.cos(narrow))
    total = (
        (s * s2 * cosine + b * b2) * corner.probability
        + s * b2 * density * corner.given_h
        + b * s2 * density2 * corner.given_k
        + s * s2 * np.sin(narrow) * np.exp(-0.5 * corner.corner_squared) / (2.0 * np.pi)
    )
    return np.maximum(total, 0.0)


class EmpiricalMeasure(InputMeasure):
    """N given inputs, optionally weighted: ``psi_l = F^T diag(p) F'``, ``psi_d`` the same with gates ``F > 0``.

    Exact for any data set and any layer's activations; piecewise constant in the gates, so flows on it have a
    discontinuous right-hand side.

    Cost: O(N n m) in chunks of samples; besides the result, memory stays below about 4 x 16 MiB (or four rows of
    pre-activations, when one sample already needs more).
    """

    def __init__(self, samples: ArrayLike, weights: ArrayLike | None = None) -> None:
        x = np.array(samples, dtype=np.float64)
        if x.ndim != 2 or 0 in x.shape:
            raise ValueError(f"samples: expected a non-empty array of shape (N, d), got shape {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError(
                f"samples: expected finite values, got {int((~np.isfinite(x)).sum())} that are not"
            )
        self.samples = x
        self.dim = x.shape[1]
        self.weights = None if weights is None else _normalised(weights, len(x))

    def __repr__(self) -> str:
        kind = "" if self.weights is None else ", weighted"
        return f"EmpiricalMeasure({len(self.samples)} samples of dimension {self.dim}{kind})"

    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        A, B = self._columns(A, B)
        lead = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
        psi_l = np.zeros((*lead, A.shape[-1], B.shape[-1]))
        psi_d = np.zeros_like(psi_l)
        per_sample = max(1, math.prod(lead) * (A.shape[-1] + B.shape[-1]))
        size = max(1, _CHUNK_ELEMENTS // per_sample)
        for start in range(0, len(self.samples), size):
            chunk = slice(start, start + size)
            x = self.samples[chunk]
            one = np.matmul(x, A)
            two = one if A is B else np.matmul(x, B)
            psi_l += self._mean_product(np.maximum(one, 0.0), np.maximum(two, 0.0), chunk)
            psi_d += self._mean_product((one > 0).astype(float), (two > 0).astype(float), chunk)
        if self.weights is None:
            psi_l /= len(self.samples)
            psi_d /= len(self.samples)
        return psi_l, psi_d

    def _mean_product(self, F: Array, G: Array, chunk: slice) -> Array:
        if self.weights is not None:
            G = G * self.weights[chunk, None]
        return np.asarray(np.matmul(F.mT, G))

    def sample(self, size: int, rng: np.random.Generator) -> Array:
        """``size`` of the samples, drawn with replacement by weight."""
        return self.samples[rng.choice(len(self.samples), size=_sample_size(size), p=self.weights)]

    def second_moment(self) -> Array:
        x = self.samples
        if self.weights is None:
            return np.asarray(x.T @ x / len(x))
        return np.asarray(x.T @ (x * self.weights[:, None]))


def _normalised(weights: ArrayLike, count: int) -> Array:
    p = np.array(weights, dtype=np.float64)
    if p.shape != (count,):
        raise ValueError(f"weights: expected shape ({count},), one per sample, got shape {p.shape}")
    if not np.isfinite(p).all() or (p < 0).any():
        raise ValueError(f"weights: expected finite non-negative values, got minimum {p.min()}")
    total = p.sum()
    if not total > 0:
        raise ValueError(f"weights: expected a positive sum, got {total}")
    return np.asarray(p / total)
