"""Theorem 7: how directions, angles between nodes and ratios of norms move under w' = r + xi w, whatever r is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from verify.judging import (
    ALGEBRA,
    SEED,
    SPECIALIZATION,
    Assumption,
    Context,
    Evidence,
    Instance,
    Item,
    OneOf,
    Source,
    drawn,
    drawn_fields,
    integers,
    reals,
)
from verify.judging.enclosing.enclosure import Margin, as_drawn, as_fraction
from verify.mathematics.enclosed.two_node_motion import RationalMotion, half_angle_gap, rationals
from verify.specialization import VERSION

THEOREM7 = Item(
    "specialization.theorem7",
    Source(
        SPECIALIZATION,
        "Theorem 7",
        "the printed formula is lost; an identity that what follows it needs, derived here",
        version=VERSION,
        section="5.3",
    ),
)

STEP = 1e-100
"""Complex step: the derivative of an analytic function is ``Im f(x + i h x') / h``, with no difference to cancel."""

EPS = float(np.finfo(np.float64).eps)


SIZE = st.sampled_from([1.0, 0.01, 0.3, 3.0, 100.0])


@dataclass(frozen=True)
class TwoNodes(Instance):
    """Two nodes of given norms, with random r_1, r_2 of size ``pull`` and xi_1, xi_2 of size ``xi``.

    With ``shared`` both r are multiples of one vector u.
    """

    d: int = drawn(2, lambda budget: st.integers(2, 50 if budget.full else 12), integers(1, 1000))
    norm_1: float = drawn(1.0, SIZE, reals(1e-9, 1e9))
    norm_2: float = drawn(1.0, SIZE, reals(1e-9, 1e9))
    pull: float = drawn(1.0, SIZE, reals(0.0, 1e9))
    xi: float = drawn(1.0, st.sampled_from([1.0, 0.0, 10.0]), reals(-1e9, 1e9))
    shared: bool = drawn(False, st.booleans(), OneOf((False, True)))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)


NODES = TwoNodes(d=4, norm_1=2.0, norm_2=0.5, seed=1)
SHARED = TwoNodes(d=4, norm_1=2.0, norm_2=0.5, shared=True, seed=1)


@dataclass(frozen=True)
class Motion:
    """``w (2, d)``, ``r (2, d)``, ``xi (2,)`` and, where shared, ``u (d,)`` and ``rho (2,)``."""

    w: Array
    r: Array
    xi: Array
    u: Array
    rho: Array

    @classmethod
    def of(cls, nodes: TwoNodes) -> Motion:
        """Random directions of the instance's norms, pulled along one direction or each along its own."""
        rng = np.random.default_rng(nodes.seed)
        w = rng.standard_normal((2, nodes.d))
        w *= np.array([[nodes.norm_1], [nodes.norm_2]]) / np.linalg.norm(w, axis=1, keepdims=True)
        u, rho = rng.standard_normal(nodes.d), nodes.pull * rng.standard_normal(2)
        r = rho[:, None] * u if nodes.shared else nodes.pull * rng.standard_normal((2, nodes.d))
        return cls(w, r, nodes.xi * rng.standard_normal(2), u, rho)

    @property
    def speed(self) -> Array:
        """w' = r + xi w."""
        return np.asarray(self.r + self.xi[:, None] * self.w)

    def derivative(self, function: Callable[[Any], Any]) -> Any:
        """d/dt of an analytic function of (w_1, w_2) along w', exact to rounding."""
        return np.imag(function(self.w + 1j * STEP * self.speed)) / STEP

    @property
    def norm(self) -> Array:
        """Norms of the two nodes."""
        return np.asarray(np.linalg.norm(self.w, axis=1))

    @property
    def rounding(self) -> float:
        """Bound on the rounding of a rate here: 16 d eps times ``sum_k (||r_k|| / ||w_k|| + |xi_k|)``."""
        rate = float((np.linalg.norm(self.r, axis=1) / self.norm + np.abs(self.xi)).sum())
        return float(16 * self.w.shape[1] * EPS * rate)

    def across(self, node: int) -> Array:
        """``P_perp(w) r`` of one node."""
        w, r = self.w[node], self.r[node]
        return np.asarray(r - w * (w @ r) / (w @ w))


def _unit(w: Any) -> Any:
    return w / np.sqrt((w * w).sum(axis=-1, keepdims=True))  # analytic, as the complex step needs


