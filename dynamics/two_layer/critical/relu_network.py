"""Two-layer ReLU networks with every bias, as arrays: their values, residuals and per-sample gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import norms
from dynamics.validation import broadcast_lead, number, real_array, real_numbers


@dataclass(frozen=True)
class TwoLayerNetwork:
    """A two-layer network with every bias, ``f(x) = V^T sigma(W^T x + b) + c``.

    ``sigma(z) = z`` where z > 0 and ``slope z`` elsewhere. Column w_k of W is the fan-in of node k, row v_k of V its
    fan-out; leading axes are an ensemble.

    Args:
        W, b: (..., d, n) and (..., n).
        V, c: (..., n, C) and (..., C).
        slope: of sigma below 0, in [0, 1).
    Raises:
        ValueError: shapes that disagree, an entry that is not finite, or another slope.
    Source: Student Specialization, section 3 (two layers).
    """

    W: Array
    b: Array
    V: Array
    c: Array
    slope: float = 0.0

    def __post_init__(self) -> None:
        for name in ("W", "b", "V", "c"):
            object.__setattr__(self, name, real_array(name, getattr(self, name)))
        if self.W.ndim < 2 or self.V.ndim < 2:
            raise ValueError(f"W, V: expected matrices, got shapes {self.W.shape} and {self.V.shape}")
        n, outputs = self.V.shape[-2:]
        if (self.W.shape[-1], self.b.shape[-1:], self.c.shape[-1:]) != (n, (n,), (outputs,)):
            raise ValueError(
                f"W, b, V, c: expected shapes (..., d, n), (..., n), (..., n, C), (..., C), got"
                f" {self.W.shape}, {self.b.shape}, {self.V.shape}, {self.c.shape}"
            )
        number("slope", self.slope, least=0, below=1)

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
        """``||v_k||`` (..., n): strong nodes are those where it is large. Source: Student Specialization, Def. 4."""
        return norms(self.V.mT)

    def pre_activations(self, x: Array) -> Array:
        """``W^T x + b`` at ``x (..., N, d)``: ``(..., N, n)``; ValueError or TypeError for other inputs."""
        x = real_numbers("x", x)
        if x.ndim < 2 or x.shape[-1] != self.W.shape[-2]:
            raise ValueError(f"x: expected shape (..., N, {self.W.shape[-2]}), got {x.shape}")
        broadcast_lead({"x": x, "W": self.W}, trailing=2)
        with np.errstate(over="ignore", invalid="ignore"):  # inf or NaN where a value overflows
            return np.asarray(x @ self.W + self.b[..., None, :])

    def activations(self, x: Array) -> Array:
        """Hidden values ``(..., N, n)``."""
        z = self.pre_activations(x)
        with np.errstate(invalid="ignore"):
            return np.where(z > 0, z, self.slope * z)

    def __call__(self, x: Array) -> Array:
        """Outputs ``(..., N, C)``."""
        return np.asarray(self.activations(x) @ self.V + self.c[..., None, :])

    def rounding(self, reach: float) -> float:
        """Bound on the rounding error of an output in float64 at any input with ``||x|| <= reach``.

        ``(d + n + 4) eps`` times the largest sum of absolute terms: f is a sum of n products of sums of d + 1 products.
        """
        reach = number("reach", reach, least=0)
        d, n = self.W.shape[-2:]
        with np.errstate(over="ignore"):  # inf where there is no bound
            hidden = self.fan_in_norms * reach + np.abs(self.b)
            total = (hidden * self.strengths).sum(axis=-1) + np.abs(self.c).max(axis=-1)
            return float((d + n + 4) * np.finfo(np.float64).eps * np.max(total))


@dataclass(frozen=True)
class SampleGradients:
    """Minus the gradients of ``1/2 ||r||^2``, ``r = f* - f``, for every sample by itself: the summands of Eqn 1.

    Attributes:
        residual: r, (..., N, C); also the one in c.
        nodes: g_1, in the pre-activations, (..., N, n); also the one in b.
        W, V: (..., N, d, n) and (..., N, n, C).
    """

    residual: Array
    nodes: Array
    W: Array
    V: Array

    @property
    def b(self) -> Array:
        """In the biases, (..., N, n)."""
        return self.nodes

    @property
    def c(self) -> Array:
        """In the output bias, (..., N, C)."""
        return self.residual

    @property
    def largest(self) -> float:
        """Largest absolute entry over samples and all parameters: zero at an SGD critical point."""
        return max(float(np.abs(part).max(initial=0.0)) for part in (self.W, self.b, self.V, self.c))


def sample_gradients(student: TwoLayerNetwork, teacher: TwoLayerNetwork, x: Array) -> SampleGradients:
    """Minus the gradients of ``1/2 ||f*(x) - f(x)||^2`` in all parameters, sample by sample.

    ``g_1 = D V r`` with the gates D; in W ``x g_1^T``, in V ``f_1 r^T``.

    Args:
        x: inputs, (..., N, d).
    Cost: memory N n (d + C) an instance, so for few samples.
    Source: Student Specialization, Eqns 1 and 5 with L = 2.
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
