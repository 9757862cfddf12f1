"""The independence of ReLU nodes behind Theorem 2: false up to positive multiples, true up to multiples of any sign."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import Box, aligned, colinear, visibility
from dynamics.two_layer.critical_points import dyadic_columns
from dynamics.two_layer.residual_kinks import kink_points
from verify.judging import Assumption, Budget, Context, Control, Cost, Evidence, Form, Outcome, Statement
from verify.mathematics.families.batches import kernel
from verify.specialization.sources import source

KEY = "specialization.independence"
SAMPLES = 600


@dataclass(frozen=True)
class Nodes:
    """Nodes with boundaries through (-2, 2)^d: ``singles`` of them, and ``pairs`` with their antiparallel node."""

    d: int = 1
    singles: int = 0
    pairs: int = 1
    seed: int = 0


def draw_nodes(instance: Nodes) -> tuple[Box, Array]:
    """The region and the nodes' weights with bias (d + 1, nodes), mirrored pairs last."""
    region = Box.cube(instance.d, 2.0)
    columns = dyadic_columns(region, instance.singles + instance.pairs, np.random.default_rng(instance.seed))
    return region, np.concatenate([columns, -columns[:, instance.singles :]], axis=1)


def smallest_combination(columns: Array, x: Array, affine: bool) -> tuple[float, Array]:
    """Smallest singular value of the nodes' values on x (unit columns), and its coefficients for the nodes.

    With ``affine`` combinations may use affine functions of x as well.
    """
    values = np.maximum(x @ columns[:-1] + columns[-1], 0)
    if affine:
        values = np.concatenate([values, x, np.ones((len(x), 1))], axis=1)
    scale = np.linalg.norm(values, axis=0)
    _, singular, right = np.linalg.svd(values / scale, full_matrices=len(x) < values.shape[1])
    return float(singular[-1]), right[-1] / scale


def some_nodes(instance: Nodes) -> tuple[Assumption, ...]:
    """Not the empty set."""
    return (Assumption("at least one node", float(instance.singles + instance.pairs)),)


def printed_conditions(instance: Nodes) -> tuple[Assumption, ...]:
    """Boundaries in the region, and no node a positive multiple of another."""
    if instance.singles + instance.pairs == 0:
        return some_nodes(instance)
    region, columns = draw_nodes(instance)
    repeated = int(aligned(columns, columns).sum()) - columns.shape[1]
    return (
        Assumption("every boundary in the region", float(visibility(region, columns).min())),
        Assumption("no positive multiples", 1.0 if repeated == 0 else -float(repeated)),
    )


def no_multiples(instance: Nodes) -> tuple[Assumption, ...]:
    """The same, and no node a negative multiple of another."""
    if instance.singles + instance.pairs == 0:
        return some_nodes(instance)
    columns = draw_nodes(instance)[1]
    repeated = int(colinear(columns, columns).sum()) - columns.shape[1]
    extra = Assumption("no multiples of either sign", 1.0 if repeated == 0 else -float(repeated))
    return (*printed_conditions(instance), extra)


def independent(instance: Nodes, context: Context) -> Evidence:
    """Smallest singular value of the nodes on the region: below rounding they are dependent there."""
    region, columns = draw_nodes(instance)
    x = region.sample(SAMPLES, context.rng(instance.seed))
    smallest, _ = smallest_combination(columns, x, affine=False)
    rounding = 10 * np.finfo(np.float64).eps * np.sqrt(columns.shape[1])
    return Evidence(predicted=0.0, measured=smallest, margin=smallest - rounding, tolerance=rounding)


def confirm_dependence(instance: Nodes) -> Evidence:
    """A combination of the nodes that vanishes identically, in fractions; the largest value of it found is 0.

    sigma(t_i) - sigma(-t_i) = t_i is affine, so d + 2 pairs have a combination with sum c_i t_i = 0; then
    sum c_i (sigma(t_i) - sigma(-t_i)) is evaluated at points of the region.
    """
    region, columns = draw_nodes(instance)
    exact = [[Fraction(entry) for entry in column] for column in columns.T.tolist()]
    affine = exact[instance.singles : instance.singles + instance.pairs]
    weights = _null_vector(affine)
    if weights is None:
        return Evidence(predicted=0.0, measured=1.0, margin=1.0)
    largest = Fraction(0)
    rng = np.random.default_rng(0)
    for point in region.sample(50, rng).tolist():
        x = [*(Fraction(entry) for entry in point), Fraction(1)]
        total = Fraction(0)
        for weight, column in zip(weights, affine, strict=True):
            t = sum(a * b for a, b in zip(column, x, strict=True))
            total += weight * (max(t, Fraction(0)) - max(-t, Fraction(0)))
        largest = max(largest, abs(total))
    return Evidence(predicted=0.0, measured=float(largest), margin=-1.0 if largest == 0 else 1.0)


