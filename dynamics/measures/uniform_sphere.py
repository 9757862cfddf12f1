"""Input on a sphere: the isotropic Gaussian's kernels, other samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dynamics.arrays import Array
from dynamics.boundary import checked, naming
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.measures.random_stream import RandomStream
from dynamics.validation import checked_dimension, checked_size, number


class UniformSphere(IsotropicGaussian):
    """Input uniform on the sphere of a radius r in d dimensions: everything in closed form.

    A standard normal is a uniform direction times an independent length, so that expectations of second degree are
    those of ``N(0, r^2/d I)``: kernels, loss, flows and rates are the isotropic Gaussian's with ``std = r / sqrt(d)``.
    What networks see differs: their batches have less noise.

    Args:
        dim: d.
        radius: r > 0; ``sqrt(d)`` where it is not given, and then ``E[x x^T] = I``.
    Raises:
        ValueError, TypeError: naming the argument.
    """

    def __init__(self, dim: int, radius: float | None = None) -> None:
        d = checked_dimension(dim)
        self.radius = math.sqrt(d) if radius is None else number("radius", radius, positive=True)
        with naming("radius"):
            super().__init__(d, 1.0 if radius is None else self.radius / math.sqrt(d))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dim={self.dim}, radius={self.radius:.6g})"

    def description(self) -> dict[str, Any]:
        return {"measure": type(self).__name__, "measure_dim": self.dim, "measure_radius": self.radius}

    @checked
    def sample(self, size: int, rng: np.random.Generator) -> Array:
        x = rng.standard_normal((checked_size(size, self.dim), self.dim))
        return np.asarray(self.radius * x / np.linalg.norm(x, axis=1, keepdims=True))

    def fill_batches(self, rows: Any, stream: RandomStream) -> None:
        stream.fill_normal(rows)
        length = ((rows * rows).sum(-2) ** 0.5)[..., None, :]
        rows *= self.radius / length
