"""After Theorem 2: is it necessary for a reconstructed teacher that a student observes it?"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from dynamics.geometry.boundaries import colinear, observation
from verify.judging import SEARCH, Context, Evidence
from verify.mathematics.families.two_layer_pairs import NetworkPair, Splitting, dyadic_points
from verify.mathematics.kinks.exact_critical_points import (
    UNCONFIRMED,
    Exact,
    augmented,
    exactly_critical,
    multiples,
)
from verify.mathematics.kinks.observers import VISIBLE
from verify.mathematics.precise.rational_pairs import exact
from verify.specialization.theorem2 import THEOREM2


def reconstructed(networks: NetworkPair) -> np.ndarray:
    """Teachers with a co-linear student, of either sign: (m,)."""
    return np.asarray(colinear(networks.student.augmented, networks.teacher.augmented).any(axis=0))


def observed(networks: NetworkPair) -> np.ndarray:
    """Teachers whose boundary meets the active region of some student: (m,)."""
    reach = observation(networks.region, networks.student.augmented, networks.teacher.augmented)
    return np.asarray((reach > VISIBLE).any(axis=0))


@THEOREM2.claim(
    "printed",
    part="observed",
    expected="refuted",
    on=Splitting,
    cost=SEARCH,
    place="paragraph after Theorem 2: a necessary condition of a reconstructed teacher",
    note="said in words",
    compares=("reconstructed teachers that no student observes", "=", "none"),
    telling=lambda splitting: splitting.teachers >= 2 and splitting.d >= 2,
)
def only_observed_teachers_are_reconstructed(
    splitting: Splitting, context: Context, *, visible: bool = False
) -> Evidence:
    """A reconstructed teacher is observed

    teacher j has a co-linear student at a critical point  ⇒  some student observes it: R ∩ E_k ∩ ∂E*_j ≠ ∅

    A student that copies the teacher is shut on the teacher's boundary, so it does not observe it, and nobody else
    need be there: one teacher and its copy are a critical point with nobody observing. What reconstruction takes is
    a boundary that is visible in the training region and a residual that is zero (``theorem2.sharp``). That the
    boundary be visible is indeed necessary, for the reason the paper gives.
    """
    # Altered: ``visible``: only teachers whose boundary is outside the region count.
    networks = splitting.networks()
    unseen = ~observed(networks)
    if visible:
        reach = observation(networks.region, networks.teacher.augmented, networks.teacher.augmented)
        unseen &= np.isneginf(np.diagonal(reach))
    missing = int((reconstructed(networks) & unseen).sum())
    return Evidence.at_most(float(missing), bound=0.0, tolerance=0.0)


def highest_on_boundary(networks: NetworkPair, observer: Exact, node: Exact) -> Fraction | None:
    """Supremum of the observer over the node's boundary in the open region, exactly; None where it is not visible.

    The dual of the linear programme in one number t: least over its breakpoints of sup (w_k + t w_j).x + b_k + t b_j.
    """
    centre, half_width = exact(networks.region.centre), exact(networks.region.half_width)

    def supremum(column: Exact) -> Fraction:
        swing = sum((abs(w) * h for w, h in zip(column[:-1], half_width, strict=True)), Fraction(0))
        return Fraction(column[:-1] @ centre + column[-1] + swing)

    if supremum(node) <= 0 or supremum(-node) <= 0:
        return None
    turns = [-a / b for a, b in zip(observer[:-1], node[:-1], strict=True) if b != 0]
    return min(supremum(observer + t * node) for t in turns)


@only_observed_teachers_are_reconstructed.confirmed_precisely(digits=0)
def unobserved_in_fractions(splitting: Splitting, *, visible: bool = False) -> Evidence:
    """Critical point, multiples and observers in exact arithmetic."""
    networks = splitting.networks()
    if not exactly_critical(
        networks.teacher, networks.student, dyadic_points(networks.region, np.random.default_rng(1))
    ):
        return UNCONFIRMED
    columns = augmented(networks.student)
    count = 0
    for node in augmented(networks.teacher).T:
        heights = [highest_on_boundary(networks, column, node) for column in columns.T]
        seen = any(height is not None and height > 0 for height in heights)
        hidden = not visible or heights[0] is None
        count += any(multiples(columns, node)) and not seen and hidden
    return Evidence.at_most(float(count), bound=0.0, tolerance=0.0)


only_observed_teachers_are_reconstructed.accepts(
    "only teachers outside the region counted", Splitting(3, 2, 3), visible=True
)
only_observed_teachers_are_reconstructed.rejects("one teacher and its copies", Splitting(2, 1, 1, copies=3))

only_observed_teachers_are_reconstructed.errs(
    says="Section 4.3, after Theorem 2: a necessary condition of a reconstructed teacher is that its boundary is in the"
    " active region of a student, i.e. observed.",
    true="Not necessary: a teacher and a copy of it are a critical point, and the copy is shut on the teacher's"
    " boundary. Every teacher whose boundary is visible in the region is reconstructed where the residual is zero,"
    " observed or"
    " not; observers are what forces it where only g_1 = 0 is known.",
    impact="substance",
    matters="Theorem 2 takes observation as sufficient, and that stands; more students are not needed for it.",
)