def _null_vector(rows: list[list[Fraction]]) -> list[Fraction] | None:
    """Weights, not all zero, with ``sum_i weights_i rows_i = 0``, or None."""
    basis = kernel([list(column) for column in zip(*rows, strict=True)]) if rows else []
    return basis[0] if basis else None


def kink_of_the_worst(instance: Nodes, context: Context, constant: float = 0.25) -> Evidence:
    """The combination (with affine functions) that is smallest on a sample, against the kinks it must have.

    ``sup |sum_k c_k sigma_k + affine| >= eta_k |c_k| ||w_k|| / 4`` for every node; the one with the largest bound.
    """
    region, columns = draw_nodes(instance)
    rng = context.rng(instance.seed)
    x = region.sample(SAMPLES, rng)
    _, combination = smallest_combination(columns, x, affine=True)
    count = columns.shape[1]
    coefficients = combination[:count] / max(float(np.abs(combination[:count]).max()), 1e-300)
    affine = combination[count:] / max(float(np.abs(combination[:count]).max()), 1e-300)

    def value(points: Array) -> Array:
        nodes = np.maximum(points @ columns[:-1] + columns[-1], 0) @ coefficients
        return np.asarray(nodes + points @ affine[:-1] + affine[-1])

    best = Evidence(predicted=0.0, measured=0.0, margin=-1.0)
    for node, coefficient in zip(columns.T, coefficients, strict=True):
        points = kink_points(region, node, columns, 64, rng)
        at = int(points.clearance.argmax())
        eta = 0.9 * float(points.clearance[at])
        needed = constant * eta * abs(coefficient) * float(np.linalg.norm(node[:-1]))
        if needed > best.predicted:
            measured = float(np.abs(value(points.triple(at, eta))).max())
            terms = np.abs(coefficients) @ np.abs(columns).sum(axis=0) * 2 + np.abs(affine).sum() * 2
            tolerance = float(count * np.finfo(np.float64).eps * terms)
            best = Evidence(
                predicted=needed, measured=measured, margin=measured - needed + tolerance, tolerance=tolerance
            )
    return best


def drawn_nodes(budget: Budget, pairs: st.SearchStrategy[int]) -> st.SearchStrategy[Nodes]:
    """Up to five single nodes and some pairs, in one to four dimensions."""
    return st.builds(
        Nodes, d=st.integers(1, 4), singles=st.integers(0, 5), pairs=pairs, seed=st.integers(0, 2**16)
    )


PRINTED = Statement(
    key=KEY,
    form=Form.PRINTED,
    title="ReLU nodes are linearly independent",
    claim="boundaries inside the open region, no w̃_k = λ w̃_k' with λ > 0  ⇒  the σ(w̃_kᵀx̃) are linearly independent",
    source=source("proof sketch of Theorem 2 (appendix Lemmas 2, 3 and 6)"),
    expected=Outcome.REFUTED,
    instance_type=Nodes,
    instances=lambda budget: drawn_nodes(budget, st.integers(0, 6)),
    assumptions=printed_conditions,
    evidence=independent,
    confirm=confirm_dependence,
    controls=(
        Control("five nodes on five lines", lambda c: independent(Nodes(2, 5, 0), c), must_hold=True),
        Control("three pairs in one dimension", lambda c: independent(Nodes(1, 0, 3), c)),
    ),
    cost=Cost(60, 300, 1000),
    remark="σ(t) − σ(−t) = t: two antiparallel nodes make an affine function, and d+2 affine functions are dependent. "
    "Where an output bias or always-active nodes are at hand one pair is enough.",
)

CORRECTED = Statement(
    key=KEY,
    form=Form.CORRECTED,
    title="ReLU nodes on distinct lines are independent, affine functions included",
    claim="no w̃_k = λ w̃_k' with λ of either sign\n"
    "⇒  sup_R |Σ_k c_k σ(w̃_kᵀx̃) + affine| ≥ η_k |c_k| ‖w_k‖ / 4  for every k",
    source=source("proof sketch of Theorem 2", "either sign; constant derived here"),
    expected=Outcome.HOLDS,
    instance_type=Nodes,
    instances=lambda budget: drawn_nodes(budget, st.just(0)),
    assumptions=no_multiples,
    evidence=kink_of_the_worst,
    controls=(Control("a node and its antiparallel", lambda c: kink_of_the_worst(Nodes(2, 2, 1), c)),),
    examples=(Nodes(1, 3, 0), Nodes(3, 5, 0)),
    cost=Cost(80, 500, 10_000),
    remark="η_k is the clearance of a point of node k's boundary from all others. Judged on the combination that is "
    "smallest on a sample of the region.",
)
