"""Theorem 7: how directions, angles between nodes and ratios of norms move under w' = r + xi w, whatever r is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from verify.judging import (
    SPECIALIZATION,
    AnyStatement,
    Assumption,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)

STEP = 1e-100
"""Complex step: the derivative of an analytic function is ``Im f(x + i h x') / h``, with no difference to cancel."""

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class TwoNodes:
    """Two nodes with norms, and arbitrary r_1, r_2, xi_1, xi_2; with ``shared`` both r are multiples of one u."""

    d: int = 2
    norm_1: float = 1.0
    norm_2: float = 1.0
    pull: float = 1.0
    xi: float = 1.0
    shared: bool = False
    seed: int = 0


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
    def rate(self) -> float:
        """Scale of every rate here: the sum of ``||w'|| / ||w||`` with r and xi w taken by their sizes."""
        return float((np.linalg.norm(self.r, axis=1) / self.norm + np.abs(self.xi)).sum())

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


def direction(nodes: TwoNodes, context: Context, with_norm: bool = True) -> Evidence:
    """(7a): both nodes, every coordinate."""
    motion = Motion.of(nodes)
    length = motion.norm if with_norm else np.ones(2)
    predicted = np.stack([motion.across(k) / length[k] for k in range(2)])
    return _close(motion.derivative(_unit), predicted, 16 * nodes.d * EPS * motion.rate)


def pair_cosine(nodes: TwoNodes, context: Context, second: float = 1.0) -> Evidence:
    """(7b)."""
    motion = Motion.of(nodes)
    bar, length = _unit(motion.w), motion.norm
    predicted = bar[1] @ motion.across(0) / length[0] + second * bar[0] @ motion.across(1) / length[1]
    measured = motion.derivative(lambda w: (_unit(w)[0] * _unit(w)[1]).sum())
    return _close(measured, np.array(predicted), 16 * nodes.d * EPS * motion.rate)


def norm_ratio(nodes: TwoNodes, context: Context, with_xi: bool = True) -> Evidence:
    """(7c)."""
    motion = Motion.of(nodes)
    grown = (_unit(motion.w) * motion.r).sum(axis=1) / motion.norm + with_xi * motion.xi
    measured = motion.derivative(lambda w: 0.5 * np.log((w[0] * w[0]).sum() / (w[1] * w[1]).sum()))
    return _close(measured, np.array(grown[0] - grown[1]), 16 * nodes.d * EPS * motion.rate)


def _cosines(motion: Motion, w: Any) -> Any:
    return _unit(w) @ _unit(motion.u)


def half_angle(nodes: TwoNodes, context: Context, sign: float = 1.0) -> Evidence:
    """(7d), with u scaled to unit length: r_k = rho_k u."""
    motion = Motion.of(nodes)

    def log_ratio(w: Any) -> Any:
        cosine = _cosines(motion, w)
        return 0.5 * np.log((1 - cosine[0]) * (1 + cosine[1]) / ((1 + cosine[0]) * (1 - cosine[1])))

    rates = motion.rho * np.linalg.norm(motion.u) / motion.norm
    sine_squared = float(np.min(1 - np.real(_cosines(motion, motion.w)) ** 2))
    tolerance = 16 * nodes.d * EPS * motion.rate / sine_squared  # 1 -+ cos loses its digits at the poles
    return _close(motion.derivative(log_ratio), np.array(sign * (rates[1] - rates[0])), tolerance)


def off_axis(nodes: TwoNodes) -> tuple[Assumption, ...]:
    """Neither node along u, where the half angle is 0 or pi / 2 for good."""
    motion = Motion.of(nodes)
    return (Assumption("w_k not along u", 1 - 1e-4 - float(np.abs(_cosines(motion, motion.w)).max())),)


def two_nodes(budget: Budget, shared: bool = False) -> st.SearchStrategy[TwoNodes]:
    """Norms and pulls apart by up to ten thousand, in two to fifty dimensions."""
    size = st.sampled_from([1.0, 0.01, 0.3, 3.0, 100.0])
    return st.builds(
        TwoNodes,
        d=st.integers(2, 50 if budget.full else 12),
        norm_1=size,
        norm_2=size,
        pull=size,
        xi=st.sampled_from([1.0, 0.0, 10.0]),
        shared=st.just(True) if shared else st.booleans(),
        seed=st.integers(0, 2**16),
    )


_NODES = TwoNodes(d=4, norm_1=2.0, norm_2=0.5, seed=1)
_SHARED = TwoNodes(d=4, norm_1=2.0, norm_2=0.5, shared=True, seed=1)
_EXAMPLES = Cost(200, 1000, 10_000)


def _identity(
    name: str, title: str, claim: str, number: str, note: str, evidence: Any, control: Control, **more: Any
) -> AnyStatement:
    return Statement(
        key=f"specialization.theorem7.{name}",
        form=Form.CORRECTED,
        title=title,
        claim=claim,
        source=Source(SPECIALIZATION, number, note),
        expected=Outcome.HOLDS,
        instance_type=TwoNodes,
        evidence=evidence,
        controls=(control,),
        cost=_EXAMPLES,
        **{"instances": two_nodes, "examples": (_NODES,), **more},
    )


_LOST = "the printed theorem is lost; an identity that its proof and corollaries need"

DIRECTION = _identity(
    "direction",
    "A direction turns by the part of r across it",
    "ẇ = r + ξw:   dw̄/dt = P⊥_w r / ‖w‖,   w̄ = w/‖w‖",
    "Theorem 7, proof (Eqn 69)",
    "named in the text; formula derived",
    direction,
    Control("without 1/‖w‖", lambda c: direction(_NODES, c, with_norm=False)),
    remark="ξ drops out, and a node of small norm turns fast.",
)

PAIR = _identity(
    "pair_cosine",
    "How the cosine of two nodes moves",
    "d(w̄₁·w̄₂)/dt = w̄₂ᵀ P⊥₁ r₁/‖w₁‖ + w̄₁ᵀ P⊥₂ r₂/‖w₂‖",
    "Theorem 7",
    _LOST,
    pair_cosine,
    Control("first node only", lambda c: pair_cosine(_NODES, c, second=0.0)),
)

RATIO = _identity(
    "norm_ratio",
    "How the ratio of two norms moves",
    "d ln(‖w₁‖/‖w₂‖)/dt = w̄₁·r₁/‖w₁‖ − w̄₂·r₂/‖w₂‖ + ξ₁ − ξ₂",
    "Theorem 7",
    "the printed theorem is lost; this is the likeliest reading, as the text speaks of two nodes and their ratio",
    norm_ratio,
    Control("without ξ", lambda c: norm_ratio(_NODES, c, with_xi=False)),
    remark="Everything said of symmetry breaking depends on ξ and on the 1/‖w_k‖ here; see theorem7.feedback and "
    "theorem7.growth.",
)

HALF_ANGLE = _identity(
    "half_angle",
    "Two nodes pulled along one direction",
    "r_k = ρ_k u, ‖u‖ = 1, θ_k = ∠(w_k, u):   d ln[tan(θ₁/2)/tan(θ₂/2)]/dt = −ρ₁/‖w₁‖ + ρ₂/‖w₂‖",
    "Theorem 7",
    _LOST,
    half_angle,
    Control("sign turned", lambda c: half_angle(_SHARED, c, sign=-1.0)),
    instances=lambda budget: two_nodes(budget, shared=True),
    assumptions=off_axis,
    examples=(_SHARED,),
    remark="Which of two nodes gains on the other depends on ρ_k/‖w_k‖ alone, not on their angles.",
)
