"""How tight Theorem 5's linear bound is: the best students with given boundaries, by linear programming."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import linprog

from dynamics.arrays import Array
from verify.judging import (
    SEARCH,
    SEED,
    Assumption,
    Context,
    Evidence,
    Instance,
    Verdict,
    drawn,
    integers,
    reals,
)
from verify.mathematics.kinks.discs import slab_constant
from verify.mathematics.kinks.nearly_attained import just_below
from verify.specialization import DERIVED
from verify.specialization.theorem5 import THEOREM5

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
class Knots(Instance):
    """relu(x) on (-half_width, half_width) by an affine function and ``knots`` ReLUs a side with |knot| >= 1.

    Lengths are in units of the distance delta of the nearest knot.
    """

    half_width: float = drawn(
        10.0, st.sampled_from([10 / 3, 10.0, 100 / 3, 100.0]), reals(1.0, low_open=True)
    )
    knots: int = drawn(1, st.integers(1, 12), integers(1))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)


@THEOREM5.claim(
    "sharp",
    part="constant",
    expected="holds",
    on=Knots,
    examples=tuple(Knots(half_width=1 / delta, knots=8) for delta in (0.3, 0.1, 0.03, 0.01)),
    cost=SEARCH.at_quick(40),
    note=DERIVED,
    compares=("error of the best approximation", "=", "δ/4"),
)
def best_error_is_a_quarter(instance: Knots, context: Context, *, nearest: float = 1.0) -> Evidence:
    """Best approximation of a ReLU by others at distance δ

    min over affine + Σ c_i σ(x − t_i), |t_i| ≥ δ, of sup |α σ(x) − …| = |α| δ / 4

    Between the knots nearest to 0 the approximation is affine, and the best affine one errs by δ/4: the constant 1/4
    of the kink bound cannot be improved.
    """
    rng = np.random.default_rng(instance.seed)
    size = np.append(nearest, rng.uniform(nearest, instance.half_width, instance.knots - 1))
    knots = np.concatenate([-size, size])
    grid = np.linspace(-instance.half_width, instance.half_width, 201)
    x = np.unique(np.concatenate([grid, np.linspace(-1, 1, 41), knots]))
    features = np.column_stack([np.ones_like(x), x, np.maximum(x[:, None] - knots, 0)])
    return Evidence.close(best_error(features, np.maximum(x, 0)), predicted=0.25, tolerance=SOLVER)


best_error_is_a_quarter.rejects("a knot at δ/2", Knots(knots=3), nearest=0.5)
best_error_is_a_quarter.rejects("a knot at 1.01 δ", Knots(knots=3), nearest=1.01)


# The plane

RHO = 0.5
GRID = 31


@dataclass(frozen=True)
class Lines(Instance):
    """relu(x_1) on (-1, 1)^2 by an affine function and ``count`` ReLUs, their lines up to ``theta`` from x_1 = 0.

    The lines pass through random points of x_1 = 0, |x_2| < 1/2: a disc of radius rho = 1/2.
    """

    count: int = drawn(2, st.integers(1, 6), integers(1))
    theta: float = drawn(0.1, st.sampled_from([0.3, 0.1, 0.03]), reals(0.0, 1.5707963267948966))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def normals(self) -> tuple[Array, Array]:
        """Unit normals (2, K') and offsets (K',)."""
        rng = np.random.default_rng(self.seed)
        turn = self.theta * rng.uniform(0.5, 1.0, self.count) * rng.choice([-1.0, 1.0], self.count)
        normals = np.stack([np.cos(turn), np.sin(turn)])
        through = rng.uniform(-RHO, RHO, self.count)
        return normals, -normals[1] * through


def no_parallel_line(lines: Lines) -> tuple[Assumption, ...]:
    """No other line is parallel to the teacher's."""
    return (Assumption.above("no line parallel to the teacher's: angle", lines.theta, 0),)


@THEOREM5.claim(
    "sharp",
    part="best",
    expected="holds",
    on=Lines,
    assume=no_parallel_line,
    examples=tuple(
        Lines(count, theta, seed) for count in (2, 4) for theta in (0.3, 0.1, 0.03) for seed in range(6)
    ),
    cost=SEARCH.at_quick(20),
    note=DERIVED,
    compares=("error of the best student", "≥", "ρ / (4 Σ 1/sin θ)"),
)
def no_student_beats_the_bound(
    lines: Lines, context: Context, *, stretch: float = 1.0, scale: float = 1.0
) -> Evidence:
    """Best students in the plane beside the linear bound

    min over affine + Σ_i c_i σ(n_iᵀx + b_i) of sup |σ(x₁) − …| ≥ ρ / (4 Σ_i 1/sin θ_i)

    Nothing about a student is fixed but its boundaries: the linear programme chooses all fan-outs.
    The bound is within a factor of ten of the best possible.
    """
    # The supremum is taken over a grid and three points at the clearest place of the disc.
    normals, offsets = lines.normals()
    bound = stretch * RHO / (4 * slab_constant(2) * float((1 / np.abs(normals[1])).sum()))
    along = np.linspace(-RHO, RHO, 2001)
    distance = np.abs(along[:, None] * normals[1] + offsets).min(axis=1)
    at, eta = along[int(distance.argmax())], float(distance.max())
    axis = np.linspace(-1, 1, GRID)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    x = np.concatenate([grid, [[-eta, at], [0.0, at], [eta, at]]])
    features = np.column_stack([np.ones(len(x)), x, np.maximum(x @ normals + offsets, 0)])
    error = scale * best_error(features, np.maximum(x[:, 0], 0))
    return Evidence(
        predicted=bound,
        measured=error,
        margin=error - bound + SOLVER,
        tolerance=SOLVER,
        details={"error over bound": error / bound},
    )


no_student_beats_the_bound.rejects_variant(
    "errors 1 % below the bound", just_below(no_student_beats_the_bound), Lines(), share=0.01
)
no_student_beats_the_bound.excludes("parallel lines", Lines(theta=0.0), "no line parallel")
no_student_beats_the_bound.includes("nearly parallel lines", Lines(theta=1e-3))
no_student_beats_the_bound.rejects("the bound × 20", Lines(), stretch=20.0)
no_student_beats_the_bound.rejects("the bound × 20, four lines", Lines(count=4), stretch=20.0)


@no_student_beats_the_bound.drawn_by
def error_over_bound(verdict: Verdict) -> Figure:
    """Best error over the bound against the angle."""
    figure = Figure(figsize=(5.4, 3.5))
    axes = figure.add_subplot()
    for count, colour in ((2, "#2b6cb0"), (4, "#b3261e")):
        chosen = [r for r in verdict.judged if r.instance.count == count and r.evidence]
        ratios = [r.evidence.measured / r.evidence.predicted for r in chosen if r.evidence]
        axes.semilogx([r.instance.theta for r in chosen], ratios, ".", color=colour, label=f"K' = {count}")
    axes.axhline(1, color="#8a9099", linewidth=1)
    axes.set_xlabel("largest angle θ")
    axes.set_ylabel("best error / bound")
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure
