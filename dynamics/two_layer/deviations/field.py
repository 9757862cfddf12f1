"""The right-hand sides of two-layer flows in deviations: relative accuracy however near the solution is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.columns import column_dots
from dynamics.measures.gaussian_kernels import arc_cosine_from
from dynamics.measures.input_measure import InputMeasure
from dynamics.two_layer.deviations.pair_differences import PairDifferences, angle_pair_differences, own
from dynamics.two_layer.deviations.teacher_columns import Apart, TeacherColumns

# Angles t below which sin t - t cos t is t^3 / 3 in sums with t^2: to 1e-13 of these. Its rounding is eps / t of them.
_CUBIC_BELOW = 1e-4


@dataclass(frozen=True)
class Terms:
    """What tells the two-layer flows of spherical input apart.

    Args:
        variance: ``s^2``, the measure's spherical variance.
        projected: whether columns stay on spheres.
        trains_V: whether V moves; otherwise it is the teacher's (and 0 for the r-set, or there is none).
        matched: whether a student sees its own teacher and itself only.
        along: whether the field has the gradient's terms along the students themselves.
        ones: whether all fan-outs are one and do not move, on spheres.
    """

    variance: float
    projected: bool
    trains_V: bool
    matched: bool = False
    along: bool = False
    ones: bool = False


@dataclass(frozen=True)
class Seen:
    """A state as the field and the loss see it: columns apart, pairs, and fan-outs of unit columns.

    ``fan_outs`` (..., n, c): V. ``deviations`` (..., n, c): ``(v_j - v*_j) / scale`` of unit columns, where
    ``v*_j = 0`` in the r-set; None where they are all 0.
    """

    apart: Apart
    pairs: PairDifferences
    fan_outs: Array
    teacher_fan_outs: Array
    deviations: Array | None


class DeviationField:
    """``(dW, dV)`` of deviations at a scale: ``W = W* + scale Z``, ``V = V* + scale E``.

    Z is (..., d, n), E (..., n, c). The r-set has no teacher: its columns of Z are its columns of W as they are, its
    rows of E are ``V / scale``.

    With ``psi(t) = (pi - t) / 2 pi``, the pull on w_j is written as

    ``sum_k w*_k [(alpha_jk - beta_jk) / 2 pi  v_j.v*_k - psi(alpha_jk) v_j.(v_k - v*_k)]``
    ``- sum_k (w_k - w*_k) psi(alpha_jk) v_j.v_k``

    for the u-set k, alpha and beta the angles of w_j with w_k and w*_k, and ``- w_r psi(alpha_jr) v_j.v_r`` for the
    r-set: every term is small of itself. V' likewise.

    Args:
        W, V: the teacher, (..., d, m) and (..., m, c).
        terms: which flow it is.
    Accuracy: some eps of the largest deviation.
    Cost: four products of the students' size (two for orthonormal teachers), an arccos and an arctan for each pair.
    """

    def __init__(self, W: Array, V: Array, terms: Terms) -> None:
        self.teacher = TeacherColumns(W, unit_norms=terms.projected)
        self.V, self.terms = V, terms
        self.identity = np.eye(W.shape[-1])

    def seen(self, Z: Array, E: Array | None, scale: Array) -> Seen:
        """What stands in :class:`Seen`, of a state."""
        m, projected = self.teacher.m, self.terms.projected
        apart = self.teacher.apart(Z, scale)
        pairs = angle_pair_differences(self.teacher, apart, with_r_set=E is not None)
        if self.terms.ones:
            return Seen(apart, pairs, self.V, self.V, None)
        fan_outs = np.zeros((*Z.shape[:-2], Z.shape[-1], self.V.shape[-1])) if E is None else scale * E
        fan_outs[..., :m, :] += self.V
        if projected:  # on unit columns
            return Seen(apart, pairs, fan_outs, self.V, E)
        deviations = np.zeros(fan_outs.shape) if E is None else E * apart.norms[..., None]
        deviations[..., :m, :] += apart.longer[..., None] * self.V
        of_unit = self.teacher.norms[..., None] * self.V
        return Seen(apart, pairs, fan_outs, of_unit, deviations if E is not None else deviations[..., :m, :])

    def prepared_teacher(self, measure: InputMeasure) -> Any:
        """The teacher in the basis of the deviations, as the measure's kernels want it."""
        return measure.prepare(self.teacher.columns)

    def __call__(self, Z: Array, E: Array | None, scale: Array) -> tuple[Array, Array | None, Apart]:
        """``(dW, dV)``, divided by the scale but for dW of the r-set, dV None where V is fixed; and the columns."""
        seen = self.seen(Z, E, scale)
        apart, m = seen.apart, self.teacher.m
        dW = self._pull(seen)
        if self.terms.projected:
            unit = apart.unit
            along = column_dots(unit, dW)
            dW -= unit * along[..., None, :]
            dW *= apart.norms[..., None, :]
        if Z.shape[-1] > m:
            dW[..., m:] *= scale
        return dW, (self._fan_out_pull(seen) if self.terms.trains_V else None), apart

    def _pull(self, seen: Seen) -> Array:
        apart, pairs, unit = seen.apart, seen.pairs, self.terms.variance / (2.0 * np.pi)
        if self.terms.ones:
            gap, supplement = pairs.gap, pairs.supplement
            if self.terms.matched:
                gap, supplement = gap * self.identity, supplement * self.identity
            pull = apart.difference @ supplement
            np.negative(pull, out=pull)
            self.teacher.add_product(gap, pull)
            pull *= unit
            return pull
        m = self.teacher.m
        on_teacher = seen.teacher_fan_outs @ seen.fan_outs.mT
        if self.terms.matched:
            on_teacher *= self.identity
        if seen.deviations is None:
            weights = pairs.supplement * on_teacher
            on_teacher *= pairs.gap
        else:
            weights = seen.deviations @ seen.fan_outs.mT
            if self.terms.matched:
                weights *= self.identity
            along = self._along(seen, on_teacher, weights) if self.terms.along else None
            weights *= pairs.supplement
            of_u = weights[..., :m, :]
            both = pairs.supplement[..., :m, :] * on_teacher
            on_teacher *= pairs.gap
            on_teacher -= of_u
            of_u *= apart.scale
            of_u += both
        pull = apart.difference @ weights[..., :m, :]
        if weights.shape[-2] > m:
            pull += apart.unit[..., m:] @ weights[..., m:, :]
        np.negative(pull, out=pull)
        self.teacher.add_product(on_teacher, pull)
        if seen.deviations is not None and along is not None:
            pull += apart.unit * along[..., None, :]
        pull *= unit
        return pull

    def _along(self, seen: Seen, alignment: Array, apart_alignment: Array) -> Array:
        """``sum_k (sin beta - sin alpha) v_j.v*_k - sin alpha v_j.(v_k - v*_k)``, times ``2 pi / s^2``: (..., n)."""
        pairs, m = seen.pairs, self.teacher.m
        rise = pairs.tangent * (pairs.to_student[..., :m, :] + pairs.to_teacher)
        own(rise)[...] = pairs.own_angle * np.sinc(pairs.scale[..., 0] * pairs.own_angle / np.pi)
        lost = pairs.sine * apart_alignment
        own(lost)[...] = 0.0
        return np.asarray((rise * alignment).sum(axis=-2) - lost.sum(axis=-2))

    def _fan_out_pull(self, seen: Seen) -> Array:
        """``[psi_l(W, W*) V* - psi_l(W, W) V] / scale``, (..., n, c)."""
        assert seen.deviations is not None  # V is learned
        pull = kernel_differences(seen.pairs).mT @ seen.teacher_fan_outs
        pull -= kernels_of(seen.pairs).mT @ seen.deviations
        if not self.terms.projected:
            pull *= seen.apart.norms[..., None]
        pull *= self.terms.variance / (2.0 * np.pi)
        return np.asarray(pull)


