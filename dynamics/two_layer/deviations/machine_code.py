"""The field of Theorem 4's flow in deviations as numba compiles it: few instances at a time, in memory near the core.

The formulas are those of ``teacher_columns``, ``pair_differences``, ``field`` and ``flow`` beside this file, and so are
the letters; what differs is rounding. They are here twice: for one instance, whose products BLAS makes, and for
:data:`LANES` small ones side by side, an entry of all of them after an entry of all of them, so that the vector
registers are full in every loop whatever the size of a problem. Short loops that write few arrays are what lets the
compiler use these registers. All is in one file, for numba keeps machine code as long as the file of ``field`` and
``step`` does not change.

Importing this file imports numba and makes the machine code, or finds it where an earlier process has kept it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit

from dynamics.arrays import Array

# As in pair_differences and teacher_columns. Not imported: machine code that was kept is made again when this file
# changes, and not when another one does.
NARROW, LINEAR_BELOW = 0.02, 1e-10
LANES = 32
"""Instances side by side: few enough for the cache, and loops of 16 are not put into vector registers."""
# Chebyshev fits of (arctan r / r - 1) / r^2 for r <= tan(pi/8) and of (arcsin w / w - 1) / w^2 for w <= 1/2, in r^2 and
# w^2, highest power first: to 5e-18 and 4e-18. Longer ones would not be unrolled, nor put into vector registers.
_ARCTAN = (
    -0.019176872294336067, 0.039231646190551486, -0.05085449318930035, 0.05858148832731273, -0.06664511438164644,
    0.07692183190171728, -0.09090904578095735, 0.11111111015255669, -0.14285714284666534, 0.1999999999999552,
    -0.3333333333333333,
)  # fmt: skip
_ARCSIN = (
    0.02875790282476862, -0.0148519608326091, 0.017400925602004437, 0.005457490163874599, 0.010322818105528259,
    0.011479176854157036, 0.013971213029282857, 0.017352392717239092, 0.02237217294229923, 0.030381944137528642,
    0.04464285714635548, 0.07499999999998433, 0.16666666666666669,
)  # fmt: skip
_TAN_EIGHTH, _TAN_THREE_EIGHTHS = math.tan(math.pi / 8), math.tan(3 * math.pi / 8)
_HALF_PI, _QUARTER_PI, _LOG_2 = 0.5 * math.pi, 0.25 * math.pi, math.log(2.0)

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _part(function: _Function) -> _Function:
    """``function`` as a part of :func:`field`. Of fast mathematics only fused products: NaN and infinity stay."""
    made: _Function = njit(function, fastmath={"contract"}, error_model="numpy")
    return made


@_part
def supplement_of(cosine: float) -> float:
    """``pi - arccos`` of a cosine."""
    size = abs(cosine)
    central = size <= 0.5
    square = cosine * cosine if central else 0.5 - 0.5 * size
    x = cosine if central else math.sqrt(square)
    series = _ARCSIN[0]
    for coefficient in _ARCSIN[1:]:
        series = series * square + coefficient
    angle = x + x * square * series
    return _HALF_PI + angle if central else (2.0 * angle if cosine < 0.0 else math.pi - 2.0 * angle)


@_part
def arctan_over_scale(x: float, across: float, scale: float, over_scale: float) -> float:
    """``arctan(scale x / across) / scale``, ``across >= 0``, without underflow: x / across where the scale is tiny."""
    size = abs(x)
    along = scale * size
    near = along <= _TAN_EIGHTH * across
    steep = along > _TAN_THREE_EIGHTHS * across
    numerator = size if near else (-across if steep else along - across)
    denominator = across if near else (along if steep else along + across)
    ratio = numerator / denominator
    square = scale * ratio if near else ratio
    square = square * square
    series = _ARCTAN[0]
    for coefficient in _ARCTAN[1:]:
        series = series * square + coefficient
    angle = ratio + ratio * square * series
    angle = angle if near else ((_HALF_PI if steep else _QUARTER_PI) + angle) * over_scale
    return -angle if x < 0.0 else angle


@_part
def _columns(
    Z: Array, centre: Array, scale: float, U: Array, D: Array, size: Array, excess: Array, own: Array
) -> None:
    """Unit columns U, their scaled distance D from the teachers', norms, excess and own angles: see ``Apart``."""
    d, m = Z.shape
    square, longer, over_size = np.zeros(m), np.empty(m), np.empty(m)
    excess[:] = 0.0
    for i in range(d):
        for j in range(m):
            w = scale * Z[i, j] + centre[i, j]
            U[i, j] = w
            square[j] += w * w
        for j in range(m):
            excess[j] += Z[i, j] * (U[i, j] + centre[i, j])
    for j in range(m):
        size[j] = math.sqrt(square[j])
        over_size[j] = 1.0 / size[j]
        longer[j] = excess[j] / (size[j] + 1.0)
        square[j] = 0.0
    for i in range(d):
        for j in range(m):
            U[i, j] *= over_size[j]
        for j in range(m):
            D[i, j] = (Z[i, j] - centre[i, j] * longer[j]) * over_size[j]
        for j in range(m):
            square[j] += D[i, j] * D[i, j]
    for j in range(m):
        length = scale * scale * square[j]
        across = 4.0 - length
        if length > 1.0:
            across = 0.0
            for i in range(d):
                across += (U[i, j] + centre[i, j]) ** 2
        own[j] = 2.0 * arctan_over_scale(math.sqrt(square[j]), math.sqrt(across), scale, 1.0 / scale)


