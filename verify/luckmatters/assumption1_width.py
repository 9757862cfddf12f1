"""How the Assumption-1 gap goes with width: two layers at random initialisation, isotropic input, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import hypothesis.strategies as st
import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import quad

from dynamics.arrays import Array
from dynamics.two_layer import teachers
from dynamics.two_layer.flows import GradientFlow, TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import ALGEBRA, Context, Evidence, Verdict, drawn
from verify.judging.domains import SEED, Instance, integers
from verify.luckmatters.assumption1 import ASSUMPTION1

LARGEST = {"quick": (24, 6), "full": (64, 16), "deep": (16, 4)}
"""Input dimension; teachers as well as students beyond them. At ``deep``, with ten thousand instances, narrow ones."""


@dataclass(frozen=True)
class WidePair(Instance):
    """Random unit fan-ins in dimension d, standard normal fan-outs to c outputs; m teachers, m + ``more`` students."""

    d: int = drawn(4, lambda budget: st.integers(2, LARGEST[budget.name][0]), integers(2))
    m: int = drawn(2, lambda budget: st.integers(1, LARGEST[budget.name][1]), integers(1))
    more: int = drawn(1, lambda budget: st.integers(0, LARGEST[budget.name][1]), integers(0))
    c: int = drawn(2, st.integers(2, 8), integers(1))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    @property
    def n(self) -> int:
        """Number of students."""
        return self.m + self.more


NARROW = WidePair(8, 4, 4, 2)


@cache
def angle_moments(d: int) -> tuple[float, float, float]:
    """``E[sin^2 t], E[(pi - t)^2], E[(pi - t) sin t cos t]`` for the angle t of two random directions in dimension d.

    Its density is proportional to ``sin^(d-2) t``.
    """
    mass = quad(lambda t: np.sin(t) ** (d - 2), 0, np.pi)[0]
    integrands = (
        lambda t: np.sin(t) ** 2,
        lambda t: (np.pi - t) ** 2,
        lambda t: (np.pi - t) * np.sin(t) * np.cos(t),
    )
    first, second, third = (
        quad(lambda t, g=g: g(t) * np.sin(t) ** (d - 2), 0, np.pi)[0] / mass for g in integrands
    )
    return first, second, third


def predicted_gap(pair: WidePair) -> float:
    """``sqrt(E||missing||^2 / E||gradient||^2)`` of the first layer.

    Node j misses ``w_j sum_k c_k sin t_k / 2 pi`` with ``c_k = v_j.v_k`` of mean 0 and variance c, over m + n - 1 other
    nodes k; its own term is ``||v_j||^2 w_j / 2``, whose square has mean (c^2 + 2c)/4. Cross terms average out.
    """
    sine, opening, cross = angle_moments(pair.d)
    others = (pair.m + pair.n - 1) / (4 * np.pi**2)
    gradient = others * (sine + opening + 2 * cross) + (pair.c + 2) / 4
    return float(np.sqrt(others * sine / gradient))


def squared_norms(pair: WidePair, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """``||missing||^2`` and ``||gradient||^2`` of W in each of ``count`` random pairs, population values."""
    problem = TeacherStudent(
        teachers.random_unit(pair.d, pair.m, rng, (count,)),
        teachers.random_unit(pair.d, pair.n, rng, (count,)),
        rng.standard_normal((count, pair.m, pair.c)),
        rng.standard_normal((count, pair.n, pair.c)),
    )
    exact = GradientFlow(problem).field(problem.student_W, problem.student_V)[0]
    eqn6 = TwoLayerFlow(problem, projected=False).field(problem.student_W, problem.student_V)[0]
    return ((exact - eqn6) ** 2).sum(axis=(-2, -1)), (exact**2).sum(axis=(-2, -1))


@ASSUMPTION1.claim(
    "sharp",
    part="width",
    expected="holds",
    on=WidePair,
    examples=(WidePair(10, 5, 5, 4), WidePair(20, 10, 10, 10)),
    cost=ALGEBRA.at_quick(25),
    place="Assumption 1 and Eqn 6",
    note="not in the paper: its error on average",
    compares=("root of the mean squared gap over the mean squared gradient", "=", "closed form"),
)
def does_not_shrink_with_width(pair: WidePair, context: Context, *, factor: float = 1.0) -> Evidence:
    """The gap does not shrink with width

    ‖Ẇ_0 − Eqn 6‖² / ‖Ẇ_0‖² = R S / (R (S + P + 2X) + (c + 2)/4)  in mean squares,  R = (m + n − 1)/4π²
    S = E sin²θ, P = E(π − θ)², X = E(π − θ) sin θ cos θ over random directions in dimension d
    two layers at random initialisation, x ~ N(0, I); limit 2/√(π² + 4) = 0.537 of the gradient for m + n ≫ c, d → ∞

    More inputs make random fan-ins orthogonal, not parallel, so the gap goes to a constant. It is small only for few
    nodes and many outputs, where each node's own term dominates.
    """
    count = 4000 if context.budget.name == "full" else 1500
    missing, gradient = squared_norms(pair, count, context.rng(pair.seed, pair.d, pair.m, pair.n, pair.c))
    ratio = missing.mean() / gradient.mean()
    # The standard error of a ratio of means and of its square root, each linearised.
    error = (missing - ratio * gradient).std(ddof=1) / gradient.mean() / np.sqrt(count)
    measured, predicted = float(np.sqrt(ratio)), factor * predicted_gap(pair)
    standard_error = float(error / (2 * np.sqrt(ratio)))
    allowed = context.z() * standard_error
    return Evidence(
        predicted=predicted,
        measured=measured,
        margin=allowed - abs(measured - predicted),
        tolerance=allowed,
        standard_error=standard_error,
        inconclusive=standard_error > 0.05 * measured,
    )


does_not_shrink_with_width.rejects("gap × 0.8", NARROW, factor=0.8)
does_not_shrink_with_width.rejects("no gap", NARROW, factor=0.0)


@does_not_shrink_with_width.drawn_by
def predicted_gaps(verdict: Verdict) -> Figure:
    """The predicted gap over the input dimension, for three ways in which widths and outputs grow with it."""
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    widths = [2, 4, 8, 16, 32, 64, 128, 256]
    for label, pairs in (
        ("m = n = d, c = 1", [WidePair(d, d, 0, 1) for d in widths]),
        ("n = 2m = 2d, c = d", [WidePair(d, d, d, d) for d in widths]),
        ("m = n = c = d", [WidePair(d, d, 0, d) for d in widths]),
    ):
        axes.semilogx(widths, [predicted_gap(pair) for pair in pairs], label=label)
    axes.axhline(2 / np.sqrt(np.pi**2 + 4), color="0.6", ls=":")
    axes.set(xlabel="input dimension d", ylabel="relative gap, first layer", ylim=(0, 0.6))
    axes.legend(frameon=False)
    return figure
