"""Perturbed critical points: leaving one costs a gradient in proportion."""

from __future__ import annotations

from dataclasses import dataclass, replace

import hypothesis.strategies as st
import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.two_layer.critical.relu_network import TwoLayerNetwork, sample_gradients
from verify.judging import ALGEBRA, SEED, Assumption, Context, Evidence, Instance, OneOf, drawn, integers
from verify.mathematics.families.two_layer_pairs import CriticalPair, Splitting
from verify.specialization import DERIVED
from verify.specialization.theorem2 import THEOREM2

SAMPLES = 400
KINDS = ("turn a copy", "break a sum", "wake an idle node")
DELTAS = (1e-1, 1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class Perturbation(Instance):
    """A critical point (2 copies a teacher, one idle node) and what is changed by delta; slopes are compared."""

    d: int = drawn(2, st.integers(1, 4), integers(1))
    outputs: int = drawn(1, st.integers(1, 3), integers(1))
    teachers: int = drawn(1, st.integers(1, 3), integers(1))
    kind: str = drawn(KINDS[0], st.sampled_from(KINDS), OneOf(KINDS))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def networks(self) -> CriticalPair:
        """The critical point that is left."""
        plan = Splitting(self.d, self.outputs, self.teachers, copies=2, idle=1, seed=self.seed)
        return plan.networks()


def perturbed(networks: CriticalPair, kind: str, delta: float, direction: Array) -> TwoLayerNetwork:
    """The student with one node changed by ``delta`` along ``direction``, of the size of that node's weights."""
    student = networks.student
    W, b, V = student.W.copy(), student.b.copy(), student.V.copy()
    d = W.shape[0]
    if kind == "turn a copy":
        W[:, 0] += delta * student.fan_in_norms[0] * direction[:d]
        b[0] += delta * student.fan_in_norms[0] * direction[d]
    else:
        row = 0 if kind == "break a sum" else int(np.flatnonzero(networks.kind == "idle")[0])
        V[row] += delta * direction[-V.shape[1] :]
    return replace(student, W=W, b=b, V=V)


def unswitched(before: TwoLayerNetwork, after: TwoLayerNetwork, x: Array) -> NDArray[np.bool_]:
    """Inputs whose gates are the same in both networks, and in all between, whose fan-ins lie on the segment."""
    same = (x @ before.W + before.b > 0) == (x @ after.W + after.b > 0)
    return np.asarray(same.all(axis=1))


def gradient_slopes(perturbation: Perturbation, context: Context) -> Array:
    """Largest per-sample gradient over delta, for every delta of ``DELTAS``, where the three smallest switch no gate.

    An input which a turned boundary passes between two of them switches a node on or off there, and its gradient
    over delta jumps by a number of order one.
    """
    networks, kind = perturbation.networks(), perturbation.kind
    rng = context.rng(perturbation.seed, 4)
    direction = rng.standard_normal(perturbation.d + 1 + perturbation.outputs)
    direction /= np.abs(direction).max()
    direction = np.where(np.abs(direction) < 0.2, 0.2, direction)  # no part of the move is negligible
    x = networks.region.sample(SAMPLES, rng)
    x = x[unswitched(networks.student, perturbed(networks, kind, DELTAS[1], direction), x)]
    found = [
        sample_gradients(perturbed(networks, kind, delta, direction), networks.teacher, x) for delta in DELTAS
    ]
    return np.array([gradients.largest / delta for gradients, delta in zip(found, DELTAS, strict=True)])


def has_effect(perturbation: Perturbation) -> tuple[Assumption, ...]:
    """A copy that is turned must have a fan-out."""
    fan_out = perturbation.networks().student.V[0]
    return (Assumption.above("the node has a fan-out: size", float(np.abs(fan_out).max()), 0),)


@THEOREM2.claim(
    "sharp",
    part="perturbation",
    expected="holds",
    on=Perturbation,
    assume=has_effect,
    examples=(Perturbation(d=3, outputs=2, teachers=2, kind=KINDS[0], seed=7),),
    cost=ALGEBRA,
    place="Theorems 2 and 3",
    note=DERIVED,
    compares=("largest over smallest gradient / δ", "≤", "1.5"),
)
def gradient_is_proportional(perturbation: Perturbation, context: Context, *, power: float = 1.0) -> Evidence:
    """Leaving a critical point costs a gradient in proportion

    turning a copy, breaking a sum or waking an idle node by δ:
    max gradient / δ → constant > 0  (δ = 1e-2 … 1e-4, over inputs where no gate is switched)

    Where no gate is switched the gradient over δ is constant up to O(δ): the band 1.5 separates δ from δ² and
    √δ, whose ratios would be 100 and 10. An input that the turned boundary passes gains or loses a node, and its
    gradient over δ jumps.
    """
    slopes = gradient_slopes(perturbation, context)
    small = slopes[1:] * np.array(DELTAS[1:]) ** (1 - power)  # gradient over delta^power
    if small.min() <= 0:
        return Evidence(predicted=1.5, measured=np.inf, margin=-np.inf)
    spread = float(small.max() / small.min())
    return Evidence.at_most(spread, bound=1.5, tolerance=0.0, gradient_over_delta=slopes.tolist())


gradient_is_proportional.rejects("gradient ∝ δ²", Perturbation(), power=2.0)
gradient_is_proportional.includes("a turned copy", Perturbation())
gradient_is_proportional.excludes(
    "a node whose fan-out cancels",
    Perturbation(3, 2, 1, "wake an idle node", seed=37446),
    "the node has a fan-out",
)
gradient_is_proportional.rejects("gradient ∝ √δ", Perturbation(kind=KINDS[1]), power=0.5)