@_part
def _pairs(scale: float, beta: Array, slope: Array, alpha: Array, gap: Array, supplement: Array) -> int:
    """alpha, gap and supplement of all pairs by their cosines; how many are narrow, and want chords."""
    narrow, over_scale = 0, 1.0 / scale
    for p in range(beta.size):
        alpha[p] = beta[p] + scale * slope[p]
    for p in range(beta.size):
        narrow += 0 if _wide(alpha[p], beta[p]) else 1
    for p in range(beta.size):
        supplement[p] = supplement_of(alpha[p])
    for p in range(beta.size):
        gap[p] = math.sqrt(1.0 - alpha[p] * alpha[p]) + math.sqrt(1.0 - beta[p] * beta[p])
    for p in range(beta.size):
        gap[p] = -2.0 * arctan_over_scale(slope[p], gap[p], scale, over_scale)
    return narrow


@_part
def _wide(alpha: float, beta: float) -> bool:
    """Whether a pair's angles come well from their cosines; not those of NaN."""
    return 1.0 - alpha * alpha > NARROW and 1.0 - beta * beta > NARROW


@_part
def _from_chords(side: float, pp: float, qq: float, onto: float, scale: float) -> tuple[float, float]:
    """Gap and supplement of a narrow pair: as ``pair_differences`` has them."""
    size_p, size_q = math.sqrt(pp), math.sqrt(qq)
    size = size_p + size_q
    steep = 0.0 if size == 0.0 else -onto / size
    half_p = math.asin(1.0 if size_p > 2.0 else 0.5 * size_p)
    half_q = math.asin(1.0 if size_q > 2.0 else 0.5 * size_q)
    quarter = steep / (4.0 * math.cos(0.5 * (half_p + half_q)))
    if scale >= LINEAR_BELOW:
        quarter = math.asin(scale * quarter) / scale
    return 4.0 * side * quarter, 2.0 * half_p if side < 0.0 else math.pi - 2.0 * half_p


@_part
def _redo_narrow(
    centre: Array, D: Array, scale: float, beta: Array, alpha: Array, gap: Array, supplement: Array
) -> None:
    """Overwrite what cosines tell badly, from chords: as ``pair_differences`` does it."""
    d, m = D.shape
    for k in range(m):
        for j in range(m):
            if j == k or _wide(alpha[k, j], beta[k, j]):
                continue
            side = -1.0 if alpha[k, j] + beta[k, j] < 0.0 else 1.0
            pp = qq = onto = 0.0
            for i in range(d):
                turned = side * D[i, k]
                q = (centre[i, j] - side * centre[i, k]) + scale * D[i, j]
                p = q - scale * turned
                pp, qq, onto = pp + p * p, qq + q * q, onto + turned * (p + q)
            gap[k, j], supplement[k, j] = _from_chords(side, pp, qq, onto, scale)


