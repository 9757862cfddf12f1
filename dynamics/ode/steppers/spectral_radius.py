"""The spectral radius of a Jacobian that is never formed: a guarded nonlinear power method."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynamics.arrays import Vector

SAFETY = 1.2
"""What the estimate is multiplied by: the iteration approaches the radius from below (the factor of RKC)."""

MOST_ITERATIONS = 50


class SpectralRadius:
    """The estimate ``value`` (0 where none could be made) and the ``direction`` of the fastest mode.

    ``cosine``: between that direction and the change of f along it; -1 for a real, decaying mode, 0 for a rotation.
    """

    def __init__(self) -> None:
        self.value = 0.0
        self.cosine = 0.0
        self.direction: Vector | None = None

    def estimate(
        self, fun: Callable[[float, Vector], Vector], t: float, y: Vector, f: Vector, calm: float = 0.0
    ) -> float:
        """An upper estimate of the spectral radius of df/dy at ``(t, y)``, where ``f = fun(t, y)``.

        v <- f(t, y + delta v/|v|) - f(t, y), |v|/delta -> radius, with delta = sqrt(eps) |y|, until two ratios
        agree within 1 per cent (5 per cent after ten iterations; at most 50). The first direction is f plus
        fixed noise of the same norm, so that no symmetry of the start hides the fastest mode; later calls go on from
        the last direction and mostly need two or three evaluations.

        Where a ratio is not finite, delta is divided by a thousand, three times at most; then the estimate so far is
        returned. With a pair of complex eigenvalues the ratios oscillate: the larger of the last two counts.

        Args:
            fun: the field.
            t, y: where.
            f: ``fun(t, y)``.
            calm: a radius that needs no better estimate: after two ratios below it the iteration stops.
        Returns:
            ``value``, :data:`SAFETY` times the ratio.
        Cost: one evaluation an iteration.
        Source: the power method of RKC (Sommeijer, Shampine, Verwer, J. Comput. Appl. Math. 88, 1998, section 3.2).
        """
        limits = np.finfo(float)
        delta = max(float(np.sqrt(limits.eps)) * (_norm(y) or 1.0), float(np.sqrt(limits.tiny)))
        direction = _start(f) if self.direction is None else self.direction
        last, shrinks = 0.0, 0
        for iteration in range(MOST_ITERATIONS):
            probe = y + delta * direction
            change = np.asarray(fun(t, probe)) - f
            ratio = _norm(change) / delta
            if not np.isfinite(ratio):
                if shrinks == 3:
                    break
                delta, shrinks = delta / 1000, shrinks + 1
                continue
            if ratio == 0:
                break
            change /= ratio * delta
            self.cosine = float(np.vdot(direction, change).real)
            direction = change
            close = 0.01 if iteration < 10 else 0.05
            settled = iteration > 0 and abs(ratio - last) <= close * max(ratio, last)
            last, larger = ratio, max(ratio, last)
            self.value = SAFETY * larger
            self.direction = direction
            if settled or (iteration > 0 and max(self.value, SAFETY * last) < calm):
                break
        return self.value


def _norm(v: Vector) -> float:
    """Euclidean norm, without overflow or underflow of the squares."""
    largest = float(np.abs(v).max())
    if not 0 < largest < np.inf:
        return largest
    return largest * float(np.linalg.norm(v / largest))


def _start(f: Vector) -> Vector:
    noise = np.random.default_rng(0).standard_normal(f.size)
    noise /= np.linalg.norm(noise)
    size = _norm(f)
    mixed = noise + f / size if 0 < size < np.inf else noise
    return np.asarray(mixed / _norm(mixed))
