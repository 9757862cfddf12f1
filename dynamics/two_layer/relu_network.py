"""Two-layer ReLU networks with every bias, as arrays: their values, residuals and per-sample gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import norms


@dataclass(frozen=True)
class TwoLayerNetwork:
    """``f(x) = V^T sigma(W^T x + b) + c`` with sigma(z) = z for z > 0, ``slope * z`` otherwise.

    Shapes: ``W (..., d, n)``, ``b (..., n)``, ``V (..., n, C)``, ``c (..., C)``; leading axes are an ensemble. Column
    w_k is the fan-in of node k, row v_k its fan-out.

    Raises ValueError where shapes disagree, an entry is not finite or the slope is outside [0, 1).
    Source: Student Specialization, section 3 (two layers).
    """

    W: Array
    b: Array
    V: Array
    c: Array
    slope: float = 0.0

    def __post_init__(self) -> None:
        for name in ("W", "b", "V", "c"):
            value = np.asarray(getattr(self, name), dtype=np.float64)
            if not np.all(np.isfinite(value)):
                raise ValueError(f"{name}: expected finite entries, got NaN or Inf")
            object.__setattr__(self, name, value)
        if self.W.ndim < 2 or self.V.ndim < 2:
            raise ValueError(f"W, V: expected matrices, got shapes {self.W.shape} and {self.V.shape}")
        n, outputs = self.V.shape[-2:]
        if (self.W.shape[-1], self.b.shape[-1:], self.c.shape[-1:]) != (n, (n,), (outputs,)):
            raise ValueError(
                f"W, b, V, c: expected shapes (..., d, n), (..., n), (..., n, C), (..., C), got"
                f" {self.W.shape}, {self.b.shape}, {self.V.shape}, {self.c.shape}"
            )
        if not 0 <= self.slope < 1:
            raise ValueError(f"slope: expected a number in [0, 1), got {self.slope!r}")

    @property
    def nodes(self) -> int:
        """Number of hidden nodes n."""
        return int(self.W.shape[-1])

    @property
    def augmented(self) -> Array:
        """Fan-ins with their bias as last entry, ``(..., d + 1, n)``."""
        return np.concatenate([self.W, self.b[..., None, :]], axis=-2)

    @property
    def fan_in_norms(self) -> Array:
        """``||w_k||`` without the bias, ``(..., n)``."""
        return norms(self.W)

    @property
    def strengths(self) -> Array:
        """``||v_k||`` (..., n): a node is strong where it is large, weak where it is small. Source: Definition 4."""
        return norms(self.V.mT)

    def pre_activations(self, x: Array) -> Array:
        """``W^T x + b`` at ``x (..., N, d)``: ``(..., N, n)``."""
        return np.asarray(x @ self.W + self.b[..., None, :])

    def activations(self, x: Array) -> Array:
        """Hidden values ``(..., N, n)``."""
        z = self.pre_activations(x)
        return np.where(z > 0, z, self.slope * z)

    def __call__(self, x: Array) -> Array:
        """Outputs ``(..., N, C)``."""
        return np.asarray(self.activations(x) @ self.V + self.c[..., None, :])

    def rounding(self, reach: float) -> float:
        """Bound on the error of one float64 evaluation of f at any ``||x|| <= reach``.

        A sum of n products of sums of d + 1 products: (d + n + 4) eps times the sum of the absolute terms.
        """
        d, n = self.W.shape[-2:]
        hidden = self.fan_in_norms * reach + np.abs(self.b)
        total = (hidden * self.strengths).sum(axis=-1) + np.abs(self.c).max(axis=-1)
        return float((d + n + 4) * np.finfo(np.float64).eps * np.max(total))


@dataclass(frozen=True)
class SampleGradients:
    """What every sample by itself asks for: the summands of Eqn 1.

    ``residual`` r = f* - f ``(..., N, C)``, ``nodes`` g_1 ``(..., N, n)`` and the negative gradients of
    ``1/2 ||r||^2`` in the parameters: ``W (..., N, d, n)``, ``b``, ``V (..., N, n, C)``, ``c``.
    """

    residual: Array
    nodes: Array
    W: Array
    V: Array

    @property
    def b(self) -> Array:
        return self.nodes

    @property
    def c(self) -> Array:
        return self.residual

    @property
    def largest(self) -> float:
        """Largest entry over samples and all parameters: zero at an SGD critical point."""
        return max(float(np.abs(part).max(initial=0.0)) for part in (self.W, self.b, self.V, self.c))


def sample_gradients(student: TwoLayerNetwork, teacher: TwoLayerNetwork, x: Array) -> SampleGradients:
    """Per-sample negative gradients of the student at ``x (..., N, d)``. Memory N n (d + C): for few samples.

    ``g_1 = D V r``, ``W: x g_1^T``, ``V: f_1 r^T``. Source: Student Specialization, Eqns 1 and 5 with L = 2.
    """
    z = student.pre_activations(x)
    residual = teacher(x) - student(x)
    gates = np.where(z > 0, 1.0, student.slope)
    nodes = gates * (residual @ student.V.mT)
    return SampleGradients(
        residual,
        nodes,
        x[..., :, None] * nodes[..., None, :],
        (gates * z)[..., :, None] * residual[..., None, :],
    )