@_part
def _move(
    Z: Array, U: Array, pull: Array, toward: Array, unit: float, size: Array, excess: Array, move: Array
) -> float:
    """``dZ/dt`` of constant length, along spheres and back to them; the rate at which the scale grows."""
    d, m = Z.shape
    along, growth, square, back = np.zeros(m), np.zeros(m), np.zeros(m), np.empty(m)
    for i in range(d):
        if i < toward.shape[0]:
            for j in range(m):
                pull[i, j] = unit * (toward[i, j] - pull[i, j])
        else:
            for j in range(m):
                pull[i, j] *= -unit
        for j in range(m):
            along[j] += U[i, j] * pull[i, j]
    for i in range(d):
        for j in range(m):
            tangent = (pull[i, j] - U[i, j] * along[j]) * size[j]
            pull[i, j] = tangent
            growth[j] += Z[i, j] * tangent
        for j in range(m):
            square[j] += Z[i, j] * Z[i, j]
    whole = square.sum()
    rate = growth.sum() / (whole if whole > 0.0 else 1.0)  # no deviation, no growth
    for j in range(m):
        back[j] = 0.0 if rate >= 0.0 else -rate * excess[j]
    for i in range(d):
        for j in range(m):
            move[i, j] = pull[i, j] - rate * Z[i, j] - U[i, j] * back[j]
    return float(rate)


@_part
def _workspace(d: int, m: int, orthonormal: bool) -> tuple[Array, ...]:
    """Memory of one instance: U, D, two pulls, five arrays of pairs, and three of columns."""
    U, D, pull, reach = np.empty((d, m)), np.empty((d, m)), np.empty((d, m)), np.empty((d, m))
    slope, alpha, gap, supplement = np.empty((m, m)), np.empty((m, m)), np.empty((m, m)), np.empty((m, m))
    beta = U[:m] if orthonormal else np.empty((m, m))
    return U, D, pull, reach, beta, slope, alpha, gap, supplement, np.empty(m), np.empty(m), np.empty(m)


@_part
def _instance(
    Z: Array, log_2_scale: float, teachers: Array, orthonormal: bool, unit: float, space: Any, move: Array
) -> float:
    """dZ/dt into ``move``; that of the scale's binary logarithm."""
    U, D, pull, reach, beta, slope, alpha, gap, supplement, size, excess, own = space
    scale, m = np.exp2(log_2_scale), Z.shape[1]
    _columns(Z, teachers, scale, U, D, size, excess, own)
    if not orthonormal:
        np.dot(teachers.T, U, beta)
    np.dot(D.T, U, slope)
    narrow = _pairs(
        scale, beta.reshape(-1), slope.reshape(-1), alpha.reshape(-1), gap.reshape(-1), supplement.reshape(-1)
    )
    for k in range(m):
        narrow -= 0 if _wide(alpha[k, k], beta[k, k]) else 1
    if narrow > 0:
        _redo_narrow(teachers, D, scale, beta, alpha, gap, supplement)
    for k in range(m):
        gap[k, k], supplement[k, k] = -own[k], math.pi
    np.dot(D, supplement, pull)
    if not orthonormal:
        np.dot(teachers, gap, reach)
    rate = _move(Z, U, pull, gap if orthonormal else reach, unit, size, excess, move)
    if scale == 0.0:  # no deviation is left: at rest
        move *= 0.0
        rate *= 0.0
    return rate / _LOG_2


# Side by side: row p of an array holds the entries of all instances that the p-th entry of a matrix is. Rows are taken
# out before the loops over them, so that the compiler sees that these are without gaps.


