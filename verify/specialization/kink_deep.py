"""The kink identity inside an open region of constant mixture coefficients, any depth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import Box, visibility
from verify.judging import ALGEBRA, Assumption, CannotJudgeError, Context, Evidence
from verify.mathematics.families.deep_pairs import (
    Crossing,
    DeepInstance,
    DeepNetworks,
    crossings,
    gates_constant,
    networks_of,
)
from verify.mathematics.kinks.deep import TOLERANCE, bend
from verify.specialization.kink import KINK

DEEP = DeepInstance(inputs=3, hidden=((5, 3), (4, 4), (3, 5)), outputs=2, colinear=True, seed=2)


def first_layer(drawn: DeepNetworks) -> Array:
    """All first-layer columns with a boundary in the region, teachers' first."""
    columns = np.concatenate([drawn.first[1], drawn.first[0]], axis=1)
    return np.asarray(columns[:, visibility(drawn.region, columns) > 0])


@lru_cache(maxsize=8)
def open_crossings(instance: DeepInstance) -> list[tuple[Array, Crossing]]:
    """Crossings of all visible first-layer boundaries at which no gate above moves."""
    drawn = networks_of(instance)
    rng = np.random.default_rng((instance.seed, 1))
    found = []
    for node in first_layer(drawn).T:
        found += [(node, crossing) for crossing in crossings(drawn, node, rng) if crossing.constant]
    return found


def crossed_in_the_open(instance: DeepInstance) -> tuple[Assumption, ...]:
    """Some boundary is crossed where no gate above changes."""
    return (Assumption.that("a boundary crossed with constant gates above", bool(open_crossings(instance))),)


@KINK.claim(
    "sharp",
    part="deep",
    expected="holds",
    on=DeepInstance,
    assume=crossed_in_the_open,
    examples=(DEEP,),
    cost=ALGEBRA.at_quick(80),
    place="behind Theorems 4 and 5",
    compares=("largest error of the second difference of V_1ᵀ r, relative", "≤", "rounding"),
)
def deep_kink_identity(instance: DeepInstance, context: Context, *, factor: float = 1.0) -> Evidence:
    """Kink identity, any depth, inside an open region

    A_1, B_1 constant on x₀−ηn … x₀+ηn:   second difference of (V_1ᵀ r)_k
    = η ( Σ_{teachers j co-linear} α_kj ‖w*_j‖ − Σ_{students k' co-linear} β_kk' ‖w_k'‖ )

    No gate above may move between the three points. With x₀ among them, strict and equal signs from the bottom
    up are enough (the pre-activations are affine on either half); the two ends alone are not.
    """
    drawn = networks_of(instance)
    worst, largest = 0.0, 0.0
    for node, crossing in open_crossings(instance):
        found = bend(drawn, node, crossing)
        error = np.abs(found.measured - factor * found.predicted)
        worst = max(worst, float(error.max()) / found.scale if found.scale else float(error.max()))
        largest = max(largest, float(np.abs(found.predicted).max()))
    return Evidence.at_most(worst, bound=0.0, tolerance=TOLERANCE, largest_kink=largest)


@dataclass(frozen=True)
class Dip:
    """A teacher ``sigma(|x| - shut)``: its node of layer 2 is active at x = -0.5 and 0.5, and shut in between."""

    shut: float = 0.1

    def networks(self) -> DeepNetworks:
        """The teacher, and a student that computes ``x + 10``."""
        teacher = [
            (np.array([[1.0, -1.0]]), np.zeros(2)),
            (np.ones((2, 1)), np.array([-self.shut])),
            (np.ones((1, 1)), np.zeros(1)),
        ]
        student = [
            (np.ones((1, 1)), np.full(1, 10.0)),
            (np.ones((1, 1)), np.zeros(1)),
            (np.ones((1, 1)), np.zeros(1)),
        ]
        return DeepNetworks(Box.cube(1), student, teacher)

    def crossing(self) -> Crossing:
        """The three points across the boundary x = 0, said to have constant gates, as their ends have."""
        return Crossing(np.array([[-0.5], [0.0], [0.5]]), 0.5, True)


def gates_compared_at_the_ends(dip: Dip, context: Context) -> Evidence:
    """Altered check: gates compared at the two ends only. The coefficients are those of the ends."""
    drawn, crossing = dip.networks(), dip.crossing()
    if not gates_constant(drawn, crossing.x[::2]):
        raise CannotJudgeError("the gates above differ at the two ends")
    found = bend(drawn, np.array([1.0, 0.0]), crossing)
    # At the ends the layer-2 node is active: alpha = 1 for both teachers, a kink of 2 eta.
    return Evidence.at_most(
        abs(float(found.measured[0]) - 2 * crossing.eta), bound=0.0, tolerance=TOLERANCE * found.scale
    )


deep_kink_identity.rejects("no kink claimed", DEEP, factor=0.0)
deep_kink_identity.includes("random networks of three layers", DEEP)
deep_kink_identity.excludes(
    "no boundary crossed",
    DeepInstance(4, ((2, 2), (2, 2)), 3, pass_through=True, seed=114),
    "a boundary crossed",
)
deep_kink_identity.rejects("larger by 1e-9 of itself", DEEP, factor=1 + 1e-9)
deep_kink_identity.rejects_variant(
    "gates above compared at the two ends only", gates_compared_at_the_ends, Dip()
)
