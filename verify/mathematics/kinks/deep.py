"""The kink of a deep residual across a first-layer boundary, where no gate above moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import colinear
from verify.mathematics.families.deep_pairs import Crossing, DeepNetworks

TOLERANCE = 1e-13
"""Relative to the sum of absolute terms of V f: at most a hundred operations a path, each eps = 2.2e-16, times 4."""


@dataclass(frozen=True)
class Bend:
    """At one crossing: ``measured (n_1,)`` second differences of ``V_1^T r``, ``predicted`` ones, and their ``scale``.

    ``pull`` holds the largest ``|V_1^T r|`` over the three points.
    """

    measured: Array
    predicted: Array
    pull: Array
    scale: float


def bend(drawn: DeepNetworks, node: Array, crossing: Crossing) -> Bend:
    """``eta (sum_j alpha_kj ||w*_j|| - sum_k' beta_kk' ||w_k'||)`` over nodes co-linear with ``node``, and r itself."""
    student, teacher = drawn.values(crossing.x)
    V, V_teacher = student.V1[1], teacher.V1[1]
    r = teacher.output - student.output
    kappa = np.zeros(r.shape[1])
    for readout, columns, sign in ((V_teacher, drawn.first[1], 1.0), (V, drawn.first[0], -1.0)):
        same = colinear(columns, node[:, None])[:, 0]
        kappa += sign * readout @ (same * np.linalg.norm(columns[:-1], axis=0))
    terms = (
        np.abs(V_teacher) @ teacher.f1.max(axis=0)
        + np.abs(V) @ student.f1.max(axis=0)
        + np.abs(r).max(axis=0)
    )
    return Bend(
        measured=V.T @ (r[0] - 2 * r[1] + r[2]),
        predicted=crossing.eta * V.T @ kappa,
        pull=np.abs(r @ V).max(axis=0),
        scale=float((np.abs(V).T @ terms).max()),
    )