@_part
def _columns_beside(
    Z: Array, centre: Array, scale: Array, m: int, U: Array, D: Array, size: Array, excess: Array, own: Array,
    space: Array,
) -> None:  # fmt: skip
    """:func:`_columns` of all instances."""
    square, other, longer, over_scale = space[0], space[1], space[2], space[4]
    for j in range(m):
        n, x, angle = size[j], excess[j], own[j]
        for s in range(LANES):
            square[s] = 0.0
            other[s] = 0.0
        for p in range(j, Z.shape[0], m):
            z, c, u = Z[p], centre[p], U[p]
            for s in range(LANES):
                w = scale[s] * z[s] + c[s]
                u[s] = w
                square[s] += w * w
                other[s] += z[s] * (w + c[s])
        for s in range(LANES):
            x[s] = other[s]
            n[s] = math.sqrt(square[s])
            longer[s] = other[s] / (n[s] + 1.0)
            other[s] = 1.0 / n[s]
            square[s] = 0.0
            angle[s] = 0.0
        for p in range(j, Z.shape[0], m):
            z, c, u, apart = Z[p], centre[p], U[p], D[p]
            for s in range(LANES):
                w = u[s] * other[s]
                distance = (z[s] - c[s] * longer[s]) * other[s]
                u[s] = w
                apart[s] = distance
                square[s] += distance * distance
                angle[s] += (w + c[s]) ** 2
        for s in range(LANES):
            across = math.sqrt(angle[s])
            angle[s] = 2.0 * arctan_over_scale(math.sqrt(square[s]), across, scale[s], over_scale[s])