def kernels_of(pairs: PairDifferences) -> Array:
    """``2 pi psi_l(w_k, w_j) / s^2`` of unit columns, (..., m or n, n)."""
    kernel = arc_cosine_from(pairs.supplement, pairs.sine, pairs.to_student)
    own(kernel)[...] = np.pi
    return kernel


def kernel_differences(pairs: PairDifferences) -> Array:
    """``2 pi [psi_l(w*_k, w_j) - psi_l(w_k, w_j)] / (s^2 scale)`` of unit columns, (..., m, n).

    With the tangent x and the gap g of the pair: ``-(pi - alpha) u + scale x u + cos beta (2 x + g)``, u the slope; the
    last bracket is of third order. Own pairs: ``-scale`` :func:`own_square`.
    """
    m = pairs.slope.shape[-2]
    difference = pairs.scale * pairs.tangent
    difference -= pairs.supplement[..., :m, :]
    difference *= pairs.slope
    third = 2.0 * pairs.tangent
    third += pairs.gap
    third *= pairs.to_teacher
    difference += third
    scale = pairs.scale[..., 0]
    own(difference)[...] = -scale * own_square(pairs.own_angle, scale)
    return difference


def own_square(angle: Array, scale: Array) -> Array:
    """``pi E (relu(w_k.x) - relu(w*_k.x))^2 / (s^2 scale^2)`` of unit columns at ``t = scale angle``: (..., m).

    ``pi (1 - cos t) - (sin t - t cos t)``, over ``scale^2``. Accuracy: 1e-12.
    """
    t = scale * angle
    chord = angle * np.sinc((0.5 / np.pi) * t)
    third = t * angle * angle / 3.0
    if t.max() >= _CUBIC_BELOW:
        wide = np.divide(np.sin(t) - t * np.cos(t), scale * scale, out=np.zeros_like(t), where=scale > 0)
        third = np.where(t < _CUBIC_BELOW, third, wide)
    return np.asarray(0.5 * np.pi * chord * chord - third)
