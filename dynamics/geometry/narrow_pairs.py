"""The angle between two lines from the part of one orthogonal to the other: accurate however small it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dynamics.arrays import Array

# Squares of a smaller residual leave the normal range of float64; so small an angle is reported as 0.
_SMALLEST_SINE = 1e-140
# Below it the roundings of two unit norms, which lie along the rows, may outweigh what is across: parallel rows too.
_LEAST_PLAIN_SINE = 1e-12
# Elements of one gathered block of pairs (512 KiB): bounds memory and stays in cache.
_BLOCK_ELEMENTS = 1 << 16
# Each projection gains at least 15 digits, so 1e-140 is reached in ten.
_MAX_PROJECTIONS = 12
_SPLITTER = 134217729.0  # 2**27 + 1: halves a 53-bit significand exactly (Dekker)


def line_angles(a: Array, b: Array) -> tuple[Array, Array]:
    """Acute angle between the lines through rows of ``a`` and ``b`` (pairs, d), and the cosine's sign.

    The caller has turned ``b`` to the side of ``a``, as far as known. Rows of about one length (unit ones, say) are
    served by their difference, each entry of which is exact to an ulp of itself; its part along ``b`` is then removed.
    This is accurate where no more was removed than remains, and the other pairs go through repeated projection. Rows
    are scaled so that their squares are far from overflow and underflow.
    """
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)  # one order of summation, whatever was gathered
    residual = a - b
    squared = np.vecdot(b, b)
    step = np.vecdot(residual, b) / squared
    residual -= step[:, None] * b
    across, length = np.sqrt(np.vecdot(residual, residual)), np.sqrt(squared)
    across *= across > _SMALLEST_SINE
    along = 1.0 + step
    angle, side = np.arctan2(across, np.abs(along) * length), np.sign(along)
    rough = ~(np.abs(step) * length <= across)  # NaN included
    if rough.any():
        angle[rough], side[rough] = _by_projections(a[rough], b[rough])
    return angle, side


def narrow_angles(a: Array, b: Array) -> Array:
    """Angle of unit rows not over 30 degrees apart: half the work of :func:`line_angles`.

    The difference is exact to an ulp of each entry, and what of it lies along ``b`` is second order in the angle. Norms
    are taken to be 1: their rounding goes into the angle, as it does into the cosines of pairs further apart.
    """
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    residual = a - b
    residual -= np.vecdot(residual, b)[:, None] * b
    across = np.sqrt(np.vecdot(residual, residual))
    angle = np.asarray(np.arcsin(across))
    if not across.min() > _LEAST_PLAIN_SINE:  # NaN included
        redo = ~(across > _LEAST_PLAIN_SINE)
        angle[redo], _ = line_angles(a[redo], b[redo])
    return angle


def _by_projections(a: Array, b: Array) -> tuple[Array, Array]:
    """The same for rows of any lengths.

    The residual of ``a`` after projection on ``b`` is projected again until what is removed is less than what
    remains: then its direction, hence ``tan = |residual| / |projection|``, has full relative accuracy.
    """
    squared = np.vecdot(b, b)
    length = np.sqrt(squared)
    along = np.vecdot(a, b) / squared
    residual = _minus_multiple(a, along, b)
    across = np.empty_like(along)
    todo = np.arange(len(a))
    for _ in range(_MAX_PROJECTIONS):
        step = np.vecdot(residual, b[todo]) / squared[todo]
        residual = _minus_multiple(residual, step, b[todo])
        along[todo] += step
        across[todo] = np.sqrt(np.vecdot(residual, residual))
        more = (np.abs(step) * length[todo] > across[todo]) & (across[todo] > _SMALLEST_SINE)
        if not more.any():
            break
        todo, residual = todo[more], residual[more]
    across[across <= _SMALLEST_SINE] = 0.0
    return np.arctan2(across, np.abs(along) * length), np.sign(along)


def _minus_multiple(a: Array, t: Array, b: Array) -> Array:
    """``a - t b`` row by row, with the rounding error of the product put back (two-product)."""
    t = t[:, None]
    product = t * b
    (t_high, t_low), (b_high, b_low) = _split(t), _split(b)
    error = ((t_high * b_high - product) + t_high * b_low + t_low * b_high) + t_low * b_low
    return np.asarray((a - product) - error)


def _split(x: Array) -> tuple[Array, Array]:
    """High and low half of the significand: ``x = high + low`` exactly (Dekker)."""
    c = _SPLITTER * x
    high = c - (c - x)
    return high, x - high


def blocks(count: int, dim: int) -> Iterator[slice]:
    """``count`` pairs of rows of length ``dim`` in blocks that fit the cache."""
    size = max(1, _BLOCK_ELEMENTS // dim)
    return (slice(start, start + size) for start in range(0, count, size))
