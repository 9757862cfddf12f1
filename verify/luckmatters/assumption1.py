"""Assumption 1 (separation of expectations): false as a property of ReLU networks, and how large the gap is."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
from matplotlib.figure import Figure

from nets.matrix_form.separation import separate
from verify.judging import (
    LUCK_MATTERS,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
    Verdict,
)
from verify.mathematics.families.integer_pairs import IntegerPair, integer_pairs
from verify.mathematics.separation_gap import gap_tensors

_SOURCE = Source(LUCK_MATTERS, "Assumption 1, Eqns 4 and 5")

# As a property of ReLU networks


def gap_evidence(pair: IntegerPair, context: Context) -> Evidence:
    """The largest entry of both gap tensors over all layers, against the largest separated product."""
    student, teacher, x = pair.tensors()
    separation = separate(student, teacher, x)
    gap = max(float(tensor.abs().max()) for both in gap_tensors(separation, x) for tensor in both)
    size = max(
        float(moments.H(level).abs().max() * moments.L[level].abs().max())
        for moments in (separation.to_teacher, separation.own)
        for level in range(pair.depth)
    )
    return Evidence.at_most(gap / size if size else gap, bound=0.0, tolerance=1e-12)


def gap_confirm(pair: IntegerPair) -> Evidence:
    """The same tensors in fractions."""
    rational = pair.rational()
    gap = max(rational.assumption1_gap(level) for level in range(pair.depth))
    return Evidence.at_most(float(gap), bound=0.0, tolerance=0.0)


_PAIR = IntegerPair(2, ((2, 1),), 1, 4, 3, 1)

PRINTED = Statement(
    key="luckmatters.assumption1",
    form=Form.PRINTED,
    title="Separation of expectations",
    claim="E[β*_jj° f'_j f'_j° f_k f_k°] = E[β*_jj°] E[f'_j f'_j°] E[f_k f_k°],   the same with student indices twice\n"
    "read as a property of deep ReLU networks",
    source=_SOURCE,
    expected=Outcome.REFUTED,
    instance_type=IntegerPair,
    instances=lambda budget: integer_pairs((2, 4)),
    evidence=gap_evidence,
    confirm=gap_confirm,
    controls=(
        Control("two layers, four inputs", lambda context: gap_evidence(_PAIR, context)),
        Control(
            "a single input separates everything",
            lambda context: gap_evidence(IntegerPair(2, ((2, 1), (2, 3)), 2, 1, 9, 1), context),
            must_hold=True,
        ),
    ),
    cost=Cost(100, 300, 1000),
    remark="A gate selects inputs, so it is correlated with them as soon as inputs of different size lie on its two "
    "sides. The paper assumes it without saying where it holds; theorem2 lists exact cases.",
)

# First layer, isotropic input: the gap in closed form


@dataclass(frozen=True)
class TwoGates:
    """Two fan-ins at an angle."""

    angle: float = 1.0


def overlap_moment(angle: float) -> np.ndarray:
    """``E[1(a.x > 0) 1(b.x > 0) x x^T]`` in the plane of a and b, standard Gaussian, by quadrature: ``(2, 2)``.

    Both gates are open on directions in a wedge of opening pi - angle; the radius contributes E[r^2] = 2.
    """
    nodes, weights = np.polynomial.legendre.leggauss(40)
    low, high = angle - np.pi / 2, np.pi / 2
    direction = (high - low) / 2 * nodes + (high + low) / 2
    unit = np.stack([np.cos(direction), np.sin(direction)])
    return np.asarray((unit * weights) @ unit.T * (high - low) / 2 / np.pi)


def first_layer_evidence(gates: TwoGates, context: Context, factor: float = 1.0) -> Evidence:
    """Spectral norm of the gap by quadrature against ``factor`` (1 but for the controls) times ``sin θ / 2π``."""
    moment = overlap_moment(gates.angle)
    gap = moment - (np.pi - gates.angle) / (2 * np.pi) * np.eye(2)
    measured = float(np.linalg.norm(gap, 2))
    predicted = factor * float(np.sin(gates.angle)) / (2 * np.pi)
    relative = measured / max((np.pi - gates.angle) / (2 * np.pi), 1e-300)
    return Evidence.close(measured, predicted=predicted, tolerance=1e-14, relative_gap=relative)


def _gap_figure(verdict: Verdict) -> Figure:
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


FIRST_LAYER = Statement(
    key="luckmatters.assumption1.first_layer",
    form=Form.SHARP,
    title="The gap of the first layer for isotropic input",
    claim="‖E[f'_j f'_j° xxᵀ] − E[f'_j f'_j°] E[xxᵀ]‖₂ = sin θ / 2π,   x ~ N(0, I), θ = ∠(w_j, w*_j°)",
    source=Source(LUCK_MATTERS, "Assumption 1, Eqns 4 and 5", "not in the paper: its error, in closed form"),
    expected=Outcome.HOLDS,
    instance_type=TwoGates,
    instances=lambda budget: st.builds(TwoGates, st.floats(0, float(np.pi))),
    evidence=first_layer_evidence,
    controls=(
        Control("sin θ / π", lambda context: first_layer_evidence(TwoGates(), context, factor=2.0)),
        Control("no gap", lambda context: first_layer_evidence(TwoGates(), context, factor=0.0)),
    ),
    examples=(TwoGates(0.0), TwoGates(float(np.pi) / 2), TwoGates(3.1)),
    figure=_gap_figure,
    remark="Zero only for parallel fan-ins. Relative to what is kept it is sin θ/(π − θ): 0.64 for orthogonal "
    "nodes, rising to 1 as they turn away from each other. The missing part acts on u as ‖u‖ sin θ ŵ/2π, along the "
    "fan-in of the student, which is why the projection P⊥_w removes it.",
)
