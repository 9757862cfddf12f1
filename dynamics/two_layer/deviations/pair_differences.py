"""How the angle of two students differs from that of a student and a teacher, with all its digits.

With ``alpha = angle(w_j, w_k)``, ``beta = angle(w_j, w*_k)`` and ``w_k - w*_k = scale z_k`` (unit columns all):

``tan((alpha - beta) / 2) = -scale w_j.z_k / (sin alpha + sin beta)``,

in which nothing cancels that is not small already. ``scale`` is divided out, so that it may be as small as it likes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.geometry.narrow_pairs import narrow_angles
from dynamics.two_layer.deviations.teacher_columns import Apart, TeacherColumns

# A pair is narrow where a squared sine is below this: there sines are found from chords. A sine from its cosine is off
# by eps / sine, the gap by eps / sine^2: 1e-14 at most.
_NARROW_SQUARED_SINE = 0.02


@dataclass(frozen=True)
class PairDifferences:
    """Pairs of teachers or students k (rows) with all students j (columns).

    Of teachers, (..., m, n) unless said otherwise:
        to_teacher: cosine of beta; 0 where j = k.
        slope: ``w_j.z_k``, so that ``to_student - to_teacher = scale slope``; 0 where j = k.
        gap: ``(alpha - beta) / scale``.
        tangent: ``-tan((alpha - beta) / 2) / scale``; undefined where j = k.
        own_angle: ``angle(w_k, w*_k) / scale``, (..., m).
        scale: (..., 1, 1).

    Of the students of the u-set or, where the r-set counts, of all students, (..., m or n, n):
        to_student: cosine of alpha; 0 where j = k.
        supplement: ``pi - alpha``; pi where j = k.
        sine: ``sin alpha``; undefined where j = k.
    """

    to_teacher: Array
    slope: Array
    gap: Array
    tangent: Array
    own_angle: Array
    scale: Array
    to_student: Array
    supplement: Array
    sine: Array


def own(pairs: Array) -> Array:
    """The entries (k, k) of pairs (..., k, n), C-contiguous: a view (..., k)."""
    *lead, rows, n = pairs.shape
    return pairs.reshape(*lead, rows * n)[..., :: n + 1]


def angle_pair_differences(teacher: TeacherColumns, apart: Apart, *, with_r_set: bool) -> PairDifferences:
    """All that the flows and the loss need of the pairs; see :class:`PairDifferences`.

    Accuracy: of ``gap``, a few eps of ``||z_k||``, divided by the sine of the smaller of both angles.
    Cost: two or three matrix products, an arccos and an arctan for each pair, O(d) for each narrow pair.
    """
    m, unit = teacher.m, apart.unit
    beta = teacher.onto(unit)
    slope = np.matmul(apart.difference.mT, unit, order="C")
    own(beta)[...] = own(slope)[...] = 0.0
    alpha = slope * apart.scale
    alpha += beta
    if with_r_set and unit.shape[-1] > m:
        alpha = np.concatenate([alpha, unit[..., m:].mT @ unit], axis=-2)
        own(alpha)[..., m:] = 0.0
    sine, tangent = _squared_sines(alpha), _squared_sines(beta)
    narrow = None
    if not min(sine.min(), tangent.min()) > _NARROW_SQUARED_SINE:  # NaN included
        narrow = ~(sine > _NARROW_SQUARED_SINE)
        narrow[..., :m, :] |= ~(tangent > _NARROW_SQUARED_SINE)
        sine[narrow] = tangent[narrow[..., :m, :]] = 1.0
    np.sqrt(sine, out=sine)
    np.sqrt(tangent, out=tangent)
    tangent += sine[..., :m, :]
    np.divide(slope, tangent, out=tangent)
    gap = apart.over_scale(np.arctan, tangent, apart.scale)
    gap *= -2.0
    supplement = np.arccos(alpha if narrow is None else np.where(narrow, 0.0, alpha))
    np.subtract(np.pi, supplement, out=supplement)
    angle = teacher.own_angles(apart)
    found = PairDifferences(beta, slope, gap, tangent, angle, apart.scale, alpha, supplement, sine)
    if narrow is not None:
        _redo_narrow(found, teacher, apart, narrow[..., :m, :])
        _redo_narrow_r_set(found, unit, m, narrow[..., m:, :])
    own(supplement)[...] = np.pi
    own(gap)[...] = -angle
    return found


def _squared_sines(cosine: Array) -> Array:
    sine = cosine * cosine
    return np.asarray(np.subtract(1.0, sine, out=sine))


def _redo_narrow(
    found: PairDifferences, teacher: TeacherColumns, apart: Apart, narrow: NDArray[np.bool_]
) -> None:
    """Overwrite what cosines tell badly, from the chords p = w_j - w_k and q = w_j - w*_k (sums where antiparallel).

    ``||p||^2 - ||q||^2 = -scale z_k.(p + q)``, and ``||p|| - ||q|| = 4 cos((alpha+beta)/4) sin((alpha-beta)/4)``.
    """
    at = np.nonzero(narrow)
    if not at[0].size:
        return
    side = np.where(found.to_student[at] + found.to_teacher[at] < 0, -1.0, 1.0)
    scale = np.broadcast_to(apart.scale, narrow.shape)[at]
    p, q, z = _chords(teacher, apart, at, side[:, None], scale[:, None])
    size_p, size_q = (np.sqrt(np.vecdot(x, x)) for x in (p, q))
    size = size_p + size_q
    steep = -np.divide(np.vecdot(z, p + q), size, out=np.zeros_like(size), where=size > 0)
    half_p, half_q = (np.arcsin(np.minimum(0.5 * x, 1.0)) for x in (size_p, size_q))
    quarter = steep / (4.0 * np.cos(0.5 * (half_p + half_q)))
    gap = 4.0 * side * apart.over_scale(np.arcsin, quarter, scale)
    found.gap[at] = gap
    found.tangent[at] = -apart.over_scale(np.tan, 0.5 * gap, scale)
    found.supplement[at] = np.where(side < 0, 2.0 * half_p, np.pi - 2.0 * half_p)
    found.sine[at] = np.sin(2.0 * half_p)


def _chords(
    teacher: TeacherColumns, apart: Apart, at: tuple[NDArray[np.intp], ...], side: Array, scale: Array
) -> tuple[Array, Array, Array]:
    """``w_j -+ w_k``, ``w_j -+ w*_k`` and ``-+ z_k`` as rows, the first two from deviations where they are small."""
    *lead, k, j = at
    shape = apart.unit.shape[:-2]
    unit, centre, z = (
        np.broadcast_to(x, (*shape, *x.shape[-2:])).mT for x in (apart.unit, teacher.unit, apart.difference)
    )
    other, turned = side * centre[(*lead, k)], side * z[(*lead, k)]
    paired = np.minimum(j, teacher.m - 1)
    from_teacher = (centre[(*lead, paired)] - other) + scale * z[(*lead, paired)]
    q = np.where((j < teacher.m)[:, None], from_teacher, unit[(*lead, j)] - other)
    return q - scale * turned, q, turned


def _redo_narrow_r_set(found: PairDifferences, unit: Array, m: int, narrow: NDArray[np.bool_]) -> None:
    """The angles of students of the r-set with others that are narrow, of lines."""
    *lead, k, j = np.nonzero(narrow)
    if not k.size:
        return
    columns, at = unit.mT, (*lead, k + m, j)
    side = np.where(found.to_student[at] < 0, -1.0, 1.0)
    angle = narrow_angles(columns[(*lead, j)], side[:, None] * columns[(*lead, k + m)])
    found.supplement[at] = np.where(side < 0, angle, np.pi - angle)
    found.sine[at] = np.sin(angle)
