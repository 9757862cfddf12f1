"""Theorem 1's recursion against back-propagation in rational arithmetic (python-flint's matrices of fractions)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from flint import fmpq_mat

MOST_PRODUCTS = 20_000
"""Multiplications of fractions, a sample and a layer each n m (n + m), beyond which an instance is out of reach."""


def rational_matrix(array: Any) -> fmpq_mat:
    """A float matrix, taken exactly."""
    from flint import fmpq, fmpq_mat

    rows = np.atleast_2d(np.asarray(array, dtype=np.float64))
    ratios = [[fmpq(*float(x).as_integer_ratio()) for x in row] for row in rows]
    return fmpq_mat(ratios)


@dataclass(frozen=True)
class ExactNetwork:
    """Weights bottom up, each ``(n_l, n_{l+1})``, and the slope of a shut gate."""

    weights: Sequence[fmpq_mat]
    slope: Fraction

    def evaluate(self, x: fmpq_mat) -> tuple[list[fmpq_mat], list[fmpq_mat]]:
        """Activations f_0 .. f_L of one input row, and the gates of layers 1 .. L as diagonal matrices."""
        from flint import fmpq, fmpq_mat

        shut = fmpq(self.slope.numerator, self.slope.denominator)
        activations, gates = [x], []
        for level, W in enumerate(self.weights):
            z = activations[-1] * W
            top = level == len(self.weights) - 1
            gate = fmpq_mat(z.ncols(), z.ncols())
            for j in range(z.ncols()):
                gate[j, j] = fmpq(1) if top or z[0, j] > 0 else shut
            gates.append(gate)
            activations.append(z * gate)
        return activations, gates


def products_of(widths: Sequence[tuple[int, int]], samples: int) -> int:
    """Multiplications that the recursion takes on layers of (student, teacher) widths."""
    return samples * sum(n * (n + m) * max(n, m) for n, m in widths)


def largest_gap(
    student: ExactNetwork, teacher: ExactNetwork, samples: Sequence[fmpq_mat], factor: Fraction
) -> Fraction:
    """The largest difference of Eqn 3 and ``factor`` times back-propagation, over samples, layers and nodes."""
    worst, scale = Fraction(0), _fmpq(factor)
    for x in samples:
        ours, theirs = student.evaluate(x), teacher.evaluate(x)
        claimed = _by_recursion(student, teacher, ours, theirs)
        for sums, exact in zip(claimed, _by_backpropagation(student, ours, theirs), strict=True):
            gaps = (sums - exact * scale).entries()
            worst = max(worst, *(abs(Fraction(int(gap.p), int(gap.q))) for gap in gaps))
    return worst


def _fmpq(value: Fraction) -> Any:
    from flint import fmpq

    return fmpq(value.numerator, value.denominator)


def _by_recursion(student: ExactNetwork, teacher: ExactNetwork, ours: Any, theirs: Any) -> list[fmpq_mat]:
    """``g_l = f'_l [beta* f* - beta f]`` from the top down, as rows."""
    from flint import fmpq_mat

    depth, outputs = len(student.weights), student.weights[-1].ncols()
    identity = fmpq_mat(outputs, outputs)
    for c in range(outputs):
        identity[c, c] = 1
    to_teacher = to_own = identity
    found = []
    for level in reversed(range(1, depth + 1)):
        sums = to_teacher * theirs[0][level].transpose() - to_own * ours[0][level].transpose()
        found.append((ours[1][level - 1] * sums).transpose())
        if level == 1:
            break
        back = student.weights[level - 1] * ours[1][level - 1]
        down = teacher.weights[level - 1] * theirs[1][level - 1]
        to_teacher, to_own = back * to_teacher * down.transpose(), back * to_own * back.transpose()
    return found


def _by_backpropagation(student: ExactNetwork, ours: Any, theirs: Any) -> list[fmpq_mat]:
    """Minus the gradient of ``1/2 |f* - f|^2`` at the pre-activations, from the top down, as rows: the chain rule."""
    gradient = theirs[0][-1] - ours[0][-1]
    found = [gradient]
    for level in reversed(range(1, len(student.weights))):
        gradient = gradient * student.weights[level].transpose() * ours[1][level - 1]
        found.append(gradient)
    return found
