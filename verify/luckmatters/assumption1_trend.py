"""How the Assumption-1 gap goes with width and depth, in networks at random initialisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import torch
from matplotlib.figure import Figure
from scipy.integrate import quad
from torch import Tensor

from dynamics.two_layer import teachers
from dynamics.two_layer.flows import GradientFlow, TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from nets.matrix_form.layered import LayeredNetwork, augmented
from nets.matrix_form.separation import relative_gap, separate
from verify.judging import (
    LUCK_MATTERS,
    Budget,
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
from verify.mathematics.families.layered_pairs import DeepPair

# Width: two layers, isotropic input, exact gradients in closed form


@dataclass(frozen=True)
class WidePair:
    """Random unit fan-ins in dimension d, standard normal fan-outs; m teacher and n >= m student nodes."""

    d: int = 4
    m: int = 2
    more: int = 1
    c: int = 2
    seed: int = 0

    @property
    def n(self) -> int:
        """Number of students."""
        return self.m + self.more


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


def squares(pair: WidePair, instances: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """``||missing||^2`` and ``||gradient||^2`` of W in each of ``instances`` random pairs, population values."""
    problem = TeacherStudent(
        teachers.random_unit(pair.d, pair.m, rng, (instances,)),
        teachers.random_unit(pair.d, pair.n, rng, (instances,)),
        rng.standard_normal((instances, pair.m, pair.c)),
        rng.standard_normal((instances, pair.n, pair.c)),
    )
    exact = GradientFlow(problem).field(problem.student_W, problem.student_V)[0]
    eqn6 = TwoLayerFlow(problem, projected=False).field(problem.student_W, problem.student_V)[0]
    return ((exact - eqn6) ** 2).sum(axis=(-2, -1)), (exact**2).sum(axis=(-2, -1))


def width_evidence(pair: WidePair, context: Context, factor: float = 1.0) -> Evidence:
    """The ratio of the two mean squares over an ensemble, with its standard error (linearised)."""
    instances = 4000 if context.budget.name == "full" else 1500
    missing, gradient = squares(pair, instances, context.rng(pair.seed, pair.d, pair.m, pair.n, pair.c))
    ratio = missing.mean() / gradient.mean()
    error = (missing - ratio * gradient).std(ddof=1) / gradient.mean() / np.sqrt(instances)
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


def wide_pairs(budget: Budget) -> st.SearchStrategy[WidePair]:
    """Wide ones at ``full``; at ``deep`` ten thousand narrow ones."""
    d, m, more = {"quick": (24, 6, 6), "full": (64, 16, 16), "deep": (16, 4, 4)}[budget.name]
    return st.builds(
        WidePair,
        d=st.integers(2, d),
        m=st.integers(1, m),
        more=st.integers(0, more),
        c=st.integers(2, 8),
        seed=st.integers(0, 2**16),
    )


def _width_figure(verdict: Verdict) -> Figure:
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    width = np.array([2, 4, 8, 16, 32, 64, 128, 256])
    for label, shape in (
        ("m = n = d, c = 1", (1, 0, 0)),
        ("n = 2m = 2d, c = d", (0, 1, 1)),
        ("m = n = c = d", (0, 0, 1)),
    ):
        one, more, outputs = shape
        pairs = [WidePair(int(w), int(w), int(w) * more, one + int(w) * outputs) for w in width]
        axes.semilogx(width, [predicted_gap(pair) for pair in pairs], label=label)
    axes.axhline(2 / np.sqrt(np.pi**2 + 4), color="0.6", ls=":")
    axes.set(xlabel="input dimension d", ylabel="relative gap, first layer", ylim=(0, 0.6))
    axes.legend(frameon=False)
    return figure


WIDTH = Statement(
    key="luckmatters.assumption1.width",
    form=Form.SHARP,
    title="The gap does not shrink with width",
    claim="‖Ẇ_0 − Eqn 6‖² / ‖Ẇ_0‖² = R S / (R (S + P + 2X) + (c + 2)/4)  in mean squares,  R = (m + n − 1)/4π²\n"
    "S = E sin²θ, P = E(π − θ)², X = E(π − θ) sin θ cos θ over random directions in dimension d\n"
    "two layers at random initialisation, x ~ N(0, I); limit 2/√(π² + 4) = 0.537 of the gradient for m + n ≫ c, d → ∞",
    source=Source(LUCK_MATTERS, "Assumption 1 and Eqn 6", "not in the paper: its error on average"),
    expected=Outcome.HOLDS,
    instance_type=WidePair,
    instances=wide_pairs,
    evidence=width_evidence,
    controls=(
        Control(
            "gap × 0.8",
            lambda context: width_evidence(WidePair(8, 4, 4, 2), context, factor=0.8),
        ),
        Control("no gap", lambda context: width_evidence(WidePair(8, 4, 4, 2), context, factor=0.0)),
    ),
    examples=(WidePair(10, 5, 5, 4), WidePair(20, 10, 10, 10)),
    cost=Cost(25, 200, 10_000),
    figure=_width_figure,
    remark="More inputs make random fan-ins orthogonal, not parallel, so the gap goes to a constant. "
    "It is small only for few nodes and many outputs, where each node's own term dominates.",
)

# Depth: any layer, three kinds of input


@dataclass(frozen=True)
class DeepEnsemble:
    """Random pairs with ``depth`` weight matrices, teachers ``width`` wide, students twice as wide.

    ``inputs``: isotropic (standard normal), biased (the same with a constant 1), empirical (few samples); see
    INPUT_SAMPLES.
    """

    inputs: str = "isotropic"
    depth: int = 3
    width: int = 8
    seed: int = 0


INPUT_SAMPLES = {"isotropic": 250, "biased": 250, "empirical": 40}
PAIRS = 96


def _random_networks(sizes: tuple[int, ...], rng: np.random.Generator) -> LayeredNetwork:
    """He initialisation, PAIRS networks."""
    shapes = pairwise(sizes)
    weights = [rng.standard_normal((PAIRS, *shape)) * np.sqrt(2 / shape[0]) for shape in shapes]
    return LayeredNetwork(tuple(map(torch.from_numpy, weights)))


def layer_gaps(ensemble: DeepEnsemble, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Relative gaps of every layer ``(PAIRS, depth)``, and of the projected first layer ``(PAIRS,)``."""
    x = torch.from_numpy(rng.standard_normal((INPUT_SAMPLES[ensemble.inputs], ensemble.width)))
    x = augmented(x) if ensemble.inputs == "biased" else x
    widths = ((2 * ensemble.width, ensemble.width),) * (ensemble.depth - 1)
    pair = DeepPair(x.shape[-1], widths, 4)
    student, teacher = (_random_networks(pair.sizes(side), rng) for side in (0, 1))
    separation = separate(student, teacher, x)
    exact, eqn6 = separation.exact.total, separation.separated().total
    unit = student.weights[0] / torch.linalg.vector_norm(student.weights[0], dim=-2, keepdim=True)
    projected = [g - unit * (unit * g).sum(dim=-2, keepdim=True) for g in (exact[0], eqn6[0])]
    gaps = torch.stack([relative_gap(a, b) for a, b in zip(exact, eqn6, strict=True)], dim=-1)
    return gaps, relative_gap(*projected)


