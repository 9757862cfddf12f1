"""The independence of ReLU nodes behind Theorem 2: false up to positive multiples, true up to multiples of any sign."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import COLINEAR_ANGLE, Box, aligned, colinear, visibility
from dynamics.two_layer.critical.critical_points import dyadic_columns
from dynamics.two_layer.critical.residual_kinks import kink_points
from verify.judging import (
    ALGEBRA,
    SEARCH,
    SEED,
    SPECIALIZATION,
    Assumption,
    Context,
    Evidence,
    Instance,
    Item,
    Source,
    drawn,
    drawn_fields,
    integers,
)
from verify.judging.assumption import in_words
from verify.mathematics.kinks.nearly_attained import just_below
from verify.mathematics.precise.null_space import null_space
from verify.specialization import REBUILT, VERSION

INDEPENDENCE = Item(
    "specialization.independence",
    Source(
        SPECIALIZATION,
        "proof sketch of Theorem 2 (appendix Lemmas 2, 3 and 6)",
        REBUILT,
        version=VERSION,
        section="4.3",
    ),
)
EPS = float(np.finfo(np.float64).eps)
SAMPLES = 600


@dataclass(frozen=True)
class Nodes(Instance):
    """Nodes with boundaries through (-2, 2)^d: ``singles`` of them, and ``pairs`` with their antiparallel node."""

    d: int = drawn(1, st.integers(1, 4), integers(1))
    singles: int = drawn(0, st.integers(0, 5), integers(0))
    pairs: int = drawn(1, st.integers(0, 6), integers(0))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def columns(self) -> tuple[Box, Array]:
        """The region and the nodes' weights with bias (d + 1, nodes), mirrored pairs last."""
        region = Box.cube(self.d, 2.0)
        columns = dyadic_columns(region, self.singles + self.pairs, np.random.default_rng(self.seed))
        return region, np.concatenate([columns, -columns[:, self.singles :]], axis=1)


def smallest_combination(columns: Array, x: Array, *, affine: bool) -> tuple[float, Array]:
    """Smallest singular value of the nodes' values on x (unit columns), and its coefficients for the nodes.

    With ``affine`` combinations may use affine functions of x as well.
    """
    values = np.maximum(x @ columns[:-1] + columns[-1], 0)
    if affine:
        values = np.concatenate([values, x, np.ones((len(x), 1))], axis=1)
    scale = np.linalg.norm(values, axis=0)
    _, singular, right = np.linalg.svd(values / scale, full_matrices=len(x) < values.shape[1])
    return float(singular[-1]), right[-1] / scale


def some_nodes(nodes: Nodes) -> tuple[Assumption, ...]:
    """Not the empty set."""
    return (Assumption.at_least("number of nodes", nodes.singles + nodes.pairs, 1),)


def no_positive_multiples(nodes: Nodes) -> tuple[Assumption, ...]:
    """Boundaries in the region, and no node a positive multiple of another."""
    if nodes.singles + nodes.pairs == 0:
        return some_nodes(nodes)
    region, columns = nodes.columns()
    repeated = int(aligned(columns, columns).sum()) - columns.shape[1]
    return (
        Assumption.above("every boundary in the region: reach", float(visibility(region, columns).min()), 0),
        Assumption.that(f"no positive multiples (to {in_words(COLINEAR_ANGLE)} rad)", repeated == 0),
    )


def no_multiples(nodes: Nodes) -> tuple[Assumption, ...]:
    """Boundaries in the region, and no node a multiple of another, of either sign."""
    if nodes.singles + nodes.pairs == 0:
        return some_nodes(nodes)
    columns = nodes.columns()[1]
    repeated = int(colinear(columns, columns).sum()) - columns.shape[1]
    extra = Assumption.that(f"no multiples of either sign (to {in_words(COLINEAR_ANGLE)} rad)", repeated == 0)
    return (*no_positive_multiples(nodes), extra)


@INDEPENDENCE.claim(
    "reading",
    expected="refuted",
    on=Nodes,
    assume=no_positive_multiples,
    cost=SEARCH,
    compares=("smallest singular value of the nodes' values", ">", "rounding"),
    telling=lambda nodes: nodes.d >= 2 and nodes.singles >= 1,
)
def independent(nodes: Nodes, context: Context) -> Evidence:
    """Our reading: ReLU nodes are linearly independent

    boundaries inside the open region, no w̃_k = λ w̃_k' with λ > 0  ⇒  the σ(w̃_kᵀx̃) are linearly independent

    σ(t) − σ(−t) = t: two antiparallel nodes make an affine function, and d+2 affine functions are dependent. Where an
    output bias or always-active nodes are at hand one pair is enough. The proof sketch says "their boundaries are
    within the training region" and that the teachers are not co-linear; λ > 0 is our reading of co-linear, and with λ
    of either sign the nodes are independent (the corrected form).
    """
    region, columns = nodes.columns()
    x = region.sample(SAMPLES, context.rng(nodes.seed))
    smallest, _ = smallest_combination(columns, x, affine=False)
    rounding = 10 * EPS * np.sqrt(columns.shape[1])  # a singular value below it says: dependent
    return Evidence(predicted=0.0, measured=smallest, margin=smallest - rounding, tolerance=rounding)


