"""Networks in coordinates in which a predicted covariance is the identity, and chi-square intervals of what is seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from dynamics.arrays import Array
from dynamics.two_layer.linearization import sphere_basis
from verify.judging import CannotJudgeError


@dataclass(frozen=True)
class Whitened:
    """Networks in coordinates in which the prediction is a standard normal vector.

    ``shift``: size of their mean, times the square root of their number. ``variances``: one a mode of the predicted
    covariance. ``fourth``: factor by which fourth moments widen the error of the mean variance.
    """

    shift: float
    variances: Array
    fourth: float
    networks: int
    trace: float


def whitened(W: Array, centre: Array, covariance: Array, shift: Array) -> Whitened:
    """Networks ``W (S, d, m)`` about ``centre (d, m)`` moved by ``shift``, against ``covariance (d m, d m)``."""
    d, m = centre.shape
    basis = sphere_basis(centre)  # (m, d, d - 1)
    xi = np.einsum("jdi,sdj->sji", basis, W - centre).reshape(len(W), -1)
    moved = np.einsum("jdi,dj->ji", basis, shift.reshape(d, m)).ravel()
    square = np.einsum("jai,ajbk,kbl->jikl", basis, covariance.reshape(d, m, d, m), basis)
    values, vectors = np.linalg.eigh(square.reshape(xi.shape[-1], -1))
    if not values[0] > 1e-10 * values[-1]:
        raise CannotJudgeError("the predicted covariance is singular")
    z = (xi - moved) @ (vectors / np.sqrt(values))
    centred = z - z.mean(axis=0)
    sizes = (centred**2).sum(axis=1)
    fourth = sizes.std(ddof=1) / math.sqrt(2 * z.shape[1])
    return Whitened(
        shift=math.sqrt(len(W)) * float(np.linalg.norm(z.mean(axis=0))),
        variances=z.var(axis=0, ddof=1),
        fourth=max(1.0, float(fourth)),
        networks=len(W),
        trace=float(np.trace(np.cov(xi.T).reshape(xi.shape[-1], -1))),
    )


def spread_margin(variances: Array, networks: int, tail: float, width: float) -> float:
    """How far the mean of ``variances`` is inside the chi-square interval about one, widened by ``width``."""
    freedom = (networks - 1) * variances.size
    low, high = (float(q) / freedom for q in chi2.isf((1 - tail, tail), freedom))
    ratio = float(variances.mean())
    return min(ratio - low + width, high + width - ratio)


def size_in(vector: Array, covariance: Array) -> float:
    """Norm of a tangent vector in units of the spread."""
    return math.sqrt(max(0.0, float(vector @ np.linalg.pinv(covariance, rcond=1e-12) @ vector)))
