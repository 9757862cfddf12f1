"""A given set of samples as input measure: exact kernels of any data set and of any layer's activations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.random_stream import RandomStream
from dynamics.memory import check_fits
from dynamics.validation import (
    Randomness,
    broadcast_lead,
    checked_size,
    generator,
    positive_int,
    real_array,
    shown,
)

Sampler = Callable[[int, np.random.Generator], Array]
"""Draws so many independent inputs (size, d)."""

# Pre-activations made at once, of as many samples as that allows: 2^21 float64 are 16 MiB.
_CHUNK_ELEMENTS = 1 << 21


class EmpiricalMeasure(InputMeasure):
    """N given inputs with weights p, as the whole law: exact for any data set and any layer's activations.

    ``psi_l = F^T diag(p) F'`` with ``F = relu(X W)``, and psi_d the same with the gates ``X W > 0``. psi_d is piecewise
    constant in the columns, so that flows on such a measure have a discontinuous right-hand side.

    Args:
        samples: X, (N, d); copied.
        weights: p, (N,), non-negative; normalised to sum to 1. Equal when not given.
    Raises:
        ValueError: other shapes, entries that are not finite, or weights that are negative or all zero.
    Cost: a kernel takes O(N n m) in chunks of samples; besides the result, memory stays below about 4 x 16 MiB (or
        four rows of pre-activations, when one sample already needs more).
    """

    def __init__(self, samples: ArrayLike, weights: ArrayLike | None = None) -> None:
        x = np.array(real_array("samples", samples))
        if x.ndim != 2 or 0 in x.shape:
            raise ValueError(f"samples: expected a non-empty array of shape (N, d), got shape {x.shape}")
        self.samples = x
        self.dim = x.shape[1]
        self.weights = None if weights is None else _normalised(weights, len(x))

    @classmethod
    @checked
    def drawn(cls, sampler: Sampler, size: int, rng: Randomness) -> Self:
        """The measure of ``size`` inputs drawn from any law: flows and networks both have these inputs as their law.

        Args:
            sampler: ``sampler(size, generator)`` draws inputs (size, d).
            size: N, the number of inputs; its kernels are within about ``1 / sqrt(N)`` of those of the law.
            rng: a seed or a generator.
        Raises:
            ValueError, TypeError: naming the argument; or a sampler whose draws are no inputs.
        """
        if not callable(sampler):
            raise TypeError(f"sampler: expected a function of a size and a generator, got {shown(sampler)}")
        count, random = positive_int("size", size), generator("rng", rng, of="drawn")
        check_fits("size", count)
        try:
            drawn = np.asarray(sampler(count, random))
        except MemoryError as error:
            raise ValueError(f"size: expected draws that fit the memory, got {count:,}: {error}") from error
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            raise ValueError(f"sampler: expected draws of shape ({count}, d), got {told}") from error
        if drawn.ndim != 2 or len(drawn) != size:
            raise ValueError(f"sampler: expected draws of shape ({size}, d), got shape {drawn.shape}")
        return cls(drawn)

    def __repr__(self) -> str:
        kind = "" if self.weights is None else ", weighted"
        return f"{type(self).__name__}({len(self.samples)} samples of dimension {self.dim}{kind})"

    def description(self) -> dict[str, Any]:
        weights = {} if self.weights is None else {"measure_weights": self.weights}
        return {**super().description(), "measure_samples": self.samples, **weights}

    @property
    def atoms(self) -> tuple[Array, Array | None] | None:
        return self.samples, self.weights

    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        return self._kernels(0.0, A, B)

    def leaky_kernels(self, slope: float, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        """:meth:`InputMeasure.leaky_kernels` sample by sample, with gates of ``slope`` at the kink."""
        return self._kernels(slope, A, B)

    def _kernels(self, slope: float, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        A, B = self._columns(A, B)
        lead = broadcast_lead({"A": A, "B": B}, trailing=2)
        psi_l = np.zeros((*lead, A.shape[-1], B.shape[-1]))
        psi_d = np.zeros_like(psi_l)
        for chunk in self._chunks(math.prod(lead) * (A.shape[-1] + B.shape[-1])):
            x = self.samples[chunk]
            with np.errstate(over="ignore", invalid="ignore"):  # inf where an expectation overflows
                one = np.matmul(x, A)
                two = one if A is B else np.matmul(x, B)
                psi_l += self._mean_product(_activation(one, slope), _activation(two, slope), chunk)
                psi_d += self._mean_product(_gate(one, slope), _gate(two, slope), chunk)
        if self.weights is None:
            psi_l /= len(self.samples)
            psi_d /= len(self.samples)
        return psi_l, psi_d

    def gradient_term(self, W: ArrayLike, U: ArrayLike, coefficients: ArrayLike) -> Array:
        """:meth:`InputMeasure.gradient_term` as the sum over the samples that it is; piecewise linear in the columns.

        Cost: O(N (n m + (n + m) d)) in chunks of samples.
        """
        return self._gradient_term(0.0, W, U, coefficients)

    def leaky_gradient_term(self, slope: float, W: ArrayLike, U: ArrayLike, coefficients: ArrayLike) -> Array:
        """:meth:`InputMeasure.leaky_gradient_term` sample by sample, with gates of ``slope`` at the kink."""
        return self._gradient_term(slope, W, U, coefficients)

    def _gradient_term(self, slope: float, W: ArrayLike, U: ArrayLike, coefficients: ArrayLike) -> Array:
        W, U, c = self._pairs(W, U, coefficients)
        n, m = c.shape[-2:]
        lead = broadcast_lead({"W": W, "U": U, "coefficients": c}, trailing=2)
        total = np.zeros((*lead, self.dim, n))
        for chunk in self._chunks(math.prod(lead) * (2 * n + m)):
            x = self.samples[chunk]
            with np.errstate(over="ignore", invalid="ignore"):
                push = np.matmul(_activation(np.matmul(x, U), slope), np.swapaxes(c, -1, -2))
                push = push * _gate(np.matmul(x, W), slope)
                if self.weights is not None:
                    push *= self.weights[chunk, None]
                total += np.matmul(x.T, push)
        return total / len(self.samples) if self.weights is None else total

    def _chunks(self, per_sample: int) -> Iterator[slice]:
        """Slices of the samples, of as many as have ``_CHUNK_ELEMENTS`` numbers together."""
        size = max(1, _CHUNK_ELEMENTS // max(1, per_sample))
        return (slice(start, start + size) for start in range(0, len(self.samples), size))

    def _mean_product(self, F: Array, G: Array, chunk: slice) -> Array:
        if self.weights is not None:
            G = G * self.weights[chunk, None]
        return np.asarray(np.matmul(F.mT, G))

    @checked
    def sample(self, size: int, rng: np.random.Generator) -> Array:
        """``size`` of the samples, drawn with replacement by weight."""
        return self.samples[rng.choice(len(self.samples), size=checked_size(size, self.dim), p=self.weights)]

    def fill_batches(self, rows: Any, stream: RandomStream) -> None:
        stream.fill_chosen(rows, self.samples, self.weights)

    def second_moment(self) -> Array:
        x = self.samples
        # A product of a matrix with itself: symmetric to the last bit.
        root = x if self.weights is None else x * np.sqrt(self.weights)[:, None]
        with np.errstate(over="ignore", invalid="ignore"):  # inf or NaN where a moment overflows
            total = root.T @ root
            return np.asarray(total / len(x) if self.weights is None else total)


def _activation(z: Array, slope: float) -> Array:
    return np.maximum(z, slope * z if slope else 0.0)


def _gate(z: Array, slope: float) -> Array:
    """The activation's derivative, ``slope`` at the kink."""
    gate = np.heaviside(z, 0.0)
    return slope + (1 - slope) * gate if slope else gate


def _normalised(weights: ArrayLike, count: int) -> Array:
    p = real_array("weights", weights)
    if p.shape != (count,):
        raise ValueError(f"weights: expected shape ({count},), one per sample, got shape {p.shape}")
    if (p < 0).any():
        raise ValueError(f"weights: expected non-negative numbers, got minimum {p.min()}")
    largest = p.max(initial=0.0)
    if not largest > 0:
        raise ValueError(f"weights: expected a positive sum, got {largest}")
    p = np.ldexp(p, -int(np.frexp(largest)[1]))  # exact, and the sum neither overflows nor vanishes
    return np.asarray(p / p.sum())