@independent.confirmed_precisely(digits=0)
def vanishing_combination(nodes: Nodes) -> Evidence:
    """A combination of the nodes that vanishes identically, in fractions; the largest value of it found is 0.

    sigma(t_i) - sigma(-t_i) = t_i is affine, so d + 2 pairs have a combination with sum c_i t_i = 0; then
    sum c_i (sigma(t_i) - sigma(-t_i)) is evaluated at points of the region.
    """
    region, columns = nodes.columns()
    exact = [[Fraction(entry) for entry in column] for column in columns.T.tolist()]
    affine = exact[nodes.singles : nodes.singles + nodes.pairs]
    basis = null_space([list(row) for row in zip(*affine, strict=True)]) if affine else []
    if not basis:
        return Evidence(predicted=0.0, measured=1.0, margin=1.0)
    largest = Fraction(0)
    rng = np.random.default_rng(0)
    for point in region.sample(50, rng).tolist():
        x = [*(Fraction(entry) for entry in point), Fraction(1)]
        total = Fraction(0)
        for weight, column in zip(basis[0], affine, strict=True):
            t = sum(a * b for a, b in zip(column, x, strict=True))
            total += weight * (max(t, Fraction(0)) - max(-t, Fraction(0)))
        largest = max(largest, abs(total))
    return Evidence(predicted=0.0, measured=float(largest), margin=-1.0 if largest == 0 else 1.0)


independent.accepts("five nodes on five lines", Nodes(2, 5, 0))
independent.rejects("three pairs in one dimension", Nodes(1, 0, 3))

independent.excludes("no nodes", Nodes(1, 0, 0), "number of nodes")
independent.includes("one pair", Nodes(1, 0, 1))

independent.errs(
    says=(
        "Section 4.3, proof sketch of Theorem 2: ReLU nodes with boundaries in the region are linearly "
        'independent. Read with "no positive multiples".'
    ),
    true=(
        "d + 2 antiparallel pairs are dependent, with an output bias one pair is enough. With no "
        "multiples of either sign every combination bends by at least η_k |c_k| ‖w_k‖ / 4."
    ),
    impact="substance",
    matters="The proofs of Theorems 2 to 4 rest on it; with λ of either sign they stand.",
)


@INDEPENDENCE.claim(
    "corrected",
    expected="holds",
    on=Nodes,
    draw=drawn_fields(Nodes, pairs=st.just(0)),
    assume=no_multiples,
    examples=(Nodes(1, 3, 0), Nodes(3, 5, 0)),
    cost=ALGEBRA.at_quick(80),
    place="proof sketch of Theorem 2",
    note="either sign; constant derived here",
    compares=("largest value of the smallest combination", "≥", "η |c| ‖w‖ / 4"),
)
def every_combination_bends(nodes: Nodes, context: Context, *, scale: float = 1.0) -> Evidence:
    """ReLU nodes on distinct lines are independent, affine functions included

    no w̃_k = λ w̃_k' with λ of either sign
    ⇒  sup_R |Σ_k c_k σ(w̃_kᵀx̃) + affine| ≥ η_k |c_k| ‖w_k‖ / 4  for every k

    η_k is the clearance of a point of node k's boundary from all others. Judged on the combination that is
    smallest on a sample of the region.
    """
    region, columns = nodes.columns()
    rng = context.rng(nodes.seed)
    _, combination = smallest_combination(columns, region.sample(SAMPLES, rng), affine=True)
    count = columns.shape[1]
    combination = combination / max(float(np.abs(combination[:count]).max()), 1e-300)
    coefficients, affine = combination[:count], combination[count:]

    def value(points: Array) -> Array:
        active = np.maximum(points @ columns[:-1] + columns[-1], 0) @ coefficients
        return np.asarray(active + points @ affine[:-1] + affine[-1])

    largest_bound = Evidence(predicted=0.0, measured=0.0, margin=-1.0)
    for node, coefficient in zip(columns.T, coefficients, strict=True):
        points = kink_points(region, node, columns, 64, rng)
        at = int(points.clearance.argmax())
        eta = 0.9 * float(points.clearance[at])
        needed = eta * abs(coefficient) * float(np.linalg.norm(node[:-1])) / 4
        if needed > largest_bound.predicted:
            measured = scale * float(np.abs(value(points.triple(at, eta))).max())
            terms = np.abs(coefficients) @ np.abs(columns).sum(axis=0) * 2 + np.abs(affine).sum() * 2
            tolerance = float(count * EPS * terms)
            margin = measured - needed + tolerance
            largest_bound = Evidence(predicted=needed, measured=measured, margin=margin, tolerance=tolerance)
    return largest_bound


every_combination_bends.rejects("a node and its antiparallel", Nodes(2, 2, 1))
every_combination_bends.rejects_variant(
    "values 1e-11 below the bound", just_below(every_combination_bends), Nodes(3, 5, 0), share=1e-11
)
every_combination_bends.excludes("an antiparallel pair", Nodes(2, 2, 1), "no multiples of either sign")
every_combination_bends.includes("nodes on distinct lines", Nodes(3, 5, 0))
