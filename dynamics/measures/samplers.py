"""Laws without kernels in closed form, as samplers for :meth:`EmpiricalMeasure.drawn`: coordinates independent."""

from __future__ import annotations

import math

import numpy as np

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.measures.empirical import EmpiricalMeasure, Sampler
from dynamics.validation import checked_dimension, integer

MOST_SIGNS = 20
"""Dimensions up to which all sign vectors are made: 2^20 of them take 160 MiB."""


@checked
def rademacher(dim: int) -> Sampler:
    """Coordinates +1 or -1, independent and equally likely, so that ``E[x x^T] = I``.

    Args:
        dim: d.
    """
    d = checked_dimension(dim)
    return lambda size, rng: np.asarray(2 * rng.integers(0, 2, (size, d)) - 1, dtype=np.float64)


@checked
def laplace(dim: int) -> Sampler:
    """Independent Laplace coordinates of variance 1, so that ``E[x x^T] = I``; density ``exp(-sqrt(2) |x|) / sqrt(2)``.

    Args:
        dim: d.
    """
    d = checked_dimension(dim)
    return lambda size, rng: rng.laplace(0.0, 1.0 / math.sqrt(2.0), (size, d))


@checked
def antithetic(sampler: Sampler) -> Sampler:
    """Draws in pairs x, -x: of a law that is symmetric, half of the draws' error is gone.

    Args:
        sampler: of a law under which x and -x are alike.
    """

    def both(size: int, rng: np.random.Generator) -> Array:
        half = np.asarray(sampler((size + 1) // 2, rng))
        return np.concatenate([half, -half])[:size]

    return both


@checked
def all_signs(dim: int) -> EmpiricalMeasure:
    """The Rademacher law itself, all ``2^d`` sign vectors as one measure: exact, where d is at most ``MOST_SIGNS``.

    Args:
        dim: d.
    """
    d = integer("dim", dim, least=1)
    if d > MOST_SIGNS:
        raise ValueError(f"dim: expected at most {MOST_SIGNS} for all sign vectors, got {d}")
    bits = (np.arange(2**d)[:, None] >> np.arange(d)) & 1
    return EmpiricalMeasure(2.0 * bits - 1.0)
