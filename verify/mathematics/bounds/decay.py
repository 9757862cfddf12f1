"""Bounds as statements about a run: which deviations stay under which decaying exponential, one row a bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import paired_sines
from dynamics.two_layer.problem import TeacherStudent
from verify.mathematics.bounds import theorem4_corrected
from verify.mathematics.bounds.comparison import certify

Deviations = Callable[[Array, Array], list[Array]]
"""``W (..., d, n), V (..., n, c) -> [y_1 (..., k_1), y_2 (..., k_2), ...]``."""


@dataclass(frozen=True)
class DecayBound:
    """``||y_i(t)|| <= p_i exp(-rate t)`` along the flow of ``problem``, one start.

    Attributes:
        problem: teacher and start.
        trains_V: whether V moves.
        rate: per unit time, > 0.
        p: one bound at the start for each deviation.
        deviations: the vectors y_i of a state.
    """

    problem: TeacherStudent
    trains_V: bool
    rate: float
    p: Array
    deviations: Deviations


def fan_in_deviations(problem: TeacherStudent, W: Array) -> list[Array]:
    """Relevant columns across their teachers, of size sin theta_j."""
    teacher = problem.teacher_W
    moved = W[..., : problem.m]
    across = moved - teacher * (moved * teacher).sum(axis=-2, keepdims=True)
    return [across[..., j] for j in range(problem.m)]


def fan_out_deviations(problem: TeacherStudent, V: Array) -> list[Array]:
    """Relevant fan-outs less their teachers', then irrelevant fan-outs."""
    return [V[..., j, :] - problem.teacher_V[j] for j in range(problem.m)] + [
        V[..., k, :] for k in range(problem.m, problem.n)
    ]


def theorem4_decay(problem: TeacherStudent) -> DecayBound:
    """``sin theta_j(t) <= exp(-rate t) sin theta0`` with Theorem 4's corrected rate; theta0 the largest angle."""
    largest = float(paired_sines(problem.student_W, problem.teacher_W).max())
    return DecayBound(
        problem=problem,
        trains_V=False,
        rate=theorem4_corrected(problem),
        p=np.full(problem.m, largest),
        deviations=lambda W, V: fan_in_deviations(problem, W),
    )


def theorem5_decay(problem: TeacherStudent) -> DecayBound:
    """``y(t) <= exp(-rate t) p`` by the comparison certificate of Theorem 5."""
    certificate = certify(problem)
    return DecayBound(
        problem=problem,
        trains_V=True,
        rate=float(certificate.rate),
        p=np.asarray(certificate.p),
        deviations=lambda W, V: fan_in_deviations(problem, W) + fan_out_deviations(problem, V),
    )


DECAY_BOUNDS: Mapping[str, Callable[[TeacherStudent], DecayBound]] = MappingProxyType(
    {"theorem4.corrected": theorem4_decay, "theorem5.certificate": theorem5_decay}
)
"""Every bound that trained networks are held to, by its name in :data:`verify.mathematics.bounds.BOUNDS`.

The rate is NaN where the bound is vacuous.
"""
