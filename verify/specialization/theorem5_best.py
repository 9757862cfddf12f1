"""How tight Theorem 5's linear bound is: the best students with given boundaries, by linear programming."""

from __future__ import annotations

from dataclasses import dataclass, replace

import hypothesis.strategies as st
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import linprog

from dynamics.arrays import Array
from verify.judging import (
    Assumption,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Statement,
    Verdict,
)
from verify.specialization.sources import DERIVED, source
from verify.specialization.theorem5 import slab_constant

SOLVER = 1e-6
"""HiGHS meets constraints and optimality to 1e-7 each; all data are of order 1."""


def best_error(features: Array, target: Array) -> float:
    """``min_c max_i |target_i - features_i c|`` by a linear programme, (N, p) and (N,).

    Raises ArithmeticError when the solver does not report an optimum.
    """
    points, width = features.shape
    ones = np.ones((points, 1))
    rows = np.block([[features, -ones], [-features, -ones]])
    cost = np.append(np.zeros(width), 1.0)
    found = linprog(
        cost, A_ub=rows, b_ub=np.concatenate([target, -target]), bounds=[(None, None)] * width + [(0, None)]
    )
    if not found.success:
        raise ArithmeticError(found.message)
    return float(found.fun)


# One dimension: exactly 1/4


@dataclass(frozen=True)
class Knots:
    """relu(x) on (-half_width, half_width) by an affine function and ``knots`` ReLUs a side with |knot| >= 1.

    Lengths are in units of the distance delta of the nearest knot.
    """

    half_width: float = 10.0
    knots: int = 1
    seed: int = 0


def in_one_dimension(instance: Knots, context: Context, nearest: float = 1.0) -> Evidence:
    """The best error over alpha delta; the nearest knots are at +-``nearest`` (1 but for a control)."""
    rng = np.random.default_rng(instance.seed)
    size = np.append(nearest, rng.uniform(nearest, instance.half_width, instance.knots - 1))
    knots = np.concatenate([-size, size])
    grid = np.linspace(-instance.half_width, instance.half_width, 201)
    x = np.unique(np.concatenate([grid, np.linspace(-1, 1, 41), knots]))
    features = np.column_stack([np.ones_like(x), x, np.maximum(x[:, None] - knots, 0)])
    return Evidence.close(best_error(features, np.maximum(x, 0)), predicted=0.25, tolerance=SOLVER)


CONSTANT = Statement(
    key="specialization.theorem5.constant",
    form=Form.SHARP,
    title="Best approximation of a ReLU by others at distance δ",
    claim="min over affine + Σ c_i σ(x − t_i), |t_i| ≥ δ, of sup |α σ(x) − …| = |α| δ / 4",
    source=source("Theorem 5", DERIVED),
    expected=Outcome.HOLDS,
    instance_type=Knots,
    instances=lambda budget: st.builds(
        Knots,
        half_width=st.sampled_from([10 / 3, 10.0, 100 / 3, 100.0]),
        knots=st.integers(1, 12),
        seed=st.integers(0, 2**16),
    ),
    evidence=in_one_dimension,
    controls=(
        Control("a knot at δ/2", lambda c: in_one_dimension(Knots(knots=3), c, nearest=0.5)),
        Control("a knot at 1.01 δ", lambda c: in_one_dimension(Knots(knots=3), c, nearest=1.01)),
    ),
    examples=tuple(Knots(half_width=1 / delta, knots=8) for delta in (0.3, 0.1, 0.03, 0.01)),
    cost=Cost(40, 200, 2000),
    remark="Between the knots nearest to 0 the approximation is affine, and the best affine one errs by "
    "δ/4: the constant 1/4 "
    "of the kink bound cannot be improved.",
)


# The plane


@dataclass(frozen=True)
class Lines:
    """relu(x_1) on (-1, 1)^2 by an affine function and ``count`` ReLUs, their lines up to ``theta`` from x_1 = 0.

    The lines pass through random points of x_1 = 0, |x_2| < 1/2: a disc of radius rho = 1/2.
    """

    count: int = 2
    theta: float = 0.1
    seed: int = 0