@_part
def _product_beside(
    A: Array, first: int, across: int, B: Array, second: int, down: int, count: int, out: Array
) -> None:
    """Sums of products of ``count`` rows of A and of B, from ``first`` and ``second`` in steps, five at a time."""
    p, q = first, second
    for s in range(LANES):
        out[s] = 0.0
    for _ in range(count // 5):
        a, b = A[p], B[q]
        a1, b1 = A[p + across], B[q + down]
        a2, b2 = A[p + 2 * across], B[q + 2 * down]
        a3, b3 = A[p + 3 * across], B[q + 3 * down]
        a4, b4 = A[p + 4 * across], B[q + 4 * down]
        for s in range(LANES):
            out[s] += a[s] * b[s] + a1[s] * b1[s] + a2[s] * b2[s] + a3[s] * b3[s] + a4[s] * b4[s]
        p, q = p + 5 * across, q + 5 * down
    for _ in range(count % 5):
        a, b = A[p], B[q]
        for s in range(LANES):
            out[s] += a[s] * b[s]
        p, q = p + across, q + down


@_part
def _inner_beside(A: Array, B: Array, m: int, out: Array) -> None:
    """``A^T B`` of all instances, whose matrices have m columns."""
    for k in range(m):
        for j in range(m):
            _product_beside(A, k, m, B, j, m, A.shape[0] // m, out[k * m + j])


@_part
def _outer_beside(A: Array, B: Array, m: int, out: Array) -> None:
    """``A B`` of all instances, whose matrices have m columns."""
    for i in range(A.shape[0] // m):
        for j in range(m):
            _product_beside(A, i * m, 1, B, j, m, m, out[i * m + j])


@_part
def _pairs_beside(
    scale: Array,
    over_scale: Array,
    m: int,
    beta: Array,
    slope: Array,
    alpha: Array,
    gap: Array,
    supplement: Array,
) -> int:
    """:func:`_pairs` of all instances; how many are narrow beside those of a student and its own teacher."""
    narrow = 0
    for p in range(m * m):
        b, f, a, difference, rest = beta[p], slope[p], alpha[p], gap[p], supplement[p]
        for s in range(LANES):
            a[s] = b[s] + scale[s] * f[s]
        if p % (m + 1) != 0:
            for s in range(LANES):
                narrow += 0 if _wide(a[s], b[s]) else 1
        for s in range(LANES):
            rest[s] = supplement_of(a[s])
        for s in range(LANES):
            difference[s] = math.sqrt(1.0 - a[s] * a[s]) + math.sqrt(1.0 - b[s] * b[s])
        for s in range(LANES):
            difference[s] = -2.0 * arctan_over_scale(f[s], difference[s], scale[s], over_scale[s])
    return narrow


@_part
def _redo_narrow_beside(
    centre: Array, D: Array, scale: Array, m: int, beta: Array, alpha: Array, gap: Array, supplement: Array
) -> None:
    """:func:`_redo_narrow` of all instances."""
    for p in range(m * m):
        k, j = p // m, p % m
        for s in range(LANES):
            if k == j or _wide(alpha[p, s], beta[p, s]):
                continue
            side = -1.0 if alpha[p, s] + beta[p, s] < 0.0 else 1.0
            pp = qq = onto = 0.0
            for row in range(0, D.shape[0], m):
                turned = side * D[row + k, s]
                far = (centre[row + j, s] - side * centre[row + k, s]) + scale[s] * D[row + j, s]
                near = far - scale[s] * turned
                pp, qq, onto = pp + near * near, qq + far * far, onto + turned * (near + far)
            gap[p, s], supplement[p, s] = _from_chords(side, pp, qq, onto, scale[s])


@_part
def _move_beside(
    Z: Array, U: Array, m: int, pull: Array, toward: Array, unit: float, size: Array, excess: Array, space: Array,
    rate: Array, move: Array,
) -> None:  # fmt: skip
    """:func:`_move` of all instances."""
    along, square, reaching = space[0], space[1], toward.shape[0]
    for s in range(LANES):
        rate[s] = 0.0
        square[s] = 0.0
    for j in range(m):
        n = size[j]
        for s in range(LANES):
            along[s] = 0.0
        for p in range(j, Z.shape[0], m):
            f, u, to = pull[p], U[p], toward[p if p < reaching else 0]
            share = 1.0 if p < reaching else 0.0
            for s in range(LANES):
                f[s] = unit * (share * to[s] - f[s])
                along[s] += u[s] * f[s]
        for p in range(j, Z.shape[0], m):
            f, u, z = pull[p], U[p], Z[p]
            for s in range(LANES):
                f[s] = (f[s] - u[s] * along[s]) * n[s]
                rate[s] += z[s] * f[s]
                square[s] += z[s] * z[s]
    for s in range(LANES):
        rate[s] = rate[s] / (square[s] if square[s] > 0.0 else 1.0)
    for j in range(m):
        x = excess[j]
        for s in range(LANES):
            along[s] = 0.0 if rate[s] >= 0.0 else -rate[s] * x[s]
        for p in range(j, Z.shape[0], m):
            f, u, z, o = pull[p], U[p], Z[p], move[p]
            for s in range(LANES):
                o[s] = f[s] - rate[s] * z[s] - u[s] * along[s]


@_part
def _workspace_beside(d: int, m: int, orthonormal: bool) -> tuple[Array, ...]:
    """Memory of instances side by side: as :func:`_workspace`, and the scales."""
    U, D, pull, reach = (
        np.empty((d * m, LANES)), np.empty((d * m, LANES)), np.empty((d * m, LANES)), np.empty((d * m, LANES))
    )  # fmt: skip
    slope, alpha, gap, supplement = (
        np.empty((m * m, LANES)), np.empty((m * m, LANES)), np.empty((m * m, LANES)), np.empty((m * m, LANES))
    )  # fmt: skip
    beta = U[: m * m] if orthonormal else np.empty((m * m, LANES))
    size, excess, own = np.empty((m, LANES)), np.empty((m, LANES)), np.empty((m, LANES))
    return U, D, pull, reach, beta, slope, alpha, gap, supplement, size, excess, own, np.empty((5, LANES))


@_part
def _beside(
    Z: Array, log_2_scale: Array, centre: Array, m: int, orthonormal: bool, unit: float, space: Any, move: Array,
    rate: Array,
) -> None:  # fmt: skip
    """:func:`_instance` of all: dZ/dt into ``move``, and that of the scales' binary logarithms into ``rate``."""
    U, D, pull, reach, beta, slope, alpha, gap, supplement, size, excess, own, rows = space
    scale, over_scale = rows[3], rows[4]
    for s in range(LANES):
        scale[s] = np.exp2(log_2_scale[s])
    for s in range(LANES):
        over_scale[s] = 1.0 / scale[s]
    _columns_beside(Z, centre, scale, m, U, D, size, excess, own, rows)
    if not orthonormal:
        _inner_beside(centre, U, m, beta)
    _inner_beside(D, U, m, slope)
    if _pairs_beside(scale, over_scale, m, beta, slope, alpha, gap, supplement) > 0:
        _redo_narrow_beside(centre, D, scale, m, beta, alpha, gap, supplement)
    for k in range(m):
        p = k * m + k
        for s in range(LANES):
            gap[p, s] = -own[k, s]
            supplement[p, s] = math.pi
    _outer_beside(D, supplement, m, pull)
    if not orthonormal:
        _outer_beside(centre, gap, m, reach)
    toward = gap if orthonormal else reach
    _move_beside(Z, U, m, pull, toward, unit, size, excess, rows, rate, move)
    for s in range(LANES):
        rate[s] = rate[s] / _LOG_2
        if scale[s] == 0.0:  # no deviation is left: at rest
            rate[s] *= 0.0
            for p in range(move.shape[0]):
                move[p, s] *= 0.0


@_part
def _put_beside(y: Array, first: int, instances: int, Z: Array, log_2_scale: Array) -> None:
    """The instances from ``first`` on side by side; where there are too few, the last one fills the places."""
    entries = Z.shape[0]
    for s in range(LANES):
        instance = min(first + s, instances - 1)
        log_2_scale[s] = y[instances * entries + instance]
        for p in range(entries):
            Z[p, s] = y[instance * entries + p]


@_part
def _put_back(Z: Array, log_2_scale: Array, first: int, instances: int, y: Array) -> None:
    """Undo :func:`_put_beside`."""
    entries = Z.shape[0]
    for s in range(min(LANES, instances - first)):
        y[instances * entries + first + s] = log_2_scale[s]
        for p in range(entries):
            y[(first + s) * entries + p] = Z[p, s]


@_part
def _field_beside(
    y: Array, first: int, instances: int, m: int, centre: Array, orthonormal: bool, unit: float, space: Any,
    slope: Array,
) -> None:  # fmt: skip
    """:func:`field` of instances side by side."""
    Z, move = np.empty(centre.shape), np.empty(centre.shape)
    log_2_scale, rate = np.empty(LANES), np.empty(LANES)
    _put_beside(y, first, instances, Z, log_2_scale)
    _beside(Z, log_2_scale, centre, m, orthonormal, unit, space, move, rate)
    _put_back(move, rate, first, instances, slope)


@_part
def _step_beside(
    y: Array, h: float, A: Array, B: Array, K: Array, after: Array, first: int, instances: int, m: int, centre: Array,
    orthonormal: bool, unit: float, space: Any,
) -> None:  # fmt: skip
    """:func:`step` of instances side by side."""
    stages, entries = B.size, centre.shape[0]
    start, of_scale, trial, of_trial = (
        np.empty((entries, LANES)), np.empty(LANES), np.empty((entries, LANES)), np.empty(LANES)
    )  # fmt: skip
    slopes, rates = np.empty((stages + 1, entries, LANES)), np.empty((stages + 1, LANES))
    _put_beside(y, first, instances, start, of_scale)
    _put_beside(K[0], first, instances, slopes[0], rates[0])
    for stage in range(1, stages + 1):
        weights = A[stage] if stage < stages else B
        _sum_beside(start, h, weights, slopes, stage, trial)
        for s in range(LANES):
            total = 0.0
            for q in range(stage):
                total += weights[q] * rates[q, s]
            of_trial[s] = of_scale[s] + h * total
        _beside(trial, of_trial, centre, m, orthonormal, unit, space, slopes[stage], rates[stage])
        _put_back(slopes[stage], rates[stage], first, instances, K[stage])
    _put_back(trial, of_trial, first, instances, after)


@_part
def _sum_beside(start: Array, h: float, weights: Array, slopes: Array, count: int, trial: Array) -> None:
    """``start + h`` times the weighted sum of the first ``count`` slopes."""
    y, out, along = start.reshape(-1), trial.reshape(-1), slopes.reshape(slopes.shape[0], -1)
    for p in range(out.size):
        out[p] = 0.0
    for q in range(count):
        weight, slope = weights[q], along[q]
        if weight != 0.0:
            for p in range(out.size):
                out[p] += weight * slope[p]
    for p in range(out.size):
        out[p] = y[p] + h * out[p]


def field(y: Array, centre: Array, beside: Array, orthonormal: bool, unit: float, slope: Array) -> None:
    """What :class:`DeviationFlow` is of fan-outs of one on spheres, for a stack.

    Args:
        y: the flat state, Z (S, d, m) and then the binary logarithms of the scales (S,).
        centre: the teachers' unit columns, (S, d, m); where ``orthonormal`` they are the first axes in all.
        beside: those of the first instances side by side, (groups, d m, LANES); the last group may have fewer.
        unit: ``s^2 / 2 pi``.
        slope: where dy/dt goes.
    """
    instances, d, m = centre.shape
    entries = d * m
    whole = instances * entries
    if beside.shape[0] > 0:
        much = _workspace_beside(d, m, orthonormal)
        for group in range(beside.shape[0]):
            _field_beside(y, group * LANES, instances, m, beside[group], orthonormal, unit, much, slope)
    space = _workspace(d, m, orthonormal)
    for s in range(beside.shape[0] * LANES, instances):
        part = slice(s * entries, (s + 1) * entries)
        slope[whole + s] = _instance(
            y[part].reshape(d, m),
            y[whole + s],
            centre[s],
            orthonormal,
            unit,
            space,
            slope[part].reshape(d, m),
        )


def step(
    y: Array, h: float, A: Array, B: Array, K: Array, after: Array,
    centre: Array, beside: Array, orthonormal: bool, unit: float,
) -> None:  # fmt: skip
    """One step of an explicit Runge-Kutta method, all stages of an instance while it is near the core.

    Args:
        y: the state; h: the step; A, B: the method's coefficients.
        K: stages, (number of them and one, size): the first is given, the last is dy/dt after the step.
        after: where the state after the step goes.
        centre, beside, orthonormal, unit: as in :func:`field`.
    """
    instances, d, m = centre.shape
    if beside.shape[0] > 0:
        much = _workspace_beside(d, m, orthonormal)
        for group in range(beside.shape[0]):
            _step_beside(
                y, h, A, B, K, after, group * LANES, instances, m, beside[group], orthonormal, unit, much
            )
    entries, space, stages = d * m, _workspace(d, m, orthonormal), B.size
    whole, trial = instances * entries, np.empty((d, m))
    flat = trial.reshape(-1)
    for s in range(beside.shape[0] * LANES, instances):
        begin, of_scale = s * entries, whole + s
        for stage in range(1, stages + 1):
            log_2_scale = 0.0
            for p in range(entries):
                flat[p] = 0.0
            for q in range(stage):
                weight = A[stage, q] if stage < stages else B[q]
                log_2_scale += weight * K[q, of_scale]
                for p in range(entries):
                    flat[p] += weight * K[q, begin + p]
            log_2_scale = y[of_scale] + h * log_2_scale
            for p in range(entries):
                flat[p] = y[begin + p] + h * flat[p]
            K[stage, of_scale] = _instance(
                trial, log_2_scale, centre[s], orthonormal, unit, space,
                K[stage, begin : begin + entries].reshape(d, m),
            )  # fmt: skip
        after[of_scale] = log_2_scale
        for p in range(entries):
            after[begin + p] = flat[p]


_FIELD = "void(float64[::1], float64[:,:,::1], float64[:,:,::1], boolean, float64, float64[::1])"
_STEP = """void(float64[::1], float64, float64[:,::1], float64[::1], float64[:,::1], float64[::1],
float64[:,:,::1], float64[:,:,::1], boolean, float64)"""


def _made(function: Callable[..., None], signature: str, *, kept: bool) -> Callable[..., None]:
    """The function compiled, and its machine code kept beside this file or in the user's cache."""
    made: Callable[..., None] = njit(signature, fastmath={"contract"}, error_model="numpy", cache=kept)(
        function
    )
    return made


def compiled() -> tuple[Callable[..., None], Callable[..., None]]:
    """:func:`field` and :func:`step` as machine code; not kept where nothing can be written."""
    try:
        return _made(field, _FIELD, kept=True), _made(step, _STEP, kept=True)
    except (RuntimeError, OSError):  # no place for the cache, or a full one
        return _made(field, _FIELD, kept=False), _made(step, _STEP, kept=False)
