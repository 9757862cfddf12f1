"""Who observes whom, and who is aligned with whom, in a two-layer pair on a region."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.geometry.boundaries import aligned, colinear, observation
from verify.mathematics.families.two_layer_pairs import NetworkPair

VISIBLE = 1e-9
"""Smallest pre-activation of an observer on a boundary that counts: far above rounding."""


def observed_strength(networks: NetworkPair) -> Array:
    """For every teacher, the largest ``|alpha_kj|`` among the students k that observe it: (m,)."""
    student, teacher = networks.student, networks.teacher
    seen = observation(networks.region, student.augmented, teacher.augmented) > VISIBLE
    return np.asarray((np.abs(student.V @ teacher.V.T) * seen).max(axis=0))


def independent_observers(networks: NetworkPair) -> NDArray[np.bool_]:
    """For every student, whether the fan-outs of its observers have rank C: (n,)."""
    student = networks.student
    seen = observation(networks.region, student.augmented, student.augmented) > VISIBLE
    # NumPy 2.0 has no rank for no rows, which is 0.
    ranks = [np.linalg.matrix_rank(student.V[rows]) if rows.any() else 0 for rows in seen.T]
    return np.asarray(np.array(ranks) == student.V.shape[1])


def unaligned(networks: NetworkPair, *, either_sign: bool) -> NDArray[np.bool_]:
    """Students that are no multiple of a teacher, positive ones only or of either sign: (n,)."""
    match = colinear if either_sign else aligned
    return np.asarray(~match(networks.student.augmented, networks.teacher.augmented).any(axis=1))


def bare(networks: NetworkPair) -> NDArray[np.bool_]:
    """Teachers without a co-linear student, of either sign: (m,)."""
    return np.asarray(~colinear(networks.student.augmented, networks.teacher.augmented).any(axis=0))
