"""Assumption 1 (separation of expectations): ReLU networks do not have it by themselves, and how large the gap is."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from nets.matrix_form.separation import separate
from verify.judging import LUCK_MATTERS, SEARCH, Context, Evidence, Item, Source, Verdict, drawn
from verify.judging.domains import Instance, reals
from verify.mathematics.families.integer_pairs import IntegerPair
from verify.mathematics.gradients.separation_gap import gap_tensors, rounding_of

ASSUMPTION1 = Item(
    "luckmatters.assumption1", Source(LUCK_MATTERS, "Assumption 1, Eqns 4 and 5", version="v4", section="2")
)
FOUR_INPUTS = IntegerPair(2, ((2, 1),), 1, 4, 3, 1)
ONE_INPUT = IntegerPair(3, ((3, 2), (2, 3)), 2, 1, 9, 5)


@ASSUMPTION1.claim(
    "necessity",
    expected="needed",
    on=IntegerPair,
    cost=SEARCH.at_quick(100),
    compares=("gap of Assumption 1 relative to the separated value", "=", "no gap"),
    telling=lambda pair: pair.samples >= 4 and pair.depth >= 3,
)
def expectations_separate(pair: IntegerPair, context: Context, *, factor: float = 1.0) -> Evidence:
    """Separation of expectations, not assumed

    E[β*_jj° f'_j f'_j° f_k f_k°] = E[β*_jj°] E[f'_j f'_j°] E[f_k f_k°],   the same with student indices twice
    asked of deep ReLU networks that nothing else is assumed of: does it have to be assumed?

    An assumption is no claim, so nothing of the paper is refuted here: the question is whether it comes for free. A
    gate selects inputs, so it is correlated with them as soon as inputs of different size lie on its two sides. The
    paper assumes it without saying where it holds; theorem2 lists exact cases.
    """
    # The largest entry of both gap tensors over all layers, against the largest separated product.
    student, teacher, x = pair.tensors()
    separation = separate(student, teacher, x)
    gap = max(float(tensor.abs().max()) for both in gap_tensors(separation, x, factor) for tensor in both)
    size = max(
        float(moments.H(level).abs().max() * moments.L[level].abs().max())
        for moments in (separation.to_teacher, separation.own)
        for level in range(pair.depth)
    )
    tolerance = rounding_of(student, teacher, x)
    return Evidence.at_most(gap / size if size else gap, bound=0.0, tolerance=tolerance)


@expectations_separate.confirmed_precisely(digits=0)
def in_fractions(pair: IntegerPair) -> Evidence:
    """The same tensors in exact arithmetic."""
    rational = pair.rational()
    gap = max(rational.assumption1_gap(level) for level in range(pair.depth))
    size = 0
    for level in range(pair.depth):
        for other in (rational.teacher, rational.student):
            beta, D, overlap = rational.averaged(level, other)
            size = max(size, np.abs(beta * D).max() * np.abs(overlap).max())
    return Evidence.at_most(float(gap / size if size else gap), bound=0.0, tolerance=0.0)


expectations_separate.rejects("two layers, four inputs", FOUR_INPUTS)
expectations_separate.rejects(
    "a single input, the joint expectation 1e-11 larger", ONE_INPUT, factor=1 + 1e-11
)
expectations_separate.accepts("a single input separates everything", ONE_INPUT)
expectations_separate.errs(
    says="Assumption 1 (v4, section 2, Eqns 4 and 5) is made for deep ReLU networks without saying where it holds.",
    true="It fails with two inputs and one node on either side (exact gap 1/4). For isotropic Gaussian input "
    "the gap of "
    "the first layer is sin θ/2π in spectral norm, relative to the separated value sin θ/(π − θ): 0.64 at "
    "orthogonality. At random initialisation (two layers, m + n ≫ c, d → ∞) it tends to 2/√(π² + 4) = 0.537 of the "
    "gradient; the mean first-layer gap is 0.42–0.63 of the gradient for two weight matrices and 0.66–0.92 for three "
    "to five, and width does not help: from width 4 to 16 it rises with two matrices (isotropic 0.34 → 0.52, biased "
    "0.60 → 0.66, empirical 0.42 → 0.67) and stays at 0.6–0.9 with three and four. The top layer is always exact.",
    impact="substance",
    matters="Eqn 6 and all that follows from it rest on this assumption; in two layers with isotropic input the "
    "projection removes the gap, in deeper networks it stays.",
)


@dataclass(frozen=True)
class TwoGates(Instance):
    """Two fan-ins at an angle."""

    angle: float = drawn(1.0, st.floats(0, float(np.pi)), reals(0, float(np.pi)))


def overlap_moment(angle: float) -> Array:
    """``E[1(a.x > 0) 1(b.x > 0) x x^T]`` in the plane of a and b, standard Gaussian, by quadrature: ``(2, 2)``.

    Both gates are open on directions in a wedge of opening pi - angle; the radius contributes E[r^2] = 2.
    """
    nodes, weights = np.polynomial.legendre.leggauss(40)
    low, high = angle - np.pi / 2, np.pi / 2
    direction = (high - low) / 2 * nodes + (high + low) / 2
    unit = np.stack([np.cos(direction), np.sin(direction)])
    return np.asarray((unit * weights) @ unit.T * (high - low) / 2 / np.pi)


@ASSUMPTION1.claim(
    "sharp",
    part="first_layer",
    expected="holds",
    on=TwoGates,
    examples=(TwoGates(0.0), TwoGates(float(np.pi) / 2), TwoGates(3.1)),
    note="not in the paper: its error, in closed form",
    compares=("spectral norm of the first-layer gap", "=", "sin θ / 2π"),
)
def gap_of_the_first_layer(gates: TwoGates, context: Context, *, factor: float = 1.0) -> Evidence:
    """The gap of the first layer for isotropic input

    ‖E[f'_j f'_j° xxᵀ] − E[f'_j f'_j°] E[xxᵀ]‖₂ = sin θ / 2π,   x ~ N(0, I), θ = ∠(w_j, w*_j°)

    Zero only for parallel fan-ins. Relative to what is kept it is sin θ/(π − θ): 0.64 for orthogonal nodes, rising to 1
    as they turn away from each other. The missing part acts on u as ‖u‖ sin θ ŵ/2π, along the fan-in of the student,
    which is why the projection P⊥_w removes it.
    """
    kept = (np.pi - gates.angle) / (2 * np.pi)
    gap = overlap_moment(gates.angle) - kept * np.eye(2)
    measured = float(np.linalg.norm(gap, 2))
    predicted = factor * float(np.sin(gates.angle)) / (2 * np.pi)
    relative = measured / max(kept, 1e-300)
    return Evidence.close(measured, predicted=predicted, tolerance=1e-14, relative_gap=relative)


gap_of_the_first_layer.rejects("the gap 1e-11 larger, relative", TwoGates(), factor=1 + 1e-11)
gap_of_the_first_layer.rejects("sin θ / π", TwoGates(), factor=2.0)
gap_of_the_first_layer.rejects("no gap", TwoGates(), factor=0.0)


@gap_of_the_first_layer.drawn_by
def gap_over_the_angle(verdict: Verdict) -> Figure:
    """Relative first-layer gap over the angle of the two fan-ins."""
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    points = [(r.instance.angle, r.evidence.details["relative_gap"]) for r in verdict.judged if r.evidence]
    usable = [(x, y) for x, y in points if x < 3.13]
    angle = np.linspace(0, 3.1, 200)
    axes.plot(angle, np.sin(angle) / (np.pi - angle), color="0.6", label="sin θ / (π − θ)")
    axes.plot(*np.array(usable).T, ".", label="quadrature")
    axes.set(xlabel="angle θ between the fan-ins", ylabel="gap / separated value")
    axes.legend(frameon=False)
    return figure
