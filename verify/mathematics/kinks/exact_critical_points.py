"""Critical points confirmed in exact arithmetic: every gradient by its definition, on rational inputs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.geometry.boundaries import Box
from dynamics.two_layer.critical.relu_network import TwoLayerNetwork
from verify.judging import Evidence
from verify.mathematics.precise.rational_pairs import exact

Exact = NDArray[Any]

UNCONFIRMED = Evidence.at_most(0.0, bound=0.0, tolerance=0.0)
"""What a confirmation returns where its instance is no counterexample: the claim is not contradicted."""


def outputs(parameters: Sequence[Exact], x: Exact) -> Exact:
    """``V^T relu(W^T x + b) + c`` in fractions."""
    W, b, V, c = parameters
    z = x @ W + b
    return np.asarray(np.array([max(entry, Fraction(0)) for entry in z], dtype=object) @ V + c)


def fractions(network: TwoLayerNetwork) -> list[Exact]:
    """W, b, V, c of a ReLU network as fractions (its floats are dyadic rationals)."""
    return [exact(part) for part in (network.W, network.b, network.V, network.c)]


def exactly_critical(teacher: TwoLayerNetwork, student: TwoLayerNetwork, points: NDArray[np.float64]) -> bool:
    """Whether every per-sample gradient is exactly zero at the points.

    The loss of one sample is ``1/2 ||r||^2``. r itself is required to be zero: then the gradient in every parameter
    vanishes, whatever the derivative of the ReLU at 0 is taken to be.
    """
    theirs, ours = fractions(teacher), fractions(student)
    return all(bool((outputs(theirs, x) == outputs(ours, x)).all()) for x in exact(points))


def multiple(a: Exact, b: Exact) -> int:
    """1 if a is a positive multiple of b, -1 if a negative one, 0 if neither; exact."""
    if not any(a) or not any(b):
        return 0
    if any(a[i] * b[j] != a[j] * b[i] for i in range(len(a)) for j in range(i)):
        return 0
    return 1 if sum(s * t for s, t in zip(a, b, strict=True)) > 0 else -1


def multiples(columns: Exact, node: Exact) -> list[int]:
    """:func:`multiple` of every column (d + 1, n) and the node (d + 1,)."""
    return [multiple(column, node) for column in columns.T]


def augmented(network: TwoLayerNetwork) -> Exact:
    """The augmented fan-ins (d + 1, n) as fractions."""
    return exact(network.augmented)


def factors(columns: Exact, node: Exact) -> list[Fraction]:
    """lambda of every column that is lambda times the node, 0 for the others; exact."""
    square = sum(entry * entry for entry in node)
    return [
        sum((a * b for a, b in zip(column, node, strict=True)), Fraction(0)) / square if sign else Fraction(0)
        for column, sign in zip(columns.T, multiples(columns, node), strict=True)
    ]


def exact_observers(region: Box, columns: Exact, node: Exact, candidates: int = 200) -> list[int]:
    """Columns that are active at some rational point of the node's boundary inside the region.

    Random points are moved onto the boundary along its normal, exactly; an observer may be missed, none is invented.
    """
    w, b = node[:-1], node[-1]
    square = sum(entry * entry for entry in w)
    if square == 0:
        return []
    centre, half_width = exact(region.centre), exact(region.half_width)
    found: set[int] = set()
    for point in exact(region.sample(candidates, np.random.default_rng(0)).round(3)):
        x = point - w * ((w @ point + b) / square)
        if all(abs(gap) < wide for gap, wide in zip(x - centre, half_width, strict=True)):
            found.update(np.flatnonzero([z > 0 for z in x @ columns[:-1] + columns[-1]]).tolist())
    return sorted(found)