def _close(measured: Array, predicted: Array, tolerance: float) -> Evidence:
    measured, predicted = np.ravel(measured), np.ravel(predicted)
    at = int(np.argmax(np.abs(measured - predicted)))
    return Evidence.close(float(measured[at]), predicted=float(predicted[at]), tolerance=tolerance)


def rational_motion(nodes: TwoNodes) -> RationalMotion:
    """The doubles of the motion as fractions."""
    drawn = Motion.of(as_drawn(nodes))
    w, r = (tuple(map(rationals, rows)) for rows in (drawn.w, drawn.r))
    return RationalMotion((w[0], w[1]), (r[0], r[1]), rationals(drawn.xi))


def exact_direction(nodes: TwoNodes, *, with_norm: bool = True, factor: float = 1.0) -> Margin:
    """Minus the difference of both sides, in fractions."""
    return rational_motion(nodes).direction_gap(with_norm, as_fraction(factor))


@THEOREM7.claim(
    "reading",
    part="direction",
    expected="holds",
    enclose=exact_direction,
    on=TwoNodes,
    examples=(NODES,),
    cost=ALGEBRA.at_quick(200),
    place="the worst case before Eqn 11, which cites Eqn 69",
    note="the text names the equation, its formula is lost; derived here",
    compares=("rate at which a direction turns", "=", "P⊥r/‖w‖"),
)
def turns_by_the_part_across(
    nodes: TwoNodes, context: Context, *, with_norm: bool = True, factor: float = 1.0
) -> Evidence:
    """A direction turns by the part of r across it

    ẇ = r + ξw:   dw̄/dt = P⊥_w r / ‖w‖,   w̄ = w/‖w‖

    ξ drops out, and a node of small norm turns fast.
    """
    motion = Motion.of(nodes)
    length = motion.norm if with_norm else np.ones(2)
    predicted = factor * np.stack([motion.across(k) / length[k] for k in range(2)])
    return _close(motion.derivative(_unit), predicted, motion.rounding)


turns_by_the_part_across.rejects("without 1/‖w‖", NODES, with_norm=False)
turns_by_the_part_across.rejects("1e-12 faster", NODES, factor=1 + 1e-12)


def exact_cosine(nodes: TwoNodes, *, second: float = 1.0) -> Margin:
    """Minus the difference of both sides, in fractions."""
    return rational_motion(nodes).cosine_gap(as_fraction(second))


@THEOREM7.claim(
    "reading",
    part="pair_cosine",
    expected="holds",
    enclose=exact_cosine,
    on=TwoNodes,
    examples=(NODES,),
    cost=ALGEBRA.at_quick(200),
    compares=("rate of the cosine of two nodes", "=", "what their pulls across make it"),
)
def cosine_of_two_nodes(nodes: TwoNodes, context: Context, *, second: float = 1.0) -> Evidence:
    """How the cosine of two nodes moves

    d(w̄₁·w̄₂)/dt = w̄₂ᵀ P⊥₁ r₁/‖w₁‖ + w̄₁ᵀ P⊥₂ r₂/‖w₂‖

    One of two readings of a theorem on two nodes under ẇ = r + ξw; the other is theorem7.norm_ratio.
    """
    motion = Motion.of(nodes)
    bar, length = _unit(motion.w), motion.norm
    predicted = bar[1] @ motion.across(0) / length[0] + second * bar[0] @ motion.across(1) / length[1]
    measured = motion.derivative(lambda w: (_unit(w)[0] * _unit(w)[1]).sum())
    return _close(measured, np.array(predicted), motion.rounding)


cosine_of_two_nodes.rejects("first node only", NODES, second=0.0)
cosine_of_two_nodes.rejects("second node 1e-11 stronger", NODES, second=1 + 1e-11)


def exact_norm_ratio(nodes: TwoNodes, *, with_xi: bool = True, factor: float = 1.0) -> Margin:
    """Minus the difference of both sides, in fractions."""
    return rational_motion(nodes).norm_ratio_gap(with_xi, as_fraction(factor))


