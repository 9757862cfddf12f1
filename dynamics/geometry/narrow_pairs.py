"""The angle between two lines from the part of one orthogonal to the other: accurate however small it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dynamics.arrays import Array

# A residual shorter than this has squares below the normal range of float64: so small an angle is reported as 0.
_SMALLEST_SINE = 1e-140
# Unit rows differ in norm by d eps, along themselves. Below this sine that difference may outweigh what lies across
# (for parallel rows it is all there is), and the pair is redone with the part along the row taken out exactly.
_SMALLEST_SINE_OF_UNIT_ROWS = 1e-12
# Elements of one gathered block of pairs (512 KiB): bounds memory and stays in cache.
_BLOCK_ELEMENTS = 1 << 16
# Each projection takes off at least 15 digits, so that 1e-140 is reached in ten.
_MAX_PROJECTIONS = 12
# 2^27 + 1 splits a 53-bit significand into two halves whose products are exact (Dekker 1971).
_SPLITTER = 134217729.0


def line_angles(a: Array, b: Array) -> tuple[Array, Array]:
    """Acute angle between the lines through row i of ``a`` and row i of ``b``, and the sign of the rows' cosine.

    From ``a - b``, each entry of which is exact to an ulp of itself, without its part along ``b``. This is accurate
    where no more is removed than remains, as for rows of about one length; other pairs are projected repeatedly.

    Args:
        a, b: (pairs, d), squares of whose entries neither overflow nor underflow; ``b`` turned to the side of ``a``
            where that is known.
    Returns:
        Angles in [0, pi/2], radians, and signs -1, 0 or 1, two arrays (pairs,).
    Cost: O(d) a pair.
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
    """Angle between unit rows that are at most 30 degrees apart, at half the work of :func:`line_angles`.

    ``arcsin ||(a - b) - b (b . (a - b))||``, where the part along ``b`` is of second order in the angle. Norms are
    taken to be 1: their rounding goes into the angle, as it does into the cosines of pairs further apart.

    Args:
        a, b: (pairs, d), rows of norm 1 on one side.
    Returns:
        Radians, (pairs,).
    """
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    residual = a - b
    residual -= np.vecdot(residual, b)[:, None] * b
    across = np.sqrt(np.vecdot(residual, residual))
    angle = np.asarray(np.arcsin(across))
    if not across.min() > _SMALLEST_SINE_OF_UNIT_ROWS:  # NaN included
        redo = ~(across > _SMALLEST_SINE_OF_UNIT_ROWS)
        angle[redo], _ = line_angles(a[redo], b[redo])
    return angle


def _by_projections(a: Array, b: Array) -> tuple[Array, Array]:
    """:func:`line_angles` for rows of any lengths, by Gram-Schmidt repeated.

    The residual of ``a`` after projection on ``b`` is projected again until less is removed than remains: then its
    direction, and with it ``tan(angle) = |residual| / |projection|``, has full relative accuracy.
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
    """``a_i - t_i b_i`` row by row, with the rounding error of the product, found exactly, put back."""
    t = t[:, None]
    product = t * b
    (t_high, t_low), (b_high, b_low) = _split(t), _split(b)
    error = ((t_high * b_high - product) + t_high * b_low + t_low * b_high) + t_low * b_low
    return np.asarray((a - product) - error)


def _split(x: Array) -> tuple[Array, Array]:
    """``(high, low)`` with ``x = high + low`` exactly, each with half of the digits."""
    c = _SPLITTER * x
    high = c - (c - x)
    return high, x - high


def blocks(count: int, dim: int) -> Iterator[slice]:
    """Slices that cut ``count`` pairs of rows of length ``dim`` into blocks that fit the cache."""
    size = max(1, _BLOCK_ELEMENTS // dim)
    return (slice(start, start + size) for start in range(0, count, size))
