"""Every critical point of given fan-ins: top layers that interpolate, moved at random in the null space."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dynamics.two_layer.critical.critical_points import NULL_SPACE_SHARE, fit_fan_outs
from verify.judging import Assumption
from verify.mathematics.families.two_layer_pairs import NetworkPair, Splitting
from verify.mathematics.kinks.hypotheses import assumption1

FITTED = 400
"""Points of the region a top layer is fitted to: many times the nodes, several in every piece."""

TOLERANCE = 30 * float(np.finfo(np.float64).eps) / NULL_SPACE_SHARE
"""Relative to the sum of all kinks: the fit's error, with a factor for sums over up to 30 nodes."""


@lru_cache(maxsize=8)
def fitted(splitting: Splitting) -> tuple[NetworkPair, float]:
    """A random one of all top layers that interpolate, for the fan-ins of a critical point; and its residual.

    The residual is taken at fresh points, relative to the teacher's values.
    """
    networks = splitting.networks()
    region, teacher = networks.region, networks.teacher
    rng = np.random.default_rng((splitting.seed, 1))
    x = region.sample(FITTED, rng)
    student = fit_fan_outs(networks.student.augmented, teacher, x, wander=1.0, rng=rng).student
    x = region.sample(FITTED, rng)
    error = float(np.abs(teacher(x) - student(x)).max() / np.abs(teacher(x)).max())
    return NetworkPair(region, teacher, student), error


def interpolating(splitting: Splitting) -> tuple[Assumption, ...]:
    """Assumption 1, and a residual on the region that is zero but for the rounding of the fit."""
    networks, error = fitted(splitting)
    return (
        *assumption1(networks.region, networks.teacher.augmented),
        Assumption.below("residual on the region over its rounding", error / TOLERANCE, 1),
    )
