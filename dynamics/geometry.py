"""Columns of weight matrices as directions: norms, accurate angles, tangent projection.

A weight matrix is ``(..., d, n)``: each column is the fan-in of one node, leading axes hold an ensemble.
``arccos`` of a matrix product loses half the digits of a small angle (1e-12 comes out as 0 or 2e-8), which
puts a floor under every convergence measurement. Here the matrix product serves pairs well apart, and the
few pairs near 0 or pi are redone one by one from the part of one column orthogonal to the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Beyond this |cos|, arccos(cos) amplifies the rounding of the cosine over 5 times; such pairs are redone.
_NARROW_COSINE = 0.9
# Squares of a smaller residual leave the normal range of float64; so small an angle is reported as 0.
_SMALLEST_SINE = 1e-140
# Elements of one gathered block of pairs (512 KiB): bounds memory and stays in cache.
_BLOCK_ELEMENTS = 1 << 16
# Each projection gains at least 15 digits, so 1e-140 is reached in ten.
_MAX_PROJECTIONS = 12
_SPLITTER = 134217729.0  # 2**27 + 1: halves a 53-bit significand exactly (Dekker)


def _columns(name: str, A: ArrayLike) -> Array:
    """``A`` as a float64 array of shape (..., d, n)."""
    array = np.asarray(A, dtype=np.float64)
    if array.ndim < 2 or array.shape[-2] == 0:
        raise ValueError(
            f"{name}: expected a weight matrix of shape (..., d, n) with d >= 1, got shape {array.shape}"
        )
    return array


def _same_fan_in(A: Array, B: Array, *, paired: bool = False) -> None:
    if A.shape[-2] != B.shape[-2] or (paired and A.shape[-1] != B.shape[-1]):
        expected = "equal numbers of rows and columns" if paired else "equal numbers of rows"
        raise ValueError(f"A and B: expected {expected}, got shapes {A.shape} and {B.shape}")


def _scale_columns(A: Array) -> tuple[Array, NDArray[np.int32]]:
    """Columns times a power of two (exact) so that the largest entry is in [1/2, 1), and the exponents."""
    exponent = np.frexp(np.abs(A).max(axis=-2))[1]
    return np.ldexp(A, -exponent[..., None, :]), exponent


def _reject_zero_columns(name: str, scaled: Array) -> None:
    zero = ~scaled.any(axis=-2)
    if zero.any():
        where = tuple(int(i) for i in np.argwhere(zero)[0])
        raise ValueError(
            f"{name}: expected non-zero columns, got {int(zero.sum())} zero column(s), first at {where}"
        )


def _directions(name: str, A: Array) -> tuple[Array, Array]:
    """Columns scaled by a power of two, and the same columns at unit norm."""
    scaled, _ = _scale_columns(A)
    _reject_zero_columns(name, scaled)
    with np.errstate(invalid="ignore"):  # an infinite column gives NaN
        return scaled, scaled / np.sqrt((scaled * scaled).sum(axis=-2, keepdims=True))


def norms(A: ArrayLike) -> Array:
    """Euclidean norms of the columns of ``A``: (..., d, n) -> (..., n), without overflow or underflow."""
    scaled, exponent = _scale_columns(_columns("A", A))
    return np.asarray(np.ldexp(np.sqrt((scaled * scaled).sum(axis=-2)), exponent))


def unit_columns(A: ArrayLike) -> Array:
    """The columns of ``A`` divided by their norms; ValueError when a column is zero."""
    return _directions("A", _columns("A", A))[1]


def tangent_projection(W: ArrayLike, G: ArrayLike) -> Array:
    """Each column of ``G`` without its part along the same column of ``W``.

    ``P_perp(w_j) g_j = g_j - w^_j (w^_j . g_j)`` with ``w^_j = w_j / ||w_j||``.

    Shapes: (..., d, n), (..., d, n) -> (..., d, n). Columns of ``W`` need not be of unit norm; a zero column
    raises ValueError.
    """
    W, G = _columns("W", W), _columns("G", G)
    _same_fan_in(W, G, paired=True)
    unit = _directions("W", W)[1]
    return np.asarray(G - unit * (unit * G).sum(axis=-2, keepdims=True))


def _split(x: Array) -> tuple[Array, Array]:
    """High and low half of the significand: ``x = high + low`` exactly (Dekker)."""
    c = _SPLITTER * x
    high = c - (c - x)
    return high, x - high


def _minus_multiple(a: Array, t: Array, b: Array) -> Array:
    """``a - t b`` row by row, with the rounding error of the product put back (two-product)."""
    t = t[:, None]
    product = t * b
    (t_high, t_low), (b_high, b_low) = _split(t), _split(b)
    error = ((t_high * b_high - product) + t_high * b_low + t_low * b_high) + t_low * b_low
    return np.asarray((a - product) - error)


def _line_angles(a: Array, b: Array) -> tuple[Array, Array]:
    """Acute angle between the lines through rows of ``a`` and ``b`` (pairs, d), and the cosine's sign.

    The residual of ``a`` after projection on ``b`` is projected again until what is removed is less than what
    remains: then its direction, hence ``tan = |residual| / |projection|``, has full relative accuracy.
    Rows are scaled to a largest entry in [1/2, 1).
    """
    squared = (b * b).sum(axis=-1)
    length = np.sqrt(squared)
    along = (a * b).sum(axis=-1) / squared
    residual = _minus_multiple(a, along, b)
    across = np.empty_like(along)
    todo = np.arange(len(a))
    for _ in range(_MAX_PROJECTIONS):
        step = (residual * b[todo]).sum(axis=-1) / squared[todo]
        residual = _minus_multiple(residual, step, b[todo])
        along[todo] += step
        across[todo] = np.sqrt((residual * residual).sum(axis=-1))
        more = (np.abs(step) * length[todo] > across[todo]) & (across[todo] > _SMALLEST_SINE)
        if not more.any():
            break
        todo, residual = todo[more], residual[more]
    across[across <= _SMALLEST_SINE] = 0.0
    return np.arctan2(across, np.abs(along) * length), np.sign(along)


def _blocks(count: int, dim: int) -> Iterator[slice]:
    size = max(1, _BLOCK_ELEMENTS // dim)
    return (slice(start, start + size) for start in range(0, count, size))


def _both_angles(line_angle: Array, sign: Array) -> tuple[Array, Array]:
    wide = np.pi - line_angle
    return np.where(sign < 0, wide, line_angle), np.where(sign < 0, line_angle, wide)


def _pairs_to_redo(cosine: Array, same: bool) -> tuple[NDArray[np.intp], ...]:
    narrow = np.abs(cosine) > _NARROW_COSINE
    if same:  # the diagonal is exactly 0, the lower triangle mirrors the upper
        narrow &= np.triu(np.ones(cosine.shape[-2:], dtype=bool), k=1)
    return np.nonzero(narrow)


def angle_pair(A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
    """Angles and supplementary angles of every pair of columns, each to full relative accuracy.

    ``theta_jk = angle(a_j, b_k)`` and ``pi - theta_jk``, which near pi cannot be recovered from the first.

    Shapes: (..., d, n), (..., d, m) -> two arrays (..., n, m); leading axes broadcast.
    Accuracy: relative error below 2.6 (d + 4) eps, and in practice a few eps, for every norm (columns are
    scaled by powers of two) and every angle down to 1e-140, below which 0 is returned. Columns that are not
    finite give NaN.
    Cost: one matrix product, one arccos per pair, and O(d) for each pair with |cos| > 0.9. When ``A is B``
    the diagonal is exactly 0 at no cost, and half of the pairs are redone.
    Raises: ValueError on a zero column or unequal numbers of rows.
    """
    same = A is B
    A = _columns("A", A)
    B = A if same else _columns("B", B)
    _same_fan_in(A, B)
    with np.errstate(invalid="ignore"):  # inf columns: NaN comes out, as stated
        scaled_a, unit_a = _directions("A", A)
        scaled_b, unit_b = (scaled_a, unit_a) if same else _directions("B", B)
        cosine = np.matmul(unit_a.mT, unit_b)
    theta = np.arccos(np.clip(cosine, -1.0, 1.0))
    supplement = np.pi - theta
    redo = _pairs_to_redo(cosine, same)
    lead = cosine.shape[:-2]
    rows_a = np.broadcast_to(scaled_a.mT, (*lead, *scaled_a.mT.shape[-2:]))
    rows_b = np.broadcast_to(scaled_b.mT, (*lead, *scaled_b.mT.shape[-2:]))
    for block in _blocks(len(redo[0]), A.shape[-2]):
        *where, j, k = (index[block] for index in redo)
        near, far = _both_angles(*_line_angles(rows_a[(*where, j)], rows_b[(*where, k)]))
        theta[(*where, j, k)], supplement[(*where, j, k)] = near, far
        if same:
            theta[(*where, k, j)], supplement[(*where, k, j)] = near, far
    if same:
        _set_diagonal(theta, supplement, np.isnan(cosine))
    return theta, supplement


def _set_diagonal(theta: Array, supplement: Array, unknown: NDArray[np.bool_]) -> None:
    j = np.arange(theta.shape[-1])
    keep: Any = unknown[..., j, j]
    theta[..., j, j] = np.where(keep, np.nan, 0.0)
    supplement[..., j, j] = np.where(keep, np.nan, np.pi)


def angles(A: ArrayLike, B: ArrayLike) -> Array:
    """Angle of every pair of columns, (..., d, n), (..., d, m) -> (..., n, m); see :func:`angle_pair`."""
    return angle_pair(A, B)[0]


def supplementary_angles(A: ArrayLike, B: ArrayLike) -> Array:
    """``pi - angle`` of every pair of columns, accurate near antiparallel; see :func:`angle_pair`."""
    return angle_pair(A, B)[1]


def _paired_line_angles(A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
    same = A is B
    A = _columns("A", A)
    B = A if same else _columns("B", B)
    _same_fan_in(A, B, paired=True)
    with np.errstate(invalid="ignore"):
        scaled_a, scaled_b = (_scale_columns(X)[0] for X in (A, B))
        _reject_zero_columns("A", scaled_a)
        _reject_zero_columns("B", scaled_b)
        rows_a, rows_b = np.broadcast_arrays(scaled_a.mT, scaled_b.mT)
        shape, dim = rows_a.shape[:-1], rows_a.shape[-1]
        rows_a, rows_b = rows_a.reshape(-1, dim), rows_b.reshape(-1, dim)
        line_angle, sign = np.empty(len(rows_a)), np.empty(len(rows_a))
        for block in _blocks(len(rows_a), dim):
            line_angle[block], sign[block] = _line_angles(rows_a[block], rows_b[block])
    return line_angle.reshape(shape), sign.reshape(shape)


def paired_angles(A: ArrayLike, B: ArrayLike) -> Array:
    """Angle between column j of ``A`` and column j of ``B``: (..., d, n), (..., d, n) -> (..., n).

    Full relative accuracy as in :func:`angle_pair`, at O(d) per column and no matrix product.
    """
    return _both_angles(*_paired_line_angles(A, B))[0]


def paired_sines(A: ArrayLike, B: ArrayLike) -> Array:
    """Sine of the angle between column j of ``A`` and of ``B``, accurate near 0 and near pi alike."""
    return np.asarray(np.sin(_paired_line_angles(A, B)[0]))