RHO = 0.5
GRID = 31


def lines(instance: Lines) -> tuple[Array, Array]:
    """Unit normals (2, K') and offsets (K',)."""
    rng = np.random.default_rng(instance.seed)
    turn = instance.theta * rng.uniform(0.5, 1.0, instance.count) * rng.choice([-1.0, 1.0], instance.count)
    normals = np.stack([np.cos(turn), np.sin(turn)])
    through = rng.uniform(-RHO, RHO, instance.count)
    return normals, -normals[1] * through


def in_the_plane(instance: Lines, context: Context, stretch: float = 1.0) -> Evidence:
    """Best error over a grid and three points at the clearest place, against ``rho / (4 c_2 sum 1 / sin theta)``."""
    normals, offsets = lines(instance)
    bound = stretch * RHO / (4 * slab_constant(2) * float((1 / np.abs(normals[1])).sum()))
    along = np.linspace(-RHO, RHO, 2001)
    distance = np.abs(along[:, None] * normals[1] + offsets).min(axis=1)
    at, eta = along[int(distance.argmax())], float(distance.max())
    axis = np.linspace(-1, 1, GRID)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    x = np.concatenate([grid, [[-eta, at], [0.0, at], [eta, at]]])
    features = np.column_stack([np.ones(len(x)), x, np.maximum(x @ normals + offsets, 0)])
    error = best_error(features, np.maximum(x[:, 0], 0))
    return Evidence(
        predicted=bound,
        measured=error,
        margin=error - bound + SOLVER,
        tolerance=SOLVER,
        details={"error over bound": error / bound},
    )


def figure(verdict: Verdict) -> Figure:
    """Best error over the bound against the angle."""
    drawn = Figure(figsize=(5.4, 3.5))
    axes = drawn.add_subplot()
    for count, colour in ((2, "#2b6cb0"), (4, "#b3261e")):
        chosen = [r for r in verdict.judged if r.instance.count == count and r.evidence]
        ratios = [r.evidence.measured / r.evidence.predicted for r in chosen if r.evidence]
        axes.semilogx([r.instance.theta for r in chosen], ratios, ".", color=colour, label=f"K' = {count}")
    axes.axhline(1, color="#8a9099", linewidth=1)
    axes.set_xlabel("largest angle θ")
    axes.set_ylabel("best error / bound")
    axes.set_ylim(bottom=0)
    axes.legend()
    return drawn


def nonzero_angles(instance: Lines) -> tuple[Assumption, ...]:
    """No other line is parallel to the teacher's."""
    return (Assumption("no line parallel to the teacher's", instance.theta),)


PLANE = Statement(
    key="specialization.theorem5.best",
    form=Form.SHARP,
    title="Best students in the plane beside the linear bound",
    claim="min over affine + Σ_i c_i σ(n_iᵀx + b_i) of sup |σ(x₁) − …| ≥ ρ / (4 Σ_i 1/sin θ_i)",
    source=source("Theorem 5", DERIVED),
    expected=Outcome.HOLDS,
    instance_type=Lines,
    instances=lambda budget: drawn_lines(budget),
    assumptions=nonzero_angles,
    evidence=in_the_plane,
    controls=(
        Control("the bound × 20", lambda c: in_the_plane(Lines(), c, stretch=20.0)),
        Control(
            "the bound × 20, four lines", lambda c: in_the_plane(replace(Lines(), count=4), c, stretch=20.0)
        ),
    ),
    examples=tuple(
        Lines(count, theta, seed) for count in (2, 4) for theta in (0.3, 0.1, 0.03) for seed in range(6)
    ),
    cost=Cost(20, 200, 1000),
    figure=figure,
    remark="Nothing about a student is fixed but its boundaries: the linear programme chooses all fan-outs. "
    "The bound is within a factor of ten of the best possible.",
)


def drawn_lines(budget: Budget) -> st.SearchStrategy[Lines]:
    """Up to six lines at three least angles."""
    return st.builds(
        Lines,
        count=st.integers(1, 6),
        theta=st.sampled_from([0.3, 0.1, 0.03]),
        seed=st.integers(0, 2**16),
    )
