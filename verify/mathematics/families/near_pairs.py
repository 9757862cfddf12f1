"""Two teachers and a student near each: the instances of the lemmas on pairs of nodes, in any arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from verify.judging import Budget, drawn
from verify.judging.domains import Instance, reals
from verify.mathematics.families.narrowed import narrowed

RADII = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 1e-3)
"""Radii of the balls that instances are drawn on, widest first."""

THRESHOLDS = (1.0, 2.0, 3.0, 4.0)

ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""Relative rounding of a kernel and of the few products around it."""


@dataclass(frozen=True)
class NearPair(Instance):
    """Unit teachers w*_j, w*_k and students w_j, w_k at angles ``near_j theta0``, ``near_k theta0`` from them.

    ``threshold = 0``: isotropic Gaussian input, teachers at ``angle``; otherwise Gaussian input with biases and
    teachers with orthogonal directions, active beyond the threshold. ``turn``, ``lift`` give the direction of each
    student's step: (0, 0) is straight towards the other teacher, ``turn`` goes to the second axis (with biases:
    the bias axis), ``lift`` out of the space of the teachers. Four dimensions (and the bias) hold every relative
    position up to rotation.
    """

    theta0: float = drawn(0.1, st.sampled_from(RADII), reals(1e-6, math.pi))
    angle: float = drawn(1.5, st.floats(0.2, 2.5), reals(0, math.pi))
    threshold: float = drawn(0.0, st.just(0.0), reals(0))
    near_j: float = drawn(1.0, st.floats(0, 1), reals(0, 1))
    near_k: float = drawn(0.0, st.floats(0, 1), reals(0, 1))
    turn_j: float = drawn(0.0, st.floats(-math.pi, math.pi), reals(-math.pi, math.pi))
    lift_j: float = drawn(0.0, st.floats(-math.pi / 2, math.pi / 2), reals(-math.pi / 2, math.pi / 2))
    turn_k: float = drawn(0.0, st.floats(-math.pi, math.pi), reals(-math.pi, math.pi))
    lift_k: float = drawn(0.0, st.floats(-math.pi / 2, math.pi / 2), reals(-math.pi / 2, math.pi / 2))

    @property
    def measure(self) -> InputMeasure:
        """Isotropic Gaussian in R^4; with bias where there is a threshold."""
        return BiasedGaussian(4) if self.threshold else IsotropicGaussian(4)

    def nodes(self) -> tuple[Array, Array]:
        """Teachers and students as columns, ``(d, 2)`` each."""
        teachers, students = nodes_in(math, self)
        return np.array(teachers).T, np.array(students).T

    def displacements(self) -> tuple[float, float]:
        """``||dw_j||, ||dw_k||``: the chords ``2 sin(theta/2)``, without cancellation."""
        return 2 * math.sin(self.near_j * self.theta0 / 2), 2 * math.sin(self.near_k * self.theta0 / 2)


def nodes_in(real: Any, pair: NearPair) -> tuple[list[list[Any]], list[list[Any]]]:
    """Teachers and students, one a row, in the arithmetic of ``real``: ``math``, or ``mpmath.mp`` in its precision."""
    one = real.cos(0)
    if pair.threshold:
        scale = real.sqrt(one + (one * pair.threshold) ** 2)
        on, off = one / scale, -one * pair.threshold / scale
        teachers = [[on, 0, 0, 0, off], [0, on, 0, 0, off]]
        upward = ([-off, 0, 0, 0, on], [0, -off, 0, 0, on])
        frames = (
            ([0, one, 0, 0, 0], upward[0], [0, 0, one, 0, 0]),
            ([one, 0, 0, 0, 0], upward[1], [0, 0, one, 0, 0]),
        )
    else:
        c, s = real.cos(one * pair.angle), real.sin(one * pair.angle)
        teachers = [[one, 0, 0, 0], [c, s, 0, 0]]
        frames = (
            ([0, one, 0, 0], [0, 0, one, 0], [0, 0, 0, one]),
            ([s, -c, 0, 0], [0, 0, one, 0], [0, 0, 0, one]),
        )
    steps = ((pair.near_j, pair.turn_j, pair.lift_j), (pair.near_k, pair.turn_k, pair.lift_k))
    students = [
        _step(teacher, frame, one * near * pair.theta0, one * turn, one * lift, real)
        for teacher, frame, (near, turn, lift) in zip(teachers, frames, steps, strict=True)
    ]
    return teachers, students


def _step(teacher: list[Any], frame: Any, theta: Any, turn: Any, lift: Any, real: Any) -> list[Any]:
    weights = (real.cos(lift) * real.cos(turn), real.cos(lift) * real.sin(turn), real.sin(lift))
    return [
        real.cos(theta) * t
        + real.sin(theta) * (weights[0] * frame[0][i] + weights[1] * frame[1][i] + weights[2] * frame[2][i])
        for i, t in enumerate(teacher)
    ]


Pair = TypeVar("Pair", bound=NearPair)


def near_pairs(kind: type[Pair], budget: Budget) -> st.SearchStrategy[Pair]:
    """Pairs as the fields of ``kind`` say, under isotropic input; their balls stay clear of antiparallel vectors."""
    return narrowed(kind, budget).filter(lambda pair: pair.angle + pair.theta0 < 3.0)


def isotropic_pairs(budget: Budget) -> st.SearchStrategy[NearPair]:
    """Pairs under isotropic Gaussian input."""
    return near_pairs(NearPair, budget)


def thresholded_pairs(budget: Budget) -> st.SearchStrategy[NearPair]:
    """Pairs of thresholded nodes under Gaussian input with biases, on balls that stay clear of the bias axis."""
    return narrowed(
        NearPair,
        budget,
        theta0=st.sampled_from(RADII[3:]),
        angle=st.just(1.5),
        threshold=st.sampled_from(THRESHOLDS),
    )


def pairs(budget: Budget) -> st.SearchStrategy[NearPair]:
    """Either family."""
    return isotropic_pairs(budget) | thresholded_pairs(budget)
