"""What the quadratic and the cubic form leave of the loss on a radial path, by block norms, rounded up.

Blocks: the sizes of x_j and xi_j (relevant nodes) and of eta_k (irrelevant fan-outs), all non-negative; ``z`` their
vector. Each remainder is a form with non-negative coefficients, largest on the sphere by the norm of an unfolding.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from flint import arb

from dynamics.basins.balls import PI
from dynamics.basins.solution import dot
from dynamics.basins.two_layer.forms import Solution
from dynamics.basins.two_layer.kernel_bounds import PairBounds, above, pair_bounds

Form = Counter[tuple[int, ...]]
"""Coefficients (floats) of monomials, by the sorted indices of their blocks."""

WIDER = 1 + 1e-9
"""Sums of some thousand non-negative floats are off by less."""


@dataclass(frozen=True)
class Remainders:
    """Upper bounds of the largest values on the sphere ``|z| = 1``.

    ``quartic`` (q_4): ``phi'''(s) - phi'''(0) >= -quartic s |z|^4`` once the parts in s^2 are halved;
    ``crossed`` (c_V): what fan-outs that are not orthogonal add to ``|phi'''|``; ``drifted`` (c_D): ``|phi'''(0)|``
    changes by at most ``drifted D |z|^3`` as the irrelevant nodes move by D.
    """

    quartic: float
    crossed: float
    drifted: float


def remainders(solution: Solution, radius: float, drift: float) -> Remainders:
    """The three for ``|z| <= radius`` and irrelevant nodes within ``drift`` of where they started."""
    m, n = solution.m, len(solution.nodes)
    size = [above(dot(v, v).sqrt()) for v in solution.fan_outs]
    quartic, crossed, drifted = Counter(), Counter(), Counter()  # type: Form, Form, Form
    steepest = _largest_own_slope(radius)
    for j in range(m):
        _add(quartic, size[j] ** 2 / 2, j, j, j, j)
        _add(quartic, 4 * size[j] * steepest, m + j, j, j, j)
    for j in range(m):
        for k in range(m):
            if k != j:
                bounds = _near(solution.angles[j][k], arb(radius) * arb(2).sqrt())
                overlap = above(abs(dot(solution.fan_outs[j], solution.fan_outs[k])))
                _relevant_pair(quartic, crossed, bounds, (j, k, m), (size[k], overlap, radius))
        for k in range(m, n):
            bounds = _near(solution.angles[j][k], arb(radius) + arb(drift))
            _add(quartic, 4 * size[j] * bounds.one, m + k, j, j, j)
            _add(quartic, bounds.one * radius / 2 + 12 * bounds.same, m + k, m + j, j, j)
            _add(drifted, 3 * size[j] * bounds.moved, m + k, j, j)
            _add(drifted, 6 * bounds.mixed, m + k, m + j, j)
    blocks = m + n
    return Remainders(
        _largest(quartic, blocks, 4), _largest(crossed, blocks, 3), _largest(drifted, blocks, 3)
    )


def _relevant_pair(
    quartic: Form,
    crossed: Form,
    bounds: PairBounds,
    blocks: tuple[int, int, int],
    sizes: tuple[float, float, float],
) -> None:
    """What the ordered pair (j, k) of relevant nodes adds."""
    (j, k, m), (size_k, overlap, radius) = blocks, sizes
    cube = ((1, (j, j, j)), (3, (j, j, k)), (3, (j, k, k)), (1, (k, k, k)))  # (x_j + x_k)^3
    for times, of in cube:
        _add(quartic, 4 * size_k * bounds.both * times, m + j, *of)
        if j < k:
            _add(crossed, overlap * bounds.both * times, *of)
    _add(quartic, 4 * size_k * bounds.one, m + j, j, j, j)
    _add(crossed, overlap * bounds.one, j, j, j)
    if j < k:
        last = (
            bounds.both * radius * 1.4143 / 2
        )  # (x_j + x_k)^3 <= sqrt(2) radius (x_j + x_k)^2; sqrt(2) < 1.4143
        _add(quartic, 12 * bounds.same + last, m + j, m + k, j, j)
        _add(quartic, 12 * bounds.same + last, m + j, m + k, k, k)
        _add(quartic, 24 * bounds.mixed + 2 * last, m + j, m + k, j, k)


def _add(form: Form, value: float, *blocks: int) -> None:
    form[tuple(sorted(blocks))] += value  # type: ignore[assignment]  # a Counter of floats


def _near(theta: arb, room: arb) -> PairBounds:
    return pair_bounds(theta - room, theta + room)


def _largest_own_slope(radius: float) -> float:
    """An upper bound of ``k''' = (2 cos t + (pi - t) sin t)/2 pi`` over 0 <= t <= radius, where it is positive."""
    t = arb(radius) / 2 + arb(radius) / 2 * arb(0, 1)
    return above((2 * t.cos() + (PI - t) * t.sin()) / (2 * PI))


def _largest(form: Form, blocks: int, order: int) -> float:
    """An upper bound of the form on the sphere: the norm of an unfolding of its symmetric tensor."""
    if not form:
        return 0.0
    tensor = np.zeros((blocks,) * order)
    for indices, value in form.items():
        orders = set(permutations(indices))
        for order_ in orders:
            tensor[order_] += value / len(orders)
    rows = blocks ** (order // 2)
    return largest_singular_value(tensor.reshape(rows, -1))


def largest_singular_value(A: np.ndarray) -> float:
    """An upper bound for a matrix of non-negative floats, by Collatz-Wielandt: any positive vector gives one."""
    square, vector = A @ A.T, np.ones(len(A))
    for _ in range(60):
        vector = square @ vector
        vector = vector / max(vector.max(), 1e-300) + 1e-9
    return float(np.sqrt(np.max(square @ vector / vector))) * WIDER
