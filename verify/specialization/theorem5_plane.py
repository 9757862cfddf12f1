"""Theorem 5 near critical points of the plane, where the supremum of the gradient is exact: angle and bias."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import Box
from verify.judging import ALGEBRA, SEED, Assumption, Context, Evidence, Instance, drawn, integers
from verify.mathematics.families.two_layer_pairs import NetworkPair, Splitting
from verify.mathematics.kinks.discs import Disc, largest_disc, other_boundaries, slab_constant
from verify.mathematics.kinks.hypotheses import assumption1
from verify.mathematics.kinks.nearly_attained import bound_just_below
from verify.specialization.theorem5 import GUESSED, THEOREM5


@dataclass(frozen=True)
class NearCritical(Instance):
    """A critical student in the plane (``copies`` a teacher, ``idle`` nodes), every weight moved by ``10^-digits``."""

    teachers: int = drawn(1, st.integers(1, 3), integers(1))
    copies: int = drawn(1, st.integers(1, 2), integers(1))
    idle: int = drawn(0, st.integers(0, 2), integers(0))
    digits: int = drawn(4, st.integers(2, 8), integers(0))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def networks(self) -> NetworkPair:
        """A critical point of the splitting kind with every weight moved by up to ``10^-digits``."""
        plan = Splitting(2, 1, self.teachers, copies=self.copies, idle=self.idle, seed=self.seed)
        critical = plan.networks()
        student = critical.student
        rng = np.random.default_rng((self.seed, 2))
        delta = 10.0**-self.digits
        parts = (student.W, student.b, student.V, student.c)
        W, b, V, c = (part + delta * rng.uniform(-1, 1, part.shape) for part in parts)
        return NetworkPair(critical.region, critical.teacher, replace(student, W=W, b=b, V=V, c=c))


def vertices(region: Box, columns: Array) -> Array:
    """Corners of all pieces into which the nodes' lines cut a box in the plane, its own included: (P, 2)."""
    walls = [
        np.append(sign * np.eye(2)[i], -sign * region.centre[i] - region.half_width[i])
        for i in (0, 1)
        for sign in (-1, 1)
    ]
    lines = np.concatenate([columns, np.array(walls).T], axis=1)
    found = []
    for a, b in combinations(lines.T, 2):
        turn = a[0] * b[1] - a[1] * b[0]
        if abs(turn) > 1e-14 * np.linalg.norm(a[:2]) * np.linalg.norm(b[:2]):
            found.append([(a[1] * b[2] - b[1] * a[2]) / turn, (b[0] * a[2] - a[0] * b[2]) / turn])
    x = np.array(found)
    return np.asarray(x[region.depth(x) > -1e-12])


def largest_gradient(networks: NetworkPair) -> float:
    """``sup_x ||g_1(x)||_inf`` over the region: piecewise affine, so attained at a vertex on the active side."""
    x = vertices(networks.region, networks.columns)
    z = networks.student.pre_activations(x)
    slack = 1e-9 * networks.student.fan_in_norms
    return float(np.abs((z >= -slack) * (networks.residual(x) @ networks.student.V.T)).max())


def usable_discs(near: NearCritical) -> tuple[NetworkPair, float, list[Disc]]:
    """The pair, epsilon, and the discs on which ``4 epsilon / (|alpha| ||w*||) < rho``."""
    networks = near.networks()
    rng = np.random.default_rng((near.seed, 3))
    rounding = networks.rounding * float(np.abs(networks.student.V).sum(axis=1).max())
    epsilon = largest_gradient(networks) + rounding
    lengths = networks.teacher.fan_in_norms
    discs = [largest_disc(networks, teacher, rng) for teacher in range(networks.teacher.nodes)]
    usable = [
        disc
        for disc in discs
        if disc is not None and 4 * epsilon < disc.rho * disc.alpha * lengths[disc.teacher]
    ]
    return networks, epsilon, usable


def small_gradient(near: NearCritical) -> tuple[Assumption, ...]:
    """Assumption 1, and a gradient small enough for a disc on some teacher's boundary."""
    networks, _, discs = usable_discs(near)
    return (
        *assumption1(networks.region, networks.teacher.augmented),
        Assumption.that("ε small enough for a disc", bool(discs)),
    )


@THEOREM5.claim(
    "corrected",
    expected="holds",
    on=NearCritical,
    assume=small_gradient,
    examples=(NearCritical(), NearCritical(2, 2, 1, 5)),
    cost=ALGEBRA,
    note=f"{GUESSED}; linear bounds derived here",
    compares=("largest of angle and bias over their bounds", "≤", "1"),
)
def another_boundary_is_near(
    near: NearCritical, context: Context, *, power: float = 1.0, scale: float = 1.0
) -> Evidence:
    """Noisy specialization in the plane, angle and bias together

    |g_1| ≤ ε on R, 4ε < |α_kj| ‖w*_j‖ ρ  ⇒  some other boundary i has, with η = 4ε / (|α_kj| ‖w*_j‖),
    sin θ_i ≤ K' η / ρ   and   |b*_j ∓ b_i| ≤ η + 2 sin(θ_i/2) max‖x‖   (weights at ‖w‖ = 1)

    ε is the exact supremum of the piecewise affine gradient over the region, at the vertices of its pieces. Where
    no other teacher is that close, the boundary is a student's. Biases are comparable only at ‖w‖ = 1
    for students, too.
    """
    # Measured: of the best other boundary, the larger of its angle and its bias over their bounds; worst teacher.
    # The bias bound: the boundary comes within eta of the disc. ``power`` puts epsilon^power in the bounds.
    networks, epsilon, discs = usable_discs(near)
    worst, angle = 0.0, 0.0
    for disc in discs:
        node = networks.teacher.augmented[:, disc.teacher]
        length = float(np.linalg.norm(node[:-1]))
        others, sines = other_boundaries(networks, disc.teacher)
        eta = 4 * epsilon**power / (disc.alpha * length)
        signs = np.where(node[:-1] @ others[:-1] > 0, 1.0, -1.0)
        reach = float(np.linalg.norm(disc.centre)) + disc.rho
        half_angle = np.sin(np.arcsin(np.clip(sines, 0, 1)) / 2)
        offsets = np.abs(node[-1] / length - signs * others[-1])
        ratios = np.maximum(
            sines / (slab_constant(2) * len(sines) * eta / disc.rho), offsets / (eta + 2 * half_angle * reach)
        )
        best = int(ratios.argmin())
        worst, angle = max(worst, float(ratios[best])), max(angle, float(sines[best]))
    return Evidence.at_most(worst, bound=scale, tolerance=1e-9, epsilon=epsilon, largest_sine=angle)


another_boundary_is_near.rejects("bounds quadratic in ε", NearCritical(2, 2, 1, 8), power=2.0)
another_boundary_is_near.rejects_variant(
    "bounds 2e-5 of themselves below what they bound",
    bound_just_below(another_boundary_is_near),
    NearCritical(2, 2, 1, 5),
    share=2e-5,
)
another_boundary_is_near.excludes("weights moved by up to 1", NearCritical(digits=0), "ε small enough")
another_boundary_is_near.includes("weights moved by up to 1e-5", NearCritical(2, 2, 1, 5))
