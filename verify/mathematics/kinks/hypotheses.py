"""Hypotheses that Theorems 2 to 5 share, as signed margins: Assumption 1, a critical point, an observed student."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import COLINEAR_ANGLE, Box, separation, visibility
from dynamics.two_layer.critical.relu_network import sample_gradients
from verify.judging import Assumption
from verify.judging.assumption import in_words
from verify.mathematics.families.two_layer_pairs import ArbitraryPair, NetworkPair, Splitting, dyadic_points
from verify.mathematics.kinks.observers import VISIBLE, independent_observers, unaligned

SEPARATE = 1e-9
"""Radians between teachers from which rounding tells their lines apart."""


def assumption1(region: Box, teachers: Array) -> tuple[Assumption, ...]:
    """Assumption 1 with multiples of either sign, for columns (d + 1, m): distinct lines, visible boundaries."""
    return (
        Assumption.above(
            "no two teachers co-linear, of either sign: angle", separation(teachers), SEPARATE, "rad"
        ),
        Assumption.above(
            "every teacher's boundary visible: reach", float(visibility(region, teachers).min()), 0
        ),
    )


def assumption1_of(pair: ArbitraryPair) -> tuple[Assumption, ...]:
    """Assumption 1 with multiples of either sign, for the teachers of a pair."""
    networks = pair.networks()
    return assumption1(networks.region, networks.teacher.augmented)


def critical(networks: NetworkPair, seed: int) -> Assumption:
    """Every per-sample gradient is zero at random dyadic points, where a dyadic critical point has no rounding."""
    x = dyadic_points(networks.region, np.random.default_rng(seed))
    gradient = sample_gradients(networks.student, networks.teacher, x).largest
    return Assumption.equal("every per-sample gradient at random dyadic points", gradient)


def critical_with_observed_student(splitting: Splitting) -> tuple[Assumption, ...]:
    """Assumption 1, a critical point, and an unaligned student (positive multiples) with C independent observers."""
    networks = splitting.networks()
    subjects = int((unaligned(networks, either_sign=False) & independent_observers(networks)).sum())
    return (
        *assumption1(networks.region, networks.teacher.augmented),
        critical(networks, splitting.seed),
        Assumption.that(
            f"an unaligned student (to {in_words(COLINEAR_ANGLE)} rad)"
            f" with C independent observers (by {in_words(VISIBLE)})",
            subjects > 0,
        ),
    )
