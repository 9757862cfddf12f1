"""Deep ReLU pairs in rational arithmetic: gradients and expectations on a few samples without any rounding.

The independent evaluation behind refutations: nothing is shared with the code it confirms, neither the recursion
for beta nor back-propagation. Arrays are NumPy object arrays of :class:`fractions.Fraction`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Exact = NDArray[Any]

STEP = Fraction(1, 10**9)
"""Step of the central difference. The loss is quadratic in one weight as long as no gate moves: any step is exact."""


def exact(matrix: Any) -> Exact:
    """The entries of a matrix of integers or floats as fractions (a float is a dyadic rational)."""
    array = np.asarray(matrix)
    return np.array([Fraction(entry) for entry in array.ravel().tolist()], dtype=object).reshape(array.shape)


def mean(terms: Sequence[Exact]) -> Exact:
    """The average of equally likely terms."""
    return np.asarray(sum(terms[1:], start=terms[0]) / Fraction(len(terms)))


@dataclass(frozen=True)
class RationalPair:
    """Student and teacher weights, bottom up, ``(n_l, n_{l+1})`` each, and samples ``(N, d)``."""

    student: tuple[Exact, ...]
    teacher: tuple[Exact, ...]
    samples: Exact

    def values(self, weights: Sequence[Exact], x: Exact) -> tuple[list[Exact], list[Exact]]:
        """Activations f_0 .. f_L and gates f'_1 .. f'_L of one sample."""
        activations, gates = [x], []
        for level, W in enumerate(weights):
            z = activations[-1] @ W
            top = level == len(weights) - 1
            gates.append(np.array([Fraction(int(top or entry > 0)) for entry in z], dtype=object))
            activations.append(gates[-1] * z)
        return activations, gates

    def gradient(self, level: int) -> Exact:
        """Minus dJ/dW_l of ``J = 1/2 E||f* - f||^2`` by central differences, exactly.

        Raises ArithmeticError when a gate moves within the step (a sample sits on a kink).
        """
        result = np.empty(self.student[level].shape, dtype=object)
        for index in np.ndindex(*result.shape):
            low, high = (self._loss_at(level, index, sign * STEP) for sign in (-1, 1))
            result[index] = (low - high) / (2 * STEP)
        return result

    def _loss_at(self, level: int, index: tuple[int, ...], shift: Fraction) -> Fraction:
        moved = self.student[level].copy()
        moved[index] += shift
        weights = [moved if at == level else W for at, W in enumerate(self.student)]
        total = Fraction(0)
        for x in self.samples:
            f, gates = self.values(weights, x)
            if any((a != b).any() for a, b in zip(gates, self.values(self.student, x)[1], strict=True)):
                raise ArithmeticError("a gate moved within the step: a sample sits on a kink")
            error = self.values(self.teacher, x)[0][-1] - f[-1]
            total += (error @ error) / 2
        return total / len(self.samples)

    def modulation(self, x: Exact, level: int, other: Sequence[Exact]) -> Exact:
        """beta of layer ``level`` (1..L) at x, student rows, ``other`` (student or teacher) columns, path by path.

        ``V^T V'`` with ``V = df_L/df_level`` by its definition: what the gates let through from a unit change.
        """
        ours = self._transfer(self.student, x, level)
        return np.asarray(ours @ self._transfer(other, x, level).T)

    def _transfer(self, weights: Sequence[Exact], x: Exact, level: int) -> Exact:
        gates = self.values(weights, x)[1]
        through = exact(np.eye(weights[level - 1].shape[1], dtype=int))
        for at in range(level, len(weights)):
            through = (through @ weights[at]) * gates[at]
        return through

    def factors(self, x: Exact, level: int, other: Sequence[Exact]) -> tuple[Exact, Exact, Exact]:
        """Assumption 1's factors for W_level at x: ``beta`` and ``f'f'^T`` of layer level + 1, ``ff^T`` of level."""
        f, gates = self.values(self.student, x)
        g, other_gates = self.values(other, x)
        return (
            self.modulation(x, level + 1, other),
            np.outer(gates[level], other_gates[level]),
            np.outer(f[level], g[level]),
        )

    def averaged(self, level: int, other: Sequence[Exact]) -> tuple[Exact, Exact, Exact]:
        """``E[beta]``, ``D`` and ``L`` for the weights of ``level``."""
        drawn = [self.factors(x, level, other) for x in self.samples]
        beta, gates, activations = zip(*drawn, strict=True)
        return mean(beta), mean(gates), mean(activations)

    def separated(self, level: int, transpose: bool = True) -> Exact:
        """Eqn 6 for W_level; ``transpose=False`` multiplies the teacher term by H* as printed."""
        beta, D, L = self.averaged(level, self.teacher)
        H = beta * D
        pull = L @ self.teacher[level] @ (H.T if transpose else H)
        beta, D, L = self.averaged(level, self.student)
        return np.asarray(pull - L @ self.student[level] @ (beta * D))

    def assumption1_gap(self, level: int) -> Fraction:
        """``max |E[beta f'f' ff] - E[beta] E[f'f'] E[ff]|`` over both equations of Assumption 1 and all indices."""
        worst = Fraction(0)
        for other in (self.teacher, self.student):
            products = []
            for x in self.samples:
                beta, gates, activations = self.factors(x, level, other)
                products.append(np.multiply.outer(beta * gates, activations))
            beta, gates, activations = self.averaged(level, other)
            difference = mean(products) - np.multiply.outer(beta * gates, activations)
            worst = max(worst, *np.abs(difference).ravel().tolist())
        return worst
