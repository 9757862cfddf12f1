"""Teachers, the papers' fixed networks, as arrays: fan-ins (..., d, m) in columns, fan-outs (..., m, c) in rows.

All that is drawn takes a seed or a generator. With a seed the same call gives the same array again, and two kinds of
teachers are independent of each other and of the starts drawn with it; for several draws of one kind pass a generator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.geometry.columns import Columns, scaled_columns
from dynamics.memory import check_fits
from dynamics.validation import Randomness, generator, integer, number, positive_int, real_array, shown

_LOG_COUNTED = math.log(10_000)
"""Directions are counted one by one where this many columns are all there are."""
_IN_VAIN = 100
"""Draws of 2 m columns without a new direction after which no more are looked for: a direction that is left, among
about m, is missed with probability exp(-200)."""

SEPARATED_ENTRIES = (-0.5, -0.25, 0.0, 0.25, 0.5)
"""Entries of the authors' teacher weights before normalisation, first paper: those of its multilayer experiments
(v4, section 5.1); section 4.2 gives none for two layers (docs/authors_programs.md)."""

QUARTER_ENTRIES = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)
"""Entries of the authors' teacher weights before normalisation, second paper: those of their *multilayer*
configuration; the configuration of the two-layer program does not give its own (docs/authors_programs.md)."""


@checked
def orthonormal(d: int, m: int, rng: Randomness, batch: tuple[int, ...] = ()) -> Array:
    """Random orthonormal columns, Haar-distributed.

    Args:
        d, m: length and number of columns, m <= d.
        rng: a seed or a generator.
        batch: leading axes, an ensemble of independent teachers.
    Returns:
        (*batch, d, m).
    Raises:
        ValueError: a size below 1, or m > d.
    """
    _check_sizes(d, m, batch)
    if m > d:
        raise ValueError(f"m: expected at most d = {d} orthonormal columns, got {m}")
    q, r = np.linalg.qr(generator("rng", rng, of="orthonormal").standard_normal((*batch, d, m)))
    return np.asarray(q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :])


@checked
def random_unit(d: int, m: int, rng: Randomness, batch: tuple[int, ...] = ()) -> Array:
    """Independent columns, uniform on the unit sphere.

    Args:
        d, m: length and number of columns.
        rng: a seed or a generator.
        batch: leading axes, an ensemble of independent teachers.
    Returns:
        (*batch, d, m).
    Raises:
        ValueError: a size below 1.
    """
    _check_sizes(d, m, batch)
    columns = generator("rng", rng, of="random_unit").standard_normal((*batch, d, m))
    return np.asarray(columns / np.linalg.norm(columns, axis=-2, keepdims=True))


@checked
def separated(
    d: int,
    m: int,
    rng: Randomness,
    batch: tuple[int, ...] = (),
    entries: tuple[float, ...] = SEPARATED_ENTRIES,
) -> Array:
    """Unit columns of pairwise different directions, whose entries before normalisation come from a short list.

    Args:
        d, m: length and number of columns.
        rng: a seed or a generator.
        batch: leading axes, an ensemble of independent teachers.
        entries: the list; columns that are positive multiples of one another count as one direction.
    Returns:
        (*batch, d, m).
    Raises:
        ValueError: a size below 1, or more columns than there are such directions.
    Source: the authors' published teacher generator. Luck Matters gives the list for its multilayer experiments (v4,
    section 5.1); that the two-layer ones (section 4.2, Fig. 7) use the same is our assumption.
    """
    columns = scaled_columns(separated_entries(d, m, rng, batch, entries))
    return np.asarray(columns / np.linalg.norm(columns, axis=-2, keepdims=True))


@checked
def separated_entries(
    d: int,
    m: int,
    rng: Randomness,
    batch: tuple[int, ...] = (),
    entries: tuple[float, ...] = SEPARATED_ENTRIES,
) -> Array:
    """The columns of :func:`separated` as they are drawn, before they are normalised."""
    _check_sizes(d, m, batch)
    source = generator("rng", rng, of="separated")
    values = real_array("entries", entries)
    if values.ndim != 1 or not values.any():
        raise ValueError(f"entries: expected a list of numbers, not all zero, got {shown(entries)}")
    if d * math.log(values.size) <= _LOG_COUNTED and m > (available := _count_separated(d, values)):
        raise ValueError(f"m: expected at most {available} separated directions in d = {d}, got {m}")
    flat = [_separated_columns(d, m, source, values) for _ in range(int(np.prod(batch, dtype=int)))]
    return np.asarray(flat, dtype=np.float64).reshape(*batch, d, m)


@checked
def separated_layers(
    widths: Sequence[int], rng: Randomness, batch: tuple[int, ...] = ()
) -> tuple[Array, ...]:
    """A deep teacher: :func:`separated` layer by layer.

    Args:
        widths: ``(d, m_1, .., C)``, the input's, of every hidden layer, the number of outputs.
        rng: a seed or a generator.
        batch: leading axes, an ensemble of independent teachers.
    Returns:
        W_0 .. W_{L-1}, each (*batch, n_l, n_{l+1}), fan-ins (columns) of unit norm.
    Raises:
        ValueError: as :func:`separated`.
    Source: as :func:`separated`.
    """
    for width in widths:
        positive_int("widths", width)
    if len(widths) > 1:
        check_fits("widths", max(map(math.prod, pairwise(widths))) * max(math.prod(batch), 1))
    source = generator("rng", rng, of="separated_layers")
    return tuple(separated(below, above, source, batch) for below, above in pairwise(widths))


def _check_sizes(d: int, m: int, batch: Sequence[int]) -> None:
    """Sizes from 1 on (an empty ensemble is one), of arrays that fit the memory."""
    instances = math.prod(integer("batch", size, least=0) for size in batch)
    check_fits("d", positive_int("d", d) * positive_int("m", m) * max(instances, 1))


def _distinct(candidates: Array) -> Array:
    """The non-zero columns, one for each direction, in order of first appearance."""
    scale = np.abs(candidates).max(axis=0)
    kept = candidates[:, scale > 0]
    _, first = np.unique(kept / scale[scale > 0], axis=1, return_index=True)
    return np.asarray(kept[:, np.sort(first)])


def _separated_columns(d: int, m: int, rng: np.random.Generator, entries: Array) -> Array:
    columns, in_vain = np.empty((d, 0)), 0
    while columns.shape[1] < m:
        drawn = rng.choice(entries, size=(d, 2 * m))
        found = _distinct(np.concatenate([columns, drawn], axis=1))
        in_vain = in_vain + 1 if found.shape[1] == columns.shape[1] else 0
        if in_vain == _IN_VAIN:
            raise ValueError(
                f"m: expected at most {found.shape[1]} separated directions in d = {d}, all that were found, got {m}"
            )
        columns = found
    return columns[:, :m]


def _count_separated(d: int, entries: Array) -> int:
    grid = np.stack(np.meshgrid(*[np.unique(entries)] * d, indexing="ij")).reshape(d, -1)
    return int(_distinct(grid).shape[1])


@checked
def thresholded(
    input_dim: int, m: int, threshold: float, rng: Randomness, batch: tuple[int, ...] = ()
) -> Array:
    """Unit augmented columns ``(u_j, -b) / sqrt(1 + b^2)`` with orthonormal directions u_j.

    Node j is active where ``u_j^T x > b``, so for ``BiasedGaussian`` ``d**_jj = Phi(-b)`` and the overlap ratio is
    ``eps_d = Phi(-b)`` exactly.

    Args:
        input_dim, m: length of the directions and their number, m <= input_dim.
        threshold: ``b``, in standard deviations of the input.
        rng: a seed or a generator.
        batch: leading axes, an ensemble of independent teachers.
    Returns:
        (*batch, input_dim + 1, m).
    Raises:
        ValueError: as :func:`orthonormal`, or a threshold that is not finite.
    """
    threshold = number("threshold", threshold)
    check_fits("input_dim", positive_int("input_dim", input_dim))
    if positive_int("m", m) > positive_int("input_dim", input_dim):
        raise ValueError(f"m: expected at most input_dim = {input_dim} orthonormal directions, got {m}")
    directions = orthonormal(input_dim, m, generator("rng", rng, of="thresholded"), batch)
    bias = np.full((*batch, 1, m), -threshold)
    return np.asarray(np.concatenate([directions, bias], axis=-2) / np.hypot(1.0, threshold))


def polarised(fan_out: ArrayLike, p: float) -> Array:
    """Fan-outs rescaled so that ``||v*_j|| = 1 / j^p``, j = 1..m: strong teachers first.

    Args:
        fan_out: rows other than zero, (..., m, c).
        p: polarity, >= 0; 0 makes all teachers equally strong.
    Returns:
        (..., m, c).
    Raises:
        ValueError: a negative or infinite p, or a zero row.
    Source: Student Specialization, Eqn 13.
    """
    number("p", p, least=0)
    fan_out = real_array("fan_out", fan_out)
    if fan_out.ndim < 2:
        raise ValueError(f"fan_out: expected shape (..., m, c), got {fan_out.shape}")
    columns = Columns("fan_out", fan_out.mT)
    if columns.zero is not None:
        raise ValueError("fan_out: expected non-zero rows, got a zero row")
    strength = np.arange(1, fan_out.shape[-2] + 1, dtype=np.float64) ** -float(p)
    return np.asarray(columns.unit.mT * strength[:, None])
