"""The field of Theorem 4's flow in deviations as numba compiles it: instance by instance, in memory near the core.

The formulas are those of ``teacher_columns``, ``pair_differences``, ``field`` and ``flow`` beside this file, and so are
the letters; what differs is rounding. Loops write one array each, which is what lets the compiler use vector registers.

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
            size_p, size_q = math.sqrt(pp), math.sqrt(qq)
            size = size_p + size_q
            steep = 0.0 if size == 0.0 else -onto / size
            half_p = math.asin(1.0 if size_p > 2.0 else 0.5 * size_p)
            half_q = math.asin(1.0 if size_q > 2.0 else 0.5 * size_q)
            quarter = steep / (4.0 * math.cos(0.5 * (half_p + half_q)))
            if scale >= LINEAR_BELOW:
                quarter = math.asin(scale * quarter) / scale
            gap[k, j] = 4.0 * side * quarter
            supplement[k, j] = 2.0 * half_p if side < 0.0 else math.pi - 2.0 * half_p


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


def field(y: Array, centre: Array, orthonormal: bool, unit: float, slope: Array) -> None:
    """What :class:`DeviationFlow` is of fan-outs of one on spheres, for a stack.

    Args:
        y: the flat state, Z (S, d, m) and then the binary logarithms of the scales (S,).
        centre: the teachers' unit columns, (S, d, m); where ``orthonormal`` they are the first axes in all.
        unit: ``s^2 / 2 pi``.
        slope: where dy/dt goes.
    """
    instances, d, m = centre.shape
    entries, space = d * m, _workspace(d, m, orthonormal)
    whole = instances * entries
    for s in range(instances):
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
    centre: Array, orthonormal: bool, unit: float,
) -> None:  # fmt: skip
    """One step of an explicit Runge-Kutta method, all stages of an instance while it is near the core.

    Args:
        y: the state; h: the step; A, B: the method's coefficients.
        K: stages, (number of them and one, size): the first is given, the last is dy/dt after the step.
        after: where the state after the step goes.
        centre, orthonormal, unit: as in :func:`field`.
    """
    instances, d, m = centre.shape
    entries, space, stages = d * m, _workspace(d, m, orthonormal), B.size
    whole, trial = instances * entries, np.empty((d, m))
    flat = trial.reshape(-1)
    for s in range(instances):
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


_FIELD = "void(float64[::1], float64[:,:,::1], boolean, float64, float64[::1])"
_STEP = """void(float64[::1], float64, float64[:,::1], float64[::1], float64[:,::1], float64[::1],
float64[:,:,::1], boolean, float64)"""


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
