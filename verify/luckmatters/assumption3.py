"""Assumption 3: small overlap between teachers; how small it can be, with and without negative biases."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy.special import ndtr

from dynamics.arrays import Array
from dynamics.geometry.angles import angles
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.two_layer.teachers import random_unit, thresholded
from verify.judging import (
    ALGEBRA,
    LUCK_MATTERS,
    Budget,
    CannotJudgeError,
    Context,
    Evidence,
    Item,
    Source,
    Verdict,
    fixed,
)
from verify.judging.domains import SEED, Instance, integers, reals
from verify.mathematics.theorem4_constants import overlap_ratios

ASSUMPTION3 = Item(
    "luckmatters.assumption3",
    Source(
        LUCK_MATTERS,
        "Assumption 3, Eqn 9",
        "the paper assumes ε ≪ 1; the values are our own",
        version="v4",
        section="3",
    ),
)

FEWEST = 50
"""Shared openings that a sample must let expect: below it the normal interval of their number is too narrow."""

CHUNK = 1 << 16
"""Samples whose gates are counted at a time."""


@dataclass(frozen=True)
class OverlapInstance(Instance):
    """m random unit teachers in d dimensions, or (``threshold > 0``) orthogonal ones active above the threshold."""

    m: int = fixed(2, integers(2))
    d: int = fixed(3, integers(2))
    threshold: float = fixed(0.0, reals(0))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        """More orthogonal directions than dimensions."""
        return "expected d >= m with a threshold" if self.threshold > 0 and self.d < self.m else ""


PAIR, THRESHOLDED = OverlapInstance(), OverlapInstance(m=3, d=5, threshold=2.0)


def random_and_thresholded(budget: Budget) -> st.SearchStrategy[OverlapInstance]:
    """Random unit teachers without bias, orthogonal ones with a threshold (lower, so cheaper to count, at ``deep``)."""
    highest = 1.5 if budget.name == "deep" else 2.5
    seeds = st.integers(0, 2**16)
    random = st.builds(OverlapInstance, m=st.integers(2, 8), d=st.integers(2, 20), seed=seeds)
    thresholded = st.integers(2, 8).flatmap(
        lambda m: st.builds(
            OverlapInstance, m=st.just(m), d=st.integers(m, 12), threshold=st.floats(0.5, highest), seed=seeds
        )
    )
    return st.one_of(random, thresholded)


def teachers_of(instance: OverlapInstance) -> tuple[Array, InputMeasure]:
    """The teachers as columns and the input measure."""
    rng = np.random.default_rng(instance.seed)
    if instance.threshold > 0:
        teacher = thresholded(instance.d, instance.m, instance.threshold, rng)
        return teacher, BiasedGaussian(instance.d)
    return random_unit(instance.d, instance.m, rng), IsotropicGaussian(instance.d)


def closed_form(instance: OverlapInstance, teacher: Array) -> float:
    """``eps_d = (pi - alpha_min) / pi`` without bias; ``Phi(-b)`` for orthogonal thresholded teachers."""
    if instance.threshold > 0:
        return float(ndtr(-instance.threshold))
    apart = angles(teacher, teacher)[np.triu_indices(instance.m, 1)]
    return float((np.pi - apart.min()) / np.pi)


def count_gates(teacher: Array, measure: InputMeasure, size: int, rng: np.random.Generator) -> Array:
    """How often each pair of gates is open together, ``(m, m)`` counts over ``size`` samples, in chunks."""
    joint = np.zeros((teacher.shape[1],) * 2)
    for start in range(0, size, CHUNK):
        gates = (measure.sample(min(CHUNK, size - start), rng) @ teacher > 0).astype(np.float64)
        joint += gates.T @ gates
    return joint


@ASSUMPTION3.claim(
    "sharp",
    compares=("share of openings of node j that node k shares", "=", "ε_d in closed form"),
    expected="holds",
    on=OverlapInstance,
    draw=random_and_thresholded,
    examples=(PAIR, THRESHOLDED),
    cost=ALGEBRA.at_quick(40),
)
def overlap_has_the_closed_form(
    instance: OverlapInstance, context: Context, *, factor: float = 1.0, power: float = 1.0
) -> Evidence:
    """How small the overlap between teachers is

    ε_d = max_{j≠k} d**_jk / d**_jj  =  (π − α_min)/π  for zero-bias isotropic input
    (≥ 1 − arccos(−1/(m−1))/π: at least 1/3 for m ≥ 3),   = Φ(−b)  for orthogonal teachers with threshold b

    Without a negative bias ε_d cannot be small for m ≥ 3, whatever the teachers: the assumption is one about biases.
    The m directions cannot all be more than arccos(−1/(m−1)) apart.
    """
    # Against the kernels, and against counted gates: for the pair j, k that overlaps most, c of the N_j openings of j
    # are shared; given N_j, c is binomial, and its interval (normal, continuity-corrected) decides. The sample holds
    # some 400 expected shared openings.
    teacher, measure = teachers_of(instance)
    predicted = factor * closed_form(instance, teacher) ** power
    kernel = measure.psi_d(teacher, teacher)
    together = np.where(np.eye(instance.m, dtype=bool), -1.0, kernel)  # every gate is open equally often
    j, k = np.unravel_index(int(np.argmax(together)), together.shape)
    size = int(np.clip(400 / max(kernel[j, k], 1e-300), 20_000, 4_000_000))
    if (
        size * kernel[j, k] < FEWEST
    ):  # before anything is divided by what may be zero: kernels underflow from b = 38 on
        raise CannotJudgeError("both gates are open too rarely to be counted")
    from_kernel = float(overlap_ratios(teacher, measure)[0])
    joint = count_gates(teacher, measure, size, context.rng(instance.seed, 3))
    openings, shared = joint[j, j], joint[j, k]
    error = float(np.sqrt(predicted * max(1 - predicted, 1 / openings) / openings))
    reach = context.z() * error + 0.5 / openings
    sampled = float(shared / openings)
    # Rounding of the kernels: Owen's T is good to 1e-16 of probabilities that may be Phi(-b)^2 small.
    rounding = 1e-14 * predicted + 1e-15 / kernel[j, j]
    margin = min(
        reach - abs(sampled - predicted), (rounding - abs(from_kernel - predicted)) * reach / rounding
    )
    details = {"eps_d from the kernels": from_kernel, "samples": size, "shared openings": float(shared)}
    few = bool(margin >= 0 and reach > 0.5 * predicted)  # what the interval rejects is decided
    return Evidence(
        predicted=predicted,
        measured=sampled,
        margin=margin,
        tolerance=reach,
        standard_error=error,
        inconclusive=few,
        details=details,
    )


overlap_has_the_closed_form.errs(
    says="Assumption 3 (v4, section 3, Eqn 9) assumes ε_d ≪ 1; a negative bias is called sufficient for it.",
    true="Without biases ε_d = (π − α_min)/π for isotropic input: ½ for orthogonal teachers (ε_l = 1/π) in any "
    "dimension, at least ⅓ for any three. With threshold b, orthogonal directions have ε_d = Φ(−b).",
    impact="substance",
    matters="Under isotropic input three or more teachers meet the assumption with biases only; section 3.3 says that "
    "random initialisation, often orthogonal, naturally leads to it.",
)
overlap_has_the_closed_form.rejects("an overlap 1e-11 larger", PAIR, factor=1 + 1e-11)
overlap_has_the_closed_form.rejects("half the overlap is rejected (no bias)", PAIR, factor=0.5)
overlap_has_the_closed_form.rejects("Φ(−b)² in place of Φ(−b) is rejected", THRESHOLDED, power=2.0)


@overlap_has_the_closed_form.drawn_by
def overlap_over_the_threshold(verdict: Verdict) -> Figure:
    """Overlap ratio against the threshold: how negative a bias Assumption 3 wants."""
    fig, axes = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    threshold = np.linspace(0, 5, 200)
    axes.plot(threshold, ndtr(-threshold), label="orthogonal directions: ε_d = Φ(−b)")
    drawn = [(r.instance.threshold, r.evidence.measured) for r in verdict.judged if r.evidence]
    axes.plot(
        *np.array([point for point in drawn if point[0] > 0] or [(np.nan, np.nan)]).T,
        ".",
        label="counted gates",
    )
    axes.axhline(1 / 3, color="0.5", linestyle="--", linewidth=1)
    axes.text(4.9, 0.36, "least possible for m = 3 without bias", ha="right", va="bottom", color="0.35")
    axes.set(yscale="log", xlabel="threshold b", ylabel="overlap ratio ε_d")
    axes.legend(frameon=False)
    return fig