@THEOREM7.claim(
    "reading",
    part="norm_ratio",
    expected="holds",
    enclose=exact_norm_ratio,
    on=TwoNodes,
    examples=(NODES,),
    cost=ALGEBRA.at_quick(200),
    note="the printed formula is lost; the likeliest reading, as the text speaks of two nodes and their ratio",
    compares=("rate of ln ‖w₁‖/‖w₂‖", "=", "difference of what each grows by"),
)
def ratio_of_two_norms(
    nodes: TwoNodes, context: Context, *, with_xi: bool = True, factor: float = 1.0
) -> Evidence:
    """How the ratio of two norms moves

    d ln(‖w₁‖/‖w₂‖)/dt = w̄₁·r₁/‖w₁‖ − w̄₂·r₂/‖w₂‖ + ξ₁ − ξ₂

    Everything said of symmetry breaking depends on ξ and on the 1/‖w_k‖ here; see theorem7.feedback and
    theorem7.growth.
    """
    motion = Motion.of(nodes)
    grown = (_unit(motion.w) * motion.r).sum(axis=1) / motion.norm + with_xi * motion.xi
    measured = motion.derivative(lambda w: 0.5 * np.log((w[0] * w[0]).sum() / (w[1] * w[1]).sum()))
    return _close(measured, np.array(factor * (grown[0] - grown[1])), motion.rounding)


ratio_of_two_norms.rejects("without ξ", NODES, with_xi=False)
ratio_of_two_norms.rejects("1e-11 faster", NODES, factor=1 + 1e-11)


def _cosines(motion: Motion, w: Any) -> Any:
    return _unit(w) @ _unit(motion.u)


def off_axis(nodes: TwoNodes) -> tuple[Assumption, ...]:
    """Both pulled along u, neither node along it, where the half angle is 0 or pi / 2 for good."""
    motion = Motion.of(nodes)
    return (
        Assumption.that("r_1, r_2 along one direction", nodes.shared),
        Assumption.below(
            "w_k not along u: |cosine|", float(np.abs(_cosines(motion, motion.w)).max()), 0.9999
        ),
    )


def exact_half_angle(nodes: TwoNodes, *, sign: float = 1.0) -> Margin:
    """Minus the difference of both sides, in fractions: each node's law, both pulled exactly along u."""
    drawn = Motion.of(as_drawn(nodes))
    w, (u, rho, xi) = tuple(map(rationals, drawn.w)), map(rationals, (drawn.u, drawn.rho, drawn.xi))
    return half_angle_gap(w, u, rho, xi, sign)


@THEOREM7.claim(
    "sharp",
    part="half_angle",
    expected="holds",
    enclose=exact_half_angle,
    on=TwoNodes,
    draw=drawn_fields(TwoNodes, shared=st.just(True)),
    assume=off_axis,
    examples=(SHARED,),
    cost=ALGEBRA.at_quick(200),
    note="ours",
    compares=("rate of ln tan(θ₁/2)/tan(θ₂/2)", "=", "ρ₂/‖w₂‖ − ρ₁/‖w₁‖"),
)
def half_angles(nodes: TwoNodes, context: Context, *, sign: float = 1.0) -> Evidence:
    """Two nodes pulled along one direction

    r_k = ρ_k u, ‖u‖ = 1, θ_k = ∠(w_k, u):   d ln[tan(θ₁/2)/tan(θ₂/2)]/dt = −ρ₁/‖w₁‖ + ρ₂/‖w₂‖

    Which of two nodes gains on the other depends on ρ_k/‖w_k‖ alone, not on their angles.
    """
    motion = Motion.of(nodes)

    def log_ratio(w: Any) -> Any:
        cosine = _cosines(motion, w)
        return 0.5 * np.log((1 - cosine[0]) * (1 + cosine[1]) / ((1 + cosine[0]) * (1 - cosine[1])))

    rates = motion.rho * np.linalg.norm(motion.u) / motion.norm
    # At the poles 1 - cos and 1 + cos lose their digits.
    sine_squared = float(np.min(1 - np.real(_cosines(motion, motion.w)) ** 2))
    predicted = np.array(sign * (rates[1] - rates[0]))
    return _close(motion.derivative(log_ratio), predicted, motion.rounding / sine_squared)


half_angles.rejects("sign turned", SHARED, sign=-1.0)
half_angles.rejects("1e-11 faster", SHARED, sign=1 + 1e-11)
half_angles.excludes("each along its own", NODES, "r_1, r_2 along one direction")
half_angles.excludes("one dimension", TwoNodes(d=1, shared=True), "w_k not along u")
half_angles.includes("generic nodes pulled along u", SHARED)
