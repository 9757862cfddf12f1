"""How far students have specialised: loss, correlations with every teacher node, norms of the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from nets.arrays import ArrayModule
from nets.specialization.setting import SpecializationNetworks

SUCCESS = 0.95
"""A teacher node counts as covered when some student node correlates with it beyond this (section 6)."""

NORM_FLOOR = 1e-10
"""Added to both norms of a correlation, as in the authors' program: a constant node correlates with nothing."""

PRODUCT = 2**18
"""Multiplications in one matrix product. What so small a product writes stays in cache, and OpenBLAS keeps it on one
thread: waking its other threads cost 10 to 100 times the product itself where cores are shared.
"""

DIMENSIONS = {
    "loss": (),
    "correlation": ("teacher", "student"),
    "fan_out_norm": ("student",),
    "fan_in_norm": ("student",),
}
"""Trailing axes of what :meth:`Evaluator.observe` returns."""


class Evaluator:
    """Measures students on the evaluation samples; the teachers' side is computed once.

        loss:          mean over samples and outputs of (f*(x) - f(x))^2
        correlation:   rho_jk, Pearson, between teacher node j and student node k over the samples

    Arrays are NumPy's or torch's, see :mod:`nets.arrays`. Cost O(S N n (d + c + m)) a call, memory
    O(S PRODUCT / d) beside the samples. Source: section 6 and the authors' program.
    """

    def __init__(self, networks: SpecializationNetworks, xp: ArrayModule) -> None:
        inputs, outputs = networks.evaluation
        hidden = networks.teacher_hidden(inputs)
        hidden -= hidden.mean(axis=1, keepdims=True)
        hidden /= np.linalg.norm(hidden, axis=1, keepdims=True) + NORM_FLOOR
        self._xp = xp
        self._inputs, self._outputs = xp.asarray(inputs), xp.asarray(outputs)
        self._teacher = xp.asarray(hidden)

    def observe(self, W: Any, V: Any) -> dict[str, Array]:
        """Loss ``(S,)``, correlation ``(S, m, n)``, fan-out and fan-in norms ``(S, n)`` without biases."""
        xp, count = self._xp, self._inputs.shape[1]
        sums = _Sums(W, V, count, xp)
        for start in range(0, count, sums.chunk):
            part = slice(start, start + sums.chunk)
            sums.add(self._inputs[:, part], self._outputs[:, part], self._teacher[:, part])
        # The teacher's activations have mean zero, so the student's mean drops out of the overlap.
        variance = xp.relu(sums.power - sums.total * sums.total / count)
        values = {
            "loss": sums.squares / (count * V.shape[-1]),
            "correlation": sums.overlap / (xp.sqrt(variance) + NORM_FLOOR)[:, None],
            "fan_out_norm": xp.sqrt((V[:, :-1] ** 2).sum(2)),
            "fan_in_norm": xp.sqrt((W[:, :-1] ** 2).sum(1)),
        }
        return {name: xp.to_host(value) for name, value in values.items()}


def samples_at_once(inputs: int, n: int) -> int:
    """Samples whose pre-activations, of ``inputs`` entries and n nodes, are one product of about ``PRODUCT``."""
    return max(16, PRODUCT // (inputs * n))


class _Sums:
    """Running sums over samples, through buffers of one chunk: new temporaries cost more than the arithmetic."""

    def __init__(self, W: Any, V: Any, count: int, xp: ArrayModule) -> None:
        self._W, self._V, self._xp = W, V, xp
        S, inputs, n = W.shape
        self.chunk = min(count, samples_at_once(inputs, n))
        self._hidden, self._output = xp.empty((S, self.chunk, n)), xp.empty((S, self.chunk, V.shape[2]))
        self.squares: Any = 0.0  # arrays from the first chunk on
        self.overlap: Any = 0.0
        self.total: Any = 0.0
        self.power: Any = 0.0

    def add(self, x: Any, target: Any, teacher: Any) -> None:
        """Inputs ``(S, R, d + 1)``, teacher outputs ``(S, R, c)`` and teacher activations ``(S, R, m)``, R <= chunk."""
        xp = self._xp
        hidden, output = self._hidden[:, : x.shape[1]], self._output[:, : x.shape[1]]
        xp.matmul(x, self._W, out=hidden)
        xp.relu(hidden, out=hidden)
        xp.matmul(hidden, self._V[:, :-1], out=output)
        xp.subtract(target, output, out=output)
        xp.subtract(output, self._V[:, -1:], out=output)
        xp.multiply(output, output, out=output)
        self.squares = self.squares + output.sum((1, 2))
        self.overlap = self.overlap + teacher.mT @ hidden
        self.total = self.total + hidden.sum(1)
        xp.multiply(hidden, hidden, out=hidden)
        self.power = self.power + hidden.sum(1)


def best_per_teacher(correlation: Array) -> Array:
    """``max_k rho_jk``, shape (..., m), of correlations (..., m, n)."""
    return np.asarray(correlation.max(axis=-1))


def best_per_student(correlation: Array) -> Array:
    """``max_j rho_jk``, shape (..., n), of correlations (..., m, n)."""
    return np.asarray(correlation.max(axis=-2))


def covered(correlation: Array, threshold: float = SUCCESS) -> NDArray[np.bool_]:
    """Whether some student node correlates with teacher j beyond ``threshold``, shape (..., m)."""
    return np.asarray(best_per_teacher(correlation) > threshold)
