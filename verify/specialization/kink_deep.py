"""The kink identity inside an open region of constant mixture coefficients, any depth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import Box, colinear, visibility
from verify.judging import Assumption, Context, Control, Cost, Evidence, Form, Outcome, Statement
from verify.mathematics.families.deep_pairs import (
    Crossing,
    DeepDrawn,
    DeepInstance,
    crossings,
    deep_instances,
    draw_deep,
    gates_constant,
)
from verify.specialization.sources import DERIVED, source

TOLERANCE = 1e-13
"""Relative to the sum of absolute terms of V f: at most a hundred operations a path, each eps = 2.2e-16, times 4."""


@dataclass(frozen=True)
class Bend:
    """At one crossing: ``measured (n_1,)`` second differences of ``V_1^T r``, ``predicted`` ones, and their ``scale``.

    ``pull`` holds the largest ``|V_1^T r|`` over the three points.
    """

    measured: Array
    predicted: Array
    pull: Array
    scale: float


def bend(drawn: DeepDrawn, node: Array, crossing: Crossing) -> Bend:
    """``eta (sum_j alpha_kj ||w*_j|| - sum_k' beta_kk' ||w_k'||)`` over nodes co-linear with ``node``, and r itself."""
    student, teacher = drawn.values(crossing.x)
    V, V_teacher = student.V1[1], teacher.V1[1]
    r = teacher.output - student.output
    kappa = np.zeros(r.shape[1])
    for readout, columns, sign in ((V_teacher, drawn.first[1], 1.0), (V, drawn.first[0], -1.0)):
        same = colinear(columns, node[:, None])[:, 0]
        kappa += sign * readout @ (same * np.linalg.norm(columns[:-1], axis=0))
    terms = (
        np.abs(V_teacher) @ teacher.f1.max(axis=0)
        + np.abs(V) @ student.f1.max(axis=0)
        + np.abs(r).max(axis=0)
    )
    return Bend(
        V.T @ (r[0] - 2 * r[1] + r[2]),
        crossing.eta * V.T @ kappa,
        np.abs(r @ V).max(axis=0),
        float((np.abs(V).T @ terms).max()),
    )


def first_layer(drawn: DeepDrawn) -> Array:
    """All first-layer columns with a boundary in the region, teachers' first."""
    columns = np.concatenate([drawn.first[1], drawn.first[0]], axis=1)
    return np.asarray(columns[:, visibility(drawn.region, columns) > 0])


@lru_cache(maxsize=8)
def open_crossings(instance: DeepInstance) -> list[tuple[Array, Crossing]]:
    """Crossings of all visible first-layer boundaries at which no gate above moves."""
    drawn = draw_deep(instance)
    rng = np.random.default_rng((instance.seed, 1))
    found = []
    for node in first_layer(drawn).T:
        found += [(node, crossing) for crossing in crossings(drawn, node, rng) if crossing.constant]
    return found


def crossed_in_the_open(instance: DeepInstance) -> tuple[Assumption, ...]:
    """Some boundary is crossed where no gate above changes."""
    return (Assumption("a boundary crossed with constant gates above", len(open_crossings(instance)) - 0.5),)


def identity(instance: DeepInstance, context: Context, flat: bool = False) -> Evidence:
    """Second differences of every ``(V_1^T r)_k`` at every crossing; ``flat`` claims them to be 0 (a control)."""
    drawn = draw_deep(instance)
    worst, largest = 0.0, 0.0
    for node, crossing in open_crossings(instance):
        found = bend(drawn, node, crossing)
        error = np.abs(found.measured - (0 if flat else 1) * found.predicted)
        worst = max(worst, float(error.max()) / found.scale if found.scale else float(error.max()))
        largest = max(largest, float(np.abs(found.predicted).max()))
    return Evidence.at_most(worst, bound=0.0, tolerance=TOLERANCE, largest_kink=largest)


def dip() -> tuple[DeepDrawn, Crossing]:
    """A teacher node of layer 2 that is active at both ends and shut in between: |x| - 0.1 at x = -0.5, 0, 0.5."""
    teacher = [
        (np.array([[1.0, -1.0]]), np.zeros(2)),
        (np.ones((2, 1)), np.array([-0.1])),
        (np.ones((1, 1)), np.zeros(1)),
    ]
    student = [
        (np.ones((1, 1)), np.full(1, 10.0)),
        (np.ones((1, 1)), np.zeros(1)),
        (np.ones((1, 1)), np.zeros(1)),
    ]
    drawn = DeepDrawn(Box.cube(1), student, teacher)
    return drawn, Crossing(np.array([[-0.5], [0.0], [0.5]]), 0.5, True)


def ends_only(context: Context) -> Evidence:
    """Altered check: gates compared at the two ends only. The coefficients are those of the ends."""
    drawn, crossing = dip()
    if not gates_constant(drawn, crossing.x[::2]):
        return Evidence(predicted=0.0, measured=0.0, margin=np.inf)
    found = bend(drawn, np.array([1.0, 0.0]), crossing)
    # At the ends the layer-2 node is active: alpha = 1 for both teachers, a kink of 2 eta.
    return Evidence.at_most(
        abs(float(found.measured[0]) - 2 * crossing.eta), bound=0.0, tolerance=TOLERANCE * found.scale
    )


DEEP = DeepInstance(inputs=3, hidden=((5, 3), (4, 4), (3, 5)), outputs=2, colinear=True, seed=2)

IDENTITY = Statement(
    key="specialization.kink.deep",
    form=Form.SHARP,
    title="Kink identity, any depth, inside an open region",
    claim="A_1, B_1 constant on x₀−ηn … x₀+ηn:   second difference of (V_1ᵀ r)_k\n"
    "= η ( Σ_{teachers j co-linear} α_kj ‖w*_j‖ − Σ_{students k' co-linear} β_kk' ‖w_k'‖ )",
    source=source("behind Theorems 4 and 5", DERIVED),
    expected=Outcome.HOLDS,
    instance_type=DeepInstance,
    instances=deep_instances,
    assumptions=crossed_in_the_open,
    evidence=identity,
    controls=(
        Control("no kink claimed", lambda c: identity(DEEP, c, flat=True)),
        Control("gates above compared at the two ends only", ends_only),
    ),
    examples=(DEEP,),
    cost=Cost(80, 500, 10_000),
    remark="No gate above may move between the three points. With x₀ among them, strict and equal signs "
    "from the bottom "
    "up are enough (the pre-activations are affine on either half); the two ends alone are not.",
)
