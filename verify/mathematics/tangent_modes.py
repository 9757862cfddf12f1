"""The slowest mode of networks near a solution, how noisy it is, and how far a step may go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

from dynamics.arrays import Array
from verify.mathematics.tangent_network import TangentNetwork

DENSE_LIMIT = 700
"""Coordinates up to which H is formed rather than applied."""

FLAT_SHARE = 1e-7
"""Share of the largest eigenvalue up to which one counts as flat. Whoever takes the rate compares :attr:`Modes.flat`
with the number of directions that are flat by structure, and refuses to judge where more of them vanish."""

NOISE_INPUTS = 4096


@dataclass(frozen=True)
class Modes:
    """Spectrum of H at one point.

    Attributes:
        rate: smallest eigenvalue that is not flat; of a large network with more flat directions than its free
            columns make, one of those (at most ``FLAT_SHARE`` of the largest).
        mode: its unit vector, (N,).
        largest: largest eigenvalue.
        flat: number of flat directions in the tangent space.
        trace: sum of all.
        noise: ``Var ||Phi e||^2 / rate^2``, relative variance of the slowest mode's decay on one input.
    """

    rate: float
    mode: Array
    largest: float
    flat: int
    trace: float
    noise: float


def modes_of(tangent: TangentNetwork, rng: np.random.Generator) -> Modes:
    """The modes at the point of ``tangent``, which must be one; ``rng`` draws the inputs for ``noise`` and, for large
    networks, ``trace``.

    Cost: O(N^3) up to ``DENSE_LIMIT`` coordinates, some hundred applications of H above.
    """
    rate, mode, largest, flat = _dense(tangent) if tangent.size <= DENSE_LIMIT else _krylov(tangent)
    phi = tangent.sample(max(64, min(NOISE_INPUTS, 2**23 // tangent.size)), rng)
    decay = ((phi @ mode) ** 2).sum(axis=-1)
    trace = float((phi**2).sum(axis=(-2, -1)).mean())
    return Modes(rate, mode, largest, flat, trace, float(decay.var() / rate**2))


def _dense(tangent: TangentNetwork) -> tuple[float, Array, float, int]:
    H = tangent.shrink(tangent.tangent(np.eye(tangent.size)))
    values, vectors = np.linalg.eigh((H + H.T) / 2)
    slowest = int(np.argmax(values > FLAT_SHARE * values[-1]))
    normals = tangent.W.shape[-1]
    return float(values[slowest]), vectors[:, slowest], float(values[-1]), slowest - normals


def _krylov(tangent: TangentNetwork) -> tuple[float, Array, float, int]:
    """By Lanczos. Columns without fan-outs are flat, all of their directions; of others at most one is counted."""
    size = tangent.size
    start = np.random.default_rng(0).standard_normal(size)
    unused = ~tangent.V.any(axis=-1)

    def judged(vector: Array) -> Array:
        """The part of ``vector`` in the tangent space and in columns that have fan-outs."""
        dW, dV = tangent.matrices(tangent.tangent(vector))
        return tangent.flat(np.where(unused, 0.0, dW), dV)

    def operator(lift: float) -> LinearOperator:
        def apply(vector: Array) -> Array:
            inside = judged(vector.ravel())
            return judged(tangent.shrink(inside)) + lift * (vector.ravel() - inside)

        return LinearOperator((size, size), matvec=apply, dtype=np.float64)

    # Directions normal to the spheres and free columns are no modes: left at zero, then moved above all others.
    options = {"k": 1, "v0": start, "tol": 1e-8, "ncv": 40}
    largest = float(eigsh(operator(0.0), which="LA", return_eigenvectors=False, **options)[0])
    values, vectors = eigsh(operator(largest), which="SA", **options)
    free = int(unused.sum()) * (tangent.W.shape[-2] - 1)
    return float(values[0]), vectors[:, 0], largest, free + int(values[0] <= FLAT_SHARE * largest)


def settled(tangent: TangentNetwork, modes: Modes, step: Array, folds: float) -> Array:
    """Steps (S, N) after ``folds`` e-folds of the slowest mode under H alone, their sizes put back to one."""
    for _ in range(int(np.ceil(2 * folds * modes.largest / modes.rate))):
        # What rounding leaves normal to the spheres would not decay.
        step = tangent.tangent(step - tangent.shrink(step) / (2 * modes.largest))
        step = step / np.linalg.norm(step, axis=-1, keepdims=True)
    return step