@lru_cache(maxsize=64)  # the statements and their controls compare the same ensembles
def gaps_of(ensemble: DeepEnsemble, run_seed: int) -> tuple[Tensor, Tensor]:
    """:func:`layer_gaps` from the run's seed and the ensemble's own."""
    rng = Context(seed=run_seed).rng(ensemble.seed, ensemble.depth, ensemble.width)
    return layer_gaps(ensemble, rng)


def depth_evidence(ensemble: DeepEnsemble, context: Context, level: int = 0) -> Evidence:
    """Mean gap of the layer ``level`` against the first layer's at two weight matrices, over independent pairs."""
    deep, projected = gaps_of(ensemble, context.seed)
    shallow = gaps_of(replace(ensemble, depth=2), context.seed)[0][:, 0]
    difference = float(deep[:, level].mean() - shallow.mean())
    standard_error = float(torch.sqrt((deep[:, level].var() + shallow.var()) / PAIRS))
    return Evidence(
        predicted=float(shallow.mean()),
        measured=float(deep[:, level].mean()),
        margin=difference,
        tolerance=0.0,
        standard_error=standard_error,
        inconclusive=abs(difference) < context.z() * standard_error,
        details={"gaps": deep.mean(dim=0).tolist(), "projected_first_layer": float(projected.mean())},
    )


def _depth_figure(verdict: Verdict) -> Figure:
    """Mean gap per layer, counted from the bottom, one panel for each kind of input."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for axes, kind in zip(panels, INPUT_SAMPLES, strict=True):
        for record in verdict.judged:
            if record.evidence and record.instance.inputs == kind and "gaps" in record.evidence.details:
                gaps = record.evidence.details["gaps"]
                label = f"{record.instance.depth} matrices, width {record.instance.width}"
                axes.plot(range(len(gaps)), gaps, "o-", ms=3, label=label)
        axes.set(title=f"{kind} input", xlabel="layer l")
    panels[0].set(ylabel="relative gap of Ẇ_l", ylim=(0, None))
    panels[0].legend(frameon=False, fontsize=6)
    return figure


DEPTH = Statement(
    key="luckmatters.assumption1.depth",
    form=Form.SHARP,
    title="The gap of the first layer is larger in deeper networks",
    claim="mean ‖Ẇ_0 − Eqn 6‖ / ‖Ẇ_0‖ with 3, 4, 5 weight matrices > the same with 2\n"
    "He initialisation, students twice as wide as teachers; isotropic, biased and empirical input",
    source=Source(LUCK_MATTERS, "Assumption 1 and Eqn 6", "measured, not in the paper"),
    expected=Outcome.HOLDS,
    instance_type=DeepEnsemble,
    evidence=depth_evidence,
    controls=(
        Control(
            "the top layer, where Eqn 6 is exact",
            lambda context: depth_evidence(DeepEnsemble(), context, level=-1),
        ),
    ),
    examples=tuple(
        DeepEnsemble(kind, depth, width)
        for kind in INPUT_SAMPLES
        for depth, width in ((3, 6), (3, 10), (4, 6), (5, 6))
    ),
    figure=_depth_figure,
    remark="Means over 96 pairs on 250 inputs (empirical: 40): 0.42 to 0.63 of the gradient with two weight matrices, "
    "0.66 to 0.92 with three to five. Within a network the gap falls towards the top layer, where it is zero. "
    "With more than two matrices projecting the first layer does not remove it, for isotropic input either: β "
    "varies with x.",
)
